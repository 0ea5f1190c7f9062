"""One HTTP exchange with a registry, its token service, or a place it redirects to.

Gate, then slot, then rate, then the exchange (``registries.md`` 5.1 and 5.2). Never follows redirects, knows neither
authentication nor retries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from updater.clock import Clock, Deadline
from updater.errors import ConfigurationError, RegistryError, RegistryUnreachable
from updater.registry.answers import Answer
from updater.registry.distrust import Distrusted
from updater.registry.endpoints import Endpoint, origin_of
from updater.registry.failures import broken_exchange, error_codes, retry_after_s
from updater.registry.gates import GateKey, Gates, Route
from updater.registry.measures import RegistryMeasures
from updater.registry.options import RegistryOptions
from updater.registry.pacing import RequestRates, RequestSlots
from updater.registry.port_exhaustion import PortExhaustion
from updater.registry.pull_limits import pull_pause_s
from updater.registry.silences import Silences
from updater.registry.transports import Janitor, TransportKey, Transports
from updater.transport.errors import TransportError, TransportFailure
from updater.transport.http import HttpExchange, HttpRequest, HttpTransport
from updater.transport.trust import TlsOptions

ERROR_BODY_BYTES = 64 * 1024
USER_AGENT = "argocd-image-updater-python"
"""Our own product token: some gateways refuse the defaults of HTTP libraries (``registries.md`` 3.11)."""
_NO_PORTS = "cannot assign requested address"


@dataclass(frozen=True, slots=True)
class RegistryRequest:
    """One request. URLs may be presigned, ``authorization`` is a whole header value, bodies hold tokens: all secret.

    ``where`` names the repository or token service in errors; ``etag`` asks for the body only when it has changed.
    ``timeout_s`` bounds this one exchange, its queueing left out, within the deadline of the caller. ``pull_id`` names
    the credentials whose limit of pulls the request counts against, empty when it counts against none.
    """

    url: str = field(repr=False)
    where: str
    authorization: str = field(default="", repr=False)
    cap_bytes: int = ERROR_BODY_BYTES
    method: str = "GET"
    accept: str = "application/json"
    etag: str = ""
    timeout_s: float = 60.0
    form: bytes = field(default=b"", repr=False)
    pull_id: str = ""

    def as_http(self) -> HttpRequest:
        """The request as the transport takes it."""
        headers = {"Accept": self.accept, "User-Agent": USER_AGENT}
        headers |= {"Authorization": self.authorization} if self.authorization else {}
        headers |= {"If-None-Match": self.etag} if self.etag else {}
        headers |= {"Content-Type": "application/x-www-form-urlencoded"} if self.form else {}
        return HttpRequest(self.method, self.url, headers, self.form)


class RegistryConnections:
    """Sends requests and paces them. Thread-safe; closed once by its owner."""

    def __init__(
        self, options: RegistryOptions, clock: Clock, measures: RegistryMeasures, ports: PortExhaustion
    ) -> None:
        self._options = options
        self._clock = clock
        self._measures = measures
        self._ports = ports
        self._gates = Gates(clock)
        self._silences = Silences(clock)
        self._distrusted = Distrusted(clock)
        self._rates = RequestRates(clock)
        self._slots = RequestSlots(options.max_inflight_in_all)
        self._transports = Transports(options.http, clock, options.max_transports)
        self._janitor = Janitor(self._transports.retire, options.janitor_period_s)

    def fetch(
        self, endpoint: Endpoint, request: RegistryRequest, deadline: Deadline, route: Route = Route.API
    ) -> Answer:
        """The complete answer, whatever its status; raises ``RegistryError`` when there is none.

        ``RegistryUnavailable`` with code ``rate_limited`` comes without any request while the origin wants a pause, and
        ``RegistryUnreachable`` with code ``registry_silent`` while it answers nobody.
        """
        origin = endpoint.api_origin if route is Route.API else origin_of(request.url)
        gates = [GateKey(route, origin)] + ([GateKey(route, origin, request.pull_id)] if request.pull_id else [])
        if route is not Route.REDIRECT:
            self._gates.pass_through(gates, request.where, deadline)
        size = self._options.max_token_requests if route is Route.TOKEN else self._options.http.pool_size
        with self._slots.hold((route, origin), size, request.where, deadline):
            self._take_turn(endpoint, route, origin, request.where, deadline)
            answer = self._heard(endpoint, TransportKey(route, origin, endpoint.tls), request, deadline)
        if route is not Route.REDIRECT:
            self._mind_limits(endpoint, gates, answer)
        return answer

    def check_heard(self, origin: str, where: str) -> None:
        """Raises ``RegistryUnreachable`` with code ``registry_silent`` while the API at ``origin`` answers nobody.

        For those who would wait for somebody else's request.
        """
        self._silences.check((Route.API, origin), where)

    def retire(self, origin: str, tls: TlsOptions | None = None) -> None:
        """The configuration of an origin has changed: new connections, and no memory of its limits.

        With ``tls`` only connections under these inputs are let go.
        """
        self._transports.retire(lambda key: key.origin == origin and tls in (None, key.tls))
        self._distrusted.forget(origin)
        self._gates.forget(origin)
        for route in Route:
            self._silences.forget((route, origin))

    def retire_trust(self, tls: TlsOptions) -> None:
        """Nobody has these TLS inputs any more."""
        self._transports.retire(lambda key: key.tls == tls)

    def close(self) -> None:
        """Cancel what runs and close every connection. Idempotent."""
        self._transports.close()
        self._janitor.close()

    def _take_turn(self, endpoint: Endpoint, route: Route, origin: str, where: str, deadline: Deadline) -> None:
        if route is Route.API:
            entry = (endpoint.prefix, endpoint.api_url)
            self._rates.take(entry, endpoint.requests_per_s, where, deadline)
        elif route is Route.TOKEN:
            self._rates.take((route, origin), self._options.token_requests_per_s, where, deadline)

    def _heard(self, endpoint: Endpoint, key: TransportKey, request: RegistryRequest, deadline: Deadline) -> Answer:
        """The answer, with what its coming says of the origin."""
        whom = (key.route, key.origin)
        self._silences.enter(whom, request.where)
        began_s = self._clock.monotonic_s()
        try:
            answer = self._measured(endpoint, key, request, deadline)
        except RegistryUnreachable as error:
            if error.code != "cancelled":
                self._silences.unanswered(whom, self._clock.monotonic_s() - began_s)
            raise
        except RegistryError:
            # An answer that cannot be used is one.
            self._silences.answered(whom)
            raise
        self._silences.answered(whom)
        return answer

    def _measured(self, endpoint: Endpoint, key: TransportKey, request: RegistryRequest, deadline: Deadline) -> Answer:
        if key.route is not Route.API:
            return self._exchange(key, request, deadline)
        began_s, status = self._clock.monotonic_s(), None
        self._measures.exchange_began(endpoint.api_url)
        try:
            answer = self._exchange(key, request, deadline)
            status = answer.status
        finally:
            self._measures.exchange_ended(endpoint.api_url, self._clock.monotonic_s() - began_s, status)
        return answer

    def _exchange(self, key: TransportKey, request: RegistryRequest, deadline: Deadline) -> Answer:
        limit = deadline.sooner(request.timeout_s)
        self._distrusted.check(key, request.where)
        try:
            with self._transports.lend(key) as transport, self._opened(transport, request, limit) as exchange:
                return _read(exchange, request)
        except TransportError as error:
            self._notice_ports(error)
            if error.kind is TransportFailure.TLS:
                self._distrusted.note(key, error.detail)
            if key.route is Route.REDIRECT:
                # The libraries put whole URLs into their texts, and this one may be presigned.
                raise broken_exchange(error, request.where) from None
            raise broken_exchange(error, request.where) from error
        except ConfigurationError as error:
            raise RegistryUnreachable(str(error), where=request.where, code="registry_tls") from error

    def _opened(self, transport: HttpTransport, request: RegistryRequest, limit: Deadline) -> HttpExchange:
        """An exchange whose answer has begun, in time."""
        exchange = transport.begin(limit)
        within_s = self._options.response_header_timeout_s
        if within_s >= limit.remaining_s():
            transport.send(exchange, request.as_http())
            return exchange
        watch = self._transports.watchdog.watch(limit.sooner(within_s), exchange.cancel)
        try:
            transport.send(exchange, request.as_http())
        except TransportError as error:
            if error.kind is TransportFailure.CANCELLED and watch.deadline.has_passed:
                raise TransportError(TransportFailure.TIMEOUT, "no answer began") from error
            raise
        finally:
            watch.done()
        return exchange

    def _notice_ports(self, error: TransportError) -> None:
        if not error.ports_exhausted and _NO_PORTS not in error.detail.lower():
            return
        if self._ports.record():
            self._transports.retire()

    def _mind_limits(self, endpoint: Endpoint, gates: list[GateKey], answer: Answer) -> None:
        """Close the gate that an answer asks for: that of the pulls where it is one, else that of the origin."""
        asked_s = retry_after_s(answer, self._clock.now())
        is_refusal = answer.status == 429 or (answer.status == 503 and asked_s is not None)
        if is_refusal or (answer.status >= 400 and "TOOMANYREQUESTS" in error_codes(answer)):
            self._measures.gate_closed(endpoint.api_url, self._gates.refused(gates[-1], asked_s))
            return
        reopened = [self._gates.answered(key) for key in gates]
        if any(reopened):
            self._measures.gate_closed(endpoint.api_url, 0.0)
        pause_s = pull_pause_s(answer)
        if pause_s is not None and gates[-1].pull_id:
            self._measures.gate_closed(endpoint.api_url, self._gates.refused(gates[-1], pause_s))


def _read(exchange: HttpExchange, request: RegistryRequest) -> Answer:
    """An answer of 200 in full, of any other only what explains it.

    HEAD has no body, but its end must be read too: only then is the connection kept.
    """
    headers: dict[str, tuple[str, ...]] = {}
    lines: Any = exchange.headers
    for name in lines:
        headers[name.lower()] = tuple(lines.getlist(name))
    if exchange.status == 200 and request.method != "HEAD":
        return Answer(exchange.status, headers, _decoded(exchange.read(cap_bytes=request.cap_bytes), headers))
    return Answer(exchange.status, headers, exchange.read_start(ERROR_BODY_BYTES))


def _decoded(body: bytes, headers: Mapping[str, tuple[str, ...]]) -> bytes:
    """The body, which must not be packed: we never ask for that, and a small packed body may be a huge one."""
    encoding = "".join(headers.get("content-encoding", ())).strip().lower()
    if encoding not in {"", "identity"}:
        raise TransportError(TransportFailure.PROTOCOL, "the body is packed although that was not asked for")
    return body
