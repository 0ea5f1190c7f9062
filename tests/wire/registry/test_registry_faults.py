"""A registry that misbehaves: the error has a name, nothing is chosen from half an answer, nobody else suffers."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from updater.clock import Deadline, SystemClock
from updater.errors import RegistryError, RegistryUnavailable, RegistryUnreachable
from updater.model.images import Candidate, Inspection, Loss
from updater.model.references import ImageRepository
from updater.playground.registry import PlaygroundRegistry
from updater.playground.registry_faults import RegistryFaults
from updater.registry import content
from updater.registry.client import RegistryClient
from updater.registry.credential_sources import parse_credential_source
from updater.registry.credentials import CredentialReader
from updater.registry.endpoints import Endpoint, EndpointTable
from updater.registry.listing import MAX_PAGE_BYTES
from updater.registry.options import RegistryOptions
from updater.transport.trust import TlsOptions

pytestmark = pytest.mark.wire
Connect = Callable[..., Any]
Break = Callable[[RegistryFaults, str], None]
TARGETS = {"tags": "/tags/list", "manifests": "/manifests/", "blobs": "/blobs/"}
RAISED = "raised"
OVER = max(MAX_PAGE_BYTES, content.MAX_MANIFEST_BYTES, content.MAX_CONFIG_BYTES) + 1


@pytest.fixture
def elsewhere() -> Iterator[PlaygroundRegistry]:
    """A place that must never see a credential."""
    with PlaygroundRegistry() as playground:
        playground.push("team/app", "9.9")
        yield playground


def ask(client: Any, part: str) -> Loss | None:
    """Make the client ask for a part; what it makes of the tag, None when all is well."""
    if part == "tags":
        client.tags()
        return None
    (candidate,) = client.candidates("1.0", platforms=("linux/amd64",))
    loss: Loss | None = candidate.loss
    return loss


FAULTS: list[Any] = [
    pytest.param(lambda f, t: f.delay(30, target=t), "registry_timeout", id="delay"),
    pytest.param(lambda f, t: f.never_answer(target=t), "registry_timeout", id="silence"),
    pytest.param(lambda f, t: f.trickle_body(0.05, target=t), "registry_timeout", id="trickle"),
    pytest.param(lambda f, t: f.truncate_body(target=t), "registry_unreachable", id="cut body"),
    pytest.param(lambda f, t: f.reset(target=t), "registry_unreachable", id="reset"),
    pytest.param(lambda f, t: f.status(429, target=t), "rate_limited", id="429"),
    pytest.param(lambda f, t: f.status(429, {"Retry-After": "600"}, target=t), "rate_limited", id="429 for long"),
    pytest.param(
        lambda f, t: f.status(503, {"Retry-After": "600"}, target=t), "registry_unavailable", id="503 for long"
    ),
    pytest.param(lambda f, t: f.status(500, target=t), "registry_unavailable", id="500"),
    pytest.param(lambda f, t: f.status(503, target=t), "registry_unavailable", id="503"),
    pytest.param(lambda f, t: f.html(target=t), "bad_response", id="html"),
    pytest.param(lambda f, t: f.bomb(64 * 1024 * 1024, target=t), "bad_response", id="bomb"),
    pytest.param(lambda f, t: f.status(403, target=t), "access_denied", id="403"),
    pytest.param(lambda f, t: f.redirect("http://10.0.0.7/x", target=t), "bad_redirect", id="inside address"),
    pytest.param(lambda f, t: f.redirect("http://u:p@storage.test/x", target=t), "bad_redirect", id="user info"),
    pytest.param(lambda f, t: f.redirect("ftp://storage.test/x", target=t), "bad_redirect", id="other scheme"),
    pytest.param(lambda f, t: f.redirect("/v2/circle" + t, target=t), "bad_redirect", id="circle"),
    pytest.param(lambda f, t: f.realm("http://169.254.169.254/token", target=t), "bad_realm", id="inside realm"),
]


@pytest.mark.parametrize("part", TARGETS)
@pytest.mark.parametrize(("breaks", "code"), FAULTS)
def test_a_fault_is_named_and_nothing_is_made_of_it(
    registry: PlaygroundRegistry, connect: Connect, breaks: Break, code: str, part: str
) -> None:
    breaks(registry.faults, TARGETS[part])
    short = {"tags_timeout_s": 0.2, "manifest_timeout_s": 0.2} if code == "registry_timeout" else {}
    client = connect(registry, **short)
    began = time.monotonic()
    with pytest.raises(RegistryError) as raised:
        ask(client, part)
    assert raised.value.code == code
    assert "p@storage" not in str(raised.value)
    assert time.monotonic() - began < 20, "the worker is back"
    registry.faults.clear()
    client.clock.ahead_s += 3_600
    assert ask(client, part) is None, "a fault that has gone leaves nothing behind"


@pytest.mark.parametrize("part", ["manifests", "blobs"])
@pytest.mark.parametrize(
    "breaks",
    [
        pytest.param(lambda f, t: f.swell_body(OVER, target=t), id="over the cap"),
        pytest.param(lambda f, t: f.status(404, target=t), id="missing"),
        pytest.param(lambda f, t: f.status(451, target=t), id="another refusal"),
    ],
)
def test_what_is_wrong_with_one_tag_for_good_costs_that_tag(
    registry: PlaygroundRegistry, connect: Connect, breaks: Break, part: str
) -> None:
    client = connect(registry)
    if part == "manifests":
        registry.push_index("team/app", "1.0", {"linux/amd64": ""})
        breaks(registry.faults, "/manifests/sha256:")
    else:
        breaks(registry.faults, "/blobs/")
    assert ask(client, "blobs") is Loss.METADATA_UNREADABLE


@pytest.mark.parametrize("part", ["manifests", "blobs"])
def test_content_that_its_digest_does_not_name_is_never_used(
    registry: PlaygroundRegistry, connect: Connect, part: str
) -> None:
    client = connect(registry)
    if part == "manifests":
        client.digest("1.0")
        registry.push("team/app", "1.0")
        client.clock.ahead_s += 61
    registry.faults.corrupt_body(target="/manifests/sha256:" if part == "manifests" else "/blobs/")
    before = len(registry.requests)
    assert ask(client, part) is Loss.METADATA_UNREADABLE
    asked = [one.path for one in registry.requests[before:] if f"/{part}/sha256:" in one.path]
    assert len(asked) == 2, "it was asked for twice"
    assert asked[0] == asked[1]
    registry.faults.clear()
    assert client.candidates("1.1")[0].loss is None


def test_a_wrong_type_costs_the_tag_alone(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.faults.content_type("application/x-tar", target="/manifests/1.0")
    assert [candidate.loss for candidate in connect(registry).candidates("1.0", "1.1")] == [
        Loss.METADATA_UNREADABLE,
        None,
    ]


def test_an_origin_that_asked_for_a_pause_is_not_asked(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.push("other", "1")
    registry.faults.status(429, {"Retry-After": "600"}, times=1)
    client = connect(registry)
    for name in ("team/app", "other", "team/app"):
        with pytest.raises(RegistryUnavailable, match=r"limits|asked not to be asked") as raised:
            client.tags(name, within_s=6_000)
        assert 0 < (raised.value.retry_after_s or 0) <= 600
    assert len(registry.requests) == 1
    assert client.clock.waits == [], "nobody waited for it"
    gauge = ("registry_gate_seconds", registry.address)
    assert client.counts[gauge] == 600
    client.clock.ahead_s += 601
    assert client.tags() == ("1.0", "1.1")
    assert client.counts[gauge] == 0


def test_refusals_without_a_time_are_met_with_growing_pauses(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.faults.status(429)
    client = connect(registry)
    with pytest.raises(RegistryUnavailable):
        client.tags(within_s=6_000)
    first = len(registry.requests)
    assert first <= 3
    with pytest.raises(RegistryUnavailable):
        client.tags(within_s=6_000)
    assert len(registry.requests) <= first + 1


def test_a_slow_registry_holds_up_nobody_else(registry: PlaygroundRegistry, elsewhere: PlaygroundRegistry) -> None:
    registry.faults.never_answer()
    entries = [
        Endpoint(name="slow", prefix="slow.test", api_url=registry.address),
        Endpoint(name="good", prefix="good.test", api_url=elsewhere.address),
    ]
    clock = SystemClock()
    client = RegistryClient(EndpointTable(entries), CredentialReader({}), clock)
    with ThreadPoolExecutor(41) as pool:
        slow = [
            pool.submit(client.fetch_tags, ImageRepository("slow.test", f"app{number}"), Deadline.after(clock, 20))
            for number in range(40)
        ]
        registry.wait_for_requests(RegistryOptions().http.pool_size, timeout_s=10)
        assert client.fetch_tags(ImageRepository("good.test", "team/app"), Deadline.after(clock, 5)).tags == ("9.9",)
        assert len(registry.requests) == RegistryOptions().http.pool_size, "no more are on their way than allowed"
        client.close()
        assert {getattr(one.exception(20), "code", "") for one in slow} == {"cancelled"}


def test_an_answer_that_does_not_begin_is_left(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.faults.never_answer()
    client = connect(registry, response_header_timeout_s=0.05)
    began = time.monotonic()
    with pytest.raises(RegistryUnreachable) as raised:
        client.tags()
    assert raised.value.code == "registry_timeout"
    assert time.monotonic() - began < 20


def test_a_slow_body_may_take_longer_than_its_head(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.faults.trickle_body(0.02)
    assert connect(registry, response_header_timeout_s=0.4).tags() == ("1.0", "1.1")


@pytest.mark.parametrize("mode", ["basic", "bearer"])
def test_blobs_may_live_elsewhere_and_learn_no_credentials(
    registry: PlaygroundRegistry, elsewhere: PlaygroundRegistry, connect: Connect, mode: str
) -> None:
    {"basic": registry.require_basic, "bearer": registry.require_bearer}[mode]("ann", "pw")
    digest = registry.push("team/app", "2.0")
    config = registry.config_digest("team/app", "2.0")
    elsewhere.put_blob("team/app", registry.blob("team/app", config))
    registry.faults.redirect(f"{elsewhere.address}/v2/team/app/blobs/{config}?signature=s3cr3t", target="/blobs/")
    (candidate,) = connect(registry, login="ann:pw").candidates("2.0", platforms=("linux/amd64",))
    assert (candidate.digest, candidate.loss) == (digest, None)
    assert [(asked.path.rpartition("/")[2], asked.scheme) for asked in elsewhere.requests] == [(config, "")]


@pytest.mark.parametrize("mode", ["anonymous", "bearer"])
def test_a_place_we_are_sent_to_may_not_ask_who_we_are(
    registry: PlaygroundRegistry, elsewhere: PlaygroundRegistry, connect: Connect, mode: str
) -> None:
    if mode == "bearer":
        registry.require_bearer("ann", "pw")
    elsewhere.require_bearer("ann", "pw")
    registry.faults.redirect(f"{elsewhere.address}/v2/team/app/blobs/x", target="/blobs/")
    client = connect(registry, login="ann:pw")
    with pytest.raises(RegistryError) as raised:
        client.candidates("1.0")
    assert raised.value.code == "redirected", "and no refusal of our credentials"
    assert [asked.scheme for asked in elsewhere.requests] == [""], "it named a token service of its own, in vain"
    assert client.tags() == ("1.0", "1.1")


def test_a_presigned_place_is_not_shown_in_errors(
    registry: PlaygroundRegistry, elsewhere: PlaygroundRegistry, connect: Connect
) -> None:
    elsewhere.faults.reset()
    registry.faults.redirect(f"{elsewhere.address}/x?X-Signature=s3cr3t", target="/blobs/")
    with pytest.raises(RegistryUnreachable) as raised:
        connect(registry).candidates("1.0")
    assert "s3cr3t" not in "".join(traceback.format_exception(raised.value))


def test_a_presigned_place_that_cannot_be_reached_is_not_shown_in_errors(
    registry: PlaygroundRegistry, connect: Connect
) -> None:
    registry.faults.redirect("http://127.0.0.1:1/x?X-Signature=s3cr3t", target="/blobs/")
    with pytest.raises(RegistryUnreachable) as raised:
        connect(registry).candidates("1.0")
    assert "s3cr3t" not in "".join(traceback.format_exception(raised.value))


def test_a_realm_that_changes_is_said(
    registry: PlaygroundRegistry, elsewhere: PlaygroundRegistry, connect: Connect
) -> None:
    registry.require_bearer("ann", "pw")
    client = connect(registry, login="ann:pw")
    client.tags()
    registry.expire_tokens()
    other = elsewhere.address.replace("127.0.0.1", "localhost")
    registry.faults.realm(f"{other}/token", target="/tags/list", times=1)
    client.forget()
    with pytest.raises(RegistryError):
        client.tags()
    assert [event for event, _ in client.log] == ["token_realm_changed"]


def test_a_transport_that_is_renewed_finishes_what_runs_on_it(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.faults.delay(0.3)
    client = connect(registry, janitor_period_s=0.05)
    assert client.tags() == ("1.0", "1.1")


def test_a_renewed_transport_serves_its_last_user(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.push("other", "1")
    registry.faults.delay(0.15, target="/other/")
    registry.faults.delay(0.4, target="/team/")
    client = connect(registry, janitor_period_s=0.05)
    with ThreadPoolExecutor(2) as pool:
        slow, quick = pool.submit(client.tags), pool.submit(client.tags, "other")
        assert quick.result(10) == ("1",)
        assert slow.result(10) == ("1.0", "1.1")
    assert len(registry.requests) == 2, "neither was cut off and repeated"


def test_a_token_service_is_asked_for_a_few_tokens_at_a_time(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.require_bearer("ann", "pw")
    registry.faults.never_answer(target="/token")
    client = connect(registry, login="ann:pw", max_token_requests=3)
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(client.tags, f"app{number}") for number in range(8)]
        registry.wait_for_requests(1 + 3, timeout_s=20)
        with pytest.raises(TimeoutError):
            registry.wait_for_requests(1 + 3 + 1, timeout_s=0.2)
        client.client.close()
        assert all(isinstance(one.exception(10), RegistryUnreachable) for one in waiting)


@pytest.fixture
def accepted(registry: PlaygroundRegistry, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry per connection that the registry accepted."""
    connections: list[int] = []
    accept = registry._server.get_request
    monkeypatch.setattr(registry._server, "get_request", lambda: connections.append(1) or accept())
    return connections


def test_a_retired_origin_is_asked_over_new_connections(
    registry: PlaygroundRegistry, connect: Connect, accepted: list[int]
) -> None:
    client = connect(registry, share_tags_s=0, janitor_period_s=0)
    client.tags()
    client.client.retire("http://elsewhere.test:80")
    client.tags()
    assert len(accepted) == 1
    client.client.retire(registry.address)
    client.tags()
    client.tags()
    assert len(accepted) == 2


@pytest.mark.parametrize("status", [200, 404, 405, 401], ids=str)
def test_connections_are_kept_after_answers_without_a_body(
    registry: PlaygroundRegistry, connect: Connect, accepted: list[int], status: int
) -> None:
    client = connect(registry, share_tags_s=0, janitor_period_s=0, tags_are_immutable=False)
    client.digest("1.0")
    if status != 200:
        registry.faults.status(status, body=b"no", target="/manifests/1.0", times=1)
    for _ in range(3):
        client.clock.ahead_s += 61
        with contextlib.suppress(RegistryError):
            client.digest("1.0")
    assert "HEAD" in {asked.method for asked in registry.requests}
    assert len(accepted) == 1


def test_trust_that_nobody_has_any_more_takes_its_connections_along(
    registry: PlaygroundRegistry, connect: Connect, accepted: list[int]
) -> None:
    client = connect(registry, share_tags_s=0, janitor_period_s=0)
    client.tags()
    client.client.retire_trust(TlsOptions(insecure=True))
    client.tags()
    assert len(accepted) == 1
    client.client.retire_trust(TlsOptions())
    client.tags()
    assert len(accepted) == 2


def test_a_retired_origin_is_asked_without_waiting(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.faults.status(429, {"Retry-After": "600"}, times=1)
    client = connect(registry)
    with pytest.raises(RegistryUnavailable):
        client.tags()
    client.client.retire(registry.address)
    assert client.tags() == ("1.0", "1.1")


def test_a_host_that_is_not_allowed_is_never_asked(registry: PlaygroundRegistry, connect: Connect) -> None:
    client = connect(registry, allowed_hosts=("*.test", "127.0.0.1:1"))
    for call in (client.tags, lambda: client.candidates("1.0")):
        with pytest.raises(RegistryError, match="REGISTRY_ALLOW_HOSTS") as raised:
            call()
        assert raised.value.code == "host_not_allowed"
    assert registry.requests == ()
    assert connect(registry, allowed_hosts=("127.0.*.1",)).tags() == ("1.0", "1.1")


@pytest.mark.parametrize("path", ["/manifests/1.0", "/manifests/sha256", "/blobs/"])
def test_two_logins_never_share_an_answer(registry: PlaygroundRegistry, path: str) -> None:
    registry.require_basic("ann", "pw")
    sources = {name: parse_credential_source(f"env:{name}") for name in ("GOOD", "BAD")}
    entries = [
        Endpoint(name=name, prefix=f"{name.lower()}.test", api_url=registry.address, credentials=source)
        for name, source in sources.items()
    ]
    registry.push_index("team/app", "1.0", {"linux/amd64": "2026-01-01T00:00:00Z"})
    registry.faults.delay(0.2, target=path)
    clock = SystemClock()
    client = RegistryClient(EndpointTable(entries), CredentialReader({"GOOD": "ann:pw", "BAD": "bob:pw"}), clock)

    def fetch(host: str) -> tuple[Candidate, ...]:
        repository, deadline = ImageRepository(host, "team/app"), Deadline.after(clock, 20)
        return client.fetch_candidates(repository, ["1.0"], Inspection(), deadline)

    with ThreadPoolExecutor(2) as pool:
        good, bad = pool.submit(fetch, "good.test"), pool.submit(fetch, "bad.test")
        assert len(good.result(20)) == 1
        error = bad.exception(20)
    client.close()
    assert isinstance(error, RegistryError)
    assert error.code == "auth_failed"


@pytest.mark.parametrize(
    ("location", "code"),
    [("http://127.0.0.1:1/x", "registry_unreachable"), ("http://[::1]:1/x", "bad_redirect")],
    ids=["the API's own host", "another address of the inside"],
)
def test_only_the_host_of_the_api_may_be_inside(
    registry: PlaygroundRegistry, connect: Connect, location: str, code: str
) -> None:
    registry.faults.redirect(location, target="/blobs/")
    with pytest.raises(RegistryError) as raised:
        connect(registry).candidates("1.0")
    assert raised.value.code == code
