from __future__ import annotations

from typing import Any

from tests.contract.forge.fakes.server import Asked, FakeForge, Refusal, Reply, route
from tests.contract.forge.fakes.world import Stored

_REPO = r"/repos/([^/]+)/([^/]+)"


class FakeGitea(FakeForge):
    root = "/api/v1"

    def authorize(self, asked: Asked) -> bool:
        return asked.headers.get("Authorization") == f"token {self.world.token}"

    def denied(self) -> Reply:
        return Reply(401, {"message": "token is required"})

    @route("GET", _REPO + "/pulls")
    def list(self, asked: Asked, owner: str, name: str) -> Reply:
        self._check(owner, name)
        found = self.world.open_ones() if asked.query.get("state") == "open" else self.world.requests
        return self._paged(asked, [self._shown(each) for each in found])

    @route("POST", _REPO + "/pulls")
    def create(self, asked: Asked, owner: str, name: str) -> Reply:
        self._check(owner, name)
        body, world = asked.body, self.world
        if not body.get("title"):
            raise Refusal(422, {"message": "[Title]: Required"})
        if len(body["title"]) > 255:
            raise Refusal(422, {"message": "[Title]: MaxSize 255"})
        for field in ("base", "head"):
            if body.get(field) not in world.branches:
                raise Refusal(404, {"message": "The target couldn't be found."})
        duplicate = world.duplicate(body["head"], body["base"])
        if duplicate:
            text = (
                f"pull request already exists for these targets [id: {duplicate.number}, head_branch: {body['head']}]"
            )
            raise Refusal(409, {"message": text})
        if world.has_nothing_between(body["head"], body["base"]):
            raise Refusal(409, {"message": "Invalid PullRequest: There are no changes between the head and the base"})
        stored = world.add(body["head"], body["base"], body["title"], body.get("body") or "")
        self._label(stored, body.get("labels") or [])
        return Reply(201, self._shown(stored))

    @route("PATCH", _REPO + r"/pulls/(\d+)")
    def change(self, asked: Asked, owner: str, name: str, number: str) -> Reply:
        stored = self._find(owner, name, number)
        stored.title = asked.body.get("title", stored.title)
        stored.body = asked.body.get("body", stored.body)
        stored.is_open = asked.body.get("state", "open" if stored.is_open else "closed") == "open"
        return Reply(201, self._shown(stored))

    @route("GET", _REPO + "/labels")
    def labels(self, asked: Asked, owner: str, name: str) -> Reply:
        self._check(owner, name)
        return self._paged(asked, [{"id": 10 + i, "name": each} for i, each in enumerate(self.world.known_labels)])

    @route("POST", _REPO + r"/issues/(\d+)/labels")
    def label(self, asked: Asked, owner: str, name: str, number: str) -> Reply:
        stored = self._find(owner, name, number)
        self._label(stored, asked.body["labels"])
        return Reply(200, [{"name": label} for label in stored.labels])

    @route("POST", _REPO + r"/issues/(\d+)/comments")
    def comment(self, asked: Asked, owner: str, name: str, number: str) -> Reply:
        self._find(owner, name, number).comments.append(asked.body["body"])
        return Reply(201, {"id": 1})

    @route("DELETE", _REPO + r"/branches/(.+)")
    def remove(self, _: Asked, owner: str, name: str, branch: str) -> Reply:
        self._check(owner, name)
        if branch not in self.world.branches:
            raise Refusal(404, {"message": "Not Found"})
        del self.world.branches[branch]
        return Reply(204)

    def _label(self, stored: Stored, numbers: list[int]) -> None:
        for number in numbers:
            # Names are refused, as are numbers that no label has.
            if not isinstance(number, int) or not 10 <= number < 10 + len(self.world.known_labels):
                raise Refusal(422, {"message": f"label {number} does not exist"})
            name = self.world.known_labels[number - 10]
            if name not in stored.labels:
                stored.labels.append(name)

    def _check(self, owner: str, name: str) -> None:
        if (owner, name) != (self.world.owner, self.world.name):
            raise Refusal(404, {"message": "Not Found"})

    def _find(self, owner: str, name: str, number: str) -> Stored:
        self._check(owner, name)
        stored = self.world.find(int(number))
        if stored is None:
            raise Refusal(404, {"message": "Not Found"})
        return stored

    def _paged(self, asked: Asked, items: list[Any]) -> Reply:
        # The server's own limit is often lower than what is asked for.
        size = min(int(asked.query.get("limit", 30)), self.world.page, 50)
        page = int(asked.query.get("page", 1))
        has_next = len(items) > page * size
        link = {"Link": f'<{self.api}/x?page={page + 1}>; rel="next"'} if has_next else {}
        return Reply(200, items[(page - 1) * size : page * size], {"X-Total-Count": str(len(items)), **link})

    def _shown(self, stored: Stored) -> dict[str, Any]:
        return {
            "id": 1000 + stored.number,
            "number": stored.number,
            "html_url": f"{self.origin}/{self.world.owner}/{self.world.name}/pulls/{stored.number}",
            "title": stored.title,
            "body": stored.body,
            "state": "open" if stored.is_open else "closed",
            "labels": [{"name": label} for label in stored.labels],
            "head": {"ref": stored.head, "repo_id": self.world.repo_id(stored)},
            "base": {"ref": stored.base, "repo_id": 7},
        }
