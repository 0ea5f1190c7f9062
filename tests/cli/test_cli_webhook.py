"""The command ``webhook`` on the command line; as a process it is tested in ``tests/e2e``."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from updater.cli.entry import run_program
from updater.settings.arguments import parse_arguments
from updater.settings.model import Platform
from updater.settings.parts import RunSettings, run_settings
from updater.settings.resolution import resolve
from updater.settings.table import options_of
from updater.settings.webhook_command import webhook_command_settings

BASE = ("--applications-api", "argocd", "--disable-kubernetes", "--argocd-server-addr", "127.0.0.1:1")


def values(*words: str, environment: Mapping[str, str] | None = None) -> RunSettings:
    arguments = parse_arguments([*BASE, *words], options_of("webhook"))
    return webhook_command_settings(resolve("webhook", arguments, environment or {}, platform=Platform()).settings)


@pytest.mark.parametrize(
    ("words", "fragment"),
    [
        pytest.param(("--webhook-port", "0"), "--webhook-port: port 0 starts no webhook server", id="no port"),
        pytest.param(("--webhook-port", "65536"), "--webhook-port", id="no such port"),
        pytest.param(("--interval", "1m"), "unknown flag: --interval", id="a flag of polling"),
        pytest.param(("--health-port", "1"), "unknown flag: --health-port", id="a flag of probes"),
        pytest.param(("--tlsminversion", "1.0"), "--tlsminversion", id="no such version"),
    ],
)
def test_what_makes_no_sense_here_is_refused(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], fragment: str
) -> None:
    assert run_program(["webhook", *BASE, *words], {}) == 1
    assert fragment in capsys.readouterr().err


def test_its_defaults_leave_room_for_a_run_beside_it() -> None:
    alone = values()
    assert alone.webhooks.port == 8080
    assert alone.webhooks.requires_secret
    assert alone.webhooks.is_plain is None
    assert alone.face.metrics_port is None
    assert not alone.is_polling


def test_empty_versions_of_tls_leave_them_to_the_library() -> None:
    found = values("--tlsminversion=", "--tlsmaxversion=").webhooks
    assert (found.tls_minimum, found.tls_maximum) == ("", "")


def test_secrets_come_by_type_from_variables_and_are_not_shown() -> None:
    environment = {"GHCR_WEBHOOK_SECRET": "first", "ALIYUN_ACR_WEBHOOK_SECRET": "second", "QUAY_WEBHOOK_SECRET": ""}
    found = values(environment=environment).webhooks
    assert {kind: secret.reveal() for kind, secret in found.secrets.items()} == {
        "ghcr.io": "first",
        "aliyun-acr": "second",
    }
    assert "first" not in repr(found)


def test_run_serves_only_when_it_is_asked_to() -> None:
    def port(*words: str) -> int | None:
        arguments = parse_arguments([*BASE, *words], options_of("run"))
        return run_settings(resolve("run", arguments, {}, platform=Platform()).settings).webhooks.port

    assert [port(), port("--enable-webhook"), port("--enable-webhook", "--webhook-port=0")] == [None, 8082, None]
