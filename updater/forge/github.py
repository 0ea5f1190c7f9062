"""Pull requests of GitHub, GitHub Enterprise Server and GitHub Enterprise Cloud.

API: REST, version 2022-11-28: "Pulls", "Issues: labels, comments", "Git database: references".
"""

from __future__ import annotations

from collections.abc import Sequence

from updater.errors import ForgeError
from updater.forge.answers import Answer, Fields
from updater.forge.calls import Call, ForgeApi
from updater.forge.failures import refused
from updater.forge.pages import by_number
from updater.forge.places import ForgePlace, encoded
from updater.forge.texts import TextLimits, fitted, stored_text
from updater.ports.forge import NewRequest, OpenRequest, RequestText

_LIMITS = TextLimits()
"""GitHub takes titles of 256 characters; 255 is what the others take."""
_DUPLICATE = "a pull request already exists"
_GONE = (404, 422)
"""What GitHub says of a branch that is not there (any more)."""


class GitHub:
    """A ``RequestForge``."""

    def __init__(self, api: ForgeApi, place: ForgePlace) -> None:
        api.with_headers({"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"})
        self._api = api
        self._owner = place.owner
        self._repository = f"/repos/{encoded(place.owner)}/{encoded(place.name)}"

    def find_open(self, head: str, base: str) -> OpenRequest | None:
        # Without the owner before the branch the filter is ignored, and any open request matches.
        query = {"state": "open", "head": f"{self._owner}:{head}", "base": base}
        found = by_number(self._api, f"{self._repository}/pulls", query, ("per_page", 100))
        return next((each for each in map(_own, found) if each and (each.head, each.base) == (head, base)), None)

    def list_open(self, base: str, prefix: str) -> tuple[OpenRequest, ...]:
        found = by_number(self._api, f"{self._repository}/pulls", {"state": "open", "base": base}, ("per_page", 100))
        return tuple(each for each in map(_own, found) if each and each.base == base and each.head.startswith(prefix))

    def create(self, new: NewRequest) -> OpenRequest | None:
        text = fitted(new.text, _LIMITS)
        body = {"title": text.title, "head": new.head, "base": new.base, "body": text.body}
        answer = self._api.send(Call("POST", f"{self._repository}/pulls", body=body, accepted=(422,)))
        if answer.status == 422:
            if _DUPLICATE in answer.text.lower():
                return None
            raise _unprocessable(answer, self._api)
        return _read(Fields(self._api.value_of(answer)))

    def update(self, request: OpenRequest, text: RequestText) -> OpenRequest:
        wanted = fitted(text, _LIMITS)
        if wanted == request.text:
            return request
        body = {"title": wanted.title, "body": wanted.body}
        return _read(self._api.fetch(Call("PATCH", self._pull(request), body=body)))

    def label(self, request: OpenRequest, labels: Sequence[str]) -> tuple[str, ...]:
        if labels:
            path = f"{self._repository}/issues/{request.number}/labels"
            self._api.send(Call("POST", path, body={"labels": list(labels)}))
        return ()

    def close(self, request: OpenRequest, comment: str) -> None:
        path = f"{self._repository}/issues/{request.number}/comments"
        self._api.send(Call("POST", path, body={"body": comment}, repeats=False))
        self._api.send(Call("PATCH", self._pull(request), body={"state": "closed"}))
        branch = encoded(request.head, keeps_slashes=True)
        self._api.send(Call("DELETE", f"{self._repository}/git/refs/heads/{branch}", accepted=_GONE))

    def _pull(self, request: OpenRequest) -> str:
        return f"{self._repository}/pulls/{request.number}"


def _unprocessable(answer: Answer, api: ForgeApi) -> ForgeError:
    return refused(answer, f"{answer.method} {answer.url}", api.clock)


def _own(item: Fields) -> OpenRequest | None:
    """The request unless its head is in another repository, or in one that is gone."""
    head, base = item.inside("head"), item.inside("base")
    if head.inside("repo").raw("id") is None or head.inside("repo").raw("id") != base.inside("repo").raw("id"):
        return None
    return _read(item)


def _read(item: Fields) -> OpenRequest:
    return OpenRequest(
        number=item.number("number"),
        url=item.url("html_url"),
        head=item.inside("head").text("ref"),
        base=item.inside("base").text("ref"),
        text=stored_text(item.text("title"), item.text("body")),
    )
