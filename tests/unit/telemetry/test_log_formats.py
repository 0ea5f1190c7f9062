"""Text, JSON and terminal forms of one record (``runtime.md`` 4.2 and 4.3)."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.ports.log import Field
from updater.telemetry.jsonlog import render_json
from updater.telemetry.logfmt import render_logfmt, render_value
from updater.telemetry.record import LogRecord
from updater.telemetry.sentences import SENTENCES, sentence
from updater.telemetry.terminal import render_terminal

FIELDS = st.dictionaries(
    st.text("abcXYZ_", min_size=1), st.text() | st.integers() | st.booleans() | st.none() | st.floats(), max_size=4
)


def record(message: str = "x", **fields: Field) -> LogRecord:
    return LogRecord("info", "2025-03-01T12:34:56Z", message, fields)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("a/b.c-d_e@f^g+h", "a/b.c-d_e@f^g+h", id="harmless characters stay bare"),
        pytest.param("", "", id="nothing is bare"),
        pytest.param("a:b", '"a:b"', id="a colon is quoted"),
        pytest.param("a=b", '"a=b"', id="an equals sign is quoted"),
        pytest.param('a"b\\c', '"a\\"b\\\\c"', id="quotes and backslashes"),
        pytest.param("a\nb\tc\rd", '"a\\nb\\tc\\rd"', id="line ends and tabs"),
        pytest.param("\a\b\f\v", '"\\a\\b\\f\\v"', id="named controls"),
        pytest.param("\x1b[31m", '"\\x1b[31m"', id="escape sequences cannot reach a terminal"),
        pytest.param("\u200b", '"\\u200b"', id="unprintable beyond ASCII"),
        pytest.param("größe", '"größe"', id="printable beyond ASCII stays"),
        pytest.param(True, "true", id="booleans in lower case"),
        pytest.param(None, "", id="None is nothing"),
        pytest.param(1.5, "1.5", id="a float"),
        pytest.param(2.0, "2", id="a whole float"),
    ],
)
def test_values_are_quoted_as_go_does(value: Field, text: str) -> None:
    assert render_value(value) == text


def test_keys_that_clash_move_aside() -> None:
    line = render_logfmt(LogRecord("info", "t", "m", {"time": "x", "msg": "y", "a": 1}))
    assert line == "time=t level=info msg=m a=1 fields.msg=y fields.time=x"


@given(st.text(), FIELDS)
def test_a_record_is_always_one_line_of_text(message: str, fields: dict[str, Field]) -> None:
    line = render_logfmt(LogRecord("info", "t", message, fields))
    assert line.isprintable()


@given(st.text(), FIELDS)
def test_a_record_is_always_one_line_of_json_that_reads_back(message: str, fields: dict[str, Field]) -> None:
    line = render_json(LogRecord("info", "t", message, fields))
    assert len(line.splitlines()) == 1
    assert not re.search("[<>&]", line)
    found = json.loads(line)
    if "\ufffd" not in line and "?" not in line:
        assert found["msg"] == message
    assert {"level", "time"} <= set(found)


def test_json_keeps_types_and_sorts_keys() -> None:
    line = render_json(record("<&>", b=True, a=1, Z=None))
    assert line.startswith('{"Z":null,"a":1,"b":true,"level":"info","msg":"\\u003c\\u0026\\u003e"')


@pytest.mark.parametrize("character", ["\x9b", "\u2028", "\u202e", "\u2066"])
def test_json_escapes_what_would_steer_a_terminal(character: str) -> None:
    line = render_json(record(f"a{character}b"))
    assert f"a\\u{ord(character):04x}b" in line
    assert json.loads(line)["msg"] == f"a{character}b"


def test_a_terminal_gets_colours_padding_and_no_foreign_escapes() -> None:
    line = render_terminal(LogRecord("warning", "t", "careful\x1b[2J", {"k": "v w"}, uptime_s=7.9))
    assert line.startswith("\x1b[33mWARN\x1b[0m[0007] careful\\x1b[2J")
    assert line.endswith('\x1b[33mk\x1b[0m="v w"')
    assert line.index("\x1b[33mk") == len("\x1b[33mWARN\x1b[0m[0007] ") + 44 + 1


def test_the_summary_sentence_is_what_scripts_look_for() -> None:
    fields: dict[str, Field] = {
        "applications": 3,
        "images_considered": 4,
        "images_skipped": 1,
        "images_updated": 2,
        "errors": 0,
    }
    message, rest = sentence("cycle_finished", fields)
    assert message == (
        "Processing results: applications=3 images_considered=4 images_skipped=1 images_updated=2 errors=0"
    )
    assert rest == {}


def test_an_event_without_a_sentence_is_its_name() -> None:
    assert sentence("tags_listed", {"count": 1}) == ("tags listed", {"count": 1})


def test_a_field_may_stay_in_the_record() -> None:
    message, rest = sentence("write_started", {"changes": 2, "application": "argocd/shop"})
    assert message == "Committing 2 parameter update(s) for application argocd/shop"
    assert rest == {"application": "argocd/shop"}


def test_a_sentence_survives_a_missing_field() -> None:
    assert sentence("cycle_started", {})[0].startswith("Starting image update cycle, considering ? annotated")


@pytest.mark.parametrize(
    ("event", "fragment"),
    [
        pytest.param("updater_started", "starting [loglevel:", id="start"),
        pytest.param("argocd_configured", "ArgoCD configuration: [apiKind=", id="connection"),
        pytest.param("runtime_configured", "Runtime settings: mode=", id="settings"),
        pytest.param("cycle_started", "annotated application(s) for update", id="cycle"),
        pytest.param("image_set", "Setting new image to ", id="image"),
        pytest.param("image_updated", "Successfully updated image '", id="updated"),
        pytest.param("image_up_to_date", "already on latest allowed version", id="latest"),
        pytest.param("image_not_live", "seems not to be live in this application, skipping", id="not live"),
        pytest.param("image_without_tag", "No suitable image tag", id="no tag"),
        pytest.param("write_finished", "Successfully updated the live application spec", id="write"),
        pytest.param("write_failed", "Could not update application spec:", id="write failed"),
        pytest.param("write_skipped_dry_run", "Dry run - not committing ", id="dry run"),
        pytest.param("application_type_unsupported", "skipping app '", id="type"),
        pytest.param("updater_finished", "Finished.", id="end"),
    ],
)
def test_stable_fragments_stand_in_the_table(event: str, fragment: str) -> None:
    assert fragment in SENTENCES[event]
