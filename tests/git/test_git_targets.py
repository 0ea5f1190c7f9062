"""The kinds of target of method git, from the file in the repository to the file in the repository."""

from __future__ import annotations

import pytest

from tests.git.bench import Bench, intent_for
from updater.manifests.override_seed import OverrideSeed
from updater.model.applications import HelmParameter, SourceKind
from updater.model.changes import HelmParameterEdit, KustomizeImageEdit, WriteOutcome
from updater.model.git_targets import GitTarget, TargetFile
from updater.playground.git_remote import BareRepository
from updater.writeback.git_intents import FileEditor, GitIntent, kustomization_editor, override_editor

_KUSTOMIZATION = "resources:\n- web.yaml # stays\nimages:\n- name: example/shop\n  newTag: 1.0.0\n"
_EDIT = kustomization_editor([KustomizeImageEdit("", "example/shop:1.1.0")])


def _intent(url: str, path: str, file: TargetFile, edit: FileEditor, app: str = "shop") -> GitIntent:
    plain = intent_for(url, "1.1.0", app=app, path=path)
    target = GitTarget(plain.target.remote, path, file)
    return GitIntent(plain.change_set, target, plain.message, edit)


@pytest.mark.parametrize("name", ["kustomization.yaml", "kustomization.yml", "Kustomization"])
def test_the_one_kustomization_of_a_folder_is_edited(remote: BareRepository, bench: Bench, name: str) -> None:
    remote.commit({f"base/{name}": _KUSTOMIZATION})
    (result,) = bench.write(_intent(remote.url, "base", TargetFile.KUSTOMIZATION, _EDIT))
    assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)
    assert remote.read(f"base/{name}") == _KUSTOMIZATION.replace("1.0.0", "1.1.0")


@pytest.mark.parametrize("path", ["", "."])
def test_a_kustomization_at_the_root_is_edited(remote: BareRepository, bench: Bench, path: str) -> None:
    remote.commit({"kustomization.yaml": _KUSTOMIZATION})
    (result,) = bench.write(_intent(remote.url, path, TargetFile.KUSTOMIZATION, _EDIT))
    assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)


@pytest.mark.parametrize(
    ("names", "code"),
    [
        pytest.param((), "kustomization_not_found", id="none"),
        pytest.param(("kustomization.yaml", "Kustomization"), "multiple_kustomization_files", id="two"),
    ],
)
def test_a_folder_without_its_one_kustomization_is_refused(
    remote: BareRepository, bench: Bench, names: tuple[str, ...], code: str
) -> None:
    remote.commit({"base/other": "x", **{f"base/{name}": _KUSTOMIZATION for name in names}})
    (result,) = bench.write(_intent(remote.url, "base", TargetFile.KUSTOMIZATION, _EDIT))
    assert result.error_code == code


def test_a_kustomization_behind_a_link_is_edited_where_it_is(remote: BareRepository, bench: Bench) -> None:
    remote.commit({"envs/prod/kustomization.yaml": _KUSTOMIZATION}, links={"current": "envs/prod"})
    bench.write(_intent(remote.url, "current", TargetFile.KUSTOMIZATION, _EDIT))
    assert "1.1.0" in remote.read("envs/prod/kustomization.yaml")


def test_an_override_file_is_seeded_once_and_then_edited(remote: BareRepository, bench: Bench) -> None:
    seed = OverrideSeed(helm_parameters=(HelmParameter("replicas", "3"), HelmParameter("image.tag", "1.0.0")))
    path = "apps/shop/.argocd-source-shop.yaml"
    for tag in ("1.1.0", "1.2.0"):
        edit = override_editor([HelmParameterEdit("image.tag", tag)], seed, SourceKind.HELM, TargetFile.SOURCE_OVERRIDE)
        (result,) = bench.write(_intent(remote.url, path, TargetFile.SOURCE_OVERRIDE, edit))
        assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)
    assert remote.read(path).splitlines() == [
        "helm:",
        "  parameters:",
        "  - name: image.tag",
        "    value: 1.2.0",
        "    forcestring: true",
        "  - name: replicas",
        '    value: "3"',
    ]


def test_a_chosen_file_that_is_no_override_file_is_refused(remote: BareRepository, bench: Bench) -> None:
    edit = override_editor(
        [HelmParameterEdit("image.tag", "1.1.0")], OverrideSeed(), SourceKind.HELM, TargetFile.PARAMETERS
    )
    (result,) = bench.write(_intent(remote.url, "apps/shop/values.yaml", TargetFile.PARAMETERS, edit))
    assert result.error_code == "target_not_override_file"
