"""Pull requests of Azure DevOps. API: REST 7.1, "Git: pull requests, threads, labels, refs"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from updater.forge.answers import Fields
from updater.forge.calls import Call, ForgeApi
from updater.forge.failures import refused
from updater.forge.pages import by_skip
from updater.forge.places import ForgePlace, encoded
from updater.forge.texts import TextLimits, fitted, stored_text
from updater.ports.forge import NewRequest, OpenRequest, RequestText

HEADS = "refs/heads/"
_LIMITS = TextLimits(body=4_000)
_VERSION = {"api-version": "7.1"}
_PAGE = 100
_DUPLICATE = ("GitPullRequestExistsException", "TF401179")
_NOTHING = "0" * 40
"""The id that a branch is moved to when it goes."""


class AzureDevOps:
    """A ``RequestForge``."""

    def __init__(self, api: ForgeApi, place: ForgePlace) -> None:
        self._api = api
        project = f"/{encoded(place.owner, keeps_slashes=True)}/{encoded(place.project)}"
        self._page = f"{api.base}{project}/_git/{encoded(place.name)}/pullrequest"
        self._repository = f"{project}/_apis/git/repositories/{encoded(place.name)}"
        self._requests = f"{self._repository}/pullrequests"

    def find_open(self, head: str, base: str) -> OpenRequest | None:
        found = self._open({"sourceRefName": f"{HEADS}{head}", "targetRefName": f"{HEADS}{base}"})
        return next((each for each in found if (each.head, each.base) == (head, base)), None)

    def list_open(self, base: str, prefix: str) -> tuple[OpenRequest, ...]:
        found = self._open({"targetRefName": f"{HEADS}{base}"})
        return tuple(each for each in found if each.base == base and each.head.startswith(prefix))

    def create(self, new: NewRequest) -> OpenRequest | None:
        text = fitted(new.text, _LIMITS)
        body = {
            "sourceRefName": f"{HEADS}{new.head}",
            "targetRefName": f"{HEADS}{new.base}",
            "title": text.title,
            "description": text.body,
            "labels": [{"name": label} for label in new.labels],
        }
        answer = self._api.send(Call("POST", self._requests, _VERSION, body, accepted=(409,)))
        if answer.status == 409:
            if any(word in answer.text for word in _DUPLICATE):
                return None
            raise refused(answer, f"{answer.method} {answer.url}", self._api.clock)
        return self._read(Fields(self._api.value_of(answer)))

    def update(self, request: OpenRequest, text: RequestText) -> OpenRequest:
        wanted = fitted(text, _LIMITS)
        if wanted == request.text:
            return request
        body = {"title": wanted.title, "description": wanted.body}
        return self._read(self._api.fetch(Call("PATCH", self._path(request), _VERSION, body)))

    def label(self, request: OpenRequest, labels: Sequence[str]) -> tuple[str, ...]:
        for label in labels:
            self._api.send(Call("POST", f"{self._path(request)}/labels", _VERSION, {"name": label}))
        return ()

    def close(self, request: OpenRequest, comment: str) -> None:
        path = self._path(request)
        said = {"parentCommentId": 0, "content": comment, "commentType": "text"}
        thread = {"comments": [said], "status": "closed"}
        self._api.send(Call("POST", f"{path}/threads", _VERSION, thread, repeats=False))
        self._api.send(Call("PATCH", path, _VERSION, {"status": "abandoned"}))
        self._remove(request.head)

    def _remove(self, head: str) -> None:
        query = {**_VERSION, "filter": f"heads/{head}"}
        refs = self._api.fetch(Call("GET", f"{self._repository}/refs", query)).listed("value")
        for ref in refs:
            # The filter takes the beginnings of names.
            if ref.text("name") == f"{HEADS}{head}":
                update = {"name": ref.text("name"), "oldObjectId": ref.text("objectId"), "newObjectId": _NOTHING}
                self._api.send(Call("POST", f"{self._repository}/refs", _VERSION, body=[update]))

    def _open(self, criteria: dict[str, str]) -> Iterator[OpenRequest]:
        query = {f"searchCriteria.{name}": text for name, text in {"status": "active", **criteria}.items()}
        found = by_skip(self._api, self._requests, {**query, **_VERSION}, _PAGE)
        return (self._read(item) for item in found if item.raw("forkSource") is None)

    def _path(self, request: OpenRequest) -> str:
        return f"{self._requests}/{request.number}"

    def _read(self, item: Fields) -> OpenRequest:
        number = item.number("pullRequestId")
        return OpenRequest(
            number=number,
            url=f"{self._page}/{number}",
            head=item.text("sourceRefName").removeprefix(HEADS),
            base=item.text("targetRefName").removeprefix(HEADS),
            text=stored_text(item.text("title"), item.text("description")),
        )
