"""What holds for everything owners may write: references, entries, plans, merging."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from updater.errors import PlanError
from updater.model.applications import (
    ANNOTATION_PREFIX,
    ApplicationKey,
    ApplicationSnapshot,
    HelmParameter,
    SourceLayout,
    SourceSnapshot,
)
from updater.model.changes import HelmParameterEdit, KustomizeImageEdit
from updater.model.images import Counter
from updater.model.references import IllegalReference, canonical_name, parse_reference
from updater.planning.annotation_keys import APPLICATION_KEYS, IMAGE_KEYS
from updater.planning.image_list import ImageEntry, parse_entry, parse_image_list
from updater.planning.memory import PlanMemory
from updater.planning.overrides import apply_edits, batch_edits
from updater.planning.plans import PlanOptions, plan_application
from updater.planning.pull_secrets import parse_pull_secret
from updater.planning.write_back import parse_write_back_method
from updater.rules.decisions import FactsUnavailable, decide, needs_facts
from updater.rules.kustomize_items import matching_items, parse_item
from updater.rules.override_lists import merge_helm_parameters, merge_kustomize_images

_COMPONENTS = st.sampled_from(["a", "web", "acme", "library", "a-b", "a__b", "x.y", "7"])
_HOSTS = st.sampled_from(["", "", "docker.io/", "index.docker.io/", "quay.io/", "localhost:5000/", "[::1]:5/", "ACME/"])
_PATHS = st.lists(_COMPONENTS, min_size=1, max_size=3).map("/".join)
# A registry that repeats as the first part of the path is not rendered twice, by rule: those do not come back.
_NAMES = st.builds(lambda host, path: host + path, _HOSTS, _PATHS).filter(lambda name: not name.startswith("x.y/x.y/"))
_TAG_PARTS = st.sampled_from(["", ":1", ":v1.2-rc.1", ":latest", ":_"])
_DIGEST_PARTS = st.sampled_from(["", "@sha256:" + "a" * 64])
_REFERENCES = st.builds(lambda name, tag, digest: name + tag + digest, _NAMES, _TAG_PARTS, _DIGEST_PARTS)
_CONSTRAINTS = st.sampled_from(["", ":~1", ":>=1 <2", ":!=1.0", ":=1", ":1.x", ":^1 || ^2", ":latest"])
_ALIASES = st.sampled_from(["", "web=", "team/web=", "a.b=", "r.io:5000/x="])
_ENTRIES = st.builds(lambda alias, name, constraint: alias + name + constraint, _ALIASES, _NAMES, _CONSTRAINTS)


@given(_REFERENCES)
def test_reference_is_stable(text: str) -> None:
    once = parse_reference(text)
    again = parse_reference(once.full_reference)
    assert (again.tag, again.digest) == (once.tag, once.digest)
    assert again.repository == once.repository
    assert canonical_name(once.repository.full_name) == canonical_name(again.repository.full_name)


@given(_ENTRIES)
def test_entry_is_stable(text: str) -> None:
    entry = parse_entry(text)
    again = parse_entry(f"{entry.alias}={entry.reference.full_reference}")
    assert (again.alias, again.repository, again.constraint) == (entry.alias, entry.repository, entry.constraint)


@given(st.lists(_ENTRIES, max_size=5))
def test_list_holds_every_entry_in_order(entries: list[str]) -> None:
    parsed = parse_image_list(" ,\n".join(entries))
    assert [entry.text for entry in parsed] == entries
    assert all(isinstance(entry, ImageEntry) for entry in parsed)


@given(st.text())
def test_no_text_breaks_a_parser(text: str) -> None:
    parse_image_list(text)
    parse_item(text)
    canonical_name(text)
    for parse in (parse_reference, parse_entry, parse_pull_secret, parse_write_back_method):
        assert "\n" not in _complaint(parse, text)


def _complaint(parse: Callable[[str], object], text: str) -> str:
    try:
        parse(text)
    except (PlanError, IllegalReference) as problem:
        return str(problem)
    return ""


_TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["true", "digest", "semver", "latest", "regexp:(", "git", "git:x", "[", "1", "any", "env:A", "zz"]),
    _ENTRIES,
)
_KEYS = st.one_of(
    st.sampled_from(sorted(APPLICATION_KEYS)),
    st.sampled_from(sorted(f"{head}.{tail}" for head in ("web", "team_web", "a.b") for tail in IMAGE_KEYS)),
    st.text(max_size=8),
)
_SOURCES = st.builds(
    SourceSnapshot,
    chart=st.sampled_from(["", "shop"]),
    ref=st.sampled_from(["", "values"]),
    helm_parameters=st.sampled_from([None, (), (HelmParameter("image.tag", "1"),)]),
    kustomize_images=st.sampled_from([None, (), ("web:1",)]),
    plugin_env=st.sampled_from([None, ()]),
)


def _snapshot(
    annotations: Mapping[str, str],
    image_list: str,
    layout: SourceLayout,
    sources: list[SourceSnapshot],
    types: list[str],
    live: list[str],
) -> ApplicationSnapshot:
    own = {**annotations, "image-list": image_list}
    return ApplicationSnapshot(
        ApplicationKey("argocd", "shop"),
        annotations={f"{ANNOTATION_PREFIX}{key}": value for key, value in own.items()},
        layout=layout,
        sources=tuple(sources),
        source_type=types[0] if types else "",
        source_types=tuple(types),
        live_images=tuple(live),
    )


_SNAPSHOTS = st.builds(
    _snapshot,
    st.dictionaries(_KEYS, _TEXTS, max_size=6),
    st.one_of(st.lists(_ENTRIES, min_size=1, max_size=3).map(",".join), st.text(max_size=20)),
    st.sampled_from(SourceLayout),
    st.lists(_SOURCES, max_size=3),
    st.lists(st.sampled_from(["Helm", "Kustomize", "Directory", "Plugin"]), max_size=3),
    st.lists(st.one_of(_REFERENCES, st.text(max_size=8)), max_size=3),
)


@settings(max_examples=300)
@given(_SNAPSHOTS)
def test_nothing_an_owner_writes_stops_planning_and_every_image_is_accounted_for(snapshot: ApplicationSnapshot) -> None:
    memory = PlanMemory()
    plan = plan_application(snapshot, PlanOptions(), memory)
    assert plan == plan_application(snapshot, PlanOptions())
    assert bool(plan.skipped) is (plan.skip is not None)
    for image in plan.images:
        outcome = memory.selector.choose_by_name(image.rule, ["1.5.0", "latest"]) if needs_facts(image) else None
        decision = decide(image, outcome)
        assert decision.counts & {Counter.CONSIDERED, Counter.SKIPPED}
        assert not isinstance(outcome, FactsUnavailable)
        if decision.wanted is None or plan.choice is None:
            continue
        edits = batch_edits([(image, decision.wanted)], snapshot, plan.choice)
        before, after = apply_edits(snapshot, plan.choice, edits)
        assert before != after


_PARAMETERS = st.lists(
    st.builds(HelmParameter, st.sampled_from("abcd"), st.sampled_from("12"), st.booleans()), max_size=5
)


@given(_PARAMETERS, st.lists(st.builds(HelmParameterEdit, st.sampled_from("abe"), st.sampled_from("12")), max_size=3))
def test_helm_merge_keeps_everything_else(current: list[HelmParameter], edits: list[HelmParameterEdit]) -> None:
    merged = merge_helm_parameters(current, edits)
    names = {edit.name for edit in edits}
    last = {edit.name: HelmParameter(edit.name, edit.value, force_string=True) for edit in edits}
    for index, parameter in enumerate(current):
        assert merged[index] == last.get(parameter.name, parameter)
    assert [parameter.name for parameter in merged[len(current) :]] == list(
        dict.fromkeys(edit.name for edit in edits if edit.name not in {parameter.name for parameter in current})
    )
    assert {parameter.name for parameter in merged} == names | {parameter.name for parameter in current}
    assert merge_helm_parameters(merged, list(edits[-1:])) == merged


_ITEMS = st.builds(
    lambda left, name, tag: left + name + tag, st.sampled_from(["", "", "x=", "nginx="]), _NAMES, _TAG_PARTS
)


@given(st.lists(_ITEMS, max_size=5), st.sampled_from(["", "x", "nginx"]), _NAMES)
def test_kustomize_merge_keeps_everything_else(current: list[str], left: str, name: str) -> None:
    edit = KustomizeImageEdit(left, f"{name}:new")
    found = matching_items(current, left, edit.image)
    merged = merge_kustomize_images(current, [edit])
    assert len(merged) == len(current) + (not found)
    for index, item in enumerate(current):
        assert (merged[index] == item) or index in found
        if index in found:
            assert merged[index].endswith(":new")
            assert canonical_name(parse_item(merged[index]).repository) == canonical_name(name)
    assert merge_kustomize_images(merged, [edit]) == merged
