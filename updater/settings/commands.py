"""The commands of the program, and how the word that names one is found."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from updater.errors import ConfigurationError

PROGRAM = "argocd-image-updater"


@dataclass(frozen=True, slots=True)
class Command:
    """One command. ``is_built`` is False for what a later release brings: its name is known, its work is not there."""

    name: str
    summary: str
    is_built: bool = True
    instead: str = ""
    usage: str = "[flags]"


COMMANDS = (
    Command("run", "Look for new versions of the images of Argo CD Applications and set them"),
    Command(
        "plan",
        "Show what 'run' would change, and why; takes the flags of 'run'",
        usage="[[NAMESPACE/]NAME ...] [flags]",
    ),
    Command("doctor", "Check every layer of the connections one by one; takes the flags of 'run'"),
    Command("config", "Show every setting of 'run' with its value and origin; takes the flags of 'run'"),
    Command("demo", "Show one update from beginning to end against servers on loopback"),
    Command("test", "Show which tag an image would get, and why the others lost", usage="IMAGE [flags]"),
    Command("version", "Print the version"),
    Command("help", "Print the help of the program or of one command", usage="[COMMAND]"),
    Command("webhook", "Serve webhooks of registries, and update only what they name"),
    Command("template", "Show a commit message template with sample data", usage="[PATH]"),
    Command(
        "completion", "Print a completion script for a shell", usage="bash|zsh|fish|powershell [--no-descriptions]"
    ),
)


def find_command(name: str) -> Command:
    """The command of that name; raises ``ConfigurationError`` ``unknown_command`` with the nearest name as a hint."""
    for command in COMMANDS:
        if command.name == name:
            return command
    near = difflib.get_close_matches(name, [command.name for command in COMMANDS if command.is_built], n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"'{PROGRAM} help' lists the commands"
    raise ConfigurationError(f'unknown command "{name}" for "{PROGRAM}"', hint=hint, code="unknown_command")


def split_command(words: Sequence[str]) -> tuple[Command | None, tuple[str, ...]]:
    """The command and the words after it; None for the command when there is none.

    Flags stand after the command: the program itself has ``--help`` and ``--version``.
    """
    if not words or words[0] in ("-h", "--help"):
        return None, ()
    if words[0] == "--version":
        return find_command("version"), tuple(words[1:])
    if words[0].startswith("-") and words[0] != "-":
        name = words[0].partition("=")[0]
        hint = f"flags follow the command: {PROGRAM} run {name} ..."
        kind = "flag" if name.startswith("--") else "shorthand flag"
        raise ConfigurationError(f"unknown {kind}: {name}", hint=hint, code="unknown_flag")
    return find_command(words[0]), tuple(words[1:])
