"""Pull requests of Bitbucket Cloud. API: 2.0, "Pullrequests", "Refs". There are no labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from updater.forge.answers import Fields
from updater.forge.calls import Call, ForgeApi
from updater.forge.pages import by_link
from updater.forge.places import ForgePlace, encoded
from updater.forge.texts import TextLimits, fitted, stored_text
from updater.ports.forge import NewRequest, OpenRequest, RequestText

_LIMITS = TextLimits(body=32_768)
"""Bitbucket's limit for a description."""
_PAGE = "50"


class Bitbucket:
    """A ``RequestForge``. A second request between two branches is not refused: it changes the first one."""

    def __init__(self, api: ForgeApi, place: ForgePlace) -> None:
        self._api = api
        self._repository = f"/repositories/{encoded(place.owner)}/{encoded(place.name)}"
        self._requests = f"{self._repository}/pullrequests"

    def find_open(self, head: str, base: str) -> OpenRequest | None:
        wanted = f"source.branch.name = {_quoted(head)} AND destination.branch.name = {_quoted(base)}"
        return next((each for each in self._open(wanted) if (each.head, each.base) == (head, base)), None)

    def list_open(self, base: str, prefix: str) -> tuple[OpenRequest, ...]:
        found = self._open(f"destination.branch.name = {_quoted(base)}")
        return tuple(each for each in found if each.base == base and each.head.startswith(prefix))

    def create(self, new: NewRequest) -> OpenRequest | None:
        if self.find_open(new.head, new.base) is not None:
            return None
        text = fitted(new.text, _LIMITS)
        body = {
            "title": text.title,
            "description": text.body,
            "source": {"branch": {"name": new.head}},
            "destination": {"branch": {"name": new.base}},
        }
        return _read(self._api.fetch(Call("POST", self._requests, body=body)))

    def update(self, request: OpenRequest, text: RequestText) -> OpenRequest:
        wanted = fitted(text, _LIMITS)
        if wanted == request.text:
            return request
        body = {"title": wanted.title, "description": wanted.body}
        return _read(self._api.fetch(Call("PUT", self._path(request), body=body)))

    def label(self, request: OpenRequest, labels: Sequence[str]) -> tuple[str, ...]:  # noqa: ARG002 - there are none
        return tuple(labels)

    def close(self, request: OpenRequest, comment: str) -> None:
        path = self._path(request)
        self._api.send(Call("POST", f"{path}/comments", body={"content": {"raw": comment}}, repeats=False))
        self._api.send(Call("POST", f"{path}/decline", repeats=False))
        branch = encoded(request.head, keeps_slashes=True)
        self._api.send(Call("DELETE", f"{self._repository}/refs/branches/{branch}", accepted=(404,)))

    def _open(self, condition: str) -> Iterator[OpenRequest]:
        query = {"state": "OPEN", "q": f'state = "OPEN" AND {condition}', "pagelen": _PAGE}
        return (_read(item) for item in by_link(self._api, self._requests, query) if _is_own(item))

    def _path(self, request: OpenRequest) -> str:
        return f"{self._requests}/{request.number}"


def _quoted(text: str) -> str:
    """A text in Bitbucket's query language."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _is_own(item: Fields) -> bool:
    """Whether the branch is in the repository itself."""
    source = item.inside("source").inside("repository").text("full_name")
    return bool(source) and source == item.inside("destination").inside("repository").text("full_name")


def _read(item: Fields) -> OpenRequest:
    return OpenRequest(
        number=item.number("id"),
        url=item.inside("links").inside("html").url("href"),
        head=item.inside("source").inside("branch").text("name"),
        base=item.inside("destination").inside("branch").text("name"),
        text=stored_text(item.text("title"), item.text("description")),
    )
