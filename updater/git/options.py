"""What the operator decides about Git, as values; the settings behind them are ``write-back.md`` 1.8."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from updater.git.processes import ProcessLimits
from updater.model.git_prefixes import GitPrefix


class FetchMode(Enum):
    """How much of a repository a mirror holds (``--git-checkout-mode``)."""

    PARTIAL = "partial"
    """Trees of the newest commits, and files only as they are needed."""
    SHALLOW = "shallow"
    """All files of the newest commits."""


class SigningMethod(Enum):
    """Kinds of signature that git makes."""

    OPENPGP = "openpgp"
    SSH = "ssh"
    X509 = "x509"


@dataclass(frozen=True, slots=True)
class Signing:
    """``key`` is what the program of the method takes: for gpg a key id, for gpgsm the fingerprint, mail address or
    subject of a certificate, for ssh-keygen the path of a private key or a literal ``key::...``. ``gnupg_home`` is for
    the two of GnuPG.
    """

    method: SigningMethod
    key: str
    gnupg_home: Path | None = None


@dataclass(frozen=True, slots=True)
class Committer:
    """Who commits, and how it is vouched for."""

    name: str = "argocd-image-updater"
    email: str = "noreply@argoproj.io"
    signs_off: bool = False
    signing: Signing | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """Which addresses may be written. ``prefixes`` empty means all; see ``write-back.md`` 3.2."""

    allows_http: bool = False
    allows_local: bool = False
    prefixes: tuple[GitPrefix, ...] = ()


@dataclass(frozen=True, slots=True)
class GitOptions:
    """``cache_folder`` None is a private temporary folder. ``ssh_folder`` holds ``ssh_known_hosts``, ``tls_folder``
    one CA file per host. ``max_cache_bytes`` bounds all mirrors together, the ones in use apart. ``app_token_s`` is
    how long a token of a GitHub App is used, ``request_timeout_s`` bounds a request for one. ``uses_api``: where the
    credentials are those of a GitHub App, GitHub makes the commits itself. ``max_fetch_bytes`` bounds the file that one
    fetch stores; 0 is no limit. ``makes_commits`` false is a dry run.
    """

    cache_folder: Path | None = None
    mode: FetchMode = FetchMode.PARTIAL
    limits: ProcessLimits = field(default_factory=ProcessLimits)
    committer: Committer = field(default_factory=Committer)
    admission: Admission = field(default_factory=Admission)
    ssh_folder: Path = Path("/app/config/ssh")
    tls_folder: Path = Path("/app/config/tls")
    max_cache_bytes: int = 20 * 1024**3
    app_token_s: float = 3600.0
    request_timeout_s: float = 15.0
    uses_api: bool = False
    makes_commits: bool = True
    max_fetch_bytes: int = 4 * 1024**3
