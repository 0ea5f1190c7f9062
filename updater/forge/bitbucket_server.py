"""Pull requests of Bitbucket Server and Data Center. API: 1.0, "Pull requests"; branches: the branch utilities' API.

Every change names the version of the request that it was made for. There are no labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from updater.forge.answers import Fields
from updater.forge.calls import Call, ForgeApi
from updater.forge.failures import refused
from updater.forge.pages import by_start
from updater.forge.places import ForgePlace, encoded
from updater.forge.texts import TextLimits, fitted, stored_text
from updater.ports.forge import NewRequest, OpenRequest, RequestText

HEADS = "refs/heads/"
_LIMITS = TextLimits(body=32_768)
"""Bitbucket's limit for a description."""
_PAGE = "100"
_DUPLICATE = "DuplicatePullRequestException"
_API = "/rest/api/1.0"
_BRANCH_API = "/rest/branch-utils/1.0"
_NO_CHECK = {"X-Atlassian-Token": "no-check"}
"""Otherwise requests without a JSON body are taken for forged ones of a browser."""


class BitbucketServer:
    """A ``RequestForge``."""

    def __init__(self, api: ForgeApi, place: ForgePlace) -> None:
        api.with_headers(_NO_CHECK)
        self._api = api
        self._branches = f"{api.base.removesuffix(_API)}{_BRANCH_API}"
        self._owner, self._name = place.owner, place.name
        self._repository = f"/projects/{encoded(place.owner)}/repos/{encoded(place.name)}"
        self._requests = f"{self._repository}/pull-requests"

    def find_open(self, head: str, base: str) -> OpenRequest | None:
        found = self._open({"at": f"{HEADS}{head}"})
        return next((each for each in found if (each.head, each.base) == (head, base)), None)

    def list_open(self, base: str, prefix: str) -> tuple[OpenRequest, ...]:
        found = self._open({})
        return tuple(each for each in found if each.base == base and each.head.startswith(prefix))

    def create(self, new: NewRequest) -> OpenRequest | None:
        text = fitted(new.text, _LIMITS)
        repository = {"slug": self._name, "project": {"key": self._owner}}
        body = {
            "title": text.title,
            "description": text.body,
            "fromRef": {"id": f"{HEADS}{new.head}", "repository": repository},
            "toRef": {"id": f"{HEADS}{new.base}", "repository": repository},
        }
        answer = self._api.send(Call("POST", self._requests, body=body, accepted=(409,)))
        if answer.status == 409:
            # The same status says that there is nothing to take over.
            if _DUPLICATE in answer.text:
                return None
            raise refused(answer, f"{answer.method} {answer.url}", self._api.clock)
        return _read(Fields(self._api.value_of(answer)))

    def update(self, request: OpenRequest, text: RequestText) -> OpenRequest:
        wanted = fitted(text, _LIMITS)
        if wanted == request.text:
            return request
        # Somebody may change it in between, perhaps by a push; what is there then has another version.
        return self._updated(request, wanted, accepted=(409,)) or self._updated(request, wanted) or request

    def label(self, request: OpenRequest, labels: Sequence[str]) -> tuple[str, ...]:  # noqa: ARG002 - there are none
        return tuple(labels)

    def close(self, request: OpenRequest, comment: str) -> None:
        path = self._path(request)
        self._api.send(Call("POST", f"{path}/comments", body={"text": comment}, repeats=False))
        version = self._api.fetch(Call("GET", path)).number("version")
        self._api.send(Call("POST", f"{path}/decline", {"version": str(version)}, body={}, repeats=False))
        body = {"name": f"{HEADS}{request.head}", "dryRun": False}
        self._api.send(Call("DELETE", f"{self._repository}/branches", body=body, accepted=(404,), base=self._branches))

    def _open(self, query: dict[str, str]) -> Iterator[OpenRequest]:
        full = {"state": "OPEN", "direction": "OUTGOING", "limit": _PAGE, **query}
        return (_read(item) for item in by_start(self._api, self._requests, full) if _is_own(item))

    def _updated(self, request: OpenRequest, wanted: RequestText, accepted: tuple[int, ...] = ()) -> OpenRequest | None:
        now = self._api.fetch(Call("GET", self._path(request)))
        body = {
            "version": now.number("version"),
            "title": wanted.title,
            "description": wanted.body,
            # What is left out is removed.
            "reviewers": now.raw("reviewers") or [],
        }
        answer = self._api.send(Call("PUT", self._path(request), body=body, accepted=accepted))
        return None if answer.status in accepted else _read(Fields(self._api.value_of(answer)))

    def _path(self, request: OpenRequest) -> str:
        return f"{self._requests}/{request.number}"


def _is_own(item: Fields) -> bool:
    """Whether the branch is in the repository itself."""
    source, target = (item.inside(side).inside("repository") for side in ("fromRef", "toRef"))
    named = (source.text("slug"), source.inside("project").text("key"))
    return all(named) and named == (target.text("slug"), target.inside("project").text("key"))


def _read(item: Fields) -> OpenRequest:
    links = item.inside("links").listed("self")
    return OpenRequest(
        number=item.number("id"),
        url=links[0].url("href") if links else "",
        head=item.inside("fromRef").text("id").removeprefix(HEADS),
        base=item.inside("toRef").text("id").removeprefix(HEADS),
        text=stored_text(item.text("title"), item.text("description")),
    )
