from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.planning.documents import WEB, book, document, only_rule, problems_in, rule
from updater.errors import PlanError
from updater.model.applications import ApplicationKey, ApplicationSnapshot, SourceSnapshot
from updater.model.git_remotes import parse_git_remote
from updater.model.pull_requests import ForgeProvider, PullRequestMode, PullRequestSettings
from updater.planning.application_settings import ApplicationSettings, find_settings
from updater.planning.documents import PullRequest
from updater.planning.git_settings import GitScope, GitSettings, read_git_settings
from updater.planning.memory import PlanMemory
from updater.planning.pull_requests import parse_labels, read_pull_request
from updater.planning.write_back import parse_write_back_method

_OWN = "https://git.example.com/acme/deploy.git"


def _read(url: str = _OWN, template: str = "", **own: str) -> PullRequestSettings | None:
    names = {f"git-pull-request{key}": text for key, text in own.items()}
    return read_pull_request(names, parse_git_remote(url), template)


@pytest.mark.parametrize("provider", list(ForgeProvider), ids=lambda provider: provider.value)
def test_every_provider_is_taken_on_a_host_of_ones_own(provider: ForgeProvider) -> None:
    assert _read(**{"": provider.value}) == PullRequestSettings(provider)


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("https://github.com/acme/deploy", ForgeProvider.GITHUB),
        ("git@github.com:acme/deploy.git", ForgeProvider.GITHUB),
        ("ssh://git@ssh.github.com:443/acme/deploy.git", ForgeProvider.GITHUB),
        ("https://GitLab.com/acme/team/deploy", ForgeProvider.GITLAB),
        ("https://gitlab.corp.example/acme/deploy", ForgeProvider.GITLAB),
        ("https://dev.azure.com/acme/shop/_git/deploy", ForgeProvider.AZURE_DEVOPS),
        ("git@ssh.dev.azure.com:v3/acme/shop/deploy", ForgeProvider.AZURE_DEVOPS),
        ("https://acme.visualstudio.com/shop/_git/deploy", ForgeProvider.AZURE_DEVOPS),
        ("https://bitbucket.org/acme/deploy.git", ForgeProvider.BITBUCKET),
    ],
)
def test_auto_knows_well_known_hosts(url: str, provider: ForgeProvider) -> None:
    settings = _read(url, **{"": "auto"})
    assert settings is not None
    assert settings.provider is provider


@pytest.mark.parametrize(
    ("url", "own"),
    [
        pytest.param(_OWN, {"": "auto"}, id="auto on a host of ones own"),
        pytest.param("https://github.com.evil.test/a/b", {"": "auto"}, id="host that begins like a known one"),
        pytest.param("https://evilgithub.com/a/b", {"": "auto"}, id="host that ends like a known one"),
        pytest.param(_OWN, {"": "GitHub"}, id="letter case"),
        pytest.param(_OWN, {"": "github,gitlab"}, id="two providers"),
        pytest.param("https://github.com/a/b", {"": "gitlab"}, id="provider of another host"),
        pytest.param("git@bitbucket.org:a/b", {"": "bitbucket-server"}, id="server edition on the cloud"),
        pytest.param(_OWN, {"": "gitea", "-mode": "Rolling"}, id="mode"),
        pytest.param(_OWN, {"": "gitea", "-labels": "l" * 256}, id="long label"),
        pytest.param(_OWN, {"": "gitea", "-labels": ",".join(map(str, range(101)))}, id="many labels"),
        pytest.param(_OWN, {"": "gitea", "-labels": "a\x00b"}, id="control character"),
    ],
)
def test_settings_that_cannot_be_followed_are_refused(url: str, own: dict[str, str]) -> None:
    with pytest.raises(PlanError) as caught:
        _read(url, **own)
    assert caught.value.code == "pr_config_invalid"
    assert caught.value.hint


def test_nothing_is_asked_for_without_a_provider() -> None:
    assert _read(**{"": " ", "-labels": "a", "-mode": "wrong"}) is None


def test_labels_keep_their_order_without_repeats_and_blanks() -> None:
    assert parse_labels(" b, a ,, b,c d ") == ("b", "a", "c d")
    assert parse_labels("a,b\nc\n") == ("a,b", "c")
    assert parse_labels("a,b\n") == ("a,b",)


@given(st.text())
def test_no_text_of_labels_breaks_the_parser(text: str) -> None:
    with suppress(PlanError):
        labels = parse_labels(text)
        assert len(set(labels)) == len(labels)
        assert all(label.strip() == label for label in labels)


def _settings(own: dict[str, str]) -> GitSettings:
    source = SourceSnapshot(repo_url=_OWN, path="apps/shop", target_revision="main")
    snapshot = ApplicationSnapshot(ApplicationKey("argocd", "shop"), sources=(source,))
    return read_git_settings(snapshot, own, parse_write_back_method("git"), 0, GitScope())


@pytest.mark.parametrize(
    ("own", "template", "owns"),
    [
        pytest.param({}, "image-updater-{{.TargetKey}}-{{.SHA256}}", True, id="per change"),
        pytest.param({"git-pull-request-mode": "rolling"}, "image-updater-{{.TargetKey}}", True, id="rolling"),
        pytest.param({"git-branch": "main"}, "image-updater-{{.TargetKey}}-{{.SHA256}}", True, id="base alone"),
        pytest.param({"git-branch": "main:bump-{{.AppName}}"}, "bump-{{.AppName}}", False, id="owner's own"),
    ],
)
def test_the_head_branch_has_a_template_of_its_mode_unless_the_owner_wrote_one(
    own: dict[str, str], template: str, *, owns: bool
) -> None:
    settings = _settings({"git-pull-request": "gitea", **own})
    assert settings.branch_template == template
    assert settings.pull_request is not None
    assert settings.pull_request.names_own_branches is owns
    target = settings.target(write_branch="x", project="p")
    assert (target.pull_request, target.write_branch, target.project) == (settings.pull_request, "x", "p")


def test_without_requests_the_base_itself_is_written() -> None:
    settings = _settings({})
    assert (settings.pull_request, settings.branch_template) == (None, "")


def test_a_rules_document_says_the_same_as_annotations() -> None:
    block = {"forgejo": {}, "labels": ["a,b", "c"], "mode": "rolling"}
    value = document(rule("shop", WEB, writeBackConfig={"method": "git", "gitConfig": {"pullRequest": block}}))
    assert only_rule(value).write_back.pull_request == PullRequest("forgejo", ("a,b", "c"), "rolling")
    snapshot = ApplicationSnapshot(ApplicationKey("argocd", "shop"))
    found = find_settings(snapshot, book(value), PlanMemory(), follows_annotations=False)
    assert isinstance(found, ApplicationSettings)
    settings = read_pull_request(found.write_back, parse_git_remote(_OWN), "")
    assert settings == PullRequestSettings(ForgeProvider.FORGEJO, PullRequestMode.ROLLING, ("a,b", "c"))


def test_an_unknown_mode_of_a_document_is_a_problem_of_that_document() -> None:
    block = {"github": {}, "mode": "merge"}
    (problem,) = problems_in(document(rule(writeBackConfig={"gitConfig": {"pullRequest": block}})))
    assert "pullRequest.mode: expected per-change or rolling" in problem
