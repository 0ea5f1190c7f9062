from __future__ import annotations

from typing import Any

from tests.contract.forge.fakes.server import Asked, FakeForge, Refusal, Reply, route
from tests.contract.forge.fakes.world import Stored

_REPO = r"/repos/([^/]+)/([^/]+)"


def invalid(*errors: dict[str, str]) -> Refusal:
    return Refusal(422, {"message": "Validation Failed", "errors": list(errors)})


class FakeGitHub(FakeForge):
    root = "/api/v3"

    def authorize(self, asked: Asked) -> bool:
        if asked.path.endswith("/access_tokens"):
            return asked.headers.get("Authorization", "").startswith("Bearer eyJ")
        # GitHub refuses requests without a user agent before anything else.
        return (
            bool(asked.headers.get("User-Agent")) and asked.headers.get("Authorization") == f"Bearer {self.world.token}"
        )

    @route("POST", r"/app/installations/42/access_tokens")
    def hand_out(self, _: Asked) -> Reply:
        return Reply(201, {"token": self.world.token, "expires_at": "2999-01-01T00:00:00Z"})

    @route("GET", _REPO + "/pulls")
    def list(self, asked: Asked, owner: str, name: str) -> Reply:
        self._check(owner, name)
        found = self.world.open_ones() if asked.query.get("state") == "open" else self.world.requests
        head = asked.query.get("head", "")
        if ":" in head:
            user, _, branch = head.partition(":")
            found = [each for each in found if each.head == branch and self._user(each) == user]
        if "base" in asked.query:
            found = [each for each in found if each.base == asked.query["base"]]
        return self._paged(asked, [self._shown(each) for each in found])

    @route("POST", _REPO + "/pulls")
    def create(self, asked: Asked, owner: str, name: str) -> Reply:
        self._check(owner, name)
        body, world = asked.body, self.world
        for field in ("title", "head", "base"):
            if not body.get(field):
                raise invalid({"resource": "PullRequest", "field": field, "code": "missing_field"})
        for field in ("head", "base"):
            if body[field] not in world.branches:
                raise invalid({"resource": "PullRequest", "field": field, "code": "invalid"})
        if len(body["title"]) > 256:
            raise invalid(
                {"resource": "PullRequest", "field": "title", "code": "custom", "message": "title is too long"}
            )
        if len(body.get("body", "")) > 65536:
            raise invalid({"resource": "PullRequest", "field": "body", "code": "custom", "message": "body is too long"})
        if world.duplicate(body["head"], body["base"]):
            text = f"A pull request already exists for {owner}:{body['head']}."
            raise invalid({"resource": "PullRequest", "code": "custom", "message": text})
        if world.has_nothing_between(body["head"], body["base"]):
            text = f"No commits between {body['base']} and {body['head']}"
            raise invalid({"resource": "PullRequest", "code": "custom", "message": text})
        stored = world.add(body["head"], body["base"], body["title"], body.get("body") or "")
        return Reply(201, self._shown(stored))

    @route("PATCH", _REPO + r"/pulls/(\d+)")
    def change(self, asked: Asked, owner: str, name: str, number: str) -> Reply:
        stored = self._find(owner, name, number)
        if len(asked.body.get("title", "")) > 256:
            raise invalid(
                {"resource": "PullRequest", "field": "title", "code": "custom", "message": "title is too long"}
            )
        stored.title = asked.body.get("title", stored.title)
        stored.body = asked.body.get("body", stored.body)
        stored.is_open = asked.body.get("state", "open" if stored.is_open else "closed") == "open"
        return Reply(200, self._shown(stored))

    @route("POST", _REPO + r"/issues/(\d+)/labels")
    def label(self, asked: Asked, owner: str, name: str, number: str) -> Reply:
        stored = self._find(owner, name, number)
        if any(len(label) > 50 for label in asked.body["labels"]):
            raise invalid({"resource": "Label", "field": "name", "code": "invalid"})
        stored.labels += [label for label in asked.body["labels"] if label not in stored.labels]
        return Reply(200, [{"name": label} for label in stored.labels])

    @route("POST", _REPO + r"/issues/(\d+)/comments")
    def comment(self, asked: Asked, owner: str, name: str, number: str) -> Reply:
        self._find(owner, name, number).comments.append(asked.body["body"])
        return Reply(201, {"id": 1})

    @route("DELETE", _REPO + r"/git/refs/heads/(.+)")
    def remove(self, _: Asked, owner: str, name: str, branch: str) -> Reply:
        self._check(owner, name)
        if branch not in self.world.branches:
            raise Refusal(422, {"message": "Reference does not exist"})
        del self.world.branches[branch]
        return Reply(204)

    def _check(self, owner: str, name: str) -> None:
        if (owner, name) != (self.world.owner, self.world.name):
            raise Refusal(404, {"message": "Not Found"})

    def _find(self, owner: str, name: str, number: str) -> Stored:
        self._check(owner, name)
        stored = self.world.find(int(number))
        if stored is None:
            raise Refusal(404, {"message": "Not Found"})
        return stored

    def _user(self, stored: Stored) -> str:
        return "stranger" if stored.is_from_fork else self.world.owner

    def _paged(self, asked: Asked, items: list[Any]) -> Reply:
        size = min(int(asked.query.get("per_page", 30)), self.world.page, 100)
        page = int(asked.query.get("page", 1))
        rest = items[page * size :]
        link = {"Link": f'<{self.api}/elsewhere?page={page + 1}>; rel="next"'} if rest else {}
        return Reply(200, items[(page - 1) * size : page * size], link)

    def _shown(self, stored: Stored) -> dict[str, Any]:
        page = f"{self.origin}/{self.world.owner}/{self.world.name}/pull/{stored.number}"
        return {
            "number": stored.number,
            "html_url": page,
            "state": "open" if stored.is_open else "closed",
            "title": stored.title,
            "body": stored.body or None,
            "labels": [{"name": label} for label in stored.labels],
            "head": {"ref": stored.head, "repo": {"id": self.world.repo_id(stored)}},
            "base": {"ref": stored.base, "repo": {"id": 7}},
        }
