from __future__ import annotations

import base64
import re
from typing import Any

from tests.contract.forge.fakes.server import Asked, FakeForge, Refusal, Reply, route
from tests.contract.forge.fakes.world import USER, Stored

_REPO = r"/repositories/([^/]+)/([^/]+)"
_CONDITION = re.compile(r'(state|source\.branch\.name|destination\.branch\.name) = "((?:[^"\\]|\\.)*)"')


def refused(status: int, text: str) -> Refusal:
    return Refusal(status, {"type": "error", "error": {"message": text}})


class FakeBitbucket(FakeForge):
    root = "/2.0"

    def authorize(self, asked: Asked) -> bool:
        pair = base64.b64encode(f"{USER}:{self.world.token}".encode()).decode()
        return asked.headers.get("Authorization") in (f"Bearer {self.world.token}", f"Basic {pair}")

    def denied(self) -> Reply:
        return Reply(401, {"type": "error", "error": {"message": "Token is invalid, expired, or not supported"}})

    @route("GET", _REPO + "/pullrequests")
    def list(self, asked: Asked, owner: str, name: str) -> Reply:
        self._check(owner, name)
        found = self.world.requests
        for field, value in self._conditions(asked.query.get("q", "")):
            found = [each for each in found if self._value(each, field) == value]
        if asked.query.get("state") == "OPEN":
            found = [each for each in found if each.is_open]
        if int(asked.query.get("pagelen", 10)) > 50:
            raise refused(400, "Invalid pagelen")
        size = min(int(asked.query.get("pagelen", 10)), self.world.page)
        page = int(asked.query.get("page", 1))
        answer: dict[str, Any] = {"values": [self._shown(each) for each in found[(page - 1) * size : page * size]]}
        if len(found) > page * size:
            answer["next"] = f"{self.api}{asked.path.removeprefix(self.root)}?state=OPEN&page={page + 1}"
        return Reply(200, answer)

    @route("POST", _REPO + "/pullrequests")
    def create(self, asked: Asked, owner: str, name: str) -> Reply:
        self._check(owner, name)
        body, world = asked.body, self.world
        if not body.get("title"):
            raise refused(400, "title: This field is required.")
        if len(body["title"]) > 255:
            raise refused(400, "title: Ensure this value has at most 255 characters.")
        head, base = body["source"]["branch"]["name"], body["destination"]["branch"]["name"]
        for branch in (head, base):
            if branch not in world.branches:
                raise refused(400, f"source: branch not found: {branch}")
        if world.has_nothing_between(head, base):
            raise refused(400, "There are no changes to be pulled")
        stored = world.duplicate(head, base) or world.add(head, base)
        stored.title, stored.body = body["title"], body.get("description", "")
        return Reply(201, self._shown(stored))

    @route("PUT", _REPO + r"/pullrequests/(\d+)")
    def change(self, asked: Asked, owner: str, name: str, number: str) -> Reply:
        stored = self._find(owner, name, number)
        if not asked.body.get("title"):
            raise refused(400, "title: This field is required.")
        stored.title, stored.body = asked.body["title"], asked.body.get("description", stored.body)
        return Reply(200, self._shown(stored))

    @route("POST", _REPO + r"/pullrequests/(\d+)/comments")
    def comment(self, asked: Asked, owner: str, name: str, number: str) -> Reply:
        self._find(owner, name, number).comments.append(asked.body["content"]["raw"])
        return Reply(201, {"id": 1})

    @route("POST", _REPO + r"/pullrequests/(\d+)/decline")
    def decline(self, _: Asked, owner: str, name: str, number: str) -> Reply:
        stored = self._find(owner, name, number)
        if not stored.is_open:
            raise refused(400, "This pull request is already closed.")
        stored.is_open = False
        return Reply(200, self._shown(stored))

    @route("DELETE", _REPO + r"/refs/branches/(.+)")
    def remove(self, _: Asked, owner: str, name: str, branch: str) -> Reply:
        self._check(owner, name)
        if branch not in self.world.branches:
            raise refused(404, "No such branch")
        del self.world.branches[branch]
        return Reply(204)

    def _conditions(self, text: str) -> list[tuple[str, str]]:
        rest = _CONDITION.sub("", text).replace(" AND ", "").strip()
        if rest:
            raise refused(400, f"Invalid query: {rest}")
        return [(field, re.sub(r"\\(.)", r"\1", value)) for field, value in _CONDITION.findall(text)]

    def _value(self, stored: Stored, field: str) -> str:
        if field == "state":
            return "OPEN" if stored.is_open else "DECLINED"
        return stored.head if field.startswith("source") else stored.base

    def _check(self, owner: str, name: str) -> None:
        if (owner, name) != (self.world.owner, self.world.name):
            raise refused(404, f"Repository {owner}/{name} not found")

    def _find(self, owner: str, name: str, number: str) -> Stored:
        self._check(owner, name)
        stored = self.world.find(int(number))
        if stored is None:
            raise refused(404, "No such pull request")
        return stored

    def _shown(self, stored: Stored) -> dict[str, Any]:
        own = f"{self.world.owner}/{self.world.name}"
        return {
            "id": stored.number,
            "title": stored.title,
            "description": stored.body,
            "state": "OPEN" if stored.is_open else "DECLINED",
            "links": {"html": {"href": f"{self.origin}/{own}/pull-requests/{stored.number}"}},
            "source": {
                "branch": {"name": stored.head},
                "repository": {"full_name": "stranger/deploy" if stored.is_from_fork else own},
            },
            "destination": {"branch": {"name": stored.base}, "repository": {"full_name": own}},
        }
