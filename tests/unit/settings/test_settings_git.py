"""The settings of method git reach their values, from flags and from variables."""

from __future__ import annotations

from functools import reduce

import pytest

from updater.settings.git_parts import GitWriteSettings, git_settings
from updater.settings.model import Platform
from updater.settings.parts import secret_values
from updater.settings.resolution import resolve_command_line

_BASE = ["run", "--applications-api", "argocd", "--disable-kubernetes"]


def _settings(*words: str, **environment: str) -> GitWriteSettings:
    return git_settings(resolve_command_line([*_BASE, *words], environment, Platform()).settings)


@pytest.mark.parametrize(
    ("flag", "variable", "text", "place", "value"),
    [
        ("git-commit-user", "GIT_COMMIT_USER", "bot", "commit.user", "bot"),
        ("git-commit-email", "GIT_COMMIT_EMAIL", "b@h.test", "commit.email", "b@h.test"),
        ("git-commit-message-path", "", "/x", "commit.message_path", "/x"),
        ("git-commit-signing-key", "GIT_COMMIT_SIGNING_KEY", "ABC", "commit.signing_key", "ABC"),
        ("git-commit-signing-method", "GIT_COMMIT_SIGNING_METHOD", "ssh", "commit.signing_method", "ssh"),
        ("git-commit-sign-off", "GIT_COMMIT_SIGN_OFF", "true", "commit.signs_off", True),
        ("git-commit-method", "GIT_COMMIT_METHOD", "api", "commit.method", "api"),
        ("git-template-functions", "GIT_TEMPLATE_FUNCTIONS", "extended", "commit.functions", "extended"),
        ("git-batch-commit", "GIT_BATCH_COMMIT", "per-app", "batch.commit", "per-app"),
        ("git-batch-max", "GIT_BATCH_MAX", "7", "batch.max_size", 7),
        ("git-batch-flush-interval", "GIT_BATCH_FLUSH_INTERVAL", "500ms", "batch.flush_interval_s", 0.5),
        ("git-batch-subject", "GIT_BATCH_SUBJECT", "{N} apps", "batch.subject", "{N} apps"),
        ("git-override-mode", "GIT_OVERRIDE_MODE", "managed-only", "override_mode", "managed-only"),
        ("git-write-branch-strategy", "GIT_WRITE_BRANCH_STRATEGY", "reset", "branch_strategy", "reset"),
        ("git-checkout-mode", "GIT_CHECKOUT_MODE", "shallow", "checkout_mode", "shallow"),
        ("git-cache-dir", "GIT_CACHE_DIR", "/c", "places.cache", "/c"),
        ("git-max-fetch-size", "GIT_MAX_FETCH_SIZE", "1000", "max_fetch_bytes", 1000),
        ("git-credentials-path", "GIT_CREDENTIALS_PATH", "/c", "places.credentials", "/c"),
        ("git-secrets-dir", "GIT_SECRETS_DIR", "/s", "places.secrets", "/s"),
        ("git-secret-namespaces", "GIT_SECRET_NAMESPACES", "a,b", "secret_namespaces", ("a", "b")),
        ("git-allowed-repositories", "GIT_ALLOWED_REPOSITORIES", "https://h", "allowed_repositories", ("https://h",)),
        ("git-allow-local-repositories", "GIT_ALLOW_LOCAL_REPOSITORIES", "true", "allows_local", True),
        ("git-allow-insecure-http", "GIT_ALLOW_INSECURE_HTTP", "true", "allows_http", True),
        ("", "GIT_BATCH_DISABLE", "true", "batch.is_disabled", True),
        ("", "ARGOCD_GIT_ATTEMPTS_COUNT", "5", "retry.attempts", 5),
        ("", "ARGOCD_GIT_RETRY_DURATION", "1s", "retry.base_s", 1.0),
        ("", "ARGOCD_GIT_RETRY_MAX_DURATION", "1m", "retry.cap_s", 60.0),
        ("", "ARGOCD_GIT_RETRY_FACTOR", "3", "retry.factor", 3),
        ("", "ARGOCD_GIT_REQUEST_TIMEOUT", "3s", "retry.request_s", 3.0),
        ("", "ARGOCD_EXEC_TIMEOUT", "3m", "retry.soft_s", 180.0),
        ("", "ARGOCD_EXEC_FATAL_TIMEOUT", "1s", "retry.fatal_s", 1.0),
        ("", "ARGOCD_GITHUB_APP_CREDS_EXPIRATION_DURATION", "30", "app_token_s", 1800.0),
        ("", "ARGOCD_SSH_DATA_PATH", "/s", "places.ssh", "/s"),
        ("", "ARGOCD_TLS_DATA_PATH", "/t", "places.tls", "/t"),
        ("", "ARGOCD_GNUPGHOME", "/g", "commit.gnupg_home", "/g"),
    ],
)
def test_a_setting_reaches_its_value(flag: str, variable: str, text: str, place: str, value: object) -> None:
    def look(found: GitWriteSettings) -> object:
        return reduce(getattr, place.split("."), found)  # type: ignore[arg-type]  # names of the table

    assert look(_settings()) != value
    if flag:
        assert look(_settings(f"--{flag}={text}")) == value
    if variable:
        assert look(_settings(**{variable: text})) == value


@pytest.mark.parametrize(
    ("variable", "place"),
    [("ARGOCD_EXEC_TIMEOUT", "soft_s"), ("ARGOCD_GIT_REQUEST_TIMEOUT", "request_s")],
)
def test_a_time_in_which_nothing_can_be_done_is_not_taken(variable: str, place: str) -> None:
    resolution = resolve_command_line(_BASE, {variable: "0s"}, Platform())
    found, default = git_settings(resolution.settings).retry, GitWriteSettings().retry
    assert getattr(found, place) == getattr(default, place)
    assert any(variable in warned.text for warned in resolution.warnings)


@pytest.mark.parametrize("variable", ["GIT_PASSWORD", "GIT_BEARER_TOKEN"])
def test_a_login_of_the_environment_is_masked(variable: str) -> None:
    settings = resolve_command_line(_BASE, {variable: "hidden-1234"}, Platform()).settings
    assert "hidden-1234" in secret_values(settings)
    assert "hidden-1234" not in repr(settings)


def test_a_message_path_counts_as_chosen_when_an_operator_wrote_it() -> None:
    assert not _settings().commit.is_path_chosen
    assert _settings("--git-commit-message-path", "/app/config/commit.template").commit.is_path_chosen
