"""The two calls of GitHub's API that make commits, on a real repository: holds its state, fails on demand."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.git.https_server import Asked, serving
from updater.playground.git_remote import BareRepository

TOKEN = "ghs_0123456789"
_REFS = re.compile(r"/api/v3/repos/(?P<name>[^/]+/[^/]+)/git/refs")


@dataclass
class GitHub:
    """``repository`` is what is committed to. ``fail`` answers in place of the server, once for each entry; one that
    gives None lets the request through. ``lose`` counts answers that get lost after the work was done.
    """

    repository: BareRepository | None = None
    url: str = ""
    ca: str = ""
    fail: list[Callable[[Asked], tuple[int, bytes] | None]] = field(default_factory=list)
    lose: int = 0
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        body = json.loads(asked.body)
        self.asked.append((asked.path, body))
        if asked.authorization != f"Bearer {TOKEN}":
            return 401, b'{"message": "Bad credentials"}'
        failed = self.fail.pop(0)(asked) if self.fail else None
        if failed is not None:
            return failed
        answer = self._commit(body) if asked.path == "/api/graphql" else self._create(asked.path, body)
        if self.lose:
            self.lose -= 1
            return 502, b"bad gateway"
        return answer

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """The inputs of all mutations."""
        return [body["variables"]["input"] for path, body in self.asked if path == "/api/graphql"]

    def _create(self, path: str, body: dict[str, str]) -> tuple[int, bytes]:
        assert _REFS.fullmatch(path)
        assert self.repository is not None
        branch = body["ref"].removeprefix("refs/heads/")
        if self.repository.tip(branch):
            return 422, b'{"message": "Reference already exists"}'
        self.repository.git("update-ref", body["ref"], body["sha"])
        return 201, b"{}"

    def _commit(self, body: dict[str, Any]) -> tuple[int, bytes]:
        assert self.repository is not None
        wanted = body["variables"]["input"]
        branch, head = wanted["branch"]["branchName"], self.repository.tip(wanted["branch"]["branchName"])
        if head != wanted["expectedHeadOid"]:
            return 200, graphql_error(
                "STALE_DATA", f'Expected branch to point to "{head}" but it did not. Pull and try again.'
            )
        files = {each["path"]: base64.b64decode(each["contents"]) for each in wanted["fileChanges"]["additions"]}
        message = "\n\n".join(wanted["message"][key] for key in ("headline", "body") if key in wanted["message"])
        oid = self.repository.commit(files, branch=branch, message=message)
        return 200, json.dumps({"data": {"createCommitOnBranch": {"commit": {"oid": oid}}}}).encode()


def graphql_error(kind: str, message: str) -> bytes:
    """An answer that says no with status 200."""
    return json.dumps({"data": {"createCommitOnBranch": None}, "errors": [{"type": kind, "message": message}]}).encode()


@contextmanager
def github() -> Iterator[GitHub]:
    """A server whose ``repository`` a test sets."""
    world = GitHub()
    with serving(world.answer) as address:
        world.url, world.ca = f"{address.url}/api/v3", address.ca
        yield world
