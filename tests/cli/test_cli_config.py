"""``config`` shows values and origins, and no secret."""

from __future__ import annotations

import json
from pathlib import Path

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


def test_the_origin_of_a_mounted_key_is_its_file_and_its_mistakes_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "argocd.token").write_text("planted")
    (tmp_path / "intervall").write_text("5m")
    assert run_program([*WORDS, "--config-dir", str(tmp_path), "--output=json"], {}) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    entries = {entry["name"]: (entry["value"], entry["origin"]) for entry in found["settings"]}
    assert entries["argocd-auth-token"] == ("***", f"file {tmp_path}/argocd.token")
    assert [warning["kind"] for warning in found["warnings"]] == ["unknown_key"]
    assert captured.err == (
        f"Warning: {tmp_path}/intervall is no key of a setting and is not read; did you mean interval?\n"
    )


def test_what_run_refuses_config_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_program(["config", "--mode", "loop"], {}) == 1
    assert "--mode" in capsys.readouterr().err
