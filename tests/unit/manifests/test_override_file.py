from __future__ import annotations

import pytest

from updater.errors import WriteBackError
from updater.manifests.override_file import OverrideFile, edit_override_file
from updater.manifests.override_seed import OverrideMode, OverrideSeed
from updater.model.applications import HelmParameter, PluginVariable, SourceKind
from updater.model.changes import HelmParameterEdit, KustomizeImageEdit, OverrideEdit, PluginVariableEdit

_TAG = HelmParameterEdit("image.tag", "v2")
_PATH = "apps/.argocd-source-shop.yaml"
_HELM = OverrideFile(_PATH, SourceKind.HELM)
_KUSTOMIZE = OverrideFile(_PATH, SourceKind.KUSTOMIZE)
_PLUGIN = OverrideFile(_PATH, SourceKind.PLUGIN)


def _text(before: str | None, edit: OverrideEdit, target: OverrideFile, seed: OverrideSeed | None = None) -> str:
    return edit_override_file(before, [edit], seed or OverrideSeed(), target).text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("helm: # c\n", "helm: # c\n  parameters:\n  - name: image.tag\n", id="null block"),
        pytest.param("helm:\n  parameters: []\n", "helm:\n  parameters:\n  - name: image.tag\n", id="empty list"),
        pytest.param("helm:\n  parameters:\n", "helm:\n  parameters:\n  - name: image.tag\n", id="null list"),
        pytest.param("helm:\n  releaseName: x\n", "helm:\n  releaseName: x\n  parameters:\n  - name: image.tag\n"),
        pytest.param("# mine\n", "# mine\nhelm:\n  parameters:\n  - name: image.tag\n", id="comments only"),
        pytest.param("kustomize: {}\n", "kustomize: {}\nhelm:\n  parameters:\n  - name: image.tag\n", id="other block"),
    ],
)
def test_a_missing_list_is_made_where_it_belongs(before: str, after: str) -> None:
    assert _text(before, _TAG, _HELM) == f"{after}    value: v2\n    forcestring: true\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("value: v1", "value: v2\n    forcestring: true", id="forcestring is added behind the value"),
        pytest.param('value: v2\n    ForceString: "true"', "value: v2\n    ForceString: true", id="not a string"),
        pytest.param("Value: v1\n    x: 1", "Value: v2\n    forcestring: true\n    x: 1", id="any case"),
        pytest.param("x: 1", "value: v2\n    forcestring: true\n    x: 1", id="a missing value goes behind the name"),
    ],
)
def test_an_entry_is_completed_in_its_own_spelling(before: str, after: str) -> None:
    head = "helm:\n  parameters:\n  - name: image.tag\n    "
    assert _text(f"{head}{before}\n", _TAG, _HELM) == f"{head}{after}\n"


def test_all_entries_of_one_name_are_set() -> None:
    entry = "  - {name: image.tag, value: v1, forcestring: true}\n"
    text = f"helm:\n  parameters:\n{entry}{entry}"
    assert _text(text, _TAG, _HELM) == text.replace("v1", "v2")


def test_a_written_file_is_not_written_again() -> None:
    once = edit_override_file(None, [_TAG], OverrideSeed(), _HELM)
    assert once.is_changed
    assert not edit_override_file(once.text, [_TAG], OverrideSeed(), _HELM).is_changed


def test_seeding_copies_what_the_application_has_and_tells_what_nobody_tracks() -> None:
    seed = OverrideSeed(helm_parameters=(HelmParameter("replicas", "3"), HelmParameter("image.tag", "v1")))
    edited = edit_override_file(None, [_TAG], seed, _HELM)
    assert edited.text == (
        "helm:\n  parameters:\n  - name: image.tag\n    value: v2\n    forcestring: true\n"
        '  - name: replicas\n    value: "3"\n'
    )
    assert [(warned.kind, "replicas" in warned.text) for warned in edited.warnings] == [("override_file_seeded", True)]


def test_managed_only_leaves_out_what_nobody_tracks() -> None:
    items = ("redis:7", "api=acme/api:v1", "acme/web:v1")
    seed = OverrideSeed(
        kustomize_images=items, managed=frozenset(("docker.io/acme/web",)), mode=OverrideMode.MANAGED_ONLY
    )
    edited = edit_override_file(None, [KustomizeImageEdit("api", "acme/api:v2")], seed, _KUSTOMIZE)
    assert edited.text == "kustomize:\n  images:\n  - api=acme/api:v2\n  - acme/web:v1\n"
    assert edited.warnings == ()


def test_variables_of_a_plugin_are_seeded_in_their_order() -> None:
    seed = OverrideSeed(plugin_env=(PluginVariable("Z", "on"), PluginVariable("TAG", "v1")))
    after = 'plugin:\n  env:\n  - name: Z\n    value: "on"\n  - name: TAG\n    value: v2\n'
    assert _text(None, PluginVariableEdit("TAG", "v2"), _PLUGIN, seed) == after


@pytest.mark.parametrize("before", ["- a\n", "a: [\n", "helm: {}\n---\nhelm: {}\n", "just text\n"])
def test_an_unreadable_file_is_made_anew_only_under_its_own_name(before: str) -> None:
    edited = edit_override_file(before, [_TAG], OverrideSeed(), _HELM)
    assert edited.text.startswith("helm:\n  parameters:\n")
    assert [warned.kind for warned in edited.warnings] == ["override_file_replaced"]
    with pytest.raises(WriteBackError):
        edit_override_file(before, [_TAG], OverrideSeed(), OverrideFile("env.yaml", SourceKind.HELM, is_chosen=True))


@pytest.mark.parametrize(
    ("before", "target", "code"),
    [
        pytest.param("helm: 1\n", _HELM, "not_a_mapping", id="block"),
        pytest.param("helm:\n  parameters: {}\n", _HELM, "not_a_list", id="list"),
        pytest.param("helm:\n  parameters:\n  - x\n", _HELM, "not_a_mapping", id="entry"),
        pytest.param("kustomize:\n  images:\n  - {name: x}\n", _KUSTOMIZE, "not_a_scalar", id="item"),
        pytest.param("sops: {mac: x}\n", _HELM, "target_is_encrypted", id="encrypted"),
    ],
)
def test_a_file_of_another_shape_is_refused(before: str, target: OverrideFile, code: str) -> None:
    edits = [_TAG, KustomizeImageEdit("", "a:1")]
    with pytest.raises(WriteBackError) as caught:
        edit_override_file(before, edits, OverrideSeed(), target)
    assert caught.value.code == code


def test_a_chosen_path_must_hold_overrides() -> None:
    target = OverrideFile("env/values.yaml", SourceKind.HELM, is_chosen=True)
    with pytest.raises(WriteBackError, match="helmvalues:") as caught:
        edit_override_file("image: {tag: v1}\n", [_TAG], OverrideSeed(), target)
    assert caught.value.code == "target_not_override_file"
