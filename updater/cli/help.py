"""The help pages: the same rows that resolve the flags, laid out by click."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from click import HelpFormatter

from updater.clock import render_duration
from updater.settings.commands import COMMANDS, PROGRAM, Command, find_command
from updater.settings.missing import missing_keys
from updater.settings.model import Kind, Option, Value
from updater.settings.table import SECTIONS, knows
from updater.transport.redaction import Secret

_WIDTH = 100
"""Columns where nobody says how many there are; more are hard to read."""

_LEAST_WIDTH = 80
"""Below, names of variables would not fit beside those of flags."""

_NO_DEFAULTS: Mapping[str, str] = MappingProxyType({})
_BESIDE_SERVER = "python -m sidecar"
_KNOW_THEIR_PLACE = ("run", "plan", "doctor", "config")
"""The commands that the defaults of a place hold for; any other is the same everywhere."""

_PROMISE = "Keeps the container images of Argo CD Applications up to date."
_NOT_YET = "not in this release"


def print_help(words: Sequence[str], place: Mapping[str, str] = _NO_DEFAULTS) -> int:
    """Print the help of the command that ``words`` name, or of the program; the exit status is 0.

    ``place`` are the defaults of where the program runs. Raises ``ConfigurationError`` ``unknown_command``.
    """
    names = [word for word in words if not word.startswith("-")]
    command = find_command(names[0]) if names else None
    text = program_help() if command is None else command_help(command, _place_of(command, place))
    print(text, end="")  # noqa: T201 - this is the result
    return 0


def program_help() -> str:
    """The help of the program: its commands."""
    page = HelpFormatter(width=_width())
    page.write_usage(PROGRAM, "COMMAND [flags]")
    page.write_paragraph()
    page.write_text(_PROMISE)
    with page.section("Commands"):
        page.write_dl([(command.name, command.summary) for command in COMMANDS if command.is_built])
    page.write_paragraph()
    page.write_text(f"'{PROGRAM} COMMAND --help' lists the flags of a command.")
    return page.getvalue()


def command_help(command: Command, place: Mapping[str, str] = _NO_DEFAULTS) -> str:
    """The help of one command: its flags, section by section, and its variables without a flag."""
    page = HelpFormatter(width=_width())
    page.write_usage(_invocation(command, place), command.usage)
    page.write_paragraph()
    page.write_text(command.summary if command.is_built else f"{command.summary} ({_NOT_YET})")
    for title, options in SECTIONS:
        rows = [_row(option, command.name, place) for option in options if knows(command.name, option)]
        if rows:
            with page.section(title):
                page.write_dl(rows, col_max=32)
    with page.section("Help"):
        page.write_dl([("-h, --help", "Print this page")])
    return page.getvalue()


def _place_of(command: Command, place: Mapping[str, str]) -> Mapping[str, str]:
    return place if command.name in _KNOW_THEIR_PLACE else _NO_DEFAULTS


def _invocation(command: Command, place: Mapping[str, str]) -> str:
    if not place:
        return f"{PROGRAM} {command.name}"
    return _BESIDE_SERVER if command.name == "run" else f"{_BESIDE_SERVER} {command.name}"


def default_text(option: Option, command: str = "run", place: Mapping[str, str] = _NO_DEFAULTS) -> str:
    """A default as a person would write it; empty when there is none."""
    return place[option.name] if option.name in place else _value_text(option, option.default_for(command))


def _width() -> int:
    """The columns of the terminal, or of ``COLUMNS``."""
    return max(_LEAST_WIDTH, min(_WIDTH, shutil.get_terminal_size((_WIDTH, 0)).columns))


def _value_text(option: Option, value: Value) -> str:
    match value:
        case None:
            return "automatic"
        case bool():
            return "true" if value else "false"
        case float() if option.kind is Kind.DURATION:
            return render_duration(value)
        case tuple() | Secret():
            return ""
    return str(value)


def _row(option: Option, command: str, place: Mapping[str, str]) -> tuple[str, str]:
    notes = [_NOT_YET] if option.key in missing_keys() else []
    default = default_text(option, command, place)
    if default and default != "false":
        notes.append(f"default {default}")
    if option.has_flag and option.variable:
        notes.append(f"variable {option.variable}")
    return _left(option), f"{option.help} ({', '.join(notes)})" if notes else option.help


def _left(option: Option) -> str:
    if not option.has_flag:
        return option.variable
    return f"--{option.name}" if option.kind is Kind.BOOL else f"--{option.name} {option.kind.value}"
