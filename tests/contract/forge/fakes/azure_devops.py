from __future__ import annotations

import base64
from typing import Any

from tests.contract.forge.fakes.server import Asked, FakeForge, Refusal, Reply, route
from tests.contract.forge.fakes.world import Stored

_REPO = r"/([^/]+)/([^/]+)/_apis/git/repositories/([^/]+)"
_HEADS = "refs/heads/"
_NOTHING = "0" * 40


def refused(status: int, key: str, text: str) -> Refusal:
    return Refusal(status, {"typeKey": key, "message": text})


class FakeAzureDevOps(FakeForge):
    root = ""

    def serves(self, path: str) -> bool:
        return "/_apis/" in path

    def authorize(self, asked: Asked) -> bool:
        pair = base64.b64encode(f":{self.world.token}".encode()).decode()
        return asked.headers.get("Authorization") in (f"Bearer {self.world.token}", f"Basic {pair}")

    def denied(self) -> Reply:
        """No status of an error: a page to sign in."""
        return Reply(203, headers={"Content-Type": "text/html"}, text="<html><title>Sign In</title></html>")

    @route("GET", _REPO + "/pullrequests")
    def list(self, asked: Asked, *place: str) -> Reply:
        self._check(asked, place)
        query = asked.query
        found = self.world.open_ones() if query.get("searchCriteria.status", "active") == "active" else []
        for field, name in (("head", "sourceRefName"), ("base", "targetRefName")):
            wanted = query.get(f"searchCriteria.{name}")
            if wanted is not None:
                found = [each for each in found if f"{_HEADS}{getattr(each, field)}" == wanted]
        skip, top = int(query.get("$skip", 0)), int(query.get("$top", 101))
        return Reply(200, {"value": [self._shown(each) for each in found[skip : skip + top]]})

    @route("POST", _REPO + "/pullrequests")
    def create(self, asked: Asked, *place: str) -> Reply:
        self._check(asked, place)
        body, world = asked.body, self.world
        self._check_text(body)
        for name in ("sourceRefName", "targetRefName"):
            if not body[name].startswith(_HEADS):
                raise refused(400, "InvalidArgumentValueException", f"{name} must start with refs/heads/")
            if body[name].removeprefix(_HEADS) not in world.branches:
                raise refused(400, "GitPullRequestRefNotFound", f"TF401398: The branch {body[name]} was not found.")
        head, base = (body[name].removeprefix(_HEADS) for name in ("sourceRefName", "targetRefName"))
        if world.duplicate(head, base):
            text = "TF401179: An active pull request for the source and target branch already exists."
            raise refused(409, "GitPullRequestExistsException", text)
        stored = world.add(head, base, body["title"], body.get("description", ""))
        stored.labels = [label["name"] for label in body.get("labels", [])]
        return Reply(201, self._shown(stored))

    @route("PATCH", _REPO + r"/pullrequests/(\d+)")
    def change(self, asked: Asked, *place: str) -> Reply:
        stored = self._find(asked, place)
        if "title" in asked.body:
            self._check_text(asked.body)
        stored.title = asked.body.get("title", stored.title)
        stored.body = asked.body.get("description", stored.body)
        if asked.body.get("status") == "abandoned":
            stored.is_open = False
        return Reply(200, self._shown(stored))

    @route("POST", _REPO + r"/pullrequests/(\d+)/labels")
    def label(self, asked: Asked, *place: str) -> Reply:
        stored = self._find(asked, place)
        if asked.body["name"] not in stored.labels:
            stored.labels.append(asked.body["name"])
        return Reply(200, {"name": asked.body["name"]})

    @route("POST", _REPO + r"/pullrequests/(\d+)/threads")
    def comment(self, asked: Asked, *place: str) -> Reply:
        self._find(asked, place).comments.append(asked.body["comments"][0]["content"])
        return Reply(200, {"id": 1})

    @route("GET", _REPO + "/refs")
    def refs(self, asked: Asked, *place: str) -> Reply:
        self._check(asked, place)
        beginning = f"refs/{asked.query['filter']}"
        tips = ((f"{_HEADS}{name}", tip) for name, tip in self.world.branches.items())
        return Reply(200, {"value": [{"name": n, "objectId": tip} for n, tip in tips if n.startswith(beginning)]})

    @route("POST", _REPO + "/refs")
    def move(self, asked: Asked, *place: str) -> Reply:
        self._check(asked, place)
        for update in asked.body:
            branch = update["name"].removeprefix(_HEADS)
            if update["newObjectId"] != _NOTHING or update["oldObjectId"] != self.world.branches.get(branch):
                raise refused(400, "GitReferenceStaleException", "TF401035")
            del self.world.branches[branch]
        return Reply(200, {"value": [{"success": True} for _ in asked.body]})

    def _check_text(self, body: dict[str, Any]) -> None:
        if not body.get("title") or len(body["title"]) > 400:
            raise refused(400, "InvalidArgumentValueException", "title must have 1 to 400 characters")
        if len(body.get("description", "")) > 4000:
            raise refused(400, "InvalidArgumentValueException", "description must not exceed 4000 characters")

    def _check(self, asked: Asked, place: tuple[str, ...]) -> None:
        if not asked.query.get("api-version"):
            raise refused(400, "VssVersionNotSpecifiedException", "No api-version was supplied")
        if place[:3] != (self.world.owner, self.world.project, self.world.name):
            raise refused(404, "GitRepositoryNotFoundException", "TF401019: The Git repository does not exist")

    def _find(self, asked: Asked, place: tuple[str, ...]) -> Stored:
        self._check(asked, place)
        stored = self.world.find(int(place[3]))
        if stored is None:
            raise refused(404, "GitPullRequestNotFoundException", "TF401180: The requested pull request was not found.")
        return stored

    def _shown(self, stored: Stored) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "pullRequestId": stored.number,
            "title": stored.title,
            "description": stored.body,
            "status": "active" if stored.is_open else "abandoned",
            "sourceRefName": f"{_HEADS}{stored.head}",
            "targetRefName": f"{_HEADS}{stored.base}",
        }
        return {**shown, "forkSource": {"name": "x"}} if stored.is_from_fork else shown
