"""The script for zsh, to be sourced or put as ``_argocd-image-updater`` into a folder of ``fpath``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from updater.cli.completion.vocabulary import Flag, Spoken
from updater.settings.commands import PROGRAM

_FUNCTION = "_" + PROGRAM.replace("-", "_")
_SPECIAL = re.compile(r"([\\\[\]:])")

_TAIL = f"""\
}}
if [[ "${{funcstack[1]}}" == "_{PROGRAM}" ]]; then
    {_FUNCTION} "$@"
else
    compdef {_FUNCTION} {PROGRAM}
fi
"""


def zsh_script(commands: Sequence[Spoken]) -> str:
    """The whole script."""
    head = f"#compdef {PROGRAM}\n{_FUNCTION}() {{\n    local -a commands\n"
    return "".join((head, *_first_word(commands), *_rest(commands), _TAIL))


def _first_word(commands: Sequence[Spoken]) -> Iterator[str]:
    yield "    commands=(\n"
    for command in commands:
        text = f"{command.name}:{_escaped(command.text)}" if command.text else command.name
        yield f"        {_quoted(text)}\n"
    yield "    )\n"
    yield "    if (( CURRENT == 2 )); then\n        _describe command commands\n        return\n    fi\n"


def _rest(commands: Sequence[Spoken]) -> Iterator[str]:
    yield "    local command=${words[2]}\n    shift words\n    (( CURRENT-- ))\n"
    yield '    case "$command" in\n'
    for command in commands:
        # No specification for words that nobody can complete: with one, zsh only lists a flag that it could write.
        words = [f"1:word:({' '.join(command.words)})"] if command.words else []
        arguments = [_quoted(each) for each in (*map(_argument, command.flags), *words)]
        yield f"        {command.name})\n            _arguments"
        yield from (f" \\\n                {argument}" for argument in arguments)
        yield "\n            ;;\n"
    yield "    esac\n"


def _argument(flag: Flag) -> str:
    text = f"[{_escaped(flag.text)}]" if flag.text else ""
    if not flag.takes_value:
        return f"--{flag.name}{text}"
    action = "_files" if flag.is_path else f"({' '.join(flag.choices)})" if flag.choices else ""
    return f"*--{flag.name}={text}:value:{action}"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
