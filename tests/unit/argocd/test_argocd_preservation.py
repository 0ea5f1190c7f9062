"""Whatever a newer server wrote survives our edits: only override lists differ, wherever they stand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from google.protobuf.message import Message

from generated.application_messages_pb2 import Application, ApplicationSource, ApplicationSpec, DrySource, HelmParameter
from updater.argocd.snapshots import snapshot_of, sources_of
from updater.argocd.specs import is_rest_kept, override_source, place_overrides, read_overrides
from updater.errors import ArgoCDProtocolError
from updater.model.applications import HelmParameter as Parameter
from updater.model.applications import SourceLayout
from updater.model.changes import OverrideLists
from updater.playground.wire_fields import WireField, bytes_field, number_field, split_fields, text_field

NEWER = text_field(900, "from a newer server") + number_field(901, 7) + bytes_field(902, number_field(1, 0))
"""Fields nobody has declared yet: a text, a number, a message with an explicit zero."""


def with_newer(message: Message) -> None:
    message.MergeFromString(NEWER)


def describe_source(source: ApplicationSource | DrySource, *, helm: bool) -> None:
    source.repoURL, source.path = "https://git.test/r.git", ""
    if helm:
        source.helm.valueFiles.append("values.yaml")
        first = source.helm.parameters.add(name="image.name", value="", forceString=False)
        second = source.helm.parameters.add(name="image.tag", value="1.0.0", forceString=True)
        for message in (first, second, source.helm):
            with_newer(message)
    else:
        source.kustomize.images.append("nginx:1.0.0")
        with_newer(source.kustomize)
    with_newer(source)


def single(*, helm: bool) -> ApplicationSpec:
    spec = ApplicationSpec()
    describe_source(spec.source, helm=helm)
    return spec


def multiple(*, helm: bool) -> ApplicationSpec:
    spec = ApplicationSpec()
    describe_source(spec.sources.add(name="other"), helm=not helm)
    describe_source(spec.sources.add(name="ours"), helm=helm)
    spec.sources.add(ref="values")
    return spec


def hydrated(*, helm: bool) -> ApplicationSpec:
    spec = ApplicationSpec()
    describe_source(spec.sourceHydrator.drySource, helm=helm)
    with_newer(spec.sourceHydrator)
    spec.source.repoURL = "https://git.test/ignored.git"
    return spec


LAYOUTS: dict[str, tuple[Callable[..., ApplicationSpec], int, SourceLayout]] = {
    "single": (single, 0, SourceLayout.SINGLE),
    "multiple": (multiple, 1, SourceLayout.MULTIPLE),
    "hydrated": (hydrated, 0, SourceLayout.HYDRATED),
}


def complete(build: Callable[..., ApplicationSpec], *, helm: bool) -> ApplicationSpec:
    """A spec with presence that matters and newer fields in every message that we touch."""
    spec = build(helm=helm)
    spec.project = ""
    spec.revisionHistoryLimit = 0
    spec.syncPolicy.automated.enabled = False
    with_newer(spec.syncPolicy.automated)
    with_newer(spec)
    return spec


def lists(index: int, *, helm: bool) -> OverrideLists:
    if helm:
        changed = (Parameter("image.name", ""), Parameter("image.tag", "2.0.0", force_string=True))
        return OverrideLists(index, helm_parameters=(*changed, Parameter("added", "x", force_string=True)))
    return OverrideLists(index, kustomize_images=("nginx:2.0.0", "redis:7"))


def tree(encoded: bytes, path: tuple[int, ...] = ()) -> list[tuple[tuple[int, ...], bytes]]:
    """All leaves of a message with the path of field numbers to them, in any order."""
    leaves: list[tuple[tuple[int, ...], bytes]] = []
    for field in split_fields(encoded):
        here = (*path, field.number)
        leaves.extend(subtree(field, here))
    return sorted(leaves)


MESSAGES = {(1,), (8,), (9,), (9, 1), (4,), (4, 1)}
"""Paths in a spec that hold messages we open; deeper ones are recognised by their parents."""
BLOCKS = {(1, 7), (1, 8), (8, 7), (8, 8), (9, 1, 4), (9, 1, 5)}
PARAMETERS = {(1, 7, 2), (8, 7, 2), (9, 1, 4, 2)}


def subtree(field: WireField, here: tuple[int, ...]) -> list[tuple[tuple[int, ...], bytes]]:
    if here in MESSAGES | BLOCKS | PARAMETERS:
        return [(here, b""), *tree(field.payload, here)]
    return [(here, field.encode())]


@pytest.mark.parametrize("helm", [True, False], ids=["helm", "kustomize"])
@pytest.mark.parametrize(("build", "index", "layout"), LAYOUTS.values(), ids=LAYOUTS)
def test_only_the_entries_that_change_differ_after_placing_overrides(
    build: Callable[..., ApplicationSpec], index: int, layout: SourceLayout, *, helm: bool
) -> None:
    spec = ApplicationSpec.FromString(complete(build, helm=helm).SerializeToString())
    before = tree(spec.SerializeToString())
    place_overrides(spec, lists(index, helm=helm))
    after = tree(spec.SerializeToString())
    gone, new = subtract(before, after), subtract(after, before)
    if helm:
        assert [leaf for _, leaf in gone] == [text_field(2, "1.0.0")]
        assert sorted(leaf for _, leaf in new) == sorted(
            [b"", text_field(1, "added"), text_field(2, "2.0.0"), text_field(2, "x"), number_field(3, 1)]
        )
    else:
        assert [leaf for _, leaf in gone] == [text_field(3, "nginx:1.0.0")]
        assert {leaf for _, leaf in new} == {text_field(3, "nginx:2.0.0"), text_field(3, "redis:7")}
    assert sources_of(spec)[0] is layout


def subtract(
    left: list[tuple[tuple[int, ...], bytes]], right: list[tuple[tuple[int, ...], bytes]]
) -> list[tuple[tuple[int, ...], bytes]]:
    rest = list(right)
    found = []
    for leaf in left:
        if leaf in rest:
            rest.remove(leaf)
        else:
            found.append(leaf)
    return found


@pytest.mark.parametrize("helm", [True, False], ids=["helm", "kustomize"])
@pytest.mark.parametrize(("build", "index", "layout"), LAYOUTS.values(), ids=LAYOUTS)
def test_placing_what_is_there_already_changes_no_byte(
    build: Callable[..., ApplicationSpec], index: int, layout: SourceLayout, *, helm: bool
) -> None:
    del layout
    spec = ApplicationSpec.FromString(complete(build, helm=helm).SerializeToString())
    before = spec.SerializeToString()
    place_overrides(spec, read_overrides(spec, lists(index, helm=helm)))
    assert spec.SerializeToString() == before


@pytest.mark.parametrize("helm", [True, False], ids=["helm", "kustomize"])
@pytest.mark.parametrize(("build", "index", "layout"), LAYOUTS.values(), ids=LAYOUTS)
def test_what_was_placed_is_read_back(
    build: Callable[..., ApplicationSpec], index: int, layout: SourceLayout, *, helm: bool
) -> None:
    del layout
    spec = complete(build, helm=helm)
    wanted = lists(index, helm=helm)
    place_overrides(spec, wanted)
    assert read_overrides(spec, wanted) == wanted


def test_an_override_of_a_source_without_a_block_makes_that_block_alone() -> None:
    spec = ApplicationSpec()
    spec.source.repoURL = "r"
    place_overrides(spec, OverrideLists(0, kustomize_images=("nginx:1",)))
    assert spec.SerializeToString() == bytes_field(1, text_field(1, "r") + bytes_field(8, text_field(3, "nginx:1")))


def test_nothing_to_place_makes_no_block() -> None:
    spec = ApplicationSpec()
    spec.source.repoURL = "r"
    place_overrides(spec, OverrideLists(0, helm_parameters=(), kustomize_images=()))
    assert spec.SerializeToString() == bytes_field(1, text_field(1, "r"))


def drop_newer(message: Message) -> None:
    kept = [field for field in split_fields(message.SerializeToString()) if field.number < 900]
    message.Clear()
    message.MergeFromString(b"".join(field.encode() for field in kept))


LOSSES: dict[str, Callable[[ApplicationSpec], None]] = {
    "a field of the source": lambda spec: drop_newer(spec.source),
    "a field of the spec": drop_newer,
    "a field of the sync policy": lambda spec: drop_newer(spec.syncPolicy.automated),
    "an explicit zero": lambda spec: spec.ClearField("revisionHistoryLimit"),
    "auto-sync switched off": lambda spec: spec.syncPolicy.automated.ClearField("enabled"),
    "another project": lambda spec: setattr(spec, "project", "other"),
}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
def test_a_server_that_drops_something_is_noticed(lose: Callable[[ApplicationSpec], None]) -> None:
    sent = ApplicationSpec.FromString(complete(single, helm=True).SerializeToString())
    answered = ApplicationSpec.FromString(sent.SerializeToString())
    assert is_rest_kept(sent, answered, 0)
    lose(answered)
    assert not is_rest_kept(sent, answered, 0)


@pytest.mark.parametrize("answered", [ApplicationSpec(), ApplicationSpec(sources=[ApplicationSource(repoURL="x")])])
def test_an_answer_without_the_written_source_says_nothing_of_what_was_stored(answered: ApplicationSpec) -> None:
    assert not is_rest_kept(multiple(helm=True), answered, 1)
    with pytest.raises(ArgoCDProtocolError, match="number 2 was written"):
        read_overrides(answered, OverrideLists(1, helm_parameters=()))


def test_the_servers_normalisation_is_no_loss() -> None:
    sent = single(helm=False)
    sent.syncPolicy.SetInParent()
    answered = ApplicationSpec.FromString(sent.SerializeToString())
    answered.project = "default"
    answered.ClearField("syncPolicy")
    answered.source.kustomize.images[0] = "nginx:9"
    assert is_rest_kept(sent, answered, 0)


def test_comparing_leaves_both_specs_as_they_were() -> None:
    sent, answered = complete(single, helm=True), complete(single, helm=True)
    before = (sent.SerializeToString(), answered.SerializeToString())
    is_rest_kept(sent, answered, 0)
    assert (sent.SerializeToString(), answered.SerializeToString()) == before


def test_the_effective_source_is_the_hydrators_then_the_list_then_the_single_one() -> None:
    spec = ApplicationSpec()
    assert sources_of(spec) == (SourceLayout.NONE, ())
    spec.source.path = "single"
    assert override_source(spec, 0).path == "single"
    spec.sources.add(path="first")
    spec.sources.add(path="second")
    assert override_source(spec, 1).path == "second"
    spec.sourceHydrator.drySource.path = "dry"
    assert override_source(spec, 0).path == "dry"


def test_a_snapshot_tells_absent_blocks_from_empty_ones() -> None:
    application = Application()
    application.spec.sources.add()
    application.spec.sources.add().helm.SetInParent()
    application.spec.sources.add().kustomize.SetInParent()
    application.spec.sources.add().plugin.SetInParent()
    absent, helm, kustomize, plugin = snapshot_of(application).sources
    assert (absent.helm_parameters, absent.kustomize_images, absent.has_block) == (None, None, False)
    assert (helm.helm_parameters, helm.kustomize_images, helm.has_block) == ((), None, True)
    assert (kustomize.helm_parameters, kustomize.kustomize_images) == (None, ())
    assert (plugin.plugin_env, absent.plugin_env) == ((), None)


def test_reading_a_snapshot_changes_no_byte() -> None:
    application = Application(spec=complete(hydrated, helm=True))
    encoded = application.SerializeToString()
    snapshot_of(application)
    assert application.SerializeToString() == encoded


def test_a_parameter_keeps_what_it_has_when_only_its_value_changes() -> None:
    spec = ApplicationSpec()
    entry = spec.source.helm.parameters.add()
    entry.MergeFromString(HelmParameter(name="a", value="1").SerializeToString() + NEWER)
    place_overrides(spec, OverrideLists(0, helm_parameters=(Parameter("a", "2"),)))
    assert not entry.HasField("forceString")
    assert entry.SerializeToString() == text_field(1, "a") + text_field(2, "2") + NEWER
