"""Inspecting tags: dates, platforms, digests and their failures, against the playground's registry."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from updater.clock import SystemClock
from updater.errors import RegistryError, RegistryUnavailable, RepositoryUnknown
from updater.model.images import Candidate, Loss
from updater.playground.registry import PlaygroundRegistry
from updater.playground.registry_content import CONFIG_TYPE, INDEX_TYPE, MANIFEST_TYPE
from updater.ports.registry import TagInspector
from updater.registry.client import RegistryClient
from updater.registry.credentials import CredentialReader
from updater.registry.endpoints import EndpointTable, TagSortMode
from updater.registry.manifests import DOCKER_LIST, DOCKER_MANIFEST

pytestmark = pytest.mark.wire
Connect = Callable[..., Any]
APP = "team/app"
AMD, ARM = "linux/amd64", "linux/arm64"
SECOND = 1_000_000_000
DAY = 86_400 * SECOND
JANUARY = 1_767_225_600 * SECOND
"""2026-01-01T00:00:00Z."""


def day(number: int) -> str:
    return f"2026-01-{number:02}T00:00:00Z"


def asked(registry: PlaygroundRegistry) -> list[str]:
    """Methods and kinds of what was asked, without the repository."""
    kinds = [(one.method, one.path.removeprefix(f"/v2/{APP}/").partition("/")[0]) for one in registry.requests]
    return [f"{method} {kind}" for method, kind in kinds]


def test_the_client_is_a_tag_inspector() -> None:
    client = RegistryClient(EndpointTable(), CredentialReader({}), SystemClock())
    inspector: TagInspector = client
    assert inspector is client
    client.close()


def test_candidates_come_in_the_order_of_their_tags(registry: PlaygroundRegistry, connect: Connect) -> None:
    digests = {tag: registry.push(APP, tag, created=day(number)) for tag, number in (("b", 3), ("a", 1), ("c", 2))}
    assert connect(registry).candidates("b", "a", "c") == (
        Candidate("b", JANUARY + 2 * DAY, digests["b"]),
        Candidate("a", JANUARY, digests["a"]),
        Candidate("c", JANUARY + DAY, digests["c"]),
    )


def test_nanoseconds_are_kept(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.push(APP, "x", created="2026-01-01T01:00:00.123456789+01:00")
    assert connect(registry).candidates("x")[0].created_ns == JANUARY + 123_456_789


def test_a_digest_costs_one_head_and_a_body_only_when_it_is_new(registry: PlaygroundRegistry, connect: Connect) -> None:
    digest = registry.push(APP, "latest")
    client = connect(registry)
    assert client.digest("latest") == digest
    assert asked(registry) == ["GET manifests", "GET blobs"]
    assert client.digest("latest") == digest
    assert len(registry.requests) == 2
    client.clock.ahead_s += 61
    assert client.digest("latest") == digest
    assert asked(registry)[2:] == ["HEAD manifests"]
    moved = registry.push(APP, "latest")
    client.clock.ahead_s += 61
    assert client.digest("latest") == moved
    assert asked(registry)[3:] == ["HEAD manifests", "GET manifests", "GET blobs"]


def test_a_tag_that_is_not_there_is_left_out(registry: PlaygroundRegistry, connect: Connect) -> None:
    client = connect(registry)
    assert client.candidates("1.0", "none", "1.1")[1].tag == "1.1"
    assert client.candidates("none", wants_created=False) == ()
    before = len(registry.requests)
    assert client.candidates("none", wants_created=False) == ()
    assert len(registry.requests) == before, "that it is missing is known for a while"
    client.clock.ahead_s += 61
    registry.push(APP, "none")
    assert len(client.candidates("none", wants_created=False)) == 1


def test_a_repository_that_is_not_there_is_an_error(registry: PlaygroundRegistry, connect: Connect) -> None:
    with pytest.raises(RepositoryUnknown):
        connect(registry).candidates("x", name="team/none")


INDEX = {AMD: day(2), ARM: day(5), "linux/arm/v7": day(9)}


@pytest.mark.parametrize(
    ("platforms", "created_ns", "loss"),
    [
        pytest.param((AMD,), JANUARY + DAY, None, id="one platform"),
        pytest.param((AMD, ARM), JANUARY + 4 * DAY, None, id="the newest of two"),
        pytest.param(("linux/arm",), JANUARY + 8 * DAY, None, id="a variant fits the plain architecture"),
        pytest.param((), JANUARY + 8 * DAY, None, id="without a filter attestations do not count"),
        pytest.param(("windows/amd64",), None, Loss.PLATFORM_MISSING, id="none fits"),
        pytest.param(("",), None, Loss.PLATFORM_MISSING, id="a malformed filter matches nothing"),
    ],
)
@pytest.mark.parametrize("wants_created", [True, False], ids=["dated", "digest only"])
def test_an_index_is_judged_by_the_platforms_of_its_entries(
    registry: PlaygroundRegistry,
    connect: Connect,
    platforms: tuple[str, ...],
    created_ns: int | None,
    loss: Loss | None,
    *,
    wants_created: bool,
) -> None:
    digest = registry.push_index(APP, "multi", INDEX)
    wanted = Candidate("multi", created_ns if wants_created else None, digest, loss)
    assert connect(registry).candidates("multi", platforms=platforms, wants_created=wants_created) == (wanted,)


def test_the_digest_of_an_index_costs_no_look_at_its_images(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.push_index(APP, "multi", INDEX)
    connect(registry).digest("multi")
    assert asked(registry) == ["GET manifests"]


def test_a_single_image_is_judged_by_its_config(registry: PlaygroundRegistry, connect: Connect) -> None:
    digest = registry.push(APP, "x", platform=ARM)
    client = connect(registry)
    assert client.candidates("x", platforms=(AMD,)) == (Candidate("x", None, digest, Loss.PLATFORM_MISSING),)
    assert client.candidates("x", platforms=("linux/aarch64",))[0].loss is None


def test_no_date_is_no_loss(registry: PlaygroundRegistry, connect: Connect) -> None:
    digest = registry.push(APP, "undated", created="")
    client = connect(registry)
    assert client.candidates("undated") == (Candidate("undated", None, digest),)
    assert client.candidates("undated") == (Candidate("undated", None, digest),)
    assert [record for record in client.log if record[0] == "creation_time_missing"] == [
        ("creation_time_missing", digest)
    ], "said once"


def test_a_date_in_the_future_keeps_its_place_and_is_remarked_once(
    registry: PlaygroundRegistry, connect: Connect
) -> None:
    digest = registry.push(APP, "ahead", created="2031-01-01T00:00:00Z")
    client = connect(registry)
    for _ in range(2):
        assert client.candidates("ahead")[0].created_ns > JANUARY + 365 * DAY
    assert client.log.count(("creation_time_in_future", digest)) == 1


def test_an_index_lends_its_date_to_undated_images(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.push_index(APP, "multi", {AMD: ""}, annotated=day(7))
    assert connect(registry).candidates("multi", platforms=(AMD,))[0].created_ns == JANUARY + 6 * DAY


def with_config(registry: PlaygroundRegistry, config: dict[str, Any], **fields: Any) -> None:
    described = registry.put_blob(APP, json.dumps(config).encode())
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "layers": []}
    manifest |= {"config": {"mediaType": CONFIG_TYPE, **described}, **fields}
    registry.put_manifest(APP, "odd", MANIFEST_TYPE, json.dumps(manifest).encode())


@pytest.mark.parametrize(
    ("config", "fields", "created_ns"),
    [
        pytest.param(
            {"created": day(1), "history": [{"created": day(3)}]},
            {"annotations": {"org.opencontainers.image.created": day(2)}},
            JANUARY,
            id="the config's own first",
        ),
        pytest.param(
            {"created": "", "history": [{"created": day(3)}]},
            {"annotations": {"org.opencontainers.image.created": day(2)}},
            JANUARY + DAY,
            id="then the annotation",
        ),
        pytest.param(
            {"created": "yesterday", "history": [{"created": day(3)}, {"created": day(4)}, {}, 7]},
            {},
            JANUARY + 3 * DAY,
            id="then the newest of the history",
        ),
        pytest.param({"history": "none"}, {}, None, id="then none"),
    ],
)
def test_the_date_comes_from(
    registry: PlaygroundRegistry,
    connect: Connect,
    config: dict[str, Any],
    fields: dict[str, Any],
    created_ns: int | None,
) -> None:
    with_config(registry, {"os": "linux", "architecture": "amd64", **config}, **fields)
    assert connect(registry).candidates("odd")[0].created_ns == created_ns


def nested(registry: PlaygroundRegistry, levels: int) -> None:
    registry.push_index(APP, "inner", {AMD: day(4)})
    body = registry.manifest(APP, "inner")
    for _ in range(levels - 1):
        digest = registry.put_manifest(APP, "inner", INDEX_TYPE, body)
        entry = {"mediaType": INDEX_TYPE, "digest": digest, "size": len(body)}
        body = json.dumps({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [entry]}).encode()
    registry.put_manifest(APP, "outer", INDEX_TYPE, body)


@pytest.mark.parametrize(("levels", "loss"), [(2, None), (3, Loss.METADATA_UNREADABLE)])
def test_an_index_within_an_index_is_read_and_no_deeper(
    registry: PlaygroundRegistry, connect: Connect, levels: int, loss: Loss | None
) -> None:
    nested(registry, levels)
    candidate = connect(registry).candidates("outer", platforms=(AMD,))[0]
    assert (candidate.loss, candidate.created_ns) == (loss, None if loss else JANUARY + 3 * DAY)


@pytest.mark.parametrize("wants_created", [True, False], ids=["dated", "digest only"])
def test_an_image_that_an_index_calls_an_index_is_not_used(
    registry: PlaygroundRegistry, connect: Connect, *, wants_created: bool
) -> None:
    digest = registry.push(APP, "image", platform=ARM)
    entry = {"mediaType": INDEX_TYPE, "digest": digest, "size": 2}
    body = json.dumps({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [entry]}).encode()
    registry.put_manifest(APP, "odd", INDEX_TYPE, body)
    (candidate,) = connect(registry).candidates("odd", platforms=(AMD,), wants_created=wants_created)
    assert candidate.loss is Loss.METADATA_UNREADABLE


def test_an_index_with_too_many_images_that_fit_is_unusable(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.push_index(APP, "multi", {AMD: day(1)})
    document = json.loads(registry.manifest(APP, "multi"))
    image = document["manifests"][0]
    for tag, count in (("fits", 64), ("over", 65)):
        body = json.dumps({**document, "manifests": [image] * count}).encode()
        registry.put_manifest(APP, tag, INDEX_TYPE, body)
    fits, over = connect(registry).candidates("fits", "over", platforms=(AMD,))
    assert (fits.loss, over.loss) == (None, Loss.METADATA_UNREADABLE)


def manifest_body(**fields: Any) -> bytes:
    config = {"mediaType": CONFIG_TYPE, "digest": f"sha256:{'0' * 64}", "size": 2}
    return json.dumps({"schemaVersion": 2, "config": config, "layers": [], **fields}).encode()


def index_body(entries: object, **fields: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, "manifests": entries, **fields}).encode()


ENTRY = {"mediaType": MANIFEST_TYPE, "digest": f"sha256:{'0' * 64}", "size": 2}


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        pytest.param(
            "application/vnd.docker.distribution.manifest.v1+prettyjws", b'{"schemaVersion":1}', id="schema 1"
        ),
        pytest.param("application/x-tar", manifest_body(), id="an unknown type"),
        pytest.param(MANIFEST_TYPE, manifest_body(schemaVersion=1), id="another schemaVersion"),
        pytest.param(DOCKER_MANIFEST, manifest_body(), id="Docker's type must be in the body"),
        pytest.param(DOCKER_LIST, index_body([ENTRY], mediaType=INDEX_TYPE), id="another mediaType in the body"),
        pytest.param(INDEX_TYPE, index_body([ENTRY], config={}), id="an index with a config"),
        pytest.param(INDEX_TYPE, index_body([ENTRY], layers=[]), id="an index with layers"),
        pytest.param(MANIFEST_TYPE, manifest_body(manifests=[]), id="a manifest with entries"),
        pytest.param(INDEX_TYPE, index_body([]), id="an index without entries"),
        pytest.param(INDEX_TYPE, index_body([ENTRY] * 1_001), id="an index with too many entries"),
        pytest.param(INDEX_TYPE, index_body([ENTRY | {"digest": "sha256:../x"}]), id="an illegal digest in an index"),
        pytest.param(MANIFEST_TYPE, manifest_body(config={}), id="no config"),
        pytest.param(MANIFEST_TYPE, manifest_body(config={"digest": ENTRY["digest"], "size": -1}), id="no size"),
        pytest.param(MANIFEST_TYPE, manifest_body(), id="a config that is missing"),
    ],
)
def test_an_unusable_manifest_costs_its_own_tag_alone(
    registry: PlaygroundRegistry, connect: Connect, media_type: str, body: bytes
) -> None:
    registry.put_manifest(APP, "bad", media_type, body)
    client = connect(registry)
    bad, good = client.candidates("bad", "1.0")
    assert (bad.loss, good.loss) == (Loss.METADATA_UNREADABLE, None)
    before = len(registry.requests)
    assert client.candidates("bad", "1.0") == (bad, good)
    assert len(registry.requests) == before, "what is unusable for good is not fetched again"


@pytest.mark.parametrize("content_type", ["application/json", "text/plain; charset=utf-8", "application/octet-stream"])
@pytest.mark.parametrize("names_itself", [True, False], ids=["mediaType", "by its fields"])
def test_a_vague_type_is_made_up_for_by_the_body(
    registry: PlaygroundRegistry, connect: Connect, content_type: str, *, names_itself: bool
) -> None:
    registry.push(APP, "x", created=day(3))
    document = json.loads(registry.manifest(APP, "x"))
    if not names_itself:
        del document["mediaType"]
    registry.put_manifest(APP, "vague", content_type, json.dumps(document).encode())
    assert connect(registry).candidates("vague")[0].created_ns == JANUARY + 2 * DAY


def test_a_failure_that_may_pass_ends_the_inspection(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.faults.status(503, target="manifests/1.1")
    with pytest.raises(RegistryUnavailable):
        connect(registry).candidates("1.0", "1.1")


@pytest.mark.parametrize("target", ["manifests", "blobs"])
@pytest.mark.parametrize("fault", ["truncate_body", "reset", "html"])
def test_a_hiccup_is_outlived(registry: PlaygroundRegistry, connect: Connect, fault: str, target: str) -> None:
    getattr(registry.faults, fault)(target=target, times=1)
    assert connect(registry).candidates("1.0")[0].created_ns == JANUARY


@pytest.mark.parametrize("target", ["manifests", "blobs"])
def test_a_page_in_place_of_content_is_no_verdict_on_the_tag(
    registry: PlaygroundRegistry, connect: Connect, target: str
) -> None:
    registry.faults.html(target=target)
    with pytest.raises(RegistryError) as raised:
        connect(registry).candidates("1.0")
    assert raised.value.code == "bad_response"


@pytest.mark.parametrize("status", [400, 404, 405, 406, 501])
def test_a_refused_head_is_made_up_for_by_a_body(registry: PlaygroundRegistry, connect: Connect, status: int) -> None:
    client = connect(registry)
    client.digest("1.0")
    wanted = registry.push(APP, "1.0")
    registry.faults.status(status, target="manifests/1.0", times=1)
    client.clock.ahead_s += 61
    before = len(registry.requests)
    assert client.digest("1.0") == wanted
    assert asked(registry)[before:][:2] == ["HEAD manifests", "GET manifests"]
    client.clock.ahead_s += 61
    before = len(registry.requests)
    client.digest("1.0")
    assert asked(registry)[before:] == (["HEAD manifests"] if status == 404 else ["GET manifests"])


@pytest.mark.parametrize("header", ["", "sha256:nonsense", "sha512:" + "0" * 128])
def test_a_head_without_a_usable_digest_is_made_up_for_by_a_body(
    registry: PlaygroundRegistry, connect: Connect, header: str
) -> None:
    client = connect(registry)
    wanted = client.digest("1.0")
    client.clock.ahead_s += 61
    registry.faults.status(200, {"Docker-Content-Digest": header} if header else {}, target="manifests/1.0", times=1)
    assert client.digest("1.0") == wanted


def test_a_head_that_announces_what_is_not_there_is_made_up_for_by_a_body(
    registry: PlaygroundRegistry, connect: Connect
) -> None:
    client = connect(registry)
    wanted = client.digest("1.0")
    client.clock.ahead_s += 61
    lie = {"Docker-Content-Digest": f"sha256:{'1' * 64}"}
    registry.faults.status(200, lie, target="manifests/1.0", times=1)
    assert client.digest("1.0") == wanted
    assert asked(registry)[2:] == ["HEAD manifests", "GET manifests", "GET manifests"]


def test_what_counts_is_the_content_not_the_announced_digest(registry: PlaygroundRegistry, connect: Connect) -> None:
    body = registry.manifest(APP, "1.0")
    wanted = registry.put_manifest(APP, "1.0", MANIFEST_TYPE, body)
    lie = {"Docker-Content-Digest": f"sha256:{'1' * 64}", "Content-Type": MANIFEST_TYPE}
    registry.faults.status(200, lie, body, target="manifests/1.0")
    client = connect(registry)
    assert client.digest("1.0") == wanted
    assert [event for event, _ in client.log] == ["digest_header_wrong"]


def test_the_positions_of_a_sorted_registry_stand_for_dates(registry: PlaygroundRegistry, connect: Connect) -> None:
    for tag in "abcd":
        registry.push(APP, tag)
    client = connect(registry, tag_sort_mode=TagSortMode.LATEST_FIRST)
    assert client.candidates("c", "a", "d", "none") == (
        Candidate("c", 2 * SECOND),
        Candidate("a", 3 * SECOND),
        Candidate("d", 1 * SECOND),
    )
    assert asked(registry) == ["GET tags"]
    last = connect(registry, tag_sort_mode=TagSortMode.LATEST_LAST)
    assert [candidate.created_ns for candidate in last.candidates("a", "b")] == [0, SECOND]


def test_the_digest_is_a_real_one_whatever_the_sort_mode(registry: PlaygroundRegistry, connect: Connect) -> None:
    client = connect(registry, tag_sort_mode=TagSortMode.LATEST_FIRST)
    assert client.digest("1.0").startswith("sha256:")


@pytest.mark.parametrize("tag", ["", "..", "a/b", "a?b", "-a", "x" * 129])
def test_an_illegal_tag_never_reaches_a_url(registry: PlaygroundRegistry, connect: Connect, tag: str) -> None:
    with pytest.raises(RegistryError) as raised:
        connect(registry).candidates(tag)
    assert raised.value.code == "invalid_reference"
    assert registry.requests == ()
