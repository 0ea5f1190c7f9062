"""TLS of the webhook server: which certificate, which versions, which suites (``runtime.md`` 7.1).

Everything that cannot be had is refused at the start, with the setting to change; nothing is left to be found out by
the first registry that calls.
"""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from cryptography import x509

from sidecar.server import server_tls
from sidecar.webhooks.renewal import RenewedContext
from sidecar.webhooks.self_signed import make_pair
from updater.clock import Clock
from updater.errors import ConfigurationError
from updater.ports.log import EventLog

CERTIFICATE, KEY = "tls.crt", "tls.key"
_VERSIONS: Mapping[str, ssl.TLSVersion] = MappingProxyType(
    {"1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
)
_LIBRARY_MINIMUM = ssl.TLSVersion.TLSv1_2

_OLD = frozenset({ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2})
_NEW = frozenset({ssl.TLSVersion.TLSv1_2})
_FIXED = frozenset({ssl.TLSVersion.TLSv1_3})


@dataclass(frozen=True, slots=True)
class TlsWish:
    """What the operator wrote. ``is_plain`` None: TLS if ``folder`` holds a pair. ``ciphers`` are IANA names."""

    is_plain: bool | None = None
    minimum: str = "1.3"
    maximum: str = "1.3"
    ciphers: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True)
class _Suite:
    """``name`` is OpenSSL's; suites of TLS 1.3 are not chosen, so theirs is empty."""

    name: str
    versions: frozenset[ssl.TLSVersion]


_SUITES: Mapping[str, _Suite] = MappingProxyType(
    {
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": _Suite("ECDHE-ECDSA-AES128-GCM-SHA256", _NEW),
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": _Suite("ECDHE-RSA-AES128-GCM-SHA256", _NEW),
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": _Suite("ECDHE-ECDSA-AES256-GCM-SHA384", _NEW),
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": _Suite("ECDHE-RSA-AES256-GCM-SHA384", _NEW),
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": _Suite("ECDHE-ECDSA-CHACHA20-POLY1305", _NEW),
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": _Suite("ECDHE-RSA-CHACHA20-POLY1305", _NEW),
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": _Suite("ECDHE-ECDSA-AES128-SHA", _OLD),
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": _Suite("ECDHE-RSA-AES128-SHA", _OLD),
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": _Suite("ECDHE-ECDSA-AES256-SHA", _OLD),
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": _Suite("ECDHE-RSA-AES256-SHA", _OLD),
        "TLS_AES_128_GCM_SHA256": _Suite("", _FIXED),
        "TLS_AES_256_GCM_SHA384": _Suite("", _FIXED),
        "TLS_CHACHA20_POLY1305_SHA256": _Suite("", _FIXED),
    }
)
"""Names of the IANA registry "TLS Cipher Suites" with forward secrecy; everything else counts as insecure."""


def webhook_tls(wish: TlsWish, clock: Clock, log: EventLog) -> ssl.SSLContext | None:
    """The context to serve with, None for plain HTTP. Raises ``ConfigurationError`` ``tls_invalid``."""
    certificate, key = Path(wish.folder) / CERTIFICATE, Path(wish.folder) / KEY
    has_pair = _is_filled(certificate) and _is_filled(key)
    if wish.is_plain or (wish.is_plain is None and not has_pair):
        _remark_plain(wish, certificate, key, log)
        return None
    minimum, maximum = _version(wish.minimum, "--tlsminversion"), _version(wish.maximum, "--tlsmaxversion")
    if minimum and maximum and minimum > maximum:
        raise _invalid(f"the lowest version {wish.minimum} is above the highest, {wish.maximum}", "--tlsminversion")
    lowest = minimum or min(_LIBRARY_MINIMUM, maximum or _LIBRARY_MINIMUM)
    suites = _suites(wish.ciphers, lowest, log)

    def make() -> ssl.SSLContext:
        if has_pair:
            _check_dates(certificate, clock.now())
            context = server_tls(str(certificate), str(key), lowest)
        else:
            context = _self_signed_context(lowest, clock)
        if maximum:
            context.maximum_version = maximum
        if suites:
            context.set_ciphers(suites)
        return context

    if has_pair:
        return RenewedContext(make, (certificate, key), clock, log).outer
    log.warning("webhook_certificate_made", text="registries cannot verify it; mount a pair for them")
    return make()


def _remark_plain(wish: TlsWish, certificate: Path, key: Path, log: EventLog) -> None:
    """What hints that TLS was meant: half a pair, or settings that only TLS has."""
    missing = [str(path) for path in (certificate, key) if not _is_filled(path)]
    if wish.is_plain is None and len(missing) == 1:
        text = f"webhooks are served without TLS, because {missing[0]} is missing or empty"
        log.warning("setting_remarked", kind="half_a_pair", text=text)
    usual = TlsWish()
    if wish.ciphers or (wish.minimum, wish.maximum) != (usual.minimum, usual.maximum):
        text = "--tlsminversion, --tlsmaxversion and --tlsciphers have no effect: webhooks are served without TLS"
        log.warning("setting_remarked", kind="no_effect", text=text)


def _self_signed_context(minimum: ssl.TLSVersion, clock: Clock) -> ssl.SSLContext:
    """Python loads certificates from files only: these exist, for this user alone, while they are loaded."""
    certificate, key = make_pair(clock.now())
    with tempfile.TemporaryDirectory(prefix="webhook-tls-") as folder:
        paths = Path(folder, CERTIFICATE), Path(folder, KEY)
        for path, content in zip(paths, (certificate, key), strict=True):
            path.write_bytes(content)
        return server_tls(str(paths[0]), str(paths[1]), minimum)


def _is_filled(path: Path) -> bool:
    """A pair that exists and cannot be read is an error later, not plain HTTP."""
    try:
        return path.is_file() and path.stat().st_size > 0
    except PermissionError:
        return True


def _version(text: str, where: str) -> ssl.TLSVersion | None:
    """None for an empty text: the library's own."""
    name = text.lower().removeprefix("tls")
    if not name:
        return None
    if name not in _VERSIONS:
        raise _invalid(f"{text!r} is not a version of TLS; there are {', '.join(_VERSIONS)}", where)
    return _VERSIONS[name]


def _suites(text: str, minimum: ssl.TLSVersion, log: EventLog) -> str:
    """OpenSSL's list of suites; empty leaves it alone."""
    names = [name.strip() for name in text.split(":") if name.strip()]
    if names and minimum is ssl.TLSVersion.TLSv1_3:
        log.warning("setting_remarked", kind="no_effect", text="--tlsciphers has no effect: TLS 1.3 has its own suites")
        return ""
    for name in names:
        if name not in _SUITES:
            raise _invalid(f"{name!r} is unknown or insecure; there are {', '.join(_SUITES)}", "--tlsciphers")
        if minimum not in _SUITES[name].versions:
            raise _invalid(f"{name!r} cannot be used with the lowest version", "--tlsciphers, --tlsminversion")
    return ":".join(_SUITES[name].name for name in names)


def _check_dates(path: Path, now: datetime) -> None:
    try:
        leaf = x509.load_pem_x509_certificates(path.read_bytes())[0]
    except OSError as error:
        reason = error.strerror or "no reason given"
        raise _invalid(f"it cannot be read as a certificate: {reason}", str(path)) from error
    except ValueError as error:
        raise _invalid("it cannot be read as a certificate: it is no PEM file with one", str(path)) from error
    if now < leaf.not_valid_before_utc:
        raise _invalid(f"the certificate is not valid before {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC", str(path))
    if now > leaf.not_valid_after_utc:
        raise _invalid(f"the certificate has expired on {leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC", str(path))


def _invalid(what: str, where: str) -> ConfigurationError:
    return ConfigurationError(what, where=where, code="tls_invalid")
