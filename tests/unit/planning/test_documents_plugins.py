"""Variables of config management plugins: only rules name them, and only they are written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.planning.builders import helm_application, sourced
from tests.unit.planning.documents import WEB, book, document, rule
from updater.errors import PlanError
from updater.model.applications import (
    ApplicationSnapshot,
    PluginVariable,
    SourceKind,
    SourceLayout,
    SourceSnapshot,
)
from updater.model.changes import OverrideLists, PluginVariableEdit, SourceChoice
from updater.model.images import PluginTarget, Reason
from updater.model.references import parse_reference
from updater.planning.drift import is_foreign_edit
from updater.planning.eligibility import Skip
from updater.planning.overrides import apply_edits, batch_edits
from updater.planning.plans import ApplicationPlan, PlanOptions, plan_application
from updater.planning.sources import select_source, source_kind

_PLAIN, _HELM = SourceSnapshot(), SourceSnapshot(helm_parameters=())
_CHOICE = SourceChoice(SourceKind.PLUGIN)


def _plugin(**env: str) -> SourceSnapshot:
    return SourceSnapshot(plugin_env=tuple(PluginVariable(name, value) for name, value in env.items()))


def _application(source: SourceSnapshot = _PLAIN) -> ApplicationSnapshot:
    return replace(helm_application({}, "acme/web:1.2.0", source=source), source_type="Plugin")


def _plan(target: dict[str, str] | None, source: SourceSnapshot = _PLAIN, **of_rule: Any) -> ApplicationPlan:
    image = {**WEB, "manifestTargets": {"plugin": target}} if target else WEB
    rules = book(document(rule("shop", image, **of_rule)))
    return plan_application(_application(source), PlanOptions(rules=rules))


def test_an_image_of_a_plugin_is_planned_with_its_variables() -> None:
    plan = _plan({"name": "IMAGE", "tag": "TAG"}, _plugin(IMAGE="acme/web", TAG="1.2.1"))
    (image,) = plan.images
    assert plan.choice == _CHOICE
    assert image.target == PluginTarget("IMAGE", "TAG")
    assert image.in_spec == "acme/web:1.2.1"
    assert (image.invalid, plan.warnings) == ("", ())


def test_a_plugin_without_variables_in_the_rule_is_left_out() -> None:
    plan = _plan(None)
    assert plan.skip is Skip.UNSUPPORTED_TYPE
    assert "manifestTargets.plugin" in plan.skipped


def test_annotations_never_write_to_a_plugin() -> None:
    snapshot = replace(helm_application({"image-list": "web=acme/web"}), source_type="Plugin")
    assert plan_application(snapshot, PlanOptions()).skip is Skip.UNSUPPORTED_TYPE


def test_one_image_without_variables_does_not_stop_another() -> None:
    named = {**WEB, "manifestTargets": {"plugin": {"spec": "IMAGE"}}}
    rules = book(document(rule("shop", named, {"alias": "api", "imageName": "acme/api"})))
    web, api = plan_application(_application(), PlanOptions(rules=rules)).images
    assert web.invalid_reason is None
    assert api.invalid_reason is Reason.INVALID_SETTINGS
    assert "names no variables" in api.invalid


def test_files_in_git_take_no_variables_yet() -> None:
    assert _plan({"spec": "IMAGE"}, writeBackConfig={"method": "git"}).skip is Skip.UNSUPPORTED_TYPE


def test_a_variable_for_the_name_alone_is_a_warning() -> None:
    assert [warned.kind for warned in _plan({"name": "IMAGE"}).warnings] == ["plugin_tag_missing"]


@pytest.mark.parametrize(
    ("target", "edits"),
    [
        pytest.param(
            {"name": "IMAGE", "tag": "TAG"},
            (PluginVariableEdit("IMAGE", "acme/web"), PluginVariableEdit("TAG", "1.2.1", "1.2.0")),
            id="name and tag",
        ),
        pytest.param(
            {"name": "IMAGE", "tag": "TAG", "spec": "REF"},
            (PluginVariableEdit("REF", "acme/web:1.2.1"),),
            id="spec wins",
        ),
        pytest.param({"name": "IMAGE"}, (PluginVariableEdit("IMAGE", "acme/web"),), id="name alone"),
    ],
)
def test_edits_follow_the_values_of_helm_parameters(
    target: dict[str, str], edits: tuple[PluginVariableEdit, ...]
) -> None:
    source = _plugin(MODE="prod", TAG="1.2.0")
    (image,) = _plan(target, source).images
    assert batch_edits([(image, parse_reference("acme/web:1.2.1"))], _application(source), _CHOICE) == edits


@pytest.mark.parametrize(
    ("source", "before"),
    [
        pytest.param(
            _plugin(MODE="prod", TAG="1"), (PluginVariable("MODE", "prod"), PluginVariable("TAG", "1")), id="a"
        ),
        pytest.param(_PLAIN, None, id="no block"),
    ],
)
def test_merging_keeps_other_variables_and_their_order(
    source: SourceSnapshot, before: tuple[PluginVariable, ...] | None
) -> None:
    edits = [PluginVariableEdit("NAME", "acme/web"), PluginVariableEdit("TAG", "2")]
    kept = before[:1] if before else ()
    tag, name = PluginVariable("TAG", "2"), PluginVariable("NAME", "acme/web")
    wanted = (*kept, tag, name) if before else (name, tag)
    assert apply_edits(_application(source), _CHOICE, edits) == (
        OverrideLists(0, plugin_env=before),
        OverrideLists(0, plugin_env=wanted),
    )


def test_repeated_variables_are_all_set() -> None:
    source = SourceSnapshot(plugin_env=(PluginVariable("TAG", "1"), PluginVariable("TAG", "0")))
    _, after = apply_edits(_application(source), _CHOICE, [PluginVariableEdit("TAG", "2")])
    assert after.plugin_env == (PluginVariable("TAG", "2"),) * 2


@pytest.mark.parametrize(
    ("now", "is_foreign"),
    [pytest.param("1", False, id="as seen"), pytest.param("2", False, id="as wanted"), pytest.param("3", True, id="x")],
)
def test_a_variable_that_somebody_else_set_is_noticed(now: str, is_foreign: bool) -> None:  # noqa: FBT001 - a row
    lists = OverrideLists(0, plugin_env=(PluginVariable("TAG", now),))
    assert is_foreign_edit(lists, PluginVariableEdit("TAG", "2", "1")) is is_foreign


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        pytest.param(("Directory", "Plugin"), SourceKind.PLUGIN, id="neither of the others"),
        pytest.param(("Plugin", "Kustomize"), SourceKind.KUSTOMIZE, id="beside Kustomize"),
    ],
)
def test_of_several_sources_a_plugin_comes_last(types: tuple[str, ...], kind: SourceKind) -> None:
    snapshot = sourced(_PLAIN, _PLAIN, source_types=types)
    assert source_kind(snapshot, allows_plugin=True) is kind


def test_a_dry_source_may_be_a_plugin() -> None:
    snapshot = sourced(_plugin(), layout=SourceLayout.HYDRATED, source_type="Directory")
    assert source_kind(snapshot, allows_plugin=True) is SourceKind.PLUGIN
    with pytest.raises(PlanError, match="unsupported source type"):
        source_kind(snapshot)


def test_the_source_that_carries_a_variable_is_written() -> None:
    snapshot = sourced(_HELM, _plugin(MODE="prod"), _plugin(TAG="1"))
    assert select_source(snapshot, _CHOICE, {"TAG"}) == 2
    assert select_source(snapshot, _CHOICE, {"OTHER"}) == 1
