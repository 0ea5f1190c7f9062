"""Requests to one API with one token: retries, deadlines, redirects, errors (``write-back.md`` 6.5).

The token travels to one origin only. A redirect is followed inside of it, and an error everywhere else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode, urljoin, urlsplit

from updater.clock import Backoff, Clock, Deadline
from updater.errors import ForgeError
from updater.forge.answers import Answer, Fields
from updater.forge.failures import misunderstood, refused, unreachable
from updater.forge.limits import LimitKey, RateLimits, is_rate_limit
from updater.ports.log import EventLog
from updater.transport.errors import TransportError
from updater.transport.http import HttpRequest, HttpTransport
from updater.transport.redaction import Secret, redact

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""A page of a hundred requests with bodies of 65,536 characters stays below."""
MAX_REDIRECTS = 3


@dataclass(frozen=True, slots=True)
class CallOptions:
    """``timeout_s`` bounds one request (``ARGOCD_GIT_REQUEST_TIMEOUT``), ``backoff`` the attempts for it."""

    timeout_s: float = 15.0
    backoff: Backoff = field(default_factory=lambda: Backoff(attempts=3, base_s=0.5, cap_s=10.0))
    user_agent: str = "argocd-image-updater-python"


@dataclass(frozen=True, slots=True)
class Call:
    """One request below the API's URL. ``path`` is encoded and begins with a slash; ``query`` values are plain.

    ``repeats`` False is for what must not happen twice, as long as it is not known that it did not happen.
    ``accepted`` are statuses beside those of success that the caller knows how to read. ``base`` is another API of the
    same server, empty for the usual one.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | Sequence[object] | None = None
    repeats: bool = True
    accepted: tuple[int, ...] = ()
    base: str = ""


@dataclass(frozen=True, slots=True)
class Connection:
    """The URL of an API, the headers that carry our token, and how to reach it; the transport belongs to who made it.

    ``when_denied`` hears of every answer that does not accept the token, ``limits`` of every used-up rate limit.
    """

    base: str
    token: Secret
    headers: Mapping[str, str] = field(repr=False)
    transport: HttpTransport
    when_denied: Callable[[], object]
    limits: RateLimits

    @property
    def limit_key(self) -> LimitKey:
        return self.base, self.token


class ForgeApi:
    """Not thread-safe."""

    def __init__(
        self,
        connection: Connection,
        deadline: Deadline,
        options: CallOptions,
        log: EventLog,
    ) -> None:
        self.base = connection.base
        self._connection = connection
        self._headers = {
            "Accept": "application/json",
            "User-Agent": options.user_agent,
            **connection.headers,
        }
        encoded = (Secret(value.rpartition(" ")[2]) for value in connection.headers.values())
        self._secrets = (connection.token, *encoded)
        self._deadline = deadline
        self._options = options
        self._log = log

    @property
    def clock(self) -> Clock:
        return self._deadline.clock

    def with_headers(self, headers: Mapping[str, str]) -> None:
        """Headers of one forge, beside those that all have."""
        self._headers.update(headers)

    def send(self, call: Call) -> Answer:
        """The answer of a success or of an accepted status; raises ``ForgeError`` for every other."""
        return self._send(call, f"{call.base or self.base}{call.path}", call.query)

    def send_to(self, url: str) -> Answer:
        """GET of a URL that the API named, for example its next page; raises ``ForgeError`` outside of its origin."""
        if _origin(url) != _origin(self.base):
            raise misunderstood("it points to another server", self._where("GET", self.base))
        return self._send(Call("GET", ""), url, {})

    def fetch(self, call: Call) -> Fields:
        """The object of an answer; raises ``ForgeError`` when it holds something else."""
        answer = self.send(call)
        value = self.value_of(answer)
        if not isinstance(value, dict):
            raise misunderstood("it is no object", self._where(answer.method, answer.url))
        return Fields(value)

    def value_of(self, answer: Answer) -> object:
        """The JSON of an answer; raises ``ForgeError`` when it is none."""
        try:
            return answer.json()
        except ValueError as error:
            raise misunderstood("it is no JSON", self._where(answer.method, answer.url)) from error

    def _send(self, call: Call, url: str, query: Mapping[str, str]) -> Answer:
        full = f"{url}?{urlencode(query)}" if query else url
        failures = 0
        while True:
            try:
                return self._accepted(call, self._redirected(call, full))
            except ForgeError as error:
                failures += 1
                if not self._may_repeat(call, error, failures):
                    raise

    def _may_repeat(self, call: Call, error: ForgeError, failures: int) -> bool:
        """Waits before it says yes; what a server asks for is a lower bound of the wait."""
        was_not_done = error.retry_after_s is not None
        if not error.retryable or failures >= self._options.backoff.attempts or not (call.repeats or was_not_done):
            return False
        delay_s = self._options.backoff.delay_s(failures - 1, self.clock, at_least_s=error.retry_after_s or 0.0)
        if delay_s >= self._deadline.remaining_s():
            return False
        self._log.debug("forge_request_repeated", method=call.method, error=str(error))
        return self.clock.wait_s(delay_s)

    def _accepted(self, call: Call, answer: Answer) -> Answer:
        if answer.is_success or answer.status in call.accepted:
            return answer
        error = refused(answer, self._where(answer.method, answer.url), self.clock)
        if error.code == "pr_denied":
            self._connection.when_denied()
        if is_rate_limit(answer):
            self._connection.limits.used_up(self._connection.limit_key, error.retry_after_s or 0.0)
        raise error

    def _redirected(self, call: Call, url: str) -> Answer:
        answer = self._exchange(call, url)
        for _ in range(MAX_REDIRECTS):
            if not answer.is_redirect:
                break
            target = _joined(url, answer.location)
            keeps_method = call.method == "GET" or answer.status in (307, 308)
            if not keeps_method or _origin(target) != _origin(url):
                break
            url = target
            answer = self._exchange(call, url)
        return answer

    def _exchange(self, call: Call, url: str) -> Answer:
        self._connection.limits.check(self._connection.limit_key)
        headers, body = self._headers, b""
        if call.body is not None:
            headers = {**headers, "Content-Type": "application/json"}
            body = json.dumps(call.body).encode()
        request = HttpRequest(call.method, url, headers, body, is_repeatable=call.repeats)
        within = self._deadline.sooner(self._options.timeout_s)
        try:
            with self._connection.transport.open(request, within) as exchange:
                content = exchange.read(cap_bytes=MAX_ANSWER_BYTES)
                names = {name.lower(): value for name, value in exchange.headers.items()}
                answer = Answer(call.method, url, exchange.status, names, self._clean(content))
        except TransportError as error:
            raise unreachable(error, self._where(call.method, url)) from error
        self._log.debug("forge_answered", method=call.method, path=urlsplit(url).path, status=answer.status)
        return answer

    def _clean(self, content: bytes) -> bytes:
        """The body without our own token, should a server show it to us."""
        for secret in self._secrets:
            value = secret.reveal().encode()
            if len(value) > 3 and value in content:
                content = content.replace(value, b"***")
        return content

    def _where(self, method: str, url: str) -> str:
        return redact(f"{method} {url.partition('?')[0]}")


def _joined(url: str, location: str) -> str:
    """Where a redirect leads, empty for a text that is no URL."""
    try:
        return urljoin(url, location)
    except ValueError:
        return ""


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port, None for a text that is no URL of the web."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}[parts.scheme]
    except (ValueError, KeyError):
        return None
    return parts.scheme, parts.hostname or "", port
