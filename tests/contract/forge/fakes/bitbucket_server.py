from __future__ import annotations

from typing import Any

from tests.contract.forge.fakes.server import Asked, FakeForge, Refusal, Reply, route
from tests.contract.forge.fakes.world import Stored

_REPO = r"/api/1\.0/projects/([^/]+)/repos/([^/]+)"
_BRANCHES = r"/branch-utils/1\.0/projects/([^/]+)/repos/([^/]+)/branches"
_HEADS = "refs/heads/"
_PREFIX = "com.atlassian.bitbucket.pull."


def refused(status: int, exception: str, text: str) -> Refusal:
    return Refusal(status, {"errors": [{"context": None, "message": text, "exceptionName": exception}]})


class FakeBitbucketServer(FakeForge):
    root = "/rest"

    @property
    def api(self) -> str:
        return f"{self.origin}/rest/api/1.0"

    def authorize(self, asked: Asked) -> bool:
        return asked.headers.get("Authorization") == f"Bearer {self.world.token}"

    def denied(self) -> Reply:
        return Reply(401, {"errors": [{"message": "Authentication failed. Please check your credentials."}]})

    @route("GET", _REPO + "/pull-requests")
    def list(self, asked: Asked, owner: str, name: str) -> Reply:
        self._check(owner, name)
        found = self.world.open_ones() if asked.query.get("state", "OPEN") == "OPEN" else self.world.requests
        at, is_outgoing = asked.query.get("at", ""), asked.query.get("direction") == "OUTGOING"
        if at and not at.startswith(_HEADS):
            raise refused(404, "NoSuchBranchException", f"Branch {at} does not exist.")
        if at:
            branch = at.removeprefix(_HEADS)
            found = [each for each in found if (each.head if is_outgoing else each.base) == branch]
        start = int(asked.query.get("start", 0))
        size = min(int(asked.query.get("limit", 25)), self.world.page)
        shown = [self._shown(each) for each in found[start : start + size]]
        is_last = len(found) <= start + size
        return Reply(200, {"values": shown, "isLastPage": is_last, "nextPageStart": None if is_last else start + size})

    @route("POST", _REPO + "/pull-requests")
    def create(self, asked: Asked, owner: str, name: str) -> Reply:
        self._check(owner, name)
        body, world = asked.body, self.world
        if not body.get("title") or len(body["title"]) > 255:
            raise refused(400, "javax.validation.ConstraintViolationException", "title must have 1 to 255 characters")
        for side in ("fromRef", "toRef"):
            ref = body[side]
            if ref["repository"] != {"slug": world.name, "project": {"key": world.owner}}:
                raise refused(404, "NoSuchRepositoryException", "Repository does not exist.")
            if not ref["id"].startswith(_HEADS) or ref["id"].removeprefix(_HEADS) not in world.branches:
                raise refused(404, "NoSuchBranchException", f"Branch {ref['id']} does not exist.")
        head, base = (body[side]["id"].removeprefix(_HEADS) for side in ("fromRef", "toRef"))
        if world.duplicate(head, base):
            text = "Only one pull request may be open for a given source and target branch"
            raise refused(409, _PREFIX + "DuplicatePullRequestException", text)
        if world.has_nothing_between(head, base):
            raise refused(409, _PREFIX + "EmptyPullRequestException", "the target is already up to date")
        return Reply(201, self._shown(world.add(head, base, body["title"], body.get("description", ""))))

    @route("GET", _REPO + r"/pull-requests/(\d+)")
    def show(self, _: Asked, owner: str, name: str, number: str) -> Reply:
        return Reply(200, self._shown(self._find(owner, name, number)))

    @route("PUT", _REPO + r"/pull-requests/(\d+)")
    def change(self, asked: Asked, owner: str, name: str, number: str) -> Reply:
        stored = self._find(owner, name, number)
        self._check_version(stored, asked.body.get("version"))
        stored.title, stored.body = asked.body["title"], asked.body.get("description", "")
        stored.reviewers = [each["user"]["name"] for each in asked.body.get("reviewers", [])]
        stored.version += 1
        return Reply(200, self._shown(stored))

    @route("POST", _REPO + r"/pull-requests/(\d+)/comments")
    def comment(self, asked: Asked, owner: str, name: str, number: str) -> Reply:
        self._find(owner, name, number).comments.append(asked.body["text"])
        return Reply(201, {"id": 1})

    @route("POST", _REPO + r"/pull-requests/(\d+)/decline")
    def decline(self, asked: Asked, owner: str, name: str, number: str) -> Reply:
        stored = self._find(owner, name, number)
        if asked.headers.get("X-Atlassian-Token") != "no-check":
            raise Refusal(403, {"errors": [{"message": "XSRF check failed"}]})
        self._check_version(stored, int(asked.query["version"]))
        stored.is_open = False
        return Reply(200, self._shown(stored))

    @route("DELETE", _BRANCHES)
    def remove(self, asked: Asked, owner: str, name: str) -> Reply:
        self._check(owner, name)
        branch = asked.body["name"].removeprefix(_HEADS)
        if branch not in self.world.branches:
            raise refused(404, "NoSuchBranchException", "no such branch")
        if asked.body.get("dryRun") is not False:
            return Reply(204)
        del self.world.branches[branch]
        return Reply(204)

    def _check_version(self, stored: Stored, version: int | None) -> None:
        if version != stored.version:
            text = "The pull request has been modified since it was read"
            raise refused(409, _PREFIX + "PullRequestOutOfDateException", text)

    def _check(self, owner: str, name: str) -> None:
        if (owner, name) != (self.world.owner, self.world.name):
            raise refused(404, "NoSuchRepositoryException", "Repository does not exist.")

    def _find(self, owner: str, name: str, number: str) -> Stored:
        self._check(owner, name)
        stored = self.world.find(int(number))
        if stored is None:
            raise refused(404, _PREFIX + "NoSuchPullRequestException", "No such pull request")
        return stored

    def _shown(self, stored: Stored) -> dict[str, Any]:
        own = {"slug": self.world.name, "project": {"key": self.world.owner}}
        source = {"slug": self.world.name, "project": {"key": "~stranger"}} if stored.is_from_fork else own
        page = f"{self.origin}/projects/{self.world.owner}/repos/{self.world.name}/pull-requests/{stored.number}"
        return {
            "id": stored.number,
            "version": stored.version,
            "title": stored.title,
            "description": stored.body,
            "state": "OPEN" if stored.is_open else "DECLINED",
            "fromRef": {"id": f"{_HEADS}{stored.head}", "displayId": stored.head, "repository": source},
            "toRef": {"id": f"{_HEADS}{stored.base}", "displayId": stored.base, "repository": own},
            "reviewers": [{"user": {"name": name}} for name in stored.reviewers],
            "links": {"self": [{"href": page}]},
        }
