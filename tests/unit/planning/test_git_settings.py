from __future__ import annotations

import pytest

from updater.errors import PlanError
from updater.model.applications import ApplicationKey, ApplicationSnapshot, SourceLayout, SourceSnapshot
from updater.model.git_targets import GitTarget
from updater.planning.git_branch import GitBranch, parse_git_branch
from updater.planning.git_settings import GitScope, GitSettings, RevisionOrigin, read_git_settings
from updater.planning.write_back import parse_write_back_method
from updater.planning.write_back_target import instance_name

_REPO = "https://git.example.com/acme/deploy.git"
_SOURCE = SourceSnapshot(repo_url=_REPO, path="apps/shop", target_revision="main")
_CHART = SourceSnapshot(repo_url="https://charts.example.com", chart="shop", target_revision="1.2.3")
_REFERENCED = SourceSnapshot(repo_url=_REPO, target_revision="release", ref="values")


def _settings(
    own: dict[str, str], *sources: SourceSnapshot, method: str = "git", namespace: str = "argocd"
) -> GitSettings:
    snapshot = ApplicationSnapshot(
        ApplicationKey(namespace, "shop"), layout=SourceLayout.MULTIPLE, sources=sources or (_SOURCE,)
    )
    return read_git_settings(snapshot, own, parse_write_back_method(method), 0, GitScope())


def _with_files(*files: str) -> SourceSnapshot:
    return SourceSnapshot(repo_url=_CHART.repo_url, chart="shop", target_revision="1.2.3", value_files=files)


@pytest.mark.parametrize(
    ("text", "branch"),
    [
        pytest.param("", GitBranch(), id="nothing"),
        pytest.param("main:", GitBranch("main"), id="base alone"),
        pytest.param(" refs/heads/main : b ", GitBranch("main", "b"), id="blanks and full ref"),
        pytest.param(":{{$x := 1}}", GitBranch("", "{{$x := 1}}"), id="colon inside of braces"),
        pytest.param("main:{{`:`}}-{{.A}}", GitBranch("main", "{{`:`}}-{{.A}}"), id="two actions"),
        pytest.param("main:{{`:`}}-{{.A", GitBranch("main", "{{`:`}}-{{.A"), id="braces that stay open"),
        pytest.param("main:" + "{{" * 120_000, GitBranch("main", "{{" * 120_000), id="all that an annotation holds"),
    ],
)
def test_git_branch_is_cut_at_the_first_colon_outside_of_braces(text: str, branch: GitBranch) -> None:
    assert parse_git_branch(text) == branch


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *[(text, "invalid_git_branch") for text in (":", "a:b:c", "a:{{.A}}:b", "::", "a:{{ b:c")],
        *[(text, "invalid_branch_name") for text in ("a b", "-rf:x", "HEAD", "a..b", "{{.A}}.lock")],
    ],
)
def test_git_branch_that_is_none_is_refused(text: str, code: str) -> None:
    with pytest.raises(PlanError) as caught:
        parse_git_branch(text)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("own", "sources", "outcome"),
    [
        pytest.param({"git-repository": "git@x.org:a/b.git"}, (_SOURCE,), ("x.org/a/b", ""), id="another repository"),
        pytest.param(
            {"git-repository": _REPO.upper()}, (_SOURCE,), ("deploy", "main"), id="the same, spelled otherwise"
        ),
        pytest.param({"git-repository": "ftp://x/y"}, (_SOURCE,), "repo_url_refused", id="no address"),
        pytest.param({"git-repository": _REPO}, (_CHART,), "target_required", id="override file beside a chart"),
        pytest.param(
            {"git-repository": _REPO, "write-back-target": "helmvalues:v.yaml"},
            (_CHART, _REFERENCED),
            ("deploy", "release"),
            id="the revision of the source with that repository",
        ),
        pytest.param({}, (_with_files("$values/a.yaml", "$other/b.yaml"), _REFERENCED), "repo_not_git", id="two refs"),
        pytest.param({}, (_with_files("$values/a.yaml"),), "repo_not_git", id="a ref of nothing"),
        pytest.param({}, (_with_files("$values/a.yaml"), _REFERENCED), "target_required", id="default target"),
        pytest.param(
            {}, (SourceSnapshot(repo_url="reg.example.com/charts"),), "repo_not_git", id="registry without scheme"
        ),
        pytest.param({}, (SourceSnapshot(repo_url="git@x.org:a/b"),), ("x.org/a/b", ""), id="scp form"),
        pytest.param({"write-back-target": "kustomization:/.git"}, (_SOURCE,), "path_in_git_dir", id="git folder"),
        pytest.param({"write-back-target": "../x.yaml"}, (_SOURCE,), "path_escapes_repo", id="outside"),
    ],
)
def test_the_repository_follows_from_annotation_and_source(
    own: dict[str, str], sources: tuple[SourceSnapshot, ...], outcome: object
) -> None:
    try:
        settings = _settings(own, *sources)
        found: object = settings.remote.key, settings.revision
    except PlanError as error:
        found = error.code
    if isinstance(outcome, tuple):
        assert isinstance(found, tuple), found
        assert found[0].endswith(outcome[0])
        assert found[1] == outcome[1]
    else:
        assert found == outcome


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("kustomization:../base/kustomization.yaml", "apps/base"),
        ("kustomization:/Kustomization", "."),
        ("helmvalues:/", "values.yaml"),
        ("helmvalues:env/", "apps/shop/env/values.yaml"),
        ("helmvalues", "apps/shop/values.yaml"),
        ("/env//prod.yaml", "env/prod.yaml"),
        ("{{.AppName}}.yaml", "{{.AppName}}.yaml"),
    ],
)
def test_targets_are_resolved_by_their_text(target: str, path: str) -> None:
    assert _settings({"write-back-target": target}).path == path


@pytest.mark.parametrize(("namespace", "name"), [("argocd", "shop"), ("", "shop"), ("team", "team_shop")])
def test_the_instance_name_is_what_argo_cd_looks_for(namespace: str, name: str) -> None:
    assert instance_name(ApplicationKey(namespace, "shop"), "argocd") == name
    assert _settings({}, namespace=namespace).path == f"apps/shop/.argocd-source-{name}.yaml"


def test_settings_become_a_target_once_the_branch_is_rendered() -> None:
    settings = _settings({"git-branch": "dev:bot/{{.SHA256}}"}, method="git:secret:creds", namespace="team")
    assert (settings.origin, settings.branch_template) == (RevisionOrigin.ANNOTATION, "bot/{{.SHA256}}")
    assert settings.target(write_branch="bot/1", project="p") == GitTarget(
        settings.remote, settings.path, settings.file, "secret:team/creds", "dev", "bot/1", "p"
    )
