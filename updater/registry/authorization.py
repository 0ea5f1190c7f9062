"""How to get in: which Authorization a request carries, and what to try when it is refused.

Rules: ``registries.md`` 3.2 to 3.4. Challenges are remembered per API origin and TLS inputs. With credentials and no
remembered challenge the registry is pinged first; without credentials the request itself finds out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from cachetools import TTLCache

from updater.clock import Clock, Deadline
from updater.errors import RegistryAuthError
from updater.registry.answers import Answer
from updater.registry.challenges import Challenge, parse_challenges, select_challenge
from updater.registry.connections import RegistryConnections, RegistryRequest
from updater.registry.credential_values import CredentialKind, Credentials
from updater.registry.endpoints import RemoteRepository
from updater.registry.failures import TRANSIENT_STATUSES, refusal
from updater.registry.flights import SingleFlight
from updater.registry.measures import RegistryMeasures
from updater.registry.options import RegistryOptions
from updater.registry.token_messages import TokenKey
from updater.registry.tokens import TokenService
from updater.transport.trust import TlsOptions

MAX_CHALLENGES = 1_000
MAX_SCOPES = 10_000
CHALLENGE_S = 3600.0
"""How long a challenge is remembered (``registries.md`` 3.2)."""

_Peer = tuple[str, TlsOptions]

_OPEN = Challenge("")
"""The registry answers a ping without asking who we are."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A repository and the credentials to visit it with; ``credentials_id`` stands for them in keys."""

    remote: RemoteRepository
    credentials: Credentials | None
    credentials_id: str

    @property
    def origin(self) -> str:
        return self.remote.endpoint.api_origin

    @property
    def has_password(self) -> bool:
        """Whether Basic is possible; tokens are for Bearer alone."""
        return self.credentials is not None and self.credentials.kind is CredentialKind.PASSWORD

    @property
    def peer(self) -> tuple[str, TlsOptions]:
        """Whom we talk to, and how sure of it we are: what an unverified peer says must not guide a verified visit."""
        return self.origin, self.remote.endpoint.tls


@dataclass(frozen=True, slots=True)
class Authorization:
    """A header value; ``token_key`` is set for Bearer. ``is_fresh``: the token was issued for this very request."""

    header: str = field(repr=False)
    token_key: TokenKey | None = None
    is_fresh: bool = True


class Authorizer:
    """Finds Authorization headers. Thread-safe."""

    def __init__(
        self,
        connections: RegistryConnections,
        tokens: TokenService,
        clock: Clock,
        options: RegistryOptions,
        measures: RegistryMeasures,
    ) -> None:
        self._connections = connections
        self._tokens = tokens
        self._clock = clock
        self._options = options
        self._lock = threading.Lock()
        self._pings: SingleFlight[Challenge] = SingleFlight("ping", measures)
        timer = clock.monotonic_s
        self._challenges: TTLCache[_Peer, Challenge] = TTLCache(MAX_CHALLENGES, CHALLENGE_S, timer=timer)
        self._scopes: TTLCache[tuple[_Peer, str], tuple[str, ...]] = TTLCache(MAX_SCOPES, CHALLENGE_S, timer=timer)

    def before(self, visit: Visit, deadline: Deadline) -> Authorization | None:
        """The Authorization for a first attempt, None for an anonymous one."""
        if visit.credentials is not None and visit.credentials.kind is CredentialKind.REGISTRY_TOKEN:
            return Authorization(f"Bearer {visit.credentials.password.reveal()}")
        challenge = self._known(visit)
        if challenge is None:
            if visit.credentials is None:
                return None
            # Looked up again by whoever leads: a shared ping may have ended since.
            challenge = self._shared_ping(visit, deadline, lambda: self._known(visit) or self._ping(visit, deadline))
        return self._answer(visit, challenge, deadline)

    def after(
        self, visit: Visit, sent: Authorization | None, answer: Answer, deadline: Deadline
    ) -> Authorization | None:
        """The Authorization for a second and last attempt, None to believe the answer as it is."""
        if visit.credentials is not None and visit.credentials.kind is CredentialKind.REGISTRY_TOKEN:
            return None
        if answer.status == 401:
            return self._after_challenge(visit, sent, answer, deadline)
        if answer.status in {403, 404} and sent is None and visit.credentials is not None:
            # Some registries hide what exists from strangers instead of asking who they are.
            return self._answer(visit, self._ping_again(visit, deadline), deadline)
        return None

    def _after_challenge(
        self, visit: Visit, sent: Authorization | None, answer: Answer, deadline: Deadline
    ) -> Authorization | None:
        if sent is not None and sent.token_key is not None:
            self._tokens.forget(sent.token_key)
        challenge = self._choose(visit, answer)
        if challenge is None:
            return None
        if challenge.scheme == "basic" and sent is not None and sent.token_key is not None:
            # Harbor answers a token with too little scope like this; only a stranger is told where tokens come from.
            challenge = self._ping_again(visit, deadline)
        self._learn(visit, challenge)
        if _is_the_same_again(sent, challenge, self._token_key(visit, challenge)):
            return None
        return self._answer(visit, challenge, deadline)

    def _choose(self, visit: Visit, answer: Answer) -> Challenge | None:
        offered = parse_challenges(answer.lines("www-authenticate"))
        chosen = select_challenge(offered, has_credentials=visit.has_password)
        if chosen is None and visit.credentials is not None:
            schemes = ", ".join(sorted({challenge.scheme for challenge in offered})) or "none"
            raise RegistryAuthError(
                f"the registry offers no way in that we know; it offers: {schemes}",
                where=str(visit.remote),
                hint="Bearer with a realm and Basic are known",
                code="auth_required",
            )
        return chosen

    def _known(self, visit: Visit) -> Challenge | None:
        with self._lock:
            return self._challenges.get(visit.peer)

    def _ping_again(self, visit: Visit, deadline: Deadline) -> Challenge:
        """What the registry asks of a stranger, whatever is remembered."""
        return self._shared_ping(visit, deadline, lambda: self._ping(visit, deadline), is_forced=True)

    def _shared_ping(
        self, visit: Visit, deadline: Deadline, ping: Callable[[], Challenge], *, is_forced: bool = False
    ) -> Challenge:
        """Shared by everybody who asks for the same at the same time; its scopes are each visit's own."""
        challenge = self._pings.fetch((visit.peer, is_forced), deadline, ping)
        self._learn(visit, challenge)
        return challenge

    def _ping(self, visit: Visit, deadline: Deadline) -> Challenge:
        """One ping, remembered before the next caller can begin another."""
        challenge = self._ping_once(visit, deadline)
        self._learn(visit, challenge)
        return challenge

    def _ping_once(self, visit: Visit, deadline: Deadline) -> Challenge:
        endpoint = visit.remote.endpoint
        request = RegistryRequest(visit.remote.ping_url, where=endpoint.api_url, timeout_s=self._options.tags_timeout_s)
        answer = self._connections.fetch(endpoint, request, deadline)
        if answer.status in TRANSIENT_STATUSES:
            raise refusal(answer, endpoint.api_url, self._clock.now(), has_credentials=False)
        if answer.status != 401:
            return _OPEN
        # Whether this caller has credentials must not decide what others learn from the shared ping.
        return select_challenge(parse_challenges(answer.lines("www-authenticate")), has_credentials=True) or _OPEN

    def _learn(self, visit: Visit, challenge: Challenge) -> None:
        """Remember a challenge for its origin, and the scopes it names for the repository alone."""
        scopes = tuple(challenge.parameters.get("scope", "").split())
        with self._lock:
            self._challenges[visit.peer] = challenge
            if scopes:
                self._scopes[visit.peer, visit.remote.name] = scopes

    def _answer(self, visit: Visit, challenge: Challenge, deadline: Deadline) -> Authorization | None:
        if challenge.scheme == "basic" and visit.credentials is not None and visit.has_password:
            return Authorization(visit.credentials.basic_authorization())
        if challenge.scheme != "bearer":
            return None
        key = self._token_key(visit, challenge)
        token, is_fresh = self._tokens.fetch(visit.remote.endpoint, key, visit.credentials, deadline)
        return Authorization(f"Bearer {token.reveal()}", key, is_fresh)

    def _token_key(self, visit: Visit, challenge: Challenge) -> TokenKey:
        with self._lock:
            learned = self._scopes.get((visit.peer, visit.remote.name), ())
        parameters, ours = challenge.parameters, pull_scope(visit.remote)
        return TokenKey(
            visit.origin,
            parameters.get("realm", ""),
            parameters.get("service", ""),
            (ours, *sorted(set(learned) - {ours})),
            visit.credentials_id,
        )


def pull_scope(remote: RemoteRepository) -> str:
    """The scope that listing and pulling need; Azure has two actions of its own (``registries.md`` 3.4)."""
    host = remote.endpoint.api_url.partition("://")[2].partition("/")[0]
    actions = "pull,metadata_read,content_read" if ".azurecr.io" in host else "pull"
    return f"repository:{remote.name}:{actions}"


def _is_the_same_again(sent: Authorization | None, challenge: Challenge, key: TokenKey) -> bool:
    """Whether the second attempt would carry what was refused a moment ago: repeating it could lock an account."""
    if sent is None:
        return False
    if sent.token_key is None:
        return challenge.scheme == "basic"
    return sent.is_fresh and challenge.scheme == "bearer" and sent.token_key == key
