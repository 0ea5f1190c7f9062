"""Edits, merging and the reference that a spec holds."""

from __future__ import annotations

import pytest

from tests.unit.planning.builders import KEY, sourced
from updater.errors import PlanError
from updater.model.applications import HelmParameter, SourceKind, SourceLayout, SourceSnapshot
from updater.model.changes import HelmParameterEdit, KustomizeImageEdit, OverrideLists, SourceChoice
from updater.model.images import HelmTarget, ImagePlan, KustomizeTarget, TagRule
from updater.model.references import ImageReference, ImageRepository, parse_reference
from updater.planning.overrides import (
    apply_edits,
    batch_edits,
    current_in_spec,
    override_edits,
    written_names,
)
from updater.rules.override_lists import merge_helm_parameters, merge_kustomize_images

_WEB = ImageRepository("quay.io", "acme/web")
_NGINX = ImageRepository("", "nginx")
_HELM, _KUSTOMIZE = SourceChoice(SourceKind.HELM), SourceChoice(SourceKind.KUSTOMIZE)


def _plan(target: HelmTarget | KustomizeTarget, repository: ImageRepository = _WEB) -> ImagePlan:
    return ImagePlan(KEY, "web", "web", repository, TagRule(), target, None)


def _parameter(name: str, value: str) -> HelmParameter:
    return HelmParameter(name, value, force_string=True)


def test_helm_edits_carry_what_was_seen() -> None:
    snapshot = sourced(SourceSnapshot(helm_parameters=(_parameter("image.tag", "1"),)), layout=SourceLayout.SINGLE)
    assert override_edits(_plan(HelmTarget()), ImageReference(_WEB, "2"), snapshot, _HELM) == (
        HelmParameterEdit("image.name", "quay.io/acme/web", None),
        HelmParameterEdit("image.tag", "2", "1"),
    )


@pytest.mark.parametrize(
    ("items", "seen"),
    [
        pytest.param(None, None, id="no block"),
        pytest.param(("quay.io/acme/web:1", "x"), "quay.io/acme/web:1", id="item"),
        pytest.param(("x=quay.io/acme/web:1",), "x=quay.io/acme/web:1", id="renamed item"),
        pytest.param(("quay.io/acme/web:1", "quay.io/acme/web:0"), "quay.io/acme/web:1", id="first of two items"),
    ],
)
def test_kustomize_edit_carries_the_item_that_was_seen(items: tuple[str, ...] | None, seen: str | None) -> None:
    snapshot = sourced(SourceSnapshot(kustomize_images=items), layout=SourceLayout.SINGLE)
    edits = override_edits(_plan(KustomizeTarget()), ImageReference(_WEB, "2"), snapshot, _KUSTOMIZE)
    assert edits == (KustomizeImageEdit("", "quay.io/acme/web:2", seen),)


def test_a_batch_goes_to_one_source() -> None:
    first, second = SourceSnapshot(helm_parameters=()), SourceSnapshot(helm_parameters=(_parameter("b", "1"),))
    updates = [(_plan(HelmTarget(spec=name)), ImageReference(_WEB, "2")) for name in ("a", "b")]
    edits = batch_edits(updates, sourced(first, second), _HELM)
    assert edits == (
        HelmParameterEdit("a", "quay.io/acme/web:2", None),
        HelmParameterEdit("b", "quay.io/acme/web:2", "1"),
    )
    before, after = apply_edits(sourced(first, second), _HELM, edits)
    assert before == OverrideLists(1, helm_parameters=(_parameter("b", "1"),))
    assert after.helm_parameters == (_parameter("b", "quay.io/acme/web:2"), _parameter("a", "quay.io/acme/web:2"))


def test_edits_without_a_source_are_refused() -> None:
    with pytest.raises(PlanError) as caught:
        override_edits(_plan(HelmTarget()), ImageReference(_WEB, "2"), sourced(), _HELM)
    assert caught.value.code == "no_source"


def test_kustomize_edits_are_applied_to_the_source_that_carries_them() -> None:
    snapshot = sourced(SourceSnapshot(kustomize_images=()), SourceSnapshot(kustomize_images=("quay.io/acme/web:1",)))
    before, after = apply_edits(snapshot, _KUSTOMIZE, [KustomizeImageEdit("", "quay.io/acme/web:2")])
    assert before == OverrideLists(1, kustomize_images=("quay.io/acme/web:1",))
    assert after == OverrideLists(1, kustomize_images=("quay.io/acme/web:2",))


def test_absent_block_differs_from_an_empty_list() -> None:
    before, after = apply_edits(sourced(SourceSnapshot(), layout=SourceLayout.SINGLE), _HELM, [])
    assert (before.helm_parameters, after.helm_parameters) == (None, ())


@pytest.mark.parametrize(
    ("items", "left", "image", "merged"),
    [
        pytest.param(("a", "b=c:1"), "", "d:1", ("a", "b=c:1", "d:1"), id="appended"),
        pytest.param(("nginx:1", "nginx:2"), "", "nginx:3", ("nginx:3", "nginx:3"), id="all matches"),
        pytest.param(("nginx",), "", "nginx:3", ("nginx:3",), id="item without tag"),
        pytest.param(("nginx@sha256:x",), "", "nginx:3", ("nginx:3",), id="digest replaced by tag"),
        pytest.param(
            ("docker.io/nginx:1", "nginx:1"), "", "nginx:3", ("docker.io/nginx:1", "nginx:3"), id="literal match wins"
        ),
        pytest.param(
            ("index.docker.io/library/nginx:1",), "", "nginx:3", ("index.docker.io/library/nginx:3",), id="hub"
        ),
        pytest.param(
            ("library/nginx=r.io/x:1",), "nginx", "r.io/x:2", ("library/nginx=r.io/x:2",), id="hub on the left"
        ),
        pytest.param(
            ("x=docker.io/nginx:1",), "", "nginx:3", ("x=docker.io/nginx:3",), id="spelling on the right kept"
        ),
        pytest.param(("x=nginx:1",), "y", "nginx:3", ("x=nginx:1", "y=nginx:3"), id="another left-hand side"),
        pytest.param(("api:1",), "api", "r.io/api:2", ("api=r.io/api:2",), id="rename added"),
        pytest.param(("docker.io/nginx:1",), "nginx", "nginx:2", ("docker.io/nginx:2",), id="no needless rename"),
        pytest.param(
            ("host:5000/a:1",), "", "host:5000/b:1", ("host:5000/a:1", "host:5000/b:1"), id="sibling of a port"
        ),
        pytest.param(("x=:1",), "x", "nginx:2", ("x=nginx:2",), id="item that only sets a tag"),
    ],
)
def test_kustomize_merge(items: tuple[str, ...], left: str, image: str, merged: tuple[str, ...]) -> None:
    assert merge_kustomize_images(items, [KustomizeImageEdit(left, image)]) == merged


def test_merging_twice_changes_nothing_the_second_time() -> None:
    edits = [HelmParameterEdit("a", "1"), HelmParameterEdit("b", "2")]
    once = merge_helm_parameters((HelmParameter("b", "2"), _parameter("c", "3")), edits)
    assert once == (_parameter("b", "2"), _parameter("c", "3"), _parameter("a", "1"))
    assert merge_helm_parameters(once, edits) == once
    assert merge_helm_parameters(None, []) == ()
    assert merge_kustomize_images(None, []) == ()


@pytest.mark.parametrize(
    ("target", "parameters", "reference"),
    [
        pytest.param(HelmTarget(spec="i"), (("i", "x:1"),), "x:1", id="image-spec"),
        pytest.param(HelmTarget(spec="i"), (), "", id="image-spec missing"),
        pytest.param(HelmTarget(), (("image.name", "x"), ("image.tag", "1")), "x:1", id="name and tag"),
        pytest.param(HelmTarget(), (("image.tag", "1"),), "", id="name missing"),
        pytest.param(
            HelmTarget(), (("image.name", "x"), ("image.tag", "1"), ("image.tag", "2")), "x:2", id="last counts"
        ),
    ],
)
def test_helm_reference_in_spec(target: HelmTarget, parameters: tuple[tuple[str, str], ...], reference: str) -> None:
    source = SourceSnapshot(helm_parameters=tuple(_parameter(name, value) for name, value in parameters))
    assert current_in_spec(target, _WEB, source) == reference


def test_parameter_without_force_string_is_not_what_it_seems() -> None:
    source = SourceSnapshot(helm_parameters=(_parameter("image.name", "x"), HelmParameter("image.tag", "1.10")))
    assert current_in_spec(HelmTarget(), _WEB, source) == ""
    assert current_in_spec(HelmTarget(), _WEB, SourceSnapshot()) == ""


@pytest.mark.parametrize(
    ("items", "name", "reference"),
    [
        pytest.param(("nginx:1",), "", "nginx:1", id="bare"),
        pytest.param(("docker.io/library/nginx:1",), "", "nginx:1", id="another spelling"),
        pytest.param(("web=nginx:1",), "web", "nginx:1", id="right-hand side"),
        pytest.param(("web=r.io/x:1",), "web", "r.io/x:1", id="another image"),
        pytest.param(("nginx:1", "nginx:2"), "", "", id="contradiction"),
        pytest.param(("nginx:1", "nginx:1"), "", "nginx:1", id="repeat"),
        pytest.param((), "", "", id="none"),
        pytest.param(None, "", "", id="no block"),
    ],
)
def test_kustomize_reference_in_spec(items: tuple[str, ...] | None, name: str, reference: str) -> None:
    assert current_in_spec(KustomizeTarget(name), _NGINX, SourceSnapshot(kustomize_images=items)) == reference


def test_what_is_written_is_what_is_found_again() -> None:
    wanted = parse_reference("nginx:1.25")
    plan = _plan(KustomizeTarget(), _NGINX)
    snapshot = sourced(SourceSnapshot(kustomize_images=("docker.io/nginx:1",)), layout=SourceLayout.SINGLE)
    _, after = apply_edits(snapshot, _KUSTOMIZE, override_edits(plan, wanted, snapshot, _KUSTOMIZE))
    written = SourceSnapshot(kustomize_images=after.kustomize_images)
    assert current_in_spec(plan.target, _NGINX, written) == wanted.full_reference


@pytest.mark.parametrize(
    ("target", "names"),
    [
        (HelmTarget(), {"image.name", "image.tag"}),
        (HelmTarget(spec="s"), {"s"}),
        (KustomizeTarget(), {"quay.io/acme/web"}),
        (KustomizeTarget("old"), {"old"}),
    ],
)
def test_written_names(target: HelmTarget | KustomizeTarget, names: set[str]) -> None:
    assert written_names(_plan(target)) == names
