"""The address of an API server, as people write it (``argocd-api.md`` 6.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from updater.errors import ConfigurationError
from updater.transport.redaction import MASK, redact

_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+(%[A-Za-z0-9._~-]+)?")
_ROOT_PATH = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@/-]*")


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Scheme, host (IPv6 without brackets), port (None: the scheme's default) and root path without outer slashes."""

    scheme: str
    host: str
    port: int | None = None
    root_path: str = ""

    @property
    def authority(self) -> str:
        """``host`` or ``host:port``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def base_url(self) -> str:
        """The URL that a method's path is appended to; it has no trailing slash."""
        root = f"/{self.root_path}" if self.root_path else ""
        return f"{self.scheme}://{self.authority}{root}"

    @property
    def target(self) -> str:
        """``host:port`` for a native channel, with the scheme's default port filled in."""
        port = self.port or (443 if self.is_tls else 80)
        return f"[{self.host}]:{port}" if ":" in self.host else f"{self.host}:{port}"

    @property
    def is_tls(self) -> bool:
        return self.scheme == "https"

    def __str__(self) -> str:
        return self.base_url


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a server is spoken to."""

    is_plaintext: bool
    is_grpc_web: bool


def dialect_of(text: str, *, plaintext: bool, grpc_web: bool, root_path: str) -> Dialect:
    """What the options come to together with the address, whose scheme and path decide as well.

    An address that ``parse_address`` refuses decides nothing.
    """
    try:
        address = parse_address(text, plaintext=plaintext, root_path=root_path)
    except ConfigurationError:
        return Dialect(plaintext, grpc_web)
    # Only gRPC-Web has a place for a root path, so one implies the other.
    return Dialect(is_plaintext=not address.is_tls, is_grpc_web=grpc_web or bool(address.root_path))


def parse_address(text: str, *, plaintext: bool = False, root_path: str = "") -> ServerAddress:
    """The address of ``host``, ``host:port``, or a URL with one of the schemes http and https.

    Raises ``ConfigurationError`` with code ``bad_argocd_address`` for anything else, and where a scheme or path
    contradicts the options.
    """
    address = text.strip()
    if not address:
        raise _refused(text, "it is empty")
    scheme, rest = _split_scheme(address, text, plaintext=plaintext)
    try:
        parts = urlsplit(f"//{rest}")
        port = parts.port
    except ValueError as error:
        raise _refused(text, "the port or the brackets are wrong") from error
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise _refused(text, "user info, query and fragment have no place in it")
    host = parts.hostname or ""
    if not (_HOST.fullmatch(host) or (parts.netloc.startswith("[") and _IPV6.fullmatch(host))):
        raise _refused(text, "the host name is not valid; an IPv6 address needs brackets")
    if port == 0 or parts.netloc.endswith(":"):
        raise _refused(text, "the port is missing or zero")
    return ServerAddress(scheme, host, port, _root_path(parts.path, root_path, text))


def _split_scheme(address: str, text: str, *, plaintext: bool) -> tuple[str, str]:
    head, separator, rest = address.partition("://")
    if not separator:
        return ("http" if plaintext else "https"), address
    scheme = head.lower()
    if scheme not in ("http", "https"):
        raise _refused(text, f"the scheme {head!r} is neither http nor https")
    if scheme == "https" and plaintext:
        raise _refused(text, "https contradicts --argocd-plaintext")
    return scheme, rest


def _root_path(from_address: str, from_option: str, text: str) -> str:
    written, wanted = from_address.strip("/"), from_option.strip().strip("/")
    if written and wanted and written != wanted:
        raise _refused(text, f"its path {written!r} contradicts the root path {wanted!r}")
    root = written or wanted
    if not _ROOT_PATH.fullmatch(root) or ".." in root.split("/") or "//" in root:
        raise _refused(text, f"{root!r} is no root path")
    return root


def _shown(text: str) -> str:
    """The text without user info, which may stand there without a scheme."""
    scheme, separator, rest = text.rpartition("://")
    return redact(f"{scheme}{separator}{MASK}@{rest.rpartition('@')[2]}" if "@" in rest else text)


def _refused(text: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"the Argo CD server address cannot be used: {why}",
        where=f"--argocd-server-addr {_shown(text)!r}" if len(text) < 200 else "--argocd-server-addr",
        hint="write host, host:port or https://host[:port][/root-path]",
        code="bad_argocd_address",
    )
