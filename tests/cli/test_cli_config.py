"""``config`` shows values and origins, and no secret."""

from __future__ import annotations

import json

import pytest

from updater.cli.entry import run_program
from updater.settings.table import options_of

WORDS = ["config", "--applications-api", "argocd", "--disable-kubernetes", "--once"]
ENVIRONMENT = {
    "ARGOCD_TOKEN": "planted",
    "ARGOCD_HEADERS": "X: planted",
    "ARGOCD_TIMEOUT": "90s",
    "PULL_REQUEST_API_URL": "gitea=https://bot:planted@git.example.org/api",
}


def test_every_setting_has_a_line_with_value_and_origin(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_program(WORDS, ENVIRONMENT) == 0
    text = capsys.readouterr().out
    lines = dict(line.split("\t", 1) for line in text.splitlines())
    assert "planted" not in text
    assert len(lines) == len(options_of("run"))
    assert lines["argocd-timeout"] == "1m30s\tvariable ARGOCD_TIMEOUT"
    assert lines["argocd-auth-token"] == "***\tvariable ARGOCD_TOKEN"
    assert lines["argocd-header"] == "***\tvariable ARGOCD_HEADERS"
    assert lines["disable-tls"] == "automatic\tdefault"
    assert lines["mode"] == "cycle\tflag --once"


def test_the_document_keeps_types(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_program([*WORDS, "--output", "json"], ENVIRONMENT) == 0
    found = json.loads(capsys.readouterr().out)
    entries = {entry["name"]: entry["value"] for entry in found["settings"]}
    assert found["schemaVersion"] == 1
    assert (entries["once"], entries["max-concurrency"], entries["argocd-header"]) == (True, 10, ["***"])


def test_what_run_refuses_config_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_program(["config", "--mode", "loop"], {}) == 1
    assert "--mode" in capsys.readouterr().err
