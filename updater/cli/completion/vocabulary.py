"""What can be typed: commands, their flags, and what kind of value follows a flag."""

from __future__ import annotations

from dataclasses import dataclass

from updater.settings.commands import COMMANDS, Command
from updater.settings.model import Kind, Option
from updater.settings.table import options_of

_PATH_ENDS = ("-path", "-file", "-dir", "-crt", "-crt-key")
_PATHS = frozenset({"kubeconfig", "rules"})
_NO_PATHS = frozenset({"argocd-grpc-web-root-path"})
"""A path on a server."""

_BORROWED = {"config": "run"}
"""Commands that take the flags of another one without owning them."""

SHELLS = ("bash", "zsh", "fish", "powershell")


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag: ``choices`` are its words, if it has a closed set; ``is_path`` asks for files and folders."""

    name: str
    text: str
    takes_value: bool = False
    choices: tuple[str, ...] = ()
    is_path: bool = False


@dataclass(frozen=True, slots=True)
class Spoken:
    """One command with its flags, and the words that may follow it (commands for ``help``, shells here)."""

    name: str
    text: str
    flags: tuple[Flag, ...]
    words: tuple[str, ...] = ()


_HELP = Flag("help", "Print the help of the command")


def vocabulary(*, has_descriptions: bool = True) -> tuple[Spoken, ...]:
    """All commands that are built; without descriptions their texts and those of their flags are empty."""
    commands = [command for command in COMMANDS if command.is_built]
    return tuple(_spoken(command, commands, has_descriptions=has_descriptions) for command in commands)


def _spoken(command: Command, commands: list[Command], *, has_descriptions: bool) -> Spoken:
    options = options_of(_BORROWED.get(command.name, command.name))
    flags = [*(_flag(option) for option in options if option.has_flag), _HELP]
    words = {"help": tuple(each.name for each in commands), "completion": SHELLS}.get(command.name, ())
    if not has_descriptions:
        flags = [Flag(flag.name, "", flag.takes_value, flag.choices, flag.is_path) for flag in flags]
    return Spoken(command.name, command.summary if has_descriptions else "", tuple(flags), words)


def _flag(option: Option) -> Flag:
    is_path = option.name not in _NO_PATHS and (option.name in _PATHS or option.name.endswith(_PATH_ENDS))
    return Flag(
        option.name,
        option.help,
        takes_value=option.takes_value,
        choices=option.choices,
        is_path=is_path and option.kind in (Kind.STRING, Kind.ARRAY),
    )
