"""Trust stores and client certificates: from file names to an ``ssl.SSLContext``.

A CA file is added to the platform's store, it does not replace it (as ``--server-crt`` of the Argo CD client does).
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from updater.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """What decides whom we trust and who we are. Paths are empty when not given; ``ca_data`` is PEM text."""

    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    insecure: bool = False
    ca_data: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if bool(self.client_cert) != bool(self.client_key):
            raise ConfigurationError(
                "a client certificate needs both its certificate and its key",
                hint="set --argocd-client-crt and --argocd-client-crt-key together",
                code="tls_invalid",
            )


def ssl_context(options: TlsOptions) -> ssl.SSLContext:
    """A client context with TLS 1.2 or newer and HTTP/1.1; raises ``ConfigurationError`` with code ``tls_invalid``."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Offering HTTP/1.1 alone keeps a proxy from answering with HTTP/2 (argocd-api.md 4.1).
    context.set_alpn_protocols(["http/1.1"])
    if options.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if options.ca_file or options.ca_data:
        # A server's own certificate is enough, whoever signed it (6.3), as for the Argo CD client.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if options.ca_data:
        _load("ca_data", "CA text", lambda: context.load_verify_locations(cadata=options.ca_data))
    if options.ca_file:
        _load(options.ca_file, "CA file", lambda: context.load_verify_locations(cafile=options.ca_file))
    if options.client_cert:
        _load(
            options.client_cert,
            "client certificate",
            lambda: context.load_cert_chain(options.client_cert, options.client_key, password=_no_password),
        )
    return context


class LiveContext:
    """The context of TLS inputs, made anew when one of their files has changed: certificates are renewed under a
    running process, and mounted Secrets follow. Thread-safe.
    """

    def __init__(self, options: TlsOptions, when_renewed: Callable[[], None]) -> None:
        self._options = options
        self._when_renewed = when_renewed
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None
        self._seen: tuple[tuple[int, int, int] | None, ...] = ()

    def current(self) -> ssl.SSLContext:
        """Made on first use: loading the platform's trust store takes tens of milliseconds.

        Raises ``ConfigurationError`` for files that cannot be used. One that was good and is not any more, because
        somebody is writing it, leaves what held; it is read again next time.
        """
        seen = self._look()
        with self._lock:
            held = self._context
            if held is not None and seen == self._seen:
                return held
            try:
                self._context = fresh = ssl_context(self._options)
            except ConfigurationError:
                if held is None:
                    raise
                return held
            self._seen = seen
        if held is not None:
            self._when_renewed()
        return fresh

    def _look(self) -> tuple[tuple[int, int, int] | None, ...]:
        options = self._options
        return tuple(_file_state(path) for path in (options.ca_file, options.client_cert, options.client_key) if path)


def _file_state(path: str) -> tuple[int, int, int] | None:
    """What changes when a file does; None for one that is not there."""
    try:
        state = Path(path).stat()
    except OSError:
        return None
    return state.st_ino, state.st_mtime_ns, state.st_size


def _load(path: str, what: str, load: Callable[[], object]) -> None:
    try:
        load()
    except (OSError, ssl.SSLError, ValueError) as error:
        reason = getattr(error, "strerror", "") or getattr(error, "reason", "") or "not a PEM file"
        raise ConfigurationError(
            f"the {what} cannot be used: {reason}",
            where=path,
            hint="name a readable PEM file, its key without a passphrase",
            code="tls_invalid",
        ) from error


def _no_password() -> str:
    raise ValueError("the key is encrypted")
