"""From arguments, variables and facts to settings."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from updater.errors import ConfigurationError
from updater.settings.arguments import parse_arguments
from updater.settings.commands import COMMANDS
from updater.settings.model import Origin, OriginKind, Platform, Resolution
from updater.settings.parts import run_settings, secret_values
from updater.settings.places import BESIDE_ARGOCD_SERVER
from updater.settings.resolution import resolve, resolve_command_line
from updater.settings.table import OPTIONS, options_of
from updater.transport.redaction import Secret

API = ("--applications-api", "argocd", "--disable-kubernetes")


def settle(*words: str, environment: Mapping[str, str] | None = None, namespace: str | None = None) -> Resolution:
    return resolve_command_line(["run", *words], environment or {}, Platform(namespace))


def refusal(*words: str, environment: Mapping[str, str] | None = None) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        settle(*words, environment=environment)
    return caught.value


def test_every_value_knows_its_origin() -> None:
    settings = settle(*API, "--once", environment={"ARGOCD_SERVER": "cd.example.org"}).settings
    assert settings["applications_api"].origin == Origin(OriginKind.FLAG, "--applications-api")
    assert str(settings["argocd_server_addr"].origin) == "variable ARGOCD_SERVER"
    assert str(settings["loglevel"].origin) == "default"
    assert str(settings["interval"].origin) == "flag --once"


def test_names_are_unique_in_the_table() -> None:
    variables = [option.variable for option in OPTIONS if option.variable]
    for command in COMMANDS:
        keys = [option.key for option in options_of(command.name)]
        assert len(set(keys)) == len(keys), command.name
    assert len(set(variables)) == len(variables)


def test_every_default_passes_its_own_bounds_and_choices() -> None:
    for option in OPTIONS:
        for command in option.commands:
            default = option.default_for(command)
            assert not option.choices or default in option.choices, option.name
            assert option.bounds is None or option.bounds.allow(default), option.name  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "environment", "token"),
    [
        pytest.param((), {"ARGOCD_TOKEN": " tok-a \n"}, "tok-a", id="blanks around a token are trimmed"),
        pytest.param(
            ("--argocd-auth-token", "tok-f"), {"ARGOCD_TOKEN": "tok-a"}, "tok-f", id="the flag wins over the variable"
        ),
        pytest.param((), {"ARGOCD_AUTH_TOKEN": "tok-c"}, "tok-c", id="the variable of the argocd command comes last"),
        pytest.param(
            (), {"ARGOCD_TOKEN": "tok-a", "ARGOCD_AUTH_TOKEN": "tok-c"}, "tok-a", id="our variable wins over it"
        ),
        pytest.param((), {"ARGOCD_TOKEN_FILE": "/t", "ARGOCD_AUTH_TOKEN": "tok-c"}, "", id="a token file wins over it"),
    ],
)
def test_the_token_is_looked_up_in_order(words: tuple[str, ...], environment: dict[str, str], token: str) -> None:
    assert settle(*API, *words, environment=environment).settings.secret("argocd_auth_token") == Secret(token)


@pytest.mark.parametrize(
    ("words", "namespace", "server"),
    [
        pytest.param(("--argocd-namespace", "cd"), "team", "argocd-server.cd", id="the flag names the namespace"),
        pytest.param((), "team", "argocd-server.team", id="the namespace of the client"),
        pytest.param(API, "team", "argocd-server.argocd", id="no client although there could be one"),
        pytest.param(("--argocd-server-addr", "x:1"), "team", "x:1", id="an address that is given"),
    ],
)
def test_the_server_address_follows_the_namespace(words: tuple[str, ...], namespace: str, server: str) -> None:
    assert settle(*words, namespace=namespace).settings.text("argocd_server_addr") == server


@pytest.mark.parametrize(
    ("words", "code", "fragment"),
    [
        pytest.param((), "no_kube_client", "could not create K8s client", id="no client"),
        pytest.param((), "no_kube_client", "--applications-api argocd --disable-kubernetes", id="the way out"),
        pytest.param(
            ("--disable-kubernetes",), "kubernetes_required", "which is the default, needs", id="contradiction"
        ),
        pytest.param(
            ("--applications-api", "argocd", "--kubeconfig", "/x"), "no_kube_client", "--kubeconfig", id="named client"
        ),
        pytest.param(("--loglevel", "loud"), "bad_loglevel", "invalid loglevel", id="level"),
        pytest.param(("--logformat", "JSON"), "bad_logformat", "nvalid log format", id="format"),
        pytest.param(
            ("--applications-api", "x"), "bad_api_kind", "application api 'x' is not supported", id="kind of API"
        ),
        pytest.param(("--max-concurrency", "-1"), "negative_concurrency", "--max-concurrency", id="concurrency"),
        pytest.param(("--interval", "-5s"), "negative_interval", "--interval", id="interval"),
        pytest.param(("--cooldown", "-5s"), "bad_duration", "--cooldown", id="cooldown"),
        pytest.param(("--webhook-port", "-1"), "bad_port", "--webhook-port", id="port"),
        pytest.param(("--tlsminversion", "1.0"), "tls_invalid", "--tlsminversion", id="TLS version"),
        pytest.param((*API, "--argocd-write", "x"), "bad_configuration", "--argocd-write", id="write mode"),
        pytest.param((*API, "--argocd-client-crt", "x"), "tls_invalid", "--argocd-client-crt-key", id="half a pair"),
        pytest.param((*API, "--argocd-client-crt-key", "x"), "tls_invalid", "--argocd-client-crt", id="other half"),
        pytest.param((*API, "--argocd-header", "no colon"), "bad_header", "--argocd-header", id="header"),
        pytest.param((*API, "--argocd-header", ": x"), "bad_header", "--argocd-header", id="header without a name"),
        pytest.param(
            (*API, "--match-application-label", "a b"), "bad_selector", "--match-application-label", id="selector"
        ),
    ],
)
def test_a_bad_setting_is_refused_with_code_and_name(words: tuple[str, ...], code: str, fragment: str) -> None:
    error = refusal(*words)
    assert error.code == code
    assert fragment in str(error)


def test_an_error_names_the_variable_when_the_value_came_from_one() -> None:
    assert "variable IMAGE_UPDATER_MODE" in str(refusal(*API, environment={"IMAGE_UPDATER_MODE": "loop"}))


@pytest.mark.parametrize(
    ("words", "environment", "kinds"),
    [
        pytest.param((), {"REGISTRY_TAG_ATTEMPTS": "0"}, ["env:REGISTRY_TAG_ATTEMPTS"], id="a variable out of range"),
        pytest.param(
            (), {"REGISTRY_TAGS_IMMUTABLE": "yes"}, ["env:REGISTRY_TAGS_IMMUTABLE"], id="a boolean of another language"
        ),
        pytest.param(("--interval", "59s"), {}, ["low_interval"], id="a low interval"),
        pytest.param(("--match-application-name", "a*,["), {}, ["bad_pattern"], id="a malformed pattern"),
        pytest.param(("--fail-on-error",), {}, ["no_effect"], id="a status for rounds that repeat"),
        pytest.param(("--fail-on-error", "--once"), {}, [], id="a status for one round"),
        pytest.param(("--fail-on-error", "--interval=0"), {}, [], id="a status for one cycle"),
        pytest.param(
            ("--fail-on-error", "--interval=0", "--mode=continuous"), {}, ["no_effect"], id="a status of attempts"
        ),
        pytest.param(("--interval", "1s", "--mode", "continuous"), {}, [], id="not low in continuous mode"),
        pytest.param(("--once", "--interval", "1s"), {}, [], id="once has no interval"),
        pytest.param(("--warmup-cache", "false"), {}, ["stray_argument"], id="a stray word"),
        pytest.param(("--ghcr-webhook-secret", "sesame"), {}, ["secret_flag"], id="a secret as a flag"),
        pytest.param(("--application-namespace", "x"), {}, ["ignored_flag"], id="a flag of the other API"),
    ],
)
def test_warnings_are_data(words: tuple[str, ...], environment: dict[str, str], kinds: list[str]) -> None:
    warnings = settle(*API, *words, environment=environment).warnings
    assert [warning.kind for warning in warnings] == kinds
    assert not any("sesame" in warning.text for warning in warnings)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        pytest.param("once", "argument 'once' is ignored; did you mean --once?", id="a flag without its dashes"),
        pytest.param("twice", "argument 'twice' is ignored", id="anything else"),
    ],
)
def test_a_stray_word_that_is_a_flag_is_told_so(word: str, text: str) -> None:
    assert [warning.text for warning in settle(*API, word).warnings] == [text]


def test_without_a_client_api_mode_goes_on_with_one_warning() -> None:
    assert [warning.kind for warning in settle("--applications-api", "argocd").warnings] == ["no_kubernetes"]


def test_the_defaults_beside_argocd_server_yield_to_flags_and_variables() -> None:
    arguments = parse_arguments(["--argocd-plaintext=false"], options_of("run"))
    settings = resolve(
        "run", arguments, {"ARGOCD_SERVER": "cd:443"}, platform=Platform(), place=BESIDE_ARGOCD_SERVER
    ).settings
    assert settings.is_on("argocd_grpc_web")
    assert not settings.is_on("argocd_plaintext")
    assert settings.text("argocd_server_addr") == "cd:443"
    assert settings.integer("health_port") == 8090
    assert not settings["health_port"].origin.is_explicit


def test_the_defaults_of_a_place_are_options_of_run() -> None:
    assert set(BESIDE_ARGOCD_SERVER) <= {option.name for option in options_of("run")}


def test_the_parts_hold_what_was_resolved() -> None:
    words = ("--once", "--dry-run", "--argocd-header", "X-Team: a:b", "--argocd-projects", "a,b", "--loglevel", "WARN")
    values = run_settings(settle(*API, *words, environment={"REGISTRY_TAG_TIMEOUT": "5s"}).settings)
    assert values.connection.headers == (("X-Team", Secret("a:b")),)
    assert values.connection.projects == ("a", "b")
    assert values.registry.tag_timeout_s == 5.0
    assert values.log.level == "warn"
    assert (values.is_dry_run, values.interval_s) == (True, 0.0)


def test_secrets_are_known_and_never_shown() -> None:
    environment = {"ARGOCD_TOKEN": "tok-planted", "ARGOCD_HEADERS": "X: head-planted", "QUAY_WEBHOOK_SECRET": "planted"}
    settings = settle(*API, environment=environment).settings
    assert set(secret_values(settings)) == {"tok-planted", "X: head-planted", "head-planted", "planted"}
    assert "planted" not in repr(settings)
    assert "planted" not in repr(run_settings(settings))


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("bot:planted@cd.example.com", id="bare"),
        pytest.param("https://bot:planted@cd.example.com/argo-cd", id="with a root path"),
        pytest.param("https://bot:pla/nted@cd.example.com:8443", id="a slash in the password"),
    ],
)
def test_user_info_in_the_address_is_refused_without_showing_it(address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"holds user info") as caught:
        settle(*API, "--argocd-server-addr", address)
    assert caught.value.code == "bad_argocd_address"
    assert "***@cd.example.com" in str(caught.value)
    assert "nted" not in str(caught.value)
