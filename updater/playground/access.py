"""Who may do what: accounts, the tokens they hold, and the policies of RBAC (``argocd-api.md`` 5.2, 5.3, 5.6).

``Access`` is the state behind logins. It is owned and locked by the world and has no lock of its own.
"""

from __future__ import annotations

import fnmatch
import secrets
from dataclasses import dataclass, field

import grpc

from updater.clock import Clock
from updater.playground import tokens
from updater.playground.refusals import Refusal, unauthenticated
from updater.playground.tokens import API_KEY, LOGIN, Claims

# The artificial successor of a login token is minted in its last five minutes (argocd-api.md 5.4).
RENEWAL_WINDOW_S = 300
MAX_USER_NAME_BYTES = 32


@dataclass(frozen=True, slots=True)
class Account:
    """A local account. An empty password means that nobody can log in with one."""

    name: str
    capabilities: frozenset[str] = frozenset({API_KEY})
    password: str = ""
    is_enabled: bool = True


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy line; subject ``*`` is everybody, the anonymous caller included (``policy.default``)."""

    subject: str
    resource: str
    action: str
    object: str
    is_deny: bool = False

    def covers(self, subject: str, resource: str, action: str, target: str) -> bool:
        """Whether the line speaks of this request; ``*`` in a pattern matches slashes too."""
        return (
            self.subject in ("*", subject)
            and self.resource == resource
            and fnmatch.fnmatchcase(action, self.action)
            and fnmatch.fnmatchcase(target, self.object)
        )


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a call: a caller without claims is anonymous."""

    claims: Claims | None = None

    @property
    def is_logged_in(self) -> bool:
        return self.claims is not None

    @property
    def subject(self) -> str:
        return self.claims.rbac_subject if self.claims is not None else ""


@dataclass(slots=True)
class Access:
    """Accounts, issued tokens and policies, as mutable state."""

    clock: Clock
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    accounts: dict[str, Account] = field(default_factory=dict)
    policies: list[Policy] = field(default_factory=list)
    listed: set[str] = field(default_factory=set)
    expired: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)

    def issue(self, subject: str, *, lifetime_s: int | None = None) -> str:
        """A new signed token for ``<account>:apiKey``, ``<account>:login`` or ``proj:<project>:<role>``."""
        now = int(self.clock.now().timestamp())
        expires = None if lifetime_s is None else now + lifetime_s
        claims = Claims(subject, secrets.token_hex(8), now, expires)
        self.listed.add(claims.token_id)
        return tokens.mint(claims, self.key)

    def verify(self, token: str) -> Claims:
        """The claims of a good token; a ``Refusal`` with code Unauthenticated for any other."""
        if not token:
            raise unauthenticated("no session information")
        claims = tokens.verify(token, self.key, now_s=self.clock.now().timestamp())
        if claims.token_id in self.expired:
            raise tokens.expired()
        if claims.is_project_token:
            self._check_project_token(claims)
        else:
            self._check_account_token(claims)
        return claims

    def _check_project_token(self, claims: Claims) -> None:
        if claims.token_id not in self.listed:
            _, project, role = claims.subject.split(":", 2)
            raise unauthenticated(
                f"invalid session: JWT token for role '{role}' issued at '{claims.issued_at}' "
                f"does not exist in project '{project}'"
            )

    def _check_account_token(self, claims: Claims) -> None:
        name, account = claims.account, self.accounts.get(claims.account)
        if account is None:
            raise unauthenticated(f"invalid session: rpc error: code = NotFound desc = account '{name}' does not exist")
        if not account.is_enabled:
            raise unauthenticated(f"invalid session: account {name} is disabled")
        if claims.capability not in account.capabilities:
            raise unauthenticated(f"invalid session: account {name} does not have '{claims.capability}' capability")
        if claims.capability == API_KEY and claims.token_id not in self.listed:
            raise unauthenticated(f"invalid session: account {name} does not have token with id {claims.token_id}")
        if claims.token_id in self.revoked:
            raise unauthenticated("invalid session: token is revoked, please re-login")

    def revoke(self, token: str) -> None:
        """Delete an API key or project token from its list; mark a login token as revoked."""
        claims = tokens.read_claims(token)
        self.listed.discard(claims.token_id)
        self.revoked.add(claims.token_id)

    def successor(self, claims: Claims, lifetime_s: int) -> str | None:
        """A fresh login token when this one is in its last minutes, else None."""
        if claims.is_project_token or claims.capability != LOGIN or claims.expires_at is None:
            return None
        remaining = claims.expires_at - self.clock.now().timestamp()
        return self.issue(claims.subject, lifetime_s=lifetime_s) if remaining <= RENEWAL_WINDOW_S else None

    def log_in(self, username: str, password: str, lifetime_s: int) -> str:
        """The session token of a password login, refused as the server words it (``argocd-api.md`` 5.4)."""
        if not username:
            raise unauthenticated("no credentials supplied")
        if not password:
            raise unauthenticated("Blank passwords are not allowed")
        if len(username.encode()) > MAX_USER_NAME_BYTES:
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, f"Username is too long (max: {MAX_USER_NAME_BYTES} bytes)")
        account = self.accounts.get(username)
        if account is None or not account.password or account.password != password:
            raise unauthenticated("Invalid username or password")
        if not account.is_enabled:
            raise unauthenticated(f"account {username} is disabled")
        if LOGIN not in account.capabilities:
            raise unauthenticated(f"account {username} does not have '{LOGIN}' capability")
        return self.issue(f"{username}:{LOGIN}", lifetime_s=lifetime_s)

    def allows(self, caller: Caller, resource: str, action: str, target: str) -> bool:
        """Whether some policy allows the request and none denies it."""
        matching = [each for each in self.policies if each.covers(caller.subject, resource, action, target)]
        return bool(matching) and not any(each.is_deny for each in matching)
