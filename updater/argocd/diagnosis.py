"""The layers between us and the API server, examined one by one (``runtime.md`` 1.15, ``doctor``).

Each step asks for one thing more than the step before it, so the first that fails names what to change. Nothing is
written. Rules: ``argocd-api.md`` 4 (ALPN, root path), 5 (token, rights).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from urllib.parse import urlsplit

from updater.argocd.client import ArgoCDClient
from updater.argocd.connect import ConnectionOptions
from updater.argocd.failures import transport_failure
from updater.argocd.login import require_login
from updater.argocd.rights import examine_rights
from updater.argocd.roots import find_other_root
from updater.argocd.tokens import TokenSource, expiry_warning, read_claims
from updater.argocd.transports import Transports
from updater.clock import Clock, Deadline
from updater.errors import (
    ArgoCDError,
    ArgoCDForeignAnswer,
    ArgoCDProtocolError,
    ArgoCDUnauthenticated,
    ArgoCDUnreachable,
    UpdaterError,
)
from updater.model.applications import ApplicationSnapshot
from updater.model.findings import Seen, Verdict
from updater.ports.fleet import FleetSource
from updater.transport.errors import TransportError
from updater.transport.http import HttpOptions, HttpRequest, HttpTransport
from updater.transport.probes import Handshake, resolve_host, shake_hands, speaks_tls, try_connection
from updater.transport.skew import MAX_SKEW, clock_skew

STEP_TIMEOUT_S = 20.0
"""For one call; what is slower than that is a finding of its own."""

LIST_TIMEOUT_S = 120.0

Layer = tuple[str, Callable[[], Seen]]
FleetOf = Callable[[ArgoCDClient], FleetSource]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class DiagnosisOptions:
    """``wants_write``: rights to write are needed. ``writes_to``: whether an Application is written through the API."""

    connection: ConnectionOptions
    wants_write: bool = True
    writes_to: Callable[[ApplicationSnapshot], bool] = lambda _: True


class ServerDiagnosis:
    """Steps in the order of ``layers``, each once, by one thread; ``close`` at the end."""

    def __init__(self, options: DiagnosisOptions, tokens: TokenSource, clock: Clock) -> None:
        self._options = options
        self._connection = options.connection
        self._address = options.connection.wire.address
        self._tokens = tokens
        self._clock = clock
        self._transports = Transports(options.connection, tokens, clock)
        self._handshake: Handshake | None = None
        self.snapshots: tuple[ApplicationSnapshot, ...] = ()
        """The Applications that the account sees, once its rights were examined."""
        self._root_problem: ArgoCDForeignAnswer | None = None
        proxy = self._connection.proxies.proxy_for(self._address.base_url)
        self._proxy = _peer_of(proxy) if proxy else None
        self._peer = self._proxy or _peer_of(f"{self._address.scheme}://{self._address.target}")

    def layers(self, fleet: FleetOf) -> tuple[Layer, ...]:
        """The steps by name. ``fleet`` makes the listing of Applications from a client."""
        return (
            ("DNS", self._resolve),
            ("TCP", self._connect),
            ("TLS", self._shake_hands),
            ("ALPN", self._look_at_alpn),
            ("gRPC-Web", self._call_over_web),
            ("gRPC", self._call_natively),
            ("root path", self._look_at_root),
            ("token", self._check_token),
            ("token expiry", self._check_expiry),
            ("RBAC", lambda: self._check_rights(fleet(self._transports.configured))),
            ("clock", self._compare_clocks),
        )

    def close(self) -> None:
        """Close every connection."""
        self._transports.close()

    def _resolve(self) -> Seen:
        host, port = self._peer
        addresses = self._probed(lambda: resolve_host(host, port))
        return Seen(f"{self._whom} {host} is {', '.join(addresses[:4])}")

    def _connect(self) -> Seen:
        host, port = self._peer
        return Seen(f"{self._probed(lambda: try_connection(host, port))} answers on port {port}")

    def _shake_hands(self) -> Seen:
        if self._proxy is not None:
            return Seen("goes through the proxy; the first call tells", Verdict.NOTED)
        host, port = self._peer
        if not self._address.is_tls:
            return self._require_plain(host, port)
        self._handshake = self._probed(lambda: shake_hands(host, port, self._connection.tls))
        if self._connection.tls.insecure:
            text = f"{self._handshake.version}; the certificate is not verified"
            return Seen(text, Verdict.WARNED, "trust its authority with --argocd-server-crt instead")
        expires = self._handshake.expires
        until = f", valid until {expires:%Y-%m-%d}" if expires else ""
        return Seen(f"{self._handshake.version}, certificate of {self._handshake.issuer or 'the server'}{until}")

    def _require_plain(self, host: str, port: int) -> Seen:
        if self._probed(lambda: speaks_tls(host, port)):
            hint = "drop --argocd-plaintext, or write https:// in --argocd-server-addr"
            raise ArgoCDUnreachable("this port speaks TLS", where=str(self._address), hint=hint)
        return Seen("none, as the settings say: what is sent can be read on the way", Verdict.WARNED)

    def _look_at_alpn(self) -> Seen:
        if self._handshake is None:
            return Seen("no handshake of our own to look at", Verdict.NOTED)
        selected = self._handshake.protocol or "nothing"
        if self._handshake.protocol != "h2" and not self._connection.use_grpc_web:
            hint = "native gRPC needs h2; use --argocd-grpc-web"
            raise ArgoCDUnreachable(f"the server selects {selected}", where=str(self._address), hint=hint)
        return Seen(f"the server selects {selected}")

    def _call_over_web(self) -> Seen:
        is_wanted = self._connection.use_grpc_web
        try:
            return Seen(f"Argo CD {self._version(over_web=True)} answers")
        except (ArgoCDForeignAnswer, ArgoCDProtocolError) as error:
            if not is_wanted:
                return _unused(error)
            self._root_problem = find_other_root(self._connection, self._transports, self._clock, error)
            if self._root_problem is None:
                raise self._with_way_out(error, over_web=False, flag="drop --argocd-grpc-web") from error
            return Seen("Argo CD answers, but not where the settings say", Verdict.NOTED)
        except ArgoCDError as error:
            if not is_wanted:
                return _unused(error)
            raise self._with_way_out(error, over_web=False, flag="drop --argocd-grpc-web") from error

    def _call_natively(self) -> Seen:
        if self._address.root_path:
            return Seen("has no place for a root path", Verdict.NOTED)
        try:
            return Seen(f"Argo CD {self._version(over_web=False)} answers")
        except ArgoCDError as error:
            if self._connection.use_grpc_web:
                return _unused(error)
            raise self._with_way_out(error, over_web=True, flag="use --argocd-grpc-web") from error

    def _look_at_root(self) -> Seen:
        if self._root_problem is not None:
            raise self._root_problem
        return Seen(f"/{self._address.root_path}")

    def _check_token(self) -> Seen:
        if not self._tokens.current():
            raise ArgoCDUnauthenticated("there is no token", hint="set ARGOCD_TOKEN or --argocd-auth-token-file")
        account = require_login(self._transports.configured, self._deadline())
        return Seen(f"accepted, account {account or 'unnamed'}")

    def _check_expiry(self) -> Seen:
        claims = read_claims(self._tokens.current())
        warning = expiry_warning(claims, self._clock.now())
        if warning:
            return Seen(warning, Verdict.WARNED, "make a new one with 'argocd account generate-token'")
        return Seen(f"until {claims.expires:%Y-%m-%d %H:%M UTC}" if claims.expires else "without end")

    def _check_rights(self, fleet: FleetSource) -> Seen:
        snapshots = self.snapshots = fleet.fetch_applications(Deadline.after(self._clock, LIST_TIMEOUT_S))
        options = self._options
        return examine_rights(
            self._transports.configured,
            snapshots,
            [snapshot for snapshot in snapshots if options.writes_to(snapshot)],
            self._clock,
            wants_write=options.wants_write,
        )

    def _compare_clocks(self) -> Seen:
        skew = self._fetch_skew()
        if skew is None:
            return Seen("the server says no date", Verdict.NOTED)
        seconds = skew.total_seconds()
        text = f"{abs(seconds):.0f} s {'behind' if seconds > 0 else 'ahead of'} the server"
        if abs(skew) > MAX_SKEW:
            hint = "set the clocks by NTP: tokens of Git forges and clouds are refused otherwise"
            raise ArgoCDUnreachable(f"this machine's clock is {text}", hint=hint, code="clock_skew")
        return Seen("agrees with the server's" if abs(seconds) <= 1 else text)

    def _fetch_skew(self) -> timedelta | None:
        transport = HttpTransport(HttpOptions(self._connection.tls, self._connection.proxies), self._clock)
        try:
            request = HttpRequest("GET", f"{self._address.base_url}/", {"User-Agent": self._connection.wire.user_agent})
            return clock_skew(transport, request, self._clock, self._deadline())
        except TransportError:
            # A port for native gRPC alone has no pages, and so no dates; that the server answers is known by now.
            return None
        finally:
            transport.close()

    def _version(self, *, over_web: bool) -> str:
        return self._transports.client(over_web=over_web).fetch_version(self._deadline()).Version

    def _with_way_out(self, error: ArgoCDError, *, over_web: bool, flag: str) -> ArgoCDError:
        """The same error; when the other transport works, that is what to change."""
        try:
            self._version(over_web=over_web)
        except UpdaterError:
            # Neither works: the first error is about what was asked for.
            return error
        other = "gRPC-Web" if over_web else "native gRPC"
        return type(error)(error.what, where=error.where, hint=f"{other} works here: {flag}", code=error.code)

    def _probed(self, probe: Callable[[], _T]) -> _T:
        try:
            return probe()
        except TransportError as error:
            if self._proxy is not None:
                hint = "check HTTP_PROXY, HTTPS_PROXY and NO_PROXY"
                raise ArgoCDUnreachable(error.text, where=f"the proxy {self._proxy[0]}", hint=hint) from error
            failure = transport_failure(error, is_tls=self._address.is_tls)
            raise ArgoCDUnreachable(failure.what, where=str(self._address), hint=failure.hint) from error

    def _deadline(self) -> Deadline:
        return Deadline.after(self._clock, STEP_TIMEOUT_S)

    @property
    def _whom(self) -> str:
        return "the proxy" if self._proxy is not None else "the server"


def _unused(error: ArgoCDError) -> Seen:
    return Seen(f"not used, and does not work here: {error.what}", Verdict.NOTED)


def _peer_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
