"""Intents: target, write branch, message and edit from what an Application is to get."""

from __future__ import annotations

from dataclasses import replace

import pytest

from updater.errors import PlanError
from updater.manifests.messages import parse_message_template
from updater.manifests.override_seed import OverrideMode
from updater.manifests.templates.functions import EXTENDED
from updater.model.applications import ApplicationKey, HelmParameter, SourceKind, SourceSnapshot
from updater.model.changes import ChangeSet, HelmParameterEdit, ImageChange, KustomizeImageEdit, SourceChoice
from updater.model.git_remotes import parse_git_remote
from updater.model.git_targets import TargetFile
from updater.model.images import HelmTarget, KustomizeTarget
from updater.model.references import ImageReference, parse_repository
from updater.planning.git_settings import GitSettings, RevisionOrigin
from updater.writeback.git_making import GitWish, IntentOptions, make_intent

_IMAGE = ImageReference(parse_repository("ghcr.io/acme/web"), "1.1.0")
_SETTINGS = GitSettings(
    parse_git_remote("https://h.test/acme/deploy.git"),
    "repocreds",
    "main",
    RevisionOrigin.TARGET_REVISION,
    "",
    TargetFile.SOURCE_OVERRIDE,
    "apps/web/.argocd-source-web.yaml",
)
_HELM = ChangeSet(
    ApplicationKey("argocd", "web"),
    "default",
    SourceChoice(SourceKind.HELM),
    (HelmParameterEdit("image.name", "ghcr.io/acme/web"), HelmParameterEdit("image.tag", "1.1.0")),
    (ImageChange("web", "ghcr.io/acme/web", "1.0.0", "1.1.0"),),
)
_SOURCE = SourceSnapshot(helm_parameters=(HelmParameter("image.tag", "1.0.0"), HelmParameter("replicas", "3")))
_WISH = GitWish(_HELM, _SETTINGS, _SOURCE, ((HelmTarget(), _IMAGE),), frozenset({"image.name", "image.tag"}))


def test_the_change_set_carries_its_target_and_the_message_names_its_changes() -> None:
    intent = make_intent(_WISH, IntentOptions())
    assert intent.change_set == replace(_HELM, git=intent.target)
    assert (intent.target.project, intent.target.revision, intent.target.write_branch) == ("default", "main", "")
    assert intent.message.splitlines() == [
        "build: automatic update of web",
        "",
        "updates image acme/web tag '1.0.0' to '1.1.0'",
    ]


@pytest.mark.parametrize(
    ("mode", "kept"),
    [pytest.param(OverrideMode.SEED, True, id="seed"), pytest.param(OverrideMode.MANAGED_ONLY, False, id="managed")],
)
def test_a_new_override_file_begins_as_the_operator_says(mode: OverrideMode, *, kept: bool) -> None:
    edit = make_intent(_WISH, IntentOptions(override_mode=mode)).edit(None, "x")
    assert ("replicas" in edit.text) is kept
    assert "value: 1.1.0" in edit.text


def test_a_kustomization_gets_the_item_alone() -> None:
    change_set = replace(
        _HELM, choice=SourceChoice(SourceKind.KUSTOMIZE), edits=(KustomizeImageEdit("", "ghcr.io/acme/web:1.1.0"),)
    )
    settings = replace(_SETTINGS, file=TargetFile.KUSTOMIZATION, path="apps/web")
    wish = GitWish(change_set, settings, SourceSnapshot(), ((KustomizeTarget(), _IMAGE),))
    edit = make_intent(wish, IntentOptions()).edit("resources: []\n", "kustomization.yaml")
    assert edit.text == "resources: []\nimages:\n- name: ghcr.io/acme/web\n  newTag: 1.1.0\n"


def test_a_values_file_gets_name_and_tag_and_shadowing_parameters_are_remarked() -> None:
    wish = replace(_WISH, settings=replace(_SETTINGS, file=TargetFile.HELM_VALUES, path="apps/web/values.yaml"))
    intent = make_intent(wish, IntentOptions())
    assert intent.edit("image:\n  name: web\n  tag: 1.0.0\n", "x").text.endswith("tag: 1.1.0\n")
    assert [(warned.kind, "image.tag" in warned.text) for warned in intent.warnings] == [("values_overridden", True)]


def test_a_write_branch_is_rendered_for_each_application() -> None:
    template = "up/{{.AppNamespace}}-{{.AppName}}-{{(index .Images 0).NewTag}}-{{.TargetKey}}"
    intent = make_intent(replace(_WISH, settings=replace(_SETTINGS, branch_template=template)), IntentOptions())
    assert intent.target.write_branch.startswith("up/argocd-web-1.1.0-")


def test_the_target_key_tells_bases_and_files_apart_and_not_applications() -> None:
    def key(**settings: str) -> str:
        changed = replace(_SETTINGS, branch_template="{{.TargetKey}}", **settings)  # type: ignore[arg-type]  # texts only
        return make_intent(replace(_WISH, settings=changed), IntentOptions()).target.write_branch

    other = replace(_WISH, change_set=replace(_HELM, application=ApplicationKey("argocd", "other")))
    same = replace(other, settings=replace(_SETTINGS, branch_template="{{.TargetKey}}"))
    assert make_intent(same, IntentOptions()).target.write_branch == key()
    assert len({key(), key(revision=""), key(revision="dev"), key(path="b")}) == 4


@pytest.mark.parametrize(
    ("template", "code"),
    [
        pytest.param("{{ .Nope }}", "template_exec", id="unknown variable"),
        pytest.param("{{ lower .AppName }}", "template_parse", id="function that is switched off"),
        pytest.param("{{ if false }}x{{ end }}", "empty_branch_name", id="nothing"),
    ],
)
def test_a_template_that_gives_no_branch_is_a_mistake_of_the_owner(template: str, code: str) -> None:
    with pytest.raises(PlanError) as caught:
        make_intent(replace(_WISH, settings=replace(_SETTINGS, branch_template=template)), IntentOptions())
    assert caught.value.code == code


def test_extended_functions_serve_branches_as_well() -> None:
    wish = replace(_WISH, settings=replace(_SETTINGS, branch_template="{{ upper .AppName }}"))
    assert make_intent(wish, IntentOptions(functions=EXTENDED)).target.write_branch == "WEB"


def test_a_message_that_cannot_be_rendered_is_replaced_and_remarked() -> None:
    intent = make_intent(_WISH, IntentOptions(parse_message_template("{{ .Nope }}")))
    assert intent.message == "build: update of application web"
    assert [warned.kind for warned in intent.warnings] == ["commit_message_replaced"]
