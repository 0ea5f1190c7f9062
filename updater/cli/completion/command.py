"""The command itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from updater.cli.completion.bash import bash_script
from updater.cli.completion.fish import fish_script
from updater.cli.completion.powershell import powershell_script
from updater.cli.completion.vocabulary import SHELLS, Spoken, vocabulary
from updater.cli.completion.zsh import zsh_script
from updater.errors import ConfigurationError
from updater.settings.arguments import parse_arguments
from updater.settings.model import Platform
from updater.settings.resolution import resolve
from updater.settings.table import options_of

_SCRIPTS: Mapping[str, Callable[[Sequence[Spoken]], str]] = MappingProxyType(
    {"bash": bash_script, "zsh": zsh_script, "fish": fish_script, "powershell": powershell_script}
)


def print_completion(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Print the script of one shell; the exit status is 0. Raises ``ConfigurationError`` for any other word."""
    arguments = parse_arguments(words, options_of("completion"))
    if arguments.wants_help:
        from updater.cli.help import print_help  # noqa: PLC0415 - only help needs click

        return print_help(("completion",))
    shell = arguments.words[0] if len(arguments.words) == 1 else ""
    if shell not in _SCRIPTS:
        hint = f"expected one of {', '.join(SHELLS)}"
        raise ConfigurationError("completion needs the name of one shell", hint=hint, code="bad_argument")
    settings = resolve("completion", arguments, environment, platform=Platform()).settings
    commands = vocabulary(has_descriptions=not settings.is_on("no_descriptions"))
    print(_SCRIPTS[shell](commands), end="")  # noqa: T201 - this is the result
    return 0
