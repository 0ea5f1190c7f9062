"""Certificates of private authorities: out of PEM text, a file, or a folder with one file per API host.

Rules: ``registries.md`` 1.8. Files are read when the configuration is loaded and only their certificates are kept, so
that the content decides which connections may be shared, and a rotated file is noticed by comparing.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

TLS_FOLDER = "/app/config/tls"
"""Where ``argocd-tls-certs-cm`` is mounted: one CA file per API host."""

MAX_CA_BYTES = 4 * 1024 * 1024
"""A bundle of every public authority has about 250 kB."""

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


class UnusableAuthorities(ValueError):
    """No certificate can be had; the text says why, as a clause."""


@dataclass(frozen=True, slots=True)
class MountedAuthorities:
    """What a folder holds: PEM text by host in lower case, and why the file of another host is of no use."""

    by_host: Mapping[str, str] = field(default_factory=dict, repr=False)
    problems: Mapping[str, str] = field(default_factory=dict)


def certificates_in(text: str) -> str:
    """The usable certificates of a PEM text, one after the other; raises ``UnusableAuthorities`` when there is none."""
    usable = [block for block in _CERTIFICATE.findall(text) if _is_usable(block)]
    if not usable:
        raise UnusableAuthorities("it holds no usable certificate in PEM form")
    return "\n".join([*usable, ""])


def load_ca_file(path: Path) -> str:
    """The usable certificates in a file; raises ``UnusableAuthorities``."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CA_BYTES + 1)
    except OSError as error:
        raise UnusableAuthorities(error.strerror or "it cannot be read") from error
    if len(content) > MAX_CA_BYTES:
        raise UnusableAuthorities(f"it is larger than {MAX_CA_BYTES // 1024} KiB")
    return certificates_in(content.decode("utf-8", "replace"))


def load_authorities(folder: str) -> MountedAuthorities:
    """What is mounted now; a folder that is not there holds nothing."""
    by_host: dict[str, str] = {}
    problems: dict[str, str] = {}
    for path in _ca_files(Path(folder)):
        host = path.name.lower()
        try:
            by_host[host] = load_ca_file(path)
        except UnusableAuthorities as problem:
            problems[host] = f"{path}: {problem}"
    return MountedAuthorities(by_host, problems)


def _ca_files(folder: Path) -> Iterator[Path]:
    """The files by name; a mounted volume also holds folders and links that begin with a dot."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if not path.name.startswith(".") and path.is_file():
            yield path


def _is_usable(block: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=block)
    except (ssl.SSLError, ValueError, TypeError):
        # Text between the markers that is not a certificate: another block may be one.
        return False
    return True
