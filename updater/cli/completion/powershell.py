"""The script for PowerShell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from updater.cli.completion.vocabulary import Flag, Spoken
from updater.settings.commands import PROGRAM

_HEAD = f"""\
Register-ArgumentCompleter -Native -CommandName '{PROGRAM}' -ScriptBlock {{
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | ForEach-Object {{ $_.ToString() }})
    $command = if ($words.Count -gt 1) {{ $words[1] }} else {{ '' }}
    $previous = if ($wordToComplete -eq '') {{ $words[-1] }} elseif ($words.Count -gt 1) {{ $words[-2] }} else {{ '' }}
"""

_TAIL = """\
    if ($words.Count -le 1 -or ($words.Count -eq 2 -and $wordToComplete -ne '')) {
        $found = $commands
    } elseif ($values.ContainsKey("$command $previous")) {
        $found = $values["$command $previous"]
    } else {
        $found = $flags[$command]
    }
    $found | Where-Object { $_ -and $_[0] -like "$wordToComplete*" } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterValue', $_[1])
    }
}
"""


def powershell_script(commands: Sequence[Spoken]) -> str:
    """The whole script."""
    return "".join((_HEAD, *_commands(commands), *_flags(commands), *_values(commands), _TAIL))


def _commands(commands: Sequence[Spoken]) -> Iterator[str]:
    yield "    $commands = @(\n"
    for command in commands:
        yield f"        ,{_pair(command.name, command.text)}\n"
    yield "    )\n"


def _flags(commands: Sequence[Spoken]) -> Iterator[str]:
    yield "    $flags = @{\n"
    for command in commands:
        yield f"        '{command.name}' = @(\n"
        for flag in command.flags:
            yield f"            ,{_pair(f'--{flag.name}', flag.text)}\n"
        for word in command.words:
            yield f"            ,{_pair(word, '')}\n"
        yield "        )\n"
    yield "    }\n"


def _values(commands: Sequence[Spoken]) -> Iterator[str]:
    yield "    $values = @{\n"
    for command in commands:
        for flag in command.flags:
            if flag.choices:
                yield f"        '{command.name} --{flag.name}' = @({_choices(flag)})\n"
    yield "    }\n"


def _choices(flag: Flag) -> str:
    return "; ".join(f",{_pair(choice, '')}" for choice in flag.choices)


def _pair(name: str, text: str) -> str:
    # A completion must have a text to show.
    return f"@({_quoted(name)}, {_quoted(text or name)})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
