"""The simulator's own small parts: raw fields, patches, selectors, script, controller, fleets."""

from __future__ import annotations

import contextlib
import statistics
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from generated.application_messages_pb2 import Application, ApplicationList, ApplicationQuery, ApplicationSpec
from updater.playground import frames
from updater.playground.access import Caller
from updater.playground.applications import (
    all_samples,
    helm_application,
    kustomize_application,
    multi_source_application,
)
from updater.playground.controller import live_images
from updater.playground.fleets import APPLICATION_BYTES, synthetic_fleet
from updater.playground.json_patch import PatchFailed, apply_json_patch, apply_merge_patch
from updater.playground.kubernetes_json import UNDECLARED, from_json, to_json
from updater.playground.methods import METHODS, method_path
from updater.playground.presence import fill_as_server
from updater.playground.queries import list_applications
from updater.playground.refusals import Refusal
from updater.playground.selectors import parse_selector
from updater.playground.wire_fields import bytes_field, join_fields, number_field, split_fields, text_field
from updater.playground.world import World

fields = st.lists(
    st.one_of(
        st.builds(text_field, st.integers(1, 2**29 - 1), st.text()),
        st.builds(number_field, st.integers(1, 2**29 - 1), st.integers(0, 2**64 - 1)),
    )
)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(fields)
def test_splitting_and_joining_gives_the_same_bytes(parts: list[bytes]) -> None:
    encoded = b"".join(parts)
    assert join_fields(split_fields(encoded)) == encoded


@given(st.binary(max_size=60))
def test_splitting_agrees_with_protobuf_on_what_is_a_message(encoded: bytes) -> None:
    try:
        found = list(split_fields(encoded))
    except ValueError:
        return
    if all(0 < each.number < 2**29 for each in found):
        try:
            ApplicationList.FromString(encoded)
        except DecodeError:
            assert any(each.number in (1, 2) for each in found), encoded.hex()


@pytest.mark.parametrize("encoded", ["0a05616263", "08ff", "0d000000", "0b", "08" + "ff" * 11])
def test_a_broken_encoding_is_an_error(encoded: str) -> None:
    with pytest.raises(ValueError, match=r"message|supported|number"):
        list(split_fields(bytes.fromhex(encoded)))


@pytest.mark.parametrize("sample", all_samples(), ids=lambda sample: sample.message.metadata.name)
def test_the_json_form_leads_back_to_the_same_message(sample: Any) -> None:
    assert from_json(Application, to_json(sample.message)).SerializeToString(
        deterministic=True
    ) == sample.message.SerializeToString(deterministic=True)


def test_the_json_form_leaves_zero_values_out_and_keeps_nullable_ones() -> None:
    spec = ApplicationSpec(revisionHistoryLimit=0)
    spec.syncPolicy.automated.enabled = False
    spec.source.helm.SetInParent()
    spec.MergeFromString(bytes_field(2, text_field(3, "")))
    document = to_json(spec)
    undeclared = document.pop(UNDECLARED)
    assert undeclared
    assert document == {
        "revisionHistoryLimit": 0,
        "syncPolicy": {"automated": {"enabled": False}},
        "source": {"helm": {}},
    }


def test_filling_writes_what_cannot_be_absent_and_nothing_else() -> None:
    spec = ApplicationSpec()
    spec.sources.add()
    fill_as_server(spec)
    assert spec.HasField("project")
    assert not spec.HasField("source")
    assert spec.sources[0].HasField("path")
    assert not spec.sources[0].HasField("helm")


# The rows are those of the appendix of RFC 7386.
@pytest.mark.parametrize(
    ("document", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch(document: Any, patch: Any, result: Any) -> None:
    assert apply_merge_patch(document, patch) == result


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        pytest.param({"op": "add", "path": "/list/1", "value": 9}, [1, 9, 2], id="insert"),
        pytest.param({"op": "add", "path": "/list/-", "value": 9}, [1, 2, 9], id="append"),
        pytest.param({"op": "replace", "path": "/list/0", "value": 9}, [9, 2], id="replace"),
        pytest.param({"op": "remove", "path": "/list/0"}, [2], id="remove"),
        pytest.param({"op": "copy", "from": "/list/0", "path": "/list/-"}, [1, 2, 1], id="copy"),
        pytest.param({"op": "move", "from": "/list/0", "path": "/list/-"}, [2, 1], id="move"),
        pytest.param({"op": "test", "path": "/list", "value": [1, 2]}, [1, 2], id="test"),
    ],
)
def test_json_patch_operations(operation: dict[str, Any], result: list[int]) -> None:
    assert apply_json_patch({"list": [1, 2]}, [operation]) == {"list": result}


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param({"op": "test", "path": "/list/0", "value": 2}, id="test"),
        pytest.param({"op": "replace", "path": "/list/2", "value": 9}, id="index"),
        pytest.param({"op": "add", "path": "/list/3", "value": 9}, id="gap"),
        pytest.param({"op": "add", "path": "/list/01", "value": 9}, id="leading zero"),
        pytest.param({"op": "add", "path": "/none/x", "value": 9}, id="no parent"),
        pytest.param({"op": "add", "path": "/list/0/x", "value": 9}, id="parent is a number"),
        pytest.param({"op": "remove", "path": "/none"}, id="no member"),
        pytest.param({"op": "add", "path": "/x"}, id="no value"),
        pytest.param({"op": "add", "path": "x", "value": 1}, id="no slash"),
        pytest.param({"op": "remove", "path": "/list/x"}, id="no index"),
        pytest.param({"op": "juggle", "path": "/x"}, id="no operation"),
        pytest.param({"op": "add", "value": 1}, id="no path"),
        pytest.param("add", id="no object"),
    ],
)
def test_a_json_patch_that_cannot_be_applied_fails(operation: Any) -> None:
    with pytest.raises(PatchFailed):
        apply_json_patch({"list": [1, 2]}, [operation])


def test_escaped_names_in_a_pointer() -> None:
    patch = [{"op": "add", "path": "/a~1b/m~0n", "value": 1}]
    assert apply_json_patch({"a/b": {}}, patch) == {"a/b": {"m~n": 1}}


@given(json_values, json_values)
def test_patches_leave_their_document_alone(document: Any, value: Any) -> None:
    before = repr(document)
    apply_merge_patch(document, value)
    apply_json_patch(document, [{"op": "replace", "path": "", "value": value}])
    assert repr(document) == before


@pytest.mark.parametrize(
    ("text", "labels", "matches"),
    [
        ("", {}, True),
        ("a=b", {"a": "b"}, True),
        ("a==b", {"a": "c"}, False),
        ("a=", {"a": ""}, True),
        ("a!=b", {"a": "b"}, False),
        ("a!=b", {}, True),
        ("a in (x, y)", {"a": "y"}, True),
        ("a in (x,y)", {}, False),
        ("a notin (x,y)", {"a": "x"}, False),
        ("a notin (x,y)", {}, True),
        ("a", {"a": ""}, True),
        ("a", {}, False),
        ("!a", {}, True),
        ("!a", {"a": "x"}, False),
        (" a = b , app.kubernetes.io/part-of in (shop) ", {"a": "b", "app.kubernetes.io/part-of": "shop"}, True),
        ("a=b,!c", {"a": "b", "c": ""}, False),
    ],
)
def test_selectors(text: str, labels: dict[str, str], *, matches: bool) -> None:
    assert all(each.matches(labels) for each in parse_selector(text)) is matches


@pytest.mark.parametrize("text", ["a=b=c", "a b", "a,", ",a", "!a=b", "a in x", "a in (x", "=b", "a=*"])
def test_bad_selectors_are_refused(text: str) -> None:
    with pytest.raises(Refusal, match="error parsing the selector"):
        parse_selector(text)


@given(st.text(max_size=40))
def test_any_text_is_a_selector_or_refused(text: str) -> None:
    with contextlib.suppress(Refusal):
        assert all(each.key and each.values for each in parse_selector(text))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5S", 5), ("250m", 0.25), ("2M", 120), ("1H", 3600), ("99999999n", 0.099999999), ("3u", 3e-6)],
)
def test_timeouts(text: str, seconds: float) -> None:
    assert frames.parse_timeout_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("entry", "running"),
    [
        pytest.param("shop/api:2", "shop/api:2", id="tag"),
        pytest.param("shop/api=other/api:2", "other/api:2", id="renamed"),
        pytest.param("shop/api@sha256:ab", "shop/api@sha256:ab", id="digest"),
        pytest.param("other:2", "shop/api:1", id="another image"),
        pytest.param("shop/api=other/api", "other/api:1", id="only the name"),
    ],
)
def test_kustomize_entries_apply_to_what_runs(entry: str, running: str) -> None:
    spec = ApplicationSpec()
    spec.source.kustomize.images.append(entry)
    assert live_images(spec, ["shop/api:1", "side/car:1"]) == tuple(sorted({running, "side/car:1"}))


def test_helm_parameters_apply_under_a_prefix_and_alone() -> None:
    spec = kustomize_application().message.spec
    spec.source.ClearField("kustomize")
    add = spec.source.helm.parameters.add
    add(name="image.tag", value="2")
    add(name="side.image.name", value="side/car")
    add(name="side.image.tag", value="sha256:ab")
    assert live_images(spec, ["host:5000/shop:1", "side/car:1"]) == ("host:5000/shop:2", "side/car@sha256:ab")


def test_the_overrides_of_a_hydrated_application_are_in_its_dry_source() -> None:
    world = World()
    message = kustomize_application("dry").message
    message.spec.ClearField("source")
    dry = message.spec.sourceHydrator.drySource
    dry.repoURL = "https://git.example.com/dry.git"
    dry.kustomize.images.append("shop/api:2")
    key = world.add_application(message, base_images=["shop/api:1"])
    world.reconcile(key)
    assert list(world.application(key).status.summary.images) == ["shop/api:2"]
    stored = world.find(key)
    assert stored is not None
    assert stored.repo_url == "https://git.example.com/dry.git"


def test_every_source_of_a_multi_source_application_counts() -> None:
    world = World()
    sample = multi_source_application()
    key = world.add_application(sample.message, base_images=sample.base_images)

    def retag(message: Application) -> None:
        message.spec.sources[0].helm.parameters[1].value = "3"
        message.spec.sources[1].kustomize.images[0] = "registry.example.com/shop/api:4"

    world.edit_application(key, retag)
    world.reconcile(key)
    assert list(world.application(key).status.summary.images) == [
        "registry.example.com/shop/api:4",
        "registry.example.com/shop/web:3",
    ]


def test_method_names() -> None:
    assert method_path("Get") == "/application.ApplicationService/Get"
    assert method_path("/cluster.SettingsService/Get") in METHODS
    with pytest.raises(ValueError, match="unknown method 'Gte'"):
        World().lose_next_answer("Gte")


def test_keys_may_be_texts() -> None:
    world = World()
    key = world.add_application(helm_application("a", namespace="team").message)
    assert world.key("team/a") == key
    assert world.application("team/a").metadata.name == "a"
    with pytest.raises(KeyError):
        world.application("a")


def test_an_application_of_a_fleet_has_the_size_of_a_real_one() -> None:
    sizes = [sample.message.ByteSize() for sample in synthetic_fleet(20)]
    assert statistics.mean(sizes) == pytest.approx(APPLICATION_BYTES, rel=0.1)


def test_a_fleet_spreads_over_repositories_and_projects() -> None:
    samples = list(synthetic_fleet(60, repositories=7, projects=3))
    assert len({sample.message.metadata.name for sample in samples}) == 60
    assert len({sample.base_images for sample in samples}) == 7
    assert len({sample.message.spec.project for sample in samples}) == 3


def test_a_list_is_put_together_from_what_is_stored() -> None:
    world = World()
    keys = [world.add_application(sample.message) for sample in synthetic_fleet(50)]
    caller = Caller(world.verify(world.issue_token()))
    encoded = list_applications(world, caller, ApplicationQuery())
    stored = [world.find(key) for key in keys]
    assert all(each is not None and each.encoded in encoded for each in stored)
    assert len(ApplicationList.FromString(encoded).items) == 50
