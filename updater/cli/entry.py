"""The console script: finds the command, runs it, and ends with its status (``runtime.md`` 1.1)."""

# ruff: noqa: PLC0415 - every command imports what it needs once it is known to be wanted
from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NoReturn

from updater.cli.output import ResultLost, Streams, say_lost
from updater.errors import ConfigurationError, UpdaterError
from updater.settings.commands import PROGRAM, Command, find_command, split_command
from updater.transport.redaction import escape_controls, redact

_NO_DEFAULTS: Mapping[str, str] = MappingProxyType({})
_INTERRUPTED = 130
_NAME_VARIABLE, _ASK_PASS_NAME = "ARGOCD_BINARY_NAME", "argocd-git-ask-pass"
_ASK_PASS_COMMANDS = ("ask-pass", "askpass")
"""For git to call, not for people, so that no help lists it (``runtime.md`` 1.8)."""
_USAGE_CODES = frozenset(
    {
        "bad_argument",
        "bad_bool",
        "bad_duration",
        "bad_int",
        "bad_port",
        "missing_value",
        "unknown_command",
        "unknown_flag",
    }
)


def main() -> NoReturn:
    """Run the command of the process's arguments and end with its status."""
    sys.exit(_run_process(sys.argv[1:]))


def main_beside_server() -> NoReturn:
    """``run`` with the defaults of a container beside argocd-server, and so ``plan``, ``doctor`` and ``config``.

    Flags and variables win over these defaults. Any other command is itself: ``run`` must not begin instead of it.
    """
    from updater.settings.places import BESIDE_ARGOCD_SERVER

    words = sys.argv[1:]
    names_command = bool(words) and not words[0].startswith("-")
    sys.exit(_run_process(words if names_command else ["run", *words], BESIDE_ARGOCD_SERVER))


def _run_process(words: Sequence[str], place: Mapping[str, str] = _NO_DEFAULTS) -> int:
    with Streams():
        try:
            status = run_program(words, os.environ, place)
            sys.stdout.flush()
        except ResultLost as error:
            return say_lost(error)
    return status


def run_program(words: Sequence[str], environment: Mapping[str, str], place: Mapping[str, str] = _NO_DEFAULTS) -> int:
    """The exit status of one command line. ``place`` are defaults of where the program runs."""
    try:
        if environment.get(_NAME_VARIABLE) == _ASK_PASS_NAME:
            return _ask_pass(words, environment)
        if words and words[0] in _ASK_PASS_COMMANDS:
            return _ask_pass(words[1:], environment)
        command, rest = split_command(words)
        return _run_command(command, rest, environment, place)
    except UpdaterError as error:
        return _refuse(error, words)
    except KeyboardInterrupt:
        return _INTERRUPTED


def _run_command(
    command: Command | None, words: tuple[str, ...], environment: Mapping[str, str], place: Mapping[str, str]
) -> int:
    name = command.name if command else "help"
    runner = _RUNNERS.get(name)
    return _refuse_unbuilt(command) if runner is None else runner(words, environment, place)


def _ask_pass(words: Sequence[str], environment: Mapping[str, str]) -> int:
    from updater.git.askpass_helper import main as answer

    return answer(words, environment)


def _help(words: tuple[str, ...], _environment: Mapping[str, str], place: Mapping[str, str]) -> int:
    from updater.cli.help import print_help

    return print_help(words, place)


def _version(words: tuple[str, ...], environment: Mapping[str, str], _place: Mapping[str, str]) -> int:
    from updater.cli.version import print_version

    return print_version(words, environment)


def _run(words: tuple[str, ...], environment: Mapping[str, str], place: Mapping[str, str]) -> int:
    from updater.cli.run import run

    return run(words, environment, place)


def _webhook(words: tuple[str, ...], environment: Mapping[str, str], _place: Mapping[str, str]) -> int:
    from updater.cli.webhook import run_webhook

    return run_webhook(words, environment)


def _config(words: tuple[str, ...], environment: Mapping[str, str], place: Mapping[str, str]) -> int:
    from updater.cli.config import print_config
    from updater.cli.run import PLATFORM

    return print_config(words, environment, PLATFORM, place)


def _plan(words: tuple[str, ...], environment: Mapping[str, str], place: Mapping[str, str]) -> int:
    from updater.cli.plan import run_plan

    return run_plan(words, environment, place)


def _doctor(words: tuple[str, ...], environment: Mapping[str, str], place: Mapping[str, str]) -> int:
    from updater.cli.doctor import run_doctor

    return run_doctor(words, environment, place)


def _test(words: tuple[str, ...], environment: Mapping[str, str], _place: Mapping[str, str]) -> int:
    from updater.cli.test import run_tag_test

    return run_tag_test(words, environment)


def _completion(words: tuple[str, ...], environment: Mapping[str, str], _place: Mapping[str, str]) -> int:
    from updater.cli.completion.command import print_completion

    return print_completion(words, environment)


def _template(words: tuple[str, ...], environment: Mapping[str, str], _place: Mapping[str, str]) -> int:
    from updater.cli.template import print_template

    return print_template(words, environment)


def _demo(words: tuple[str, ...], environment: Mapping[str, str], place: Mapping[str, str]) -> int:
    if "--help" in words or "-h" in words:
        return _help(("demo",), environment, place)
    from updater.cli.demo import run_demo

    return run_demo(list(words))


_Runner = Callable[[tuple[str, ...], Mapping[str, str], Mapping[str, str]], int]
_RUNNERS: Mapping[str, _Runner] = MappingProxyType(
    {
        "help": _help,
        "version": _version,
        "run": _run,
        "plan": _plan,
        "doctor": _doctor,
        "config": _config,
        "completion": _completion,
        "test": _test,
        "template": _template,
        "demo": _demo,
        "webhook": _webhook,
    }
)


def _refuse_unbuilt(command: Command | None) -> int:
    from updater.settings.missing import refuse_command

    if command is not None:
        refuse_command(command)
    raise AssertionError(f"no code for the command {command}")


def _refuse(error: UpdaterError, words: Sequence[str]) -> int:
    print(escape_controls(redact(f"Error: {error}")), file=sys.stderr)  # noqa: T201 - this is the program's voice
    if isinstance(error, ConfigurationError) and error.code in _USAGE_CODES:
        name = words[0] if words and error.code != "unknown_command" and not words[0].startswith("-") else ""
        usage = f"{name} {find_command(name).usage}" if name else "COMMAND [flags]"
        help_words = f"{PROGRAM} {name} --help" if name else f"{PROGRAM} help"
        print(f"Usage: {PROGRAM} {usage}; '{help_words}' lists them", file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    main()
