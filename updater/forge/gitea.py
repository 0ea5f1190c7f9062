"""Pull requests of Gitea and Forgejo, which have this part of their API in common.

API: v1, "repository: pulls, branches", "issue: comments, labels". Labels are numbers there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from updater.forge.answers import Fields
from updater.forge.calls import Call, ForgeApi
from updater.forge.failures import refused
from updater.forge.pages import by_number
from updater.forge.places import ForgePlace, encoded
from updater.forge.texts import TextLimits, fitted, stored_text
from updater.ports.forge import NewRequest, OpenRequest, RequestText

_LIMITS = TextLimits()
_SIZE = ("limit", 50)
_DUPLICATE = "already exists"


class Gitea:
    """A ``RequestForge``."""

    def __init__(self, api: ForgeApi, place: ForgePlace) -> None:
        self._api = api
        self._repository = f"/repos/{encoded(place.owner)}/{encoded(place.name)}"

    def find_open(self, head: str, base: str) -> OpenRequest | None:
        return next((each for each in self._open() if (each.head, each.base) == (head, base)), None)

    def list_open(self, base: str, prefix: str) -> tuple[OpenRequest, ...]:
        return tuple(each for each in self._open() if each.base == base and each.head.startswith(prefix))

    def create(self, new: NewRequest) -> OpenRequest | None:
        text = fitted(new.text, _LIMITS)
        body = {"title": text.title, "body": text.body, "head": new.head, "base": new.base}
        answer = self._api.send(Call("POST", f"{self._repository}/pulls", body=body, accepted=(409,)))
        if answer.status == 409:
            if _DUPLICATE in answer.text.lower():
                return None
            raise refused(answer, f"{answer.method} {answer.url}", self._api.clock)
        return _read(Fields(self._api.value_of(answer)))

    def update(self, request: OpenRequest, text: RequestText) -> OpenRequest:
        wanted = fitted(text, _LIMITS)
        if wanted == request.text:
            return request
        body = {"title": wanted.title, "body": wanted.body}
        return _read(self._api.fetch(Call("PATCH", self._pull(request), body=body)))

    def label(self, request: OpenRequest, labels: Sequence[str]) -> tuple[str, ...]:
        """Only labels that the repository has."""
        if not labels:
            return ()
        known: dict[str, int] = {}
        for item in by_number(self._api, f"{self._repository}/labels", {}, _SIZE):
            known.setdefault(item.text("name"), item.number("id"))
        numbers = [known[label] for label in labels if label in known]
        if numbers:
            path = f"{self._repository}/issues/{request.number}/labels"
            self._api.send(Call("POST", path, body={"labels": numbers}))
        return tuple(label for label in labels if label not in known)

    def close(self, request: OpenRequest, comment: str) -> None:
        path = f"{self._repository}/issues/{request.number}/comments"
        self._api.send(Call("POST", path, body={"body": comment}, repeats=False))
        self._api.send(Call("PATCH", self._pull(request), body={"state": "closed"}))
        branch = encoded(request.head, keeps_slashes=True)
        self._api.send(Call("DELETE", f"{self._repository}/branches/{branch}", accepted=(404,)))

    def _open(self) -> Iterator[OpenRequest]:
        """All of them: the list has no filter for branches."""
        found = by_number(self._api, f"{self._repository}/pulls", {"state": "open"}, _SIZE)
        return (_read(item) for item in found if _is_own(item))

    def _pull(self, request: OpenRequest) -> str:
        return f"{self._repository}/pulls/{request.number}"


def _is_own(item: Fields) -> bool:
    """Whether the branch is in the repository itself."""
    head = item.inside("head").raw("repo_id")
    return head is not None and head == item.inside("base").raw("repo_id")


def _read(item: Fields) -> OpenRequest:
    return OpenRequest(
        number=item.number("number"),
        url=item.url("html_url"),
        head=item.inside("head").text("ref"),
        base=item.inside("base").text("ref"),
        text=stored_text(item.text("title"), item.text("body")),
    )
