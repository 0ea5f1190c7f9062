"""The pages about ``test`` against what the program knows."""

from __future__ import annotations

import re
from pathlib import Path

from updater.model.images import Loss
from updater.settings.table.test import TEST
from updater.telemetry.candidates import CandidateRow
from updater.telemetry.sentences import SENTENCES

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "test-command.md").read_text(encoding="utf-8")
REFERENCE = (DOCS / "reference-output.md").read_text(encoding="utf-8")


def test_every_flag_is_on_the_page_with_its_default() -> None:
    rows = {
        name: line
        for line in PAGE.splitlines()
        if line.startswith("| `--")
        for name in re.findall(r"`--([a-z-]+)`", line.split("|")[1])
    }
    assert set(rows) == {option.name for option in TEST} | {"output"}
    for option in TEST:
        if option.default and not isinstance(option.default, bool):
            assert f"| `{option.default}` |" in rows[option.name]


def test_no_flag_of_test_has_a_variable() -> None:
    assert [option.name for option in TEST if option.variable] == []


def test_the_examples_only_use_flags_that_exist() -> None:
    known = {f"--{option.name}" for option in TEST} | {"--output"}
    assert set(re.findall(r"(?<=\s)--[a-z-]+", "".join(re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)))) <= known


def test_the_records_on_the_page_are_those_of_the_program() -> None:
    for event in ("image_test_started", "tags_wanted", "newer_image_missing"):
        assert f"`{SENTENCES[event]}`" in PAGE
    for event in ("rate_limit_overridden", "tags_counted", "latest_image_found"):
        head = SENTENCES[event].partition("{")[0]
        assert f"`{head}<" in PAGE


def test_every_loss_and_key_of_a_candidate_is_documented() -> None:
    section = REFERENCE.partition("## `test`")[2].partition("\n## ")[0]
    for loss in Loss:
        assert f"`{loss.name.lower()}`" in section
    for key in CandidateRow("1", None).entry():
        assert f"`{key}`" in section
