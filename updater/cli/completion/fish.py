"""The script for fish."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from updater.cli.completion.vocabulary import Flag, Spoken
from updater.settings.commands import PROGRAM


def fish_script(commands: Sequence[Spoken]) -> str:
    """The whole script."""
    return "\n".join((f"complete -c {PROGRAM} -f", *_lines(commands), ""))


def _lines(commands: Sequence[Spoken]) -> Iterator[str]:
    for command in commands:
        yield f"complete -c {PROGRAM} -n __fish_use_subcommand -a {command.name}{_description(command.text)}"
        seen = f"-n '__fish_seen_subcommand_from {command.name}'"
        for flag in command.flags:
            yield f"complete -c {PROGRAM} {seen} -l {flag.name}{_value(flag)}{_description(flag.text)}"
        if command.words:
            yield f"complete -c {PROGRAM} {seen} -a {_quoted(' '.join(command.words))}"


def _value(flag: Flag) -> str:
    if not flag.takes_value:
        return ""
    if flag.is_path:
        return " -r -F"
    return f" -x -a {_quoted(' '.join(flag.choices))}" if flag.choices else " -x"


def _description(text: str) -> str:
    return f" -d {_quoted(text)}" if text else ""


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
