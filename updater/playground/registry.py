"""An OCI distribution registry in memory, on loopback, for the demo and for tests.

Serves ``/v2/``, tags with pagination, manifests by tag and digest, blobs, monolithic uploads, and a token endpoint
(OCI distribution-spec 1.1, ends 1 to 11 as far as an image updater and a pushing client need them). The world changes
in one line: ``registry.push("team/app", "1.2.4")``, ``registry.require_basic(...)``, ``registry.faults.reset()``.
What was asked is in ``registry.requests``.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs

from updater.playground.registry_access import TOKEN_PATH, AccessMode, RegistryAccess
from updater.playground.registry_content import MANIFEST_TYPE, HeldManifest, HeldRepository, digest_of
from updater.playground.registry_faults import RegistryFaults
from updater.playground.registry_http import HttpAnswer, HttpAsked, LoopbackServer

_CREATED = "2026-01-01T00:00:00Z"
_ROUTE = re.compile(r"/v2/(?P<name>.+)/(?P<kind>tags|manifests|blobs/uploads|blobs)/(?P<rest>[^/]*)")


class LinkForm(Enum):
    """How the next page of tags is announced."""

    RELATIVE = "relative"
    ABSOLUTE = "absolute"
    QUERY_ONLY = "query-only"
    MISSING = "missing"
    """Not at all, although there are more tags: a defect of some group repositories."""


@dataclass(frozen=True, slots=True)
class Pagination:
    """``limit``: the largest page, whatever ``n`` says; None takes ``n`` as it comes."""

    limit: int | None = None
    link: LinkForm = LinkForm.RELATIVE
    honours_last: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """What is remembered of a request. ``scheme`` is the authentication scheme in lower case, empty without one.

    ``is_conditional``: the body was only wanted if it had changed.
    """

    method: str
    path: str
    query: str
    scheme: str
    is_conditional: bool = False
    accept: str = ""
    cookie: str = ""

    @property
    def has_authorization(self) -> bool:
        return bool(self.scheme)


class PlaygroundRegistry:
    """The registry; a context manager. Every method is thread-safe."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.faults = RegistryFaults()
        self.pagination = Pagination()
        self.offers_etags = False
        self._lock = threading.Lock()
        self._arrivals = threading.Condition(self._lock)
        self._access = RegistryAccess()
        self._repositories: dict[str, HeldRepository] = {}
        self._requests: list[Asked] = []
        self._pushes = 0
        self._server = LoopbackServer(self, tls, name="playground-registry")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every connection and thread."""
        self.faults.clear()
        self._server.close()

    @property
    def address(self) -> str:
        """The API URL, ``http(s)://127.0.0.1:port``."""
        return self._server.address

    @property
    def host(self) -> str:
        """``127.0.0.1:port``, as it stands in image references."""
        return self.address.partition("//")[2]

    @property
    def requests(self) -> tuple[Asked, ...]:
        """Everything that was asked so far, in order of arrival."""
        with self._lock:
            return tuple(self._requests)

    def wait_for_requests(self, count: int, *, timeout_s: float) -> None:
        """Wait until so many requests have arrived since the start; raises ``TimeoutError`` when they do not."""
        with self._arrivals:
            if not self._arrivals.wait_for(lambda: len(self._requests) >= count, timeout_s):
                raise TimeoutError(f"{len(self._requests)} of {count} requests arrived within {timeout_s} s")

    def push(
        self,
        repository: str,
        tag: str,
        *,
        created: str = _CREATED,
        platform: str = "linux/amd64",
        labels: Mapping[str, str] | None = None,
    ) -> str:
        """Put a new image under ``tag``; returns its manifest digest. Pushing again moves the tag.

        ``created`` empty leaves the date out; ``labels`` None leaves them out.
        """
        with self._lock:
            self._pushes += 1
            descriptor = self._held(repository).put_image(tag, platform, created, str(self._pushes), labels)
            return str(descriptor["digest"])

    def push_index(
        self, repository: str, tag: str, created_by_platform: Mapping[str, str], *, annotated: str = ""
    ) -> str:
        """Put a new image for several platforms under ``tag``; returns the digest of its index.

        ``annotated`` is the creation time on the index itself.
        """
        with self._lock:
            self._pushes += 1
            return self._held(repository).put_index(tag, created_by_platform, annotated, str(self._pushes))

    def put_manifest(self, repository: str, reference: str, media_type: str, body: bytes) -> str:
        """Keep these bytes as a manifest, whatever they are; returns their digest."""
        with self._lock:
            return self._held(repository).put_manifest(reference, HeldManifest(media_type, body))

    def put_blob(self, repository: str, blob: bytes) -> dict[str, str | int]:
        """Keep a blob; returns its digest and size."""
        with self._lock:
            return self._held(repository).put_blob(blob)

    def delete_blob(self, repository: str, digest: str) -> None:
        """Lose a blob or manifest. Raises ``KeyError`` when there is none."""
        with self._lock:
            held = self._repositories[repository]
            (held.blobs if digest in held.blobs else held.manifests).pop(digest)

    def manifest(self, repository: str, reference: str) -> bytes:
        """The bytes of a manifest by tag or digest. Raises ``KeyError`` when there is none."""
        with self._lock:
            held = self._repositories[repository]
            return held.manifests[held.tags.get(reference, reference)].body

    def delete_tag(self, repository: str, tag: str) -> None:
        """Remove a tag; its manifest stays. Raises ``KeyError`` when there is no such tag."""
        with self._lock:
            del self._repositories[repository].tags[tag]

    def config_digest(self, repository: str, reference: str) -> str:
        """The digest of the config that an image's manifest names."""
        return str(json.loads(self.manifest(repository, reference))["config"]["digest"])

    def blob(self, repository: str, digest: str) -> bytes:
        """The bytes of a blob. Raises ``KeyError`` when there is none."""
        with self._lock:
            return self._repositories[repository].blobs[digest]

    def allow_anonymous(self) -> None:
        """Let everybody in: the state at the start."""
        self._replace_access(RegistryAccess())

    def require_basic(self, user: str, password: str) -> None:
        """Demand Basic authentication."""
        self._replace_access(RegistryAccess(AccessMode.BASIC, user, password))

    def require_bearer(
        self, user: str = "", password: str = "", *, token_lifetime_s: int = 300, trusts_nobody: bool = False
    ) -> None:
        """Demand tokens; without ``user`` anybody gets one. See ``RegistryAccess`` for ``trusts_nobody``."""
        self._replace_access(RegistryAccess(AccessMode.BEARER, user, password, token_lifetime_s, trusts_nobody))

    def require_identity_token(self, identity_token: str, *, has_oauth2: bool = True) -> None:
        """Demand tokens, which are had for an identity token in the OAuth2 flow."""
        self._replace_access(
            RegistryAccess(AccessMode.BEARER, "nobody", identity_token=identity_token, has_oauth2=has_oauth2)
        )

    def accept_token(self, token: str, repository: str) -> None:
        """Demand tokens, and take this one for pulling from a repository."""
        access = RegistryAccess(AccessMode.BEARER, "nobody")
        access.admit(token, repository)
        self._replace_access(access)

    def expire_tokens(self) -> None:
        """Every token issued so far stops working."""
        with self._lock:
            self._access.expire_tokens()

    def answer(self, asked: HttpAsked) -> HttpAnswer:
        """Answer one request; called by the server."""
        scheme = asked.headers.get("Authorization", "").partition(" ")[0].lower()
        remembered = Asked(
            asked.method,
            asked.path,
            asked.query,
            scheme,
            is_conditional="If-None-Match" in asked.headers,
            accept=asked.headers.get("Accept", ""),
            cookie=asked.headers.get("Cookie", ""),
        )
        with self._lock:
            self._requests.append(remembered)
            self._arrivals.notify_all()
        return self.faults.respond(asked, self._respond_or_confirm)

    def _held(self, repository: str) -> HeldRepository:
        return self._repositories.setdefault(repository, HeldRepository())

    def _replace_access(self, access: RegistryAccess) -> None:
        with self._lock:
            self._access = access

    def _respond_or_confirm(self, asked: HttpAsked) -> HttpAnswer:
        """The answer with a validator where they are offered, without its body when the client has it already."""
        answer = self._respond(asked)
        if not self.offers_etags or answer.status != 200:
            return answer
        etag = f'"{digest_of(answer.body)}"'
        if asked.headers.get("If-None-Match") == etag:
            return HttpAnswer(304, {"ETag": etag})
        return HttpAnswer(200, {**answer.headers, "ETag": etag}, answer.body)

    def _respond(self, asked: HttpAsked) -> HttpAnswer:
        with self._lock:
            if asked.path == TOKEN_PATH:
                return self._access.issue(asked)
            route = _ROUTE.fullmatch(asked.path)
            repository = route["name"] if route else ""
            challenge = self._access.challenge(asked, repository, self.address)
            if challenge:
                return _error(401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": challenge})
            if route:
                return self._serve(asked, repository, route["kind"], route["rest"])
            if asked.path == "/v2/":
                return HttpAnswer(200, {"Content-Type": "application/json"}, b"{}")
            return _error(404, "NOT_FOUND", "page not found")

    def _serve(self, asked: HttpAsked, repository: str, kind: str, rest: str) -> HttpAnswer:
        if asked.method in {"POST", "PUT"}:
            return self._store_upload(asked, repository, kind, rest)
        held = self._repositories.get(repository)
        if held is None:
            return _error(404, "NAME_UNKNOWN", "repository name not known to registry")
        if kind == "tags":
            return self._serve_tags(asked, repository, held)
        if kind == "manifests":
            return _serve_manifest(held, rest)
        blob = held.blobs.get(rest)
        if blob is None:
            return _error(404, "BLOB_UNKNOWN", "blob unknown to registry")
        return HttpAnswer(200, {"Content-Type": "application/octet-stream", "Docker-Content-Digest": rest}, blob)

    def _serve_tags(self, asked: HttpAsked, repository: str, held: HeldRepository) -> HttpAnswer:
        query = parse_qs(asked.query)
        last = query.get("last", [""])[0] if self.pagination.honours_last else ""
        rest = [tag for tag in sorted(held.tags) if tag > last]
        sizes = [int(text) for text in query.get("n", [])] + [self.pagination.limit or len(rest)]
        page = rest[: min(sizes)]
        headers = {"Content-Type": "application/json"}
        if len(page) < len(rest) and page:
            headers |= self._link(asked, f"n={min(sizes)}&last={page[-1]}")
        return HttpAnswer(200, headers, json.dumps({"name": repository, "tags": page}).encode())

    def _link(self, asked: HttpAsked, query: str) -> dict[str, str]:
        match self.pagination.link:
            case LinkForm.RELATIVE:
                target = f"{asked.path}?{query}"
            case LinkForm.ABSOLUTE:
                target = f"http://registry.internal:5000{asked.path}?{query}"
            case LinkForm.QUERY_ONLY:
                target = f"?{query}"
            case LinkForm.MISSING:
                return {}
        return {"Link": f'<{target}>; rel="next"'}

    def _store_upload(self, asked: HttpAsked, repository: str, kind: str, rest: str) -> HttpAnswer:
        held = self._held(repository)
        if kind == "manifests":
            media_type = asked.headers.get("Content-Type", MANIFEST_TYPE)
            digest = held.put_manifest(rest, HeldManifest(media_type, asked.body))
            return HttpAnswer(
                201, {"Location": f"/v2/{repository}/manifests/{digest}", "Docker-Content-Digest": digest}
            )
        digest = parse_qs(asked.query).get("digest", [""])[0]
        if not digest:
            return HttpAnswer(202, {"Location": f"/v2/{repository}/blobs/uploads/1"})
        if digest != digest_of(asked.body):
            return _error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        held.put_blob(asked.body)
        return HttpAnswer(201, {"Location": f"/v2/{repository}/blobs/{digest}", "Docker-Content-Digest": digest})


def _serve_manifest(held: HeldRepository, reference: str) -> HttpAnswer:
    digest = held.tags.get(reference, reference)
    manifest = held.manifests.get(digest)
    if manifest is None:
        return _error(404, "MANIFEST_UNKNOWN", "manifest unknown")
    return HttpAnswer(200, {"Content-Type": manifest.media_type, "Docker-Content-Digest": digest}, manifest.body)


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> HttpAnswer:
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return HttpAnswer(status, {"Content-Type": "application/json", **(headers or {})}, body)
