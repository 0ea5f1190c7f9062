from __future__ import annotations

from typing import Any

from tests.contract.forge.fakes.server import Asked, FakeForge, Refusal, Reply, route
from tests.contract.forge.fakes.world import Stored

_PROJECT = r"/projects/([^/]+)"


class FakeGitLab(FakeForge):
    root = "/api/v4"

    def authorize(self, asked: Asked) -> bool:
        token = self.world.token
        return token in (asked.headers.get("Private-Token"), asked.headers.get("PRIVATE-TOKEN")) or (
            asked.headers.get("Authorization") == f"Bearer {token}"
        )

    def denied(self) -> Reply:
        return Reply(401, {"message": "401 Unauthorized"})

    @route("GET", _PROJECT + "/merge_requests")
    def list(self, asked: Asked, project: str) -> Reply:
        self._check(project)
        found = self.world.open_ones() if asked.query.get("state") == "opened" else self.world.requests
        for field, name in (("head", "source_branch"), ("base", "target_branch")):
            if name in asked.query:
                found = [each for each in found if getattr(each, field) == asked.query[name]]
        size = min(int(asked.query.get("per_page", 20)), self.world.page, 100)
        page = int(asked.query.get("page", 1))
        more = len(found) > page * size
        link = f'<{self.api}/x?page=1>; rel="first"' + (f', <{self.api}/x?page={page + 1}>; rel="next"' if more else "")
        shown = [self._shown(each) for each in found[(page - 1) * size : page * size]]
        return Reply(200, shown, {"Link": link})

    @route("POST", _PROJECT + "/merge_requests")
    def create(self, asked: Asked, project: str) -> Reply:
        self._check(project)
        body, world = asked.body, self.world
        for field in ("title", "source_branch", "target_branch"):
            if not body.get(field):
                raise Refusal(400, {"error": f"{field} is missing"})
        if len(body["title"]) > 255:
            raise Refusal(400, {"message": {"title": ["is too long (maximum is 255 characters)"]}})
        for field, name in (("source_branch", "Source"), ("target_branch", "Target")):
            if body[field] not in world.branches:
                raise Refusal(422, {"message": [f'{name} branch "{body[field]}" does not exist']})
        duplicate = world.duplicate(body["source_branch"], body["target_branch"])
        if duplicate:
            text = f"Another open merge request already exists for this source branch: !{duplicate.number}"
            raise Refusal(409, {"message": [text]})
        stored = world.add(body["source_branch"], body["target_branch"], body["title"], body.get("description") or "")
        self._label(stored, body.get("labels", ""))
        return Reply(201, self._shown(stored))

    @route("PUT", _PROJECT + r"/merge_requests/(\d+)")
    def change(self, asked: Asked, project: str, number: str) -> Reply:
        stored = self._find(project, number)
        if len(asked.body.get("title", "")) > 255:
            raise Refusal(400, {"message": {"title": ["is too long (maximum is 255 characters)"]}})
        stored.title = asked.body.get("title", stored.title)
        stored.body = asked.body.get("description", stored.body)
        self._label(stored, asked.body.get("add_labels", ""))
        if asked.body.get("state_event") == "close":
            stored.is_open = False
        return Reply(200, self._shown(stored))

    @route("POST", _PROJECT + r"/merge_requests/(\d+)/notes")
    def comment(self, asked: Asked, project: str, number: str) -> Reply:
        self._find(project, number).comments.append(asked.body["body"])
        return Reply(201, {"id": 1})

    @route("DELETE", _PROJECT + r"/repository/branches/([^/]+)")
    def remove(self, _: Asked, project: str, branch: str) -> Reply:
        self._check(project)
        if branch not in self.world.branches:
            raise Refusal(404, {"message": "404 Branch Not Found"})
        del self.world.branches[branch]
        return Reply(204)

    def _label(self, stored: Stored, text: str) -> None:
        """Labels come into being as they are named; a label belongs to the project from then on."""
        for label in filter(None, text.split(",")):
            if label not in self.world.known_labels:
                self.world.known_labels.append(label)
            if label not in stored.labels:
                stored.labels.append(label)

    def _check(self, project: str) -> None:
        if project != f"{self.world.owner}/{self.world.name}":
            raise Refusal(404, {"message": "404 Project Not Found"})

    def _find(self, project: str, number: str) -> Stored:
        self._check(project)
        stored = self.world.find(int(number))
        if stored is None:
            raise Refusal(404, {"message": "404 Not found"})
        return stored

    def _shown(self, stored: Stored) -> dict[str, Any]:
        return {
            "id": 1000 + stored.number,
            "iid": stored.number,
            "web_url": f"{self.origin}/{self.world.owner}/{self.world.name}/-/merge_requests/{stored.number}",
            "title": stored.title,
            "description": stored.body or None,
            "state": "opened" if stored.is_open else "closed",
            "source_branch": stored.head,
            "target_branch": stored.base,
            "source_project_id": self.world.repo_id(stored),
            "target_project_id": 7,
            "labels": stored.labels,
        }
