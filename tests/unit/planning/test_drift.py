"""An edit is somebody else's when the list holds neither what the decision saw nor what it wants."""

from __future__ import annotations

import pytest

from updater.model.applications import (
    ANNOTATION_PREFIX,
    ApplicationKey,
    ApplicationSnapshot,
    HelmParameter,
    PluginVariable,
    SourceKind,
)
from updater.model.changes import (
    ChangeSet,
    HelmParameterEdit,
    KustomizeImageEdit,
    OverrideEdit,
    OverrideLists,
    PluginVariableEdit,
    SourceChoice,
)
from updater.planning.drift import drift_since, is_foreign_edit, settings_of

WEB = "ghcr.io/acme/web"


def helm(*values: str) -> OverrideLists:
    return OverrideLists(0, helm_parameters=tuple(HelmParameter("image.tag", value) for value in values))


def kustomize(*items: str) -> OverrideLists:
    return OverrideLists(0, kustomize_images=items)


def plugin(*values: str) -> OverrideLists:
    return OverrideLists(0, plugin_env=tuple(PluginVariable("TAG", value) for value in values))


@pytest.mark.parametrize(
    ("now", "edit", "foreign"),
    [
        pytest.param(helm("1"), HelmParameterEdit("image.tag", "2", "1"), False, id="helm as seen"),
        pytest.param(helm("2"), HelmParameterEdit("image.tag", "2", "1"), False, id="helm as wanted"),
        pytest.param(helm("3"), HelmParameterEdit("image.tag", "2", "1"), True, id="helm another value"),
        pytest.param(helm(), HelmParameterEdit("image.tag", "2", "1"), True, id="helm removed meanwhile"),
        pytest.param(helm(), HelmParameterEdit("image.tag", "2", None), False, id="helm still absent"),
        pytest.param(helm("3"), HelmParameterEdit("image.tag", "2", None), True, id="helm added meanwhile"),
        pytest.param(OverrideLists(0), HelmParameterEdit("image.tag", "2", None), False, id="no helm block"),
        pytest.param(
            kustomize(f"{WEB}:1"), KustomizeImageEdit("", f"{WEB}:2", f"{WEB}:1"), False, id="kustomize as seen"
        ),
        pytest.param(
            kustomize(f"x={WEB}:2"), KustomizeImageEdit("x", f"{WEB}:2", f"x={WEB}:1"), False, id="kustomize as wanted"
        ),
        pytest.param(
            kustomize(f"{WEB}:3"), KustomizeImageEdit("", f"{WEB}:2", f"{WEB}:1"), True, id="kustomize another value"
        ),
        pytest.param(
            kustomize("other:1"), KustomizeImageEdit("", f"{WEB}:2", f"{WEB}:1"), True, id="kustomize removed meanwhile"
        ),
        pytest.param(kustomize(), KustomizeImageEdit("", f"{WEB}:2", None), False, id="kustomize still absent"),
        pytest.param(plugin("1"), PluginVariableEdit("TAG", "2", "1"), False, id="plugin as seen"),
        pytest.param(plugin("3"), PluginVariableEdit("TAG", "2", "1"), True, id="plugin another value"),
    ],
)
def test_a_third_value_is_somebody_elses(now: OverrideLists, edit: OverrideEdit, *, foreign: bool) -> None:
    assert is_foreign_edit(now, edit) is foreign


def application(**own: str) -> ApplicationSnapshot:
    annotations = {f"{ANNOTATION_PREFIX}{key}": value for key, value in own.items()}
    return ApplicationSnapshot(ApplicationKey("argocd", "shop"), annotations={**annotations, "other.io/x": "1"})


def change_set(planned: ApplicationSnapshot) -> ChangeSet:
    edit = HelmParameterEdit("image.tag", "2", "1")
    return ChangeSet(planned.key, "default", SourceChoice(SourceKind.HELM), (edit,), (), settings_of(planned))


def test_nothing_has_drifted_on_the_same_application() -> None:
    planned = application(**{"image-list": "web"})

    assert drift_since(change_set(planned), planned, helm("1")) == ""


def test_annotations_of_others_are_no_drift() -> None:
    planned = application(**{"image-list": "web"})
    fresh = ApplicationSnapshot(planned.key, annotations={**planned.annotations, "other.io/x": "2"})

    assert drift_since(change_set(planned), fresh, helm("1")) == ""


def test_a_changed_setting_is_drift() -> None:
    planned = application(**{"image-list": "web"})
    fresh = application(**{"image-list": "web", "ignore-tags": "*"})

    assert "annotations were changed meanwhile" in drift_since(change_set(planned), fresh, helm("1"))


def test_a_foreign_edit_is_drift() -> None:
    planned = application(**{"image-list": "web"})

    assert "somebody else set the same override" in drift_since(change_set(planned), planned, helm("9"))
