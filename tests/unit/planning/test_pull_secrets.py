"""References to credentials that owners may write."""

from __future__ import annotations

import pytest

from tests.unit.planning.builders import helm_application
from updater.errors import PlanError
from updater.model.credential_sources import CredentialSource, SourceType
from updater.model.images import Reason
from updater.planning.plans import PlanOptions, plan_application
from updater.planning.pull_secrets import parse_pull_secret


@pytest.mark.parametrize(
    ("text", "source"),
    [
        (" env:A ", CredentialSource(SourceType.ENV, "A")),
        ("env:A=B", CredentialSource(SourceType.ENV, "A=B")),
        ("ext:/a=b:c", CredentialSource(SourceType.EXT, "/a=b:c")),
        ("r.io=ext:/a", CredentialSource(SourceType.EXT, "/a")),
        ("PullSecret:a/b", CredentialSource(SourceType.PULL_SECRET, "a/b")),
    ],
)
def test_reference_is_parsed(text: str, source: CredentialSource) -> None:
    assert parse_pull_secret(text) == source


def test_a_kubernetes_source_names_namespace_secret_and_field() -> None:
    source = parse_pull_secret("quay.io=secret:team/registry#creds")
    assert (source.namespace, source.secret_name, source.secret_field) == ("team", "registry", "creds")
    assert source.registry == "quay.io"
    pull = parse_pull_secret("pullsecret:team/registry")
    assert (pull.namespace, pull.secret_name, pull.secret_field) == ("team", "registry", ".dockerconfigjson")
    variable = parse_pull_secret("env:A")
    assert (variable.namespace, variable.secret_name, variable.secret_field) == ("", "", "")


@pytest.mark.parametrize(
    "text",
    ["env:", "env:a:b", "ext:relative", "secret:a/b#", "pullsecret:a/b#c", "=env:A", "x=y", "ext:/a\nb", "env: :"],
)
def test_other_texts_are_refused_with_the_form_to_write(text: str) -> None:
    with pytest.raises(PlanError, match=r"write (secret|pullsecret|env|ext):<") as caught:
        parse_pull_secret(text)
    assert caught.value.code == "invalid_pull_secret"


@pytest.mark.parametrize("text", ["ann:hunter2", "ann=hunter2", "env:ann:hunter2", "reg=ann:hunter2", "ext:hunter2"])
def test_credentials_pasted_as_a_reference_are_not_shown(text: str) -> None:
    with pytest.raises(PlanError) as caught:
        parse_pull_secret(text)
    assert "hunter2" not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"


@pytest.mark.parametrize(
    "variable",
    [
        "ARGOCD_TOKEN",
        "argocd_auth_token",
        "ARGOCD_HEADERS",
        "GITHUB_WEBHOOK_SECRET",
        "GIT_PASSWORD",
        "HTTPS_PROXY",
        "all_proxy",
    ],
)
def test_variables_with_secrets_of_the_updater_are_refused(variable: str) -> None:
    with pytest.raises(PlanError, match="the updater's own") as caught:
        parse_pull_secret(f" quay.io=ENV:{variable}")
    assert caught.value.code == "pull_secret_refused"


@pytest.mark.parametrize("text", ["file:/etc/config.json", "ECR:default", "x=gar:default", "acr:default"])
def test_sources_of_the_operator_are_refused(text: str) -> None:
    with pytest.raises(PlanError, match="the operator's alone") as caught:
        parse_pull_secret(text)
    assert caught.value.code == "invalid_pull_secret"


@pytest.mark.parametrize("text", ["secret:team/a#b", "PullSecret:team/a", "x=pullsecret:team/a"])
def test_strict_pull_secrets_allow_the_own_namespace(text: str) -> None:
    assert parse_pull_secret(text, only_namespace="team").namespace == "team"


@pytest.mark.parametrize(
    "text", ["secret:other/a#b", "PullSecret:other/a", "x=pullsecret:other/a", "pullsecret:team2/a", "env:A", "ext:/a"]
)
def test_strict_pull_secrets_refuse_everything_else(text: str) -> None:
    with pytest.raises(PlanError, match="--strict-pull-secrets") as caught:
        parse_pull_secret(text, only_namespace="team")
    assert caught.value.code == "pull_secret_refused"


@pytest.mark.parametrize(
    ("secret", "is_strict", "reason"),
    [
        ("pullsecret:argocd/a", True, None),
        ("pullsecret:other/a", True, Reason.INVALID_SETTINGS),
        ("env:REGISTRY", True, Reason.INVALID_SETTINGS),
        ("env:REGISTRY", False, None),
        ("", True, None),
        ("ann:hunter2", True, Reason.INVALID_SETTINGS),
    ],
)
def test_only_the_image_with_a_refused_pull_secret_is_invalid(
    secret: str, reason: Reason | None, *, is_strict: bool
) -> None:
    own = {"image-list": "a=app:1, b=other:1", "a.pull-secret": secret}
    options = PlanOptions(are_pull_secrets_strict=is_strict)
    first, second = plan_application(helm_application(own, "app:1.0", "other:1.0"), options).images
    assert (first.invalid_reason, second.invalid_reason) == (reason, None)
    assert ("--strict-pull-secrets" in first.invalid) == (reason is not None and "hunter2" not in secret)
    assert "hunter2" not in first.invalid
