"""Applications that share a file: how often it is read, and that each fails alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.git.bench import failing_edit, intent_for
from updater.errors import PlanError, WriteBackError
from updater.manifests import readings
from updater.manifests.values_file import ValueWrite
from updater.ports.git import CommitContent, Entry, EntryKind
from updater.writeback.git_edits import EditedFile, Staged, edit_file
from updater.writeback.git_intents import FileEditor, GitIntent, values_editor
from updater.writeback.git_staging import Staging

_WHERE = "values.yaml"
_URL = "https://h.test/a"
_FLEET = 64
_TEXT = "".join(f"web{number}:\n  tag: 1.0.0  # é\n" for number in range(_FLEET))

Readings = Callable[[], int]
"""How often a text was read since the last question."""


@pytest.fixture
def count_readings(monkeypatch: pytest.MonkeyPatch) -> Readings:
    texts: list[str] = []
    parse = readings.parse_documents

    def noted(text: str, where: str) -> object:
        texts.append(text)
        return parse(text, where)

    def count() -> int:
        number = len(texts)
        texts.clear()
        return number

    monkeypatch.setattr(readings, "parse_documents", noted)
    return count


class OneFile:
    """A commit with one file."""

    commit = "0" * 40

    def __init__(self, text: str) -> None:
        self._text = text

    def entry(self, path: str) -> Entry | None:
        if path == _WHERE:
            return Entry(EntryKind.FILE, "1" * 40)
        return None if path else Entry(EntryKind.DIRECTORY, "2" * 40)

    def read(self, object_id: str, limit: int) -> bytes:
        return self._text.encode()

    def prefetch(self, object_ids: object) -> None:
        """Everything is here."""


_fits: type[CommitContent] = OneFile


def _intent(number: int, *writes: tuple[str, str], edit: FileEditor | None = None) -> GitIntent:
    editor = edit or values_editor([ValueWrite(key, text) for key, text in writes])
    return intent_for(_URL, "1", app=f"app{number}", path=_WHERE, edit=editor)


def _fleet(tag: str = "2.0.0") -> list[GitIntent]:
    return [_intent(number, (f"web{number}.tag", tag)) for number in range(_FLEET)]


def _edited(text: str | None, intents: list[GitIntent]) -> EditedFile:
    return edit_file(_WHERE, text, intents, lambda: False)


def _text(edited: EditedFile) -> str | None:
    return readings.text_of(edited.source)


def _codes(edited: EditedFile) -> list[str]:
    return [
        "" if isinstance(outcome, Staged) else getattr(outcome, "code", type(outcome).__name__)
        for outcome in edited.outcomes
    ]


def test_a_file_is_read_twice_for_a_whole_fleet(count_readings: Readings) -> None:
    edited = _edited(_TEXT, _fleet())
    assert count_readings() == 2
    assert _text(edited) == _TEXT.replace("1.0.0", "2.0.0")
    diffs = [outcome.diff for outcome in edited.outcomes if isinstance(outcome, Staged) and outcome.is_changed]
    assert [sum(line.startswith("+  ") for line in diff) for diff in diffs] == [1] * _FLEET


def test_a_fleet_that_is_up_to_date_reads_its_file_once(count_readings: Readings) -> None:
    edited = _edited(_TEXT, _fleet("1.0.0"))
    assert count_readings() == 1
    assert [isinstance(outcome, Staged) and outcome.is_changed for outcome in edited.outcomes] == [False] * _FLEET


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{_TEXT}? lost\n", id="the file would be broken"),
        pytest.param(f"? lost\n{_TEXT}", id="the next key would change"),
    ],
)
def test_an_edit_that_is_refused_after_reading_fails_alone_after_a_few_more(
    text: str, count_readings: Readings
) -> None:
    edited = _edited(text, [*_fleet()[:40], _intent(99, ("lost", "v")), *_fleet()[40:]])
    assert count_readings() <= 20
    assert _codes(edited) == [""] * 40 + ["internal_edit_error"] + [""] * (_FLEET - 40)
    assert _text(edited) == text.replace("1.0.0", "2.0.0")


@pytest.mark.parametrize(
    ("failing", "code"),
    [
        pytest.param(_intent(1, ("web3.tag", "9.9.9"), ("web4.tag[", "v")), "bad_key", id="a second key that is none"),
        pytest.param(_intent(1, ("web3.tag", "9.9.9"), ("web4", "v")), "not_a_scalar", id="a second key to a mapping"),
        pytest.param(_intent(1, edit=failing_edit(PlanError("no", code="invalid_path"))), "invalid_path", id="a plan"),
        pytest.param(_intent(1, edit=failing_edit(KeyError("bug"))), "KeyError", id="a bug"),
        pytest.param(_intent(1, ("new.key", "1"), ("new[0]", "v")), "not_a_list", id="behind a new key"),
    ],
)
def test_what_fails_leaves_no_trace_of_itself(failing: GitIntent, code: str, count_readings: Readings) -> None:
    fleet = _fleet()
    edited = _edited(_TEXT, [*fleet[:10], failing, *fleet[10:]])
    assert _codes(edited) == [""] * 10 + [code] + [""] * (_FLEET - 10)
    assert _text(edited) == _TEXT.replace("1.0.0", "2.0.0")
    assert count_readings() <= 4


def test_the_first_of_two_failures_is_the_one_that_is_told() -> None:
    edited = _edited("a: v1\n? lost\n", [_intent(0, ("lost", "v1"), ("a.tag", "v1"))])
    assert _codes(edited) == ["internal_edit_error"]


@pytest.mark.parametrize("value", ["null", "~", ""])
def test_a_string_that_waits_is_no_null_to_the_next(value: str) -> None:
    edited = _edited("web:\n", [_intent(0, ("web", value)), _intent(1, ("web.tag", "v1"))])
    assert (_codes(edited), _text(edited)) == (["", "not_a_mapping"], f'web: "{value}"\n')
    assert "'web.tag'" in str(edited.outcomes[1])


def test_a_scalar_that_two_want_is_read_in_between(count_readings: Readings) -> None:
    edited = _edited(_TEXT, [_intent(0, ("web0.tag", "1.20")), _intent(1, ("web0.tag", "v3")), *_fleet()[1:]])
    assert count_readings() == 3
    assert _text(edited) == _TEXT.replace("1.0.0", '"v3"', 1).replace("1.0.0", "2.0.0")


def test_what_comes_too_late_is_left_and_the_rest_is_kept() -> None:
    left = iter(range(_FLEET))
    edited = edit_file(_WHERE, _TEXT, _fleet(), lambda: next(left) >= 10)
    assert _codes(edited) == [""] * 10 + ["timeout"] * (_FLEET - 10)
    assert _text(edited) == _TEXT.replace("1.0.0", "2.0.0", 10)


def test_a_file_that_is_no_yaml_fails_for_each(count_readings: Readings) -> None:
    edited = _edited("a: [\n", _fleet()[:3])
    assert (_codes(edited), _text(edited)) == (["parse_error"] * 3, "a: [\n")


def test_a_new_file_is_made_by_the_first(count_readings: Readings) -> None:
    edited = _edited(None, _fleet()[:2])
    assert str(_text(edited)).endswith("\n\nweb0:\n  tag: 2.0.0\nweb1:\n  tag: 2.0.0\n")
    assert _text(_edited(None, [_intent(0, ("", "v"))])) is None


def test_looking_for_overridden_changes_reads_nothing(count_readings: Readings) -> None:
    staging = Staging(OneFile(_TEXT))
    staging.apply_all([_intent(99, ("web5.tag", "3.0.0")), *_fleet()])
    count_readings()
    found = [(earlier.change_set.application.name, later) for earlier, later in staging.conflicts()]
    assert [name for name, _ in found] == ["app99"]
    assert count_readings() == 0


def test_one_commit_for_each_application_costs_one_reading_each(count_readings: Readings) -> None:
    """As ``per-app`` has it: each commit is looked at for itself, and goes on from what was read of the last one."""
    text, kept = _TEXT, None
    for intent in _fleet():
        staging = Staging(OneFile(text), kept)
        assert staging.apply(intent).is_changed
        text, kept = staging.changes[_WHERE].decode(), staging.kept
    assert (text, count_readings()) == (_TEXT.replace("1.0.0", "2.0.0"), 1 + _FLEET)


def test_what_was_read_is_released_when_the_edits_are_done() -> None:
    staging = Staging(OneFile(_TEXT))
    staging.apply_all(_fleet())
    assert staging.kept is not None
    staging.forget()
    assert staging.kept is None


def test_an_error_that_is_kept_holds_no_frames() -> None:
    with pytest.raises(WriteBackError) as caught:
        Staging(OneFile(_TEXT)).apply(_intent(0, ("web0", "v")))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
