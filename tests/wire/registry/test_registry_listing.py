"""Listing tags: pages, faults, bounds and sharing, against the playground's registry."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme

from updater.clock import Deadline, SystemClock
from updater.errors import (
    RegistryAuthError,
    RegistryError,
    RegistryProtocolError,
    RegistryUnavailable,
    RegistryUnreachable,
    RepositoryUnknown,
)
from updater.model.references import ImageRepository
from updater.playground.registry import LinkForm, Pagination, PlaygroundRegistry
from updater.ports.registry import TagSource
from updater.registry import listing
from updater.registry.client import RegistryClient
from updater.registry.credential_sources import parse_credential_source
from updater.registry.credentials import CredentialReader
from updater.registry.endpoints import Endpoint, EndpointTable

pytestmark = pytest.mark.wire
Connect = Callable[..., Any]
LIST = "/v2/team/app/tags/list"
SEVEN = tuple(f"1.{minor}" for minor in range(7))


@pytest.fixture
def seven(registry: PlaygroundRegistry) -> PlaygroundRegistry:
    for tag in SEVEN:
        registry.push("team/app", tag)
    return registry


def queries(registry: PlaygroundRegistry) -> list[str]:
    return [asked.query for asked in registry.requests if asked.path == LIST]


def test_the_client_is_a_tag_source() -> None:
    client = RegistryClient(EndpointTable(), CredentialReader({}), SystemClock())
    source: TagSource = client
    assert source is client
    client.close()


@pytest.mark.parametrize("link", [LinkForm.RELATIVE, LinkForm.ABSOLUTE, LinkForm.QUERY_ONLY], ids=lambda f: f.value)
@pytest.mark.parametrize("limit", [None, 2], ids=["our pages", "smaller pages"])
def test_every_page_is_read(seven: PlaygroundRegistry, connect: Connect, link: LinkForm, limit: int | None) -> None:
    seven.pagination = Pagination(limit, link)
    assert connect(seven, page_size=3).tags() == SEVEN
    assert len(queries(seven)) == (3 if limit is None else 4)


def test_a_full_page_without_a_link_is_followed_by_its_last_tag(seven: PlaygroundRegistry, connect: Connect) -> None:
    seven.pagination = Pagination(link=LinkForm.MISSING)
    assert connect(seven, page_size=3).tags() == SEVEN
    assert queries(seven) == ["n=3", "n=3&last=1.2", "n=3&last=1.5"]


def test_a_full_page_that_leads_nowhere_is_listed_without_size(seven: PlaygroundRegistry, connect: Connect) -> None:
    seven.pagination = Pagination(link=LinkForm.MISSING, honours_last=False)
    assert connect(seven, page_size=3).tags() == SEVEN
    assert queries(seven) == ["n=3", "n=3&last=1.2", ""]


def test_a_guessed_page_that_fails_is_listed_without_size(seven: PlaygroundRegistry, connect: Connect) -> None:
    seven.pagination = Pagination(link=LinkForm.MISSING)
    seven.faults.status(405, target="last=")
    assert connect(seven, page_size=3).tags() == SEVEN
    assert queries(seven)[-1] == ""


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, b""), (405, b""), (406, b""), (404, b'{"errors":[{"code":"PAGINATION_NUMBER_INVALID"}]}')],
    ids=["400", "405", "406", "by code"],
)
def test_a_page_size_that_is_refused_is_left_out_from_then_on(
    seven: PlaygroundRegistry, connect: Connect, status: int, body: bytes
) -> None:
    seven.faults.status(status, body=body, target="n=")
    client = connect(seven)
    assert client.tags() == SEVEN
    client.forget()
    assert client.tags() == SEVEN
    assert queries(seven) == ["n=1000", "", ""]


def test_a_request_that_is_refused_anyway_is_an_error(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.faults.status(400, body=b"no")
    client = connect(registry)
    with pytest.raises(RegistryProtocolError, match="HTTP 400"):
        client.tags()
    assert queries(registry) == ["n=1000", ""]


def test_pages_that_go_round_in_circles_fail(seven: PlaygroundRegistry, connect: Connect) -> None:
    seven.faults.loop_pagination()
    with pytest.raises(RegistryProtocolError) as raised:
        connect(seven).tags()
    assert raised.value.code == "loop"
    assert len(queries(seven)) == 1


def test_a_wider_circle_fails_too(seven: PlaygroundRegistry, connect: Connect) -> None:
    body = b'{"tags":["x"]}'
    seven.faults.status(200, {"Link": f'<{LIST}?page=2>; rel="next"'}, body, target="page=1")
    seven.faults.status(200, {"Link": f'<{LIST}?page=1>; rel="next"'}, body)
    with pytest.raises(RegistryProtocolError) as raised:
        connect(seven).tags()
    assert raised.value.code == "loop"


def test_a_failing_later_page_fails_the_whole_list(seven: PlaygroundRegistry, connect: Connect) -> None:
    seven.faults.status(404, target="last=")
    with pytest.raises(RepositoryUnknown):
        connect(seven, page_size=3).tags()


def test_only_the_failing_page_is_repeated(seven: PlaygroundRegistry, connect: Connect) -> None:
    seven.faults.status(502, target="last=1.2", times=2)
    assert connect(seven, page_size=3).tags() == SEVEN
    assert [query.partition("last=")[2] for query in queries(seven)] == ["", "1.2", "1.2", "1.2", "1.5"]


@pytest.mark.parametrize("fault", ["truncate_body", "reset", "html"])
def test_a_hiccup_is_outlived(registry: PlaygroundRegistry, connect: Connect, fault: str) -> None:
    getattr(registry.faults, fault)(times=1)
    assert connect(registry).tags() == ("1.0", "1.1")


@pytest.mark.parametrize(
    ("fault", "code", "attempts"),
    [("truncate_body", "registry_unreachable", 3), ("reset", "registry_unreachable", 3), ("html", "bad_response", 2)],
)
def test_a_lasting_fault_is_an_error(
    registry: PlaygroundRegistry, connect: Connect, fault: str, code: str, attempts: int
) -> None:
    getattr(registry.faults, fault)()
    with pytest.raises(RegistryError, match="team/app") as raised:
        connect(registry).tags()
    assert raised.value.code == code
    assert len(queries(registry)) == attempts


@pytest.mark.parametrize("fault", ["never_answer", "delay"])
def test_a_slow_registry_is_left_after_the_time_of_an_attempt(
    registry: PlaygroundRegistry, connect: Connect, fault: str
) -> None:
    {"never_answer": registry.faults.never_answer, "delay": lambda: registry.faults.delay(30)}[fault]()
    client = connect(registry, tags_timeout_s=0.25)
    with pytest.raises(RegistryUnreachable) as raised:
        client.tags()
    assert raised.value.code == "registry_timeout"
    registry.wait_for_requests(3, timeout_s=20)
    assert len(queries(registry)) == 3


def test_a_slow_answer_is_an_answer(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.faults.delay(0.05)
    assert connect(registry).tags() == ("1.0", "1.1")


@pytest.mark.parametrize("retry_after", ["7", "Sun, 01 Mar 2026 00:00:07 GMT"], ids=["seconds", "date"])
def test_what_the_registry_asks_for_is_waited(registry: PlaygroundRegistry, connect: Connect, retry_after: str) -> None:
    registry.faults.status(429, {"Retry-After": retry_after}, times=1)
    client = connect(registry)
    assert client.tags() == ("1.0", "1.1")
    assert client.clock.waits == [7.0]


def test_a_wait_that_is_too_long_is_left_to_the_caller(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.faults.status(429, {"Retry-After": "120"})
    client = connect(registry)
    with pytest.raises(RegistryUnavailable, match="limits our requests") as raised:
        client.tags(within_s=30)
    assert raised.value.retry_after_s == 120
    assert client.clock.waits == []


def test_a_listing_may_live_elsewhere_and_learns_no_credentials(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.require_basic("ann", "pw")
    with PlaygroundRegistry() as elsewhere:
        elsewhere.push("team/app", "9")
        registry.faults.status(302, {"Location": f"{elsewhere.address}{LIST}"}, target=LIST)
        assert connect(registry, login="ann:pw").tags() == ("9",)
        assert [asked.scheme for asked in elsewhere.requests] == [""]


def test_a_redirect_without_a_target_is_an_error(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.faults.status(302, target=LIST)
    with pytest.raises(RegistryProtocolError, match="api_url") as raised:
        connect(registry).tags()
    assert raised.value.code == "redirected"


def test_a_page_over_its_cap_is_not_read(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.faults.status(200, body=b" " * (listing.MAX_PAGE_BYTES + 1))
    with pytest.raises(RegistryProtocolError) as raised:
        connect(registry).tags()
    assert raised.value.code == "too_large"
    assert len(queries(registry)) == 1


@pytest.mark.parametrize(
    ("bound", "value"), [("MAX_PAGES", 2), ("MAX_TAGS", 6), ("MAX_LIST_BYTES", 60)], ids=["pages", "tags", "bytes"]
)
def test_a_list_over_a_bound_is_an_error(
    seven: PlaygroundRegistry, connect: Connect, monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    monkeypatch.setattr(listing, bound, value)
    with pytest.raises(RegistryProtocolError, match=f"more than {value}") as raised:
        connect(seven, page_size=3).tags()
    assert raised.value.code == "too_large"


def test_repeats_and_illegal_names_are_dropped(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.faults.status(200, body=b'{"tags":["b","a","b","-no","a"]}')
    assert connect(registry).tags() == ("b", "a")


def test_many_callers_cost_one_request(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.faults.delay(0.1)
    client = connect(registry)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: client.tags(), range(32))) == {("1.0", "1.1")}
    assert len(queries(registry)) == 1


def test_a_list_is_served_again_until_it_is_old_or_forgotten(registry: PlaygroundRegistry, connect: Connect) -> None:
    client = connect(registry, share_tags_s=60)
    client.tags()
    registry.push("team/app", "1.2")
    client.clock.ahead_s += 50
    assert client.tags() == ("1.0", "1.1")
    client.clock.ahead_s += 11
    assert client.tags() == ("1.0", "1.1", "1.2")
    registry.push("team/app", "1.3")
    client.forget()
    assert client.tags() == ("1.0", "1.1", "1.2", "1.3")


def test_lists_are_not_kept_when_sharing_is_off(registry: PlaygroundRegistry, connect: Connect) -> None:
    client = connect(registry, share_tags_s=0)
    client.tags()
    client.tags()
    assert len(queries(registry)) == 2


def test_a_permanent_failure_is_remembered_and_a_transient_one_not(
    registry: PlaygroundRegistry, connect: Connect
) -> None:
    client = connect(registry)
    for _ in range(2):
        with pytest.raises(RepositoryUnknown):
            client.tags("team/none")
    assert len(registry.requests) == 1
    registry.faults.status(503, times=3)
    with pytest.raises(RegistryUnavailable):
        client.tags()
    assert client.tags() == ("1.0", "1.1")


def test_connections_are_kept_between_listings(
    registry: PlaygroundRegistry, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted = []
    accept = registry._server.get_request
    monkeypatch.setattr(registry._server, "get_request", lambda: accepted.append(1) or accept())
    client = connect(registry, share_tags_s=0)
    for _ in range(3):
        client.tags()
    assert len(accepted) == 1


def test_closing_ends_a_listing_that_hangs(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.faults.never_answer()
    client = connect(registry)
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(client.tags)
        registry.wait_for_requests(1, timeout_s=10)
        client.client.close()
        error = hanging.exception(10)
    assert isinstance(error, RegistryUnreachable)
    assert error.code == "cancelled"


def test_a_closed_port_is_unreachable(connect: Connect) -> None:
    registry = PlaygroundRegistry()
    registry.close()
    with pytest.raises(RegistryUnreachable, match="reachable from here"):
        connect(registry).tags()


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_an_unknown_authority_is_not_retried(server_tls: ssl.SSLContext, connect: Connect) -> None:
    with PlaygroundRegistry(server_tls) as registry:
        client = connect(registry)
        with pytest.raises(RegistryUnreachable, match="ca_file") as raised:
            client.tags()
        assert raised.value.code == "registry_tls"
        assert client.clock.waits == []
        assert registry.requests == ()


def test_a_ca_file_makes_the_registry_and_its_token_service_trusted(
    server_tls: ssl.SSLContext, authority: trustme.CA, connect: Connect, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with PlaygroundRegistry(server_tls) as registry:
        registry.push("team/app", "1")
        registry.require_bearer("ann", "pw")
        assert connect(registry, login="ann:pw", ca_file=str(tmp_path / "ca.pem")).tags() == ("1",)


def test_what_an_unverified_registry_said_does_not_guide_a_verified_visit(server_tls: ssl.SSLContext) -> None:
    with PlaygroundRegistry(server_tls) as registry:
        registry.push("team/app", "1")
        registry.require_bearer("ann", "pw")
        clock, login = SystemClock(), parse_credential_source("env:LOGIN")
        entries = [
            Endpoint(name="lax", prefix="lax.test", api_url=registry.address, is_insecure=True, credentials=login),
            Endpoint(name="strict", prefix="strict.test", api_url=registry.address, credentials=login),
        ]
        client = RegistryClient(EndpointTable(entries), CredentialReader({"LOGIN": "ann:pw"}), clock)
        deadline = Deadline.after(clock, 30)
        assert client.fetch_tags(ImageRepository("lax.test", "team/app"), deadline).tags == ("1",)
        with pytest.raises(RegistryUnreachable) as raised:
            client.fetch_tags(ImageRepository("strict.test", "team/app"), deadline)
        client.close()
    assert raised.value.code == "registry_tls"
    assert raised.value.where == registry.address, "it was the ping that failed, not a token request or the listing"


def test_insecure_covers_the_registry_and_its_token_service(server_tls: ssl.SSLContext, connect: Connect) -> None:
    with PlaygroundRegistry(server_tls) as registry:
        registry.push("team/app", "1")
        registry.require_bearer("ann", "pw")
        assert connect(registry, login="ann:pw", is_insecure=True).tags() == ("1",)


def test_a_rejected_password_is_not_sent_again_each_time(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.require_basic("ann", "pw")
    client = connect(registry, login="ann:other")
    for _ in range(3):
        with pytest.raises(RegistryAuthError):
            client.tags()
    assert [asked.scheme for asked in registry.requests].count("basic") == 1
