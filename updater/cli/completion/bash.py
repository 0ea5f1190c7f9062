"""The script for bash, which needs nothing but bash itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from updater.cli.completion.vocabulary import Flag, Spoken
from updater.settings.commands import PROGRAM

_FUNCTION = "_" + PROGRAM.replace("-", "_")

_HEAD = f"""\
# bash completion for {PROGRAM}; use it with: source <({PROGRAM} completion bash)
{_FUNCTION}() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" flags="" words=""
    local IFS=$' \\t\\n'
    COMPREPLY=()
    # Bash takes the sign between a flag and its value for a word of its own.
    if [[ "$current" == "=" ]]; then
        current=""
    elif [[ "$previous" == "=" ]]; then
        previous="${{COMP_WORDS[COMP_CWORD-2]}}"
    fi
"""

_TAIL = f"""\
    if [[ "$current" == -* ]]; then
        COMPREPLY=($(compgen -W "$flags" -- "$current"))
    else
        COMPREPLY=($(compgen -W "$words" -- "$current"))
    fi
}}
complete -F {_FUNCTION} {PROGRAM}
"""


def bash_script(commands: Sequence[Spoken]) -> str:
    """The whole script; bash shows no descriptions."""
    return "".join((_HEAD, *_first_word(commands), *_values(commands), *_flags(commands), _TAIL))


def _first_word(commands: Sequence[Spoken]) -> Iterator[str]:
    names = " ".join(command.name for command in commands)
    yield "    if (( COMP_CWORD == 1 )); then\n"
    yield f'        COMPREPLY=($(compgen -W "{names} --help --version" -- "$current"))\n'
    yield "        return\n    fi\n"


def _values(commands: Sequence[Spoken]) -> Iterator[str]:
    """What may follow a flag; a flag of two commands may mean two things."""
    yield '    case "${COMP_WORDS[1]} $previous" in\n'
    for command in commands:
        for flag in command.flags:
            if flag.takes_value:
                yield f'        "{command.name} --{flag.name}") {_value(flag)}; return ;;\n'
    yield "    esac\n"


def _value(flag: Flag) -> str:
    if flag.choices:
        return f'COMPREPLY=($(compgen -W "{" ".join(flag.choices)}" -- "$current"))'
    if flag.is_path:
        # File names may hold blanks.
        return "compopt -o filenames 2>/dev/null; IFS=$'\\n'; COMPREPLY=($(compgen -f -- \"$current\"))"
    return ":"


def _flags(commands: Sequence[Spoken]) -> Iterator[str]:
    yield '    case "${COMP_WORDS[1]}" in\n'
    for command in commands:
        flags = " ".join(f"--{flag.name}" for flag in command.flags)
        yield f'        {command.name}) flags="{flags}" words="{" ".join(command.words)}" ;;\n'
    yield "    esac\n"
