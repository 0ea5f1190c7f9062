"""Merge requests of GitLab. API: REST v4, "Merge requests", "Notes", "Branches"."""

from __future__ import annotations

from collections.abc import Sequence

from updater.forge.answers import Fields
from updater.forge.calls import Call, ForgeApi
from updater.forge.failures import refused
from updater.forge.pages import by_number
from updater.forge.places import ForgePlace, encoded
from updater.forge.texts import TextLimits, fitted, stored_text
from updater.ports.forge import NewRequest, OpenRequest, RequestText

_LIMITS = TextLimits()
_SIZE = ("per_page", 100)
_DUPLICATE = "already exists"


class GitLab:
    """A ``RequestForge``."""

    def __init__(self, api: ForgeApi, place: ForgePlace) -> None:
        self._api = api
        # The whole path is one segment here, its slashes encoded.
        self._project = f"/projects/{encoded(f'{place.owner}/{place.name}')}"
        self._requests = f"{self._project}/merge_requests"

    def find_open(self, head: str, base: str) -> OpenRequest | None:
        query = {"state": "opened", "source_branch": head, "target_branch": base}
        found = map(_own, by_number(self._api, self._requests, query, _SIZE))
        return next((each for each in found if each and (each.head, each.base) == (head, base)), None)

    def list_open(self, base: str, prefix: str) -> tuple[OpenRequest, ...]:
        found = map(_own, by_number(self._api, self._requests, {"state": "opened", "target_branch": base}, _SIZE))
        return tuple(each for each in found if each and each.base == base and each.head.startswith(prefix))

    def create(self, new: NewRequest) -> OpenRequest | None:
        text = fitted(new.text, _LIMITS)
        body = {
            "source_branch": new.head,
            "target_branch": new.base,
            "title": text.title,
            "description": text.body,
            "labels": ",".join(label for label in new.labels if "," not in label),
        }
        answer = self._api.send(Call("POST", self._requests, body=body, accepted=(409,)))
        if answer.status == 409:
            if _DUPLICATE in answer.text.lower():
                return None
            raise refused(answer, f"{answer.method} {answer.url}", self._api.clock)
        return _read(Fields(self._api.value_of(answer)))

    def update(self, request: OpenRequest, text: RequestText) -> OpenRequest:
        wanted = fitted(text, _LIMITS)
        if wanted == request.text:
            return request
        body = {"title": wanted.title, "description": wanted.body}
        return _read(self._api.fetch(Call("PUT", self._path(request), body=body)))

    def label(self, request: OpenRequest, labels: Sequence[str]) -> tuple[str, ...]:
        """Labels are made on demand; a comma is what stands between two, so none can hold it."""
        impossible = tuple(label for label in labels if "," in label)
        wanted = ",".join(label for label in labels if label not in impossible)
        if wanted:
            self._api.send(Call("PUT", self._path(request), body={"add_labels": wanted}))
        return impossible

    def close(self, request: OpenRequest, comment: str) -> None:
        path = self._path(request)
        self._api.send(Call("POST", f"{path}/notes", body={"body": comment}, repeats=False))
        self._api.send(Call("PUT", path, body={"state_event": "close"}))
        branch = f"{self._project}/repository/branches/{encoded(request.head)}"
        self._api.send(Call("DELETE", branch, accepted=(404,)))

    def _path(self, request: OpenRequest) -> str:
        return f"{self._requests}/{request.number}"


def _own(item: Fields) -> OpenRequest | None:
    """The request unless its branch is in another project."""
    is_own = item.raw("source_project_id") is not None and item.raw("source_project_id") == item.raw(
        "target_project_id"
    )
    return _read(item) if is_own else None


def _read(item: Fields) -> OpenRequest:
    return OpenRequest(
        number=item.number("iid"),
        url=item.url("web_url"),
        head=item.text("source_branch"),
        base=item.text("target_branch"),
        text=stored_text(item.text("title"), item.text("description")),
    )
