"""Several intents edit one file: what came of all of them is read once, and where that is refused, in halves.

Each edit sees what those before it wrote. A failed one leaves nothing behind, because each starts from a value that
nobody changes (``write-back.md`` 5.5). When the file cannot be read as all of them together mean it, nothing is kept
of any: the first half is tried, then the second on top of it, down to a single intent, whose every edit is then read at
once. So one that cannot be carried out costs a few readings and fails alone, with the error that it has alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from updater.errors import PlanError, UpdaterError, WriteBackError
from updater.manifests.readings import RefusedTogether, SharedText, Source, text_of
from updater.model.report import Warned
from updater.writeback.git_intents import GitIntent
from updater.writeback.line_diffs import unified_lines

MAX_DIFF_LINES = 200
"""Of one file; a new override file may hold a thousand parameters."""

IsLate = Callable[[], bool]
"""Whether the time for edits is over."""


@dataclass(frozen=True, slots=True)
class Staged:
    """What one intent did to one file; ``diff`` are lines for people."""

    path: str
    is_changed: bool
    diff: tuple[str, ...] = ()
    warnings: tuple[Warned, ...] = ()


Outcome = Staged | Exception
"""What became of one intent. An exception that is no ``UpdaterError`` is a bug that its edit met."""


@dataclass(frozen=True, slots=True)
class EditedFile:
    """One file after intents: an outcome for each, in their order, and what the next edit starts from."""

    outcomes: tuple[Outcome, ...]
    source: Source | None


def edit_file(path: str, source: Source | None, intents: Sequence[GitIntent], is_late: IsLate) -> EditedFile:
    """The file after the intents, one after the other. path: for errors. source: None when there is no file.

    Raises ``UpdaterError`` only for what concerns more than the edit of one file.
    """
    try:
        return _edited_together(path, source, intents, is_late)
    except RefusedTogether:
        if len(intents) == 1:
            return _in_turn(path, text_of(source), intents, is_late)
    half = len(intents) // 2
    first = edit_file(path, source, intents[:half], is_late)
    second = edit_file(path, first.source, intents[half:], is_late)
    return EditedFile(first.outcomes + second.outcomes, second.source)


def _edited_together(path: str, source: Source | None, intents: Sequence[GitIntent], is_late: IsLate) -> EditedFile:
    edited = _in_turn(path, SharedText(source) if isinstance(source, str) else source, intents, is_late)
    if isinstance(edited.source, SharedText):
        return EditedFile(edited.outcomes, edited.source.checked(path))
    return edited


def _in_turn(path: str, source: Source | None, intents: Sequence[GitIntent], is_late: IsLate) -> EditedFile:
    outcomes: list[Outcome] = []
    for intent in intents:
        outcome, source = _edited(path, source, intent, is_late)
        outcomes.append(outcome)
    return EditedFile(tuple(outcomes), source)


def _edited(path: str, source: Source | None, intent: GitIntent, is_late: IsLate) -> tuple[Outcome, Source | None]:
    """The outcome of one intent, and what the next one starts from."""
    if is_late():
        return _out_of_time(), source
    try:
        edit = intent.edit(source, path)
    except (WriteBackError, PlanError) as error:
        return bare(error), source
    except (UpdaterError, RefusedTogether):
        raise
    except Exception as error:  # noqa: BLE001 - a bug met in one edit must not cost the others
        return error, source
    before = text_of(source)
    if not edit.is_changed or edit.text == before:
        return Staged(path, is_changed=False, warnings=edit.warnings), edit.shared or source
    staged = Staged(path, is_changed=True, diff=_diff(path, before, edit.text), warnings=edit.warnings)
    if edit.shared is None and not isinstance(source, str):
        return staged, SharedText(edit.text)
    return staged, edit.shared or edit.text


def wants_more(path: str, source: SharedText, intent: GitIntent) -> tuple[bool, SharedText]:
    """Whether the intent would change the file as it is, and the same file, read if it had not been."""
    try:
        edit = intent.edit(source, path)
    except (UpdaterError, RefusedTogether):
        return True, source
    return edit.is_changed, source if edit.is_changed else edit.shared or source


def bare(error: UpdaterError) -> UpdaterError:
    """The error without the frames that it came through: they hold texts, and buffers that git is read into."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error


def _out_of_time() -> WriteBackError:
    text = "the files of this batch took too long to edit, so this one is left for the next round"
    return WriteBackError(text, hint="keep files small that many Applications share", code="timeout")


def _diff(path: str, before: str | None, after: str) -> tuple[str, ...]:
    names = f"--- {'a/' + path if before is not None else '/dev/null'}", f"+++ b/{path}"
    lines = chain(names, unified_lines((before or "").splitlines(), after.splitlines()))
    shown = tuple(islice(lines, MAX_DIFF_LINES))
    more = sum(1 for _ in lines)
    return (*shown, f"... and {more} lines more") if more else shown
