"""The status API over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest

from sidecar.addresses import Address
from sidecar.server import Listener
from sidecar.status.application import status_application
from tests.sidecar.conftest import StartListener
from tests.sidecar.hostile import HOSTILE, hostile_report
from updater.clock import SystemClock
from updater.ports.log import NullLog
from updater.ports.status import Rhythm
from updater.telemetry.status_store import StatusStore

pytestmark = pytest.mark.wire
LOOPBACK = Address("127.0.0.1", 0)


@pytest.fixture
def store() -> StatusStore:
    found = StatusStore(Rhythm("cycle", 120.0, is_dry_run=True), SystemClock(), str)
    report = hostile_report()
    for each in report.applications:
        found.note_known(str(each.key))
    found.note_cycle(report)
    return found


@pytest.fixture
def listener(listen: StartListener, store: StatusStore) -> Listener:
    return listen(status_application(store, LOOPBACK, NullLog(), instance="i"))


@pytest.fixture
def connection(listener: Listener) -> Iterator[HTTPConnection]:
    with closing(HTTPConnection("127.0.0.1", listener.address.port, timeout=10)) as opened:
        yield opened


def ask(connection: HTTPConnection, path: str, method: str = "GET", **headers: str) -> tuple[HTTPResponse, bytes]:
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer, answer.read()


def document(connection: HTTPConnection, path: str) -> dict[str, Any]:
    answer, body = ask(connection, path)
    assert answer.status == 200, body
    found = json.loads(body)
    assert (found["schemaVersion"], found["mode"], found["intervalSeconds"], found["dryRun"]) == (
        1,
        "cycle",
        120.0,
        True,
    )
    return found


def test_applications_are_listed_with_reasons_and_times(connection: HTTPConnection) -> None:
    found = document(connection, "/api/v1/applications")
    assert (found["total"], found["matching"], found["continue"]) == (2, 2, None)
    assert found["reasons"] == {"tags_unavailable": 1, "update": 1}
    plain, hostile = found["items"]
    assert (plain["namespace"], plain["name"], plain["reasons"]) == ("argocd", "plain", ["update"])
    assert plain["images"] == [
        {
            "alias": "web",
            "image": "registry.example.com/shop/web",
            "current": "1.0.0",
            "wanted": "1.0.1",
            "reason": "update",
        }
    ]
    assert plain["nextDue"] > plain["lastSuccess"] >= plain["lastAttempt"]
    assert plain["lastAttempt"].endswith("Z")
    assert hostile["lastSuccess"] is None
    assert hostile["counters"]["errors"] == 1


@pytest.mark.parametrize("path", ["/api/v1/applications", "/api/v1/applications/argocd/plain", "/api/v1/cycles"])
def test_every_document_tells_what_keeps_the_fleet_from_being_listed(
    connection: HTTPConnection, store: StatusStore, path: str
) -> None:
    assert document(connection, path)["trouble"] is None
    store.note_unlisted("refused", "argocd_unreachable")
    found = document(connection, path)["trouble"]
    assert found.pop("since").endswith("Z")
    assert found == {"code": "argocd_unreachable", "text": "refused"}


def test_one_application_has_every_candidate_and_what_came_of_the_write(connection: HTTPConnection) -> None:
    found = document(connection, "/api/v1/applications/argocd/plain")
    (image,) = found["images"]
    assert (image["strategy"], image["constraint"], image["tagsConsidered"]) == ("semver", "~1.0", 3)
    assert [(row["tag"], row["reason"]) for row in image["candidates"]["rows"]] == [
        ("1.0.1", None),
        ("1.0.0", "older"),
        (HOSTILE, "not a version"),
    ]
    assert (image["candidates"]["leftOut"], image["candidates"]["losses"]) == (0, {"older": 1, "not a version": 1})
    assert found["write"] == {
        "outcome": "written",
        "commit": "c0ffee",
        "pullRequest": "https://git.example.com/pull/7",
        "error": None,
        "warning": None,
    }
    assert found["lastUpdate"]["images"] == [{"image": "registry.example.com/shop/web", "from": "1.0.0", "to": "1.0.1"}]
    assert found["lastUpdate"]["at"] == found["lastSuccess"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("reason=update", ["plain"], id="reason"),
        pytest.param("search=PLAIN", ["plain"], id="search in any case"),
        pytest.param("search=shop%2Fweb", ["plain", "zz-hostile"], id="search in images"),
        pytest.param("search=nothing", [], id="nothing fits"),
        pytest.param("reason=update&search=hostile", [], id="both must hold"),
        pytest.param("continue=argocd%2Fplain", ["zz-hostile"], id="after a key"),
        pytest.param("continue=argocd%2Fpla", ["plain", "zz-hostile"], id="after a key that is gone"),
        pytest.param("other=1", ["plain", "zz-hostile"], id="what is not known is not looked at"),
    ],
)
def test_queries(connection: HTTPConnection, query: str, expected: list[str]) -> None:
    assert [item["name"] for item in document(connection, f"/api/v1/applications?{query}")["items"]] == expected


def test_pages_follow_each_other(connection: HTTPConnection) -> None:
    first = document(connection, "/api/v1/applications?limit=1")
    assert (first["continue"], first["matching"]) == ("argocd/plain", 2)
    second = document(connection, "/api/v1/applications?limit=1&continue=argocd%2Fplain")
    assert ([item["name"] for item in second["items"]], second["continue"]) == (["zz-hostile"], None)


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "", "1e2", "99999999999999999999", "%D9%A3"])
def test_a_limit_outside_its_range_is_refused(connection: HTTPConnection, limit: str) -> None:
    answer, body = ask(connection, f"/api/v1/applications?limit={limit}")
    assert (answer.status, json.loads(body)["error"]) == (400, "limit is a number from 1 to 500")


def test_values_that_are_too_long_are_refused(connection: HTTPConnection) -> None:
    answer, body = ask(connection, "/api/v1/applications?search=" + "a" * 201)
    assert (answer.status, json.loads(body)["error"]) == (400, "a value is too long")


@pytest.mark.parametrize("path", ["/api/v1/applications/argocd/none", "/api/v1/applications/x/y%00"])
def test_an_application_that_is_not_known_is_404(connection: HTTPConnection, path: str) -> None:
    answer, body = ask(connection, path)
    assert (answer.status, json.loads(body)["schemaVersion"]) == (404, 1)


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/applications/", "/api/v1/applications/a/b/c", "/index.html"])
def test_other_paths_are_404(connection: HTTPConnection, path: str) -> None:
    assert ask(connection, path)[0].status == 404


def test_cycles_have_totals_by_reason(connection: HTTPConnection) -> None:
    (cycle,) = document(connection, "/api/v1/cycles")["items"]
    assert (cycle["applications"], cycle["durationSeconds"]) == (2, 1.5)
    assert cycle["reasons"] == {"tags_unavailable": 1, "update": 1}
    assert cycle["counters"] == {"considered": 2, "skipped": 0, "updated": 1, "errors": 1}


@pytest.mark.parametrize("path", ["/api/v1/applications", "/api/v1/applications/argocd/plain", "/api/v1/cycles", "/"])
def test_what_did_not_change_is_304(connection: HTTPConnection, store: StatusStore, path: str) -> None:
    tag = ask(connection, path)[0].headers["ETag"]
    answer, body = ask(connection, path, If_None_Match=tag)
    assert (answer.status, body, answer.headers["ETag"]) == (304, b"", tag)
    store.note_known("argocd/new")
    assert ask(connection, path, If_None_Match=tag)[0].status == (304 if path == "/" else 200)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/api/v1/applications", "/nowhere"])
def test_only_reading_is_allowed(connection: HTTPConnection, method: str, path: str) -> None:
    answer, _ = ask(connection, path, method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_head_answers_without_a_body(connection: HTTPConnection) -> None:
    answer, body = ask(connection, "/api/v1/applications", "HEAD")
    assert (answer.status, body) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 100


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8092", "[::1]:8092", "LOCALHOST:1"])
def test_this_machines_own_names_are_answered(connection: HTTPConnection, host: str) -> None:
    assert ask(connection, "/", Host=host)[0].status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io:8092", "", "[::1", "10.0.0.1"]
)
def test_other_names_are_refused_on_loopback(connection: HTTPConnection, host: str) -> None:
    answer, body = ask(connection, "/api/v1/applications", Host=host)
    assert (answer.status, body) == (421, b"Misdirected Request")


def test_any_name_is_answered_on_an_address_of_the_operators_choice(listen: StartListener, store: StatusStore) -> None:
    listener = listen(status_application(store, Address("10.0.0.1", 8092), NullLog(), instance="i"))
    with closing(HTTPConnection("127.0.0.1", listener.address.port, timeout=10)) as opened:
        assert ask(opened, "/", Host="status.example.org")[0].status == 200


@pytest.mark.parametrize("path", ["/", "/api/v1/applications", "/nowhere"])
def test_every_answer_forbids_what_the_page_does_not_need(connection: HTTPConnection, path: str) -> None:
    headers = ask(connection, path)[0].headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert policy["script-src"].startswith("'sha256-")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert (headers["X-Content-Type-Options"], headers["X-Frame-Options"]) == ("nosniff", "DENY")
    assert headers["Set-Cookie"] is None


def test_the_page_loads_nothing_from_elsewhere(connection: HTTPConnection) -> None:
    page = ask(connection, "/")[1].decode()
    for attribute in (
        "src=",
        "url(",
        "@import",
        "import(",
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
    ):
        assert attribute not in page
