"""Writes the reference pages that come from the program's own tables: ``python -m docs.generate [--check]``."""

from __future__ import annotations

import sys
from pathlib import Path

from updater.cli.help import default_text
from updater.settings.missing import MISSING, missing_keys
from updater.settings.model import Option
from updater.settings.table import SECTIONS

FLAGS_PAGE = Path(__file__).parent / "reference-flags.md"

_INTRODUCTION = """\
# Flags and variables of `run`

This page is written by `make docs` from the table that also resolves the flags. A flag wins over its variable, a
variable over the default. *Key* is the key in the ConfigMap of a standard deployment, or in its Secret for secrets.

Values: a duration is a number with a unit, `90s` or `1h30m`. A boolean flag alone means true and never takes the next
word: write `--dry-run=false`. A boolean variable is `true` or `false`; anything else counts as not set. A `list` is
comma-separated and may be repeated, an `array` takes one element per flag. A variable that cannot be read is ignored
with a warning; a flag that cannot be read ends the program with status 1.

Rows marked with * belong to features that this release does not have: setting one ends the program with a line that
says so, or warns when it is a mere number. The list of these features is at the end.
"""


def flags_page() -> str:
    """The text of ``reference-flags.md``."""
    parts = [_INTRODUCTION]
    for title, options in SECTIONS:
        rows = [_row(option) for option in options if "run" in option.commands]
        parts.append(
            "\n".join(
                [
                    f"## {title}\n",
                    _line("Flag or variable", "Type", "Default", "Variable", "Key", "Meaning"),
                    _line(*["---"] * 6),
                    *rows,
                    "",
                ]
            )
        )
    parts.append(_missing_section())
    return "\n".join(parts)


def _row(option: Option) -> str:
    name = f"`--{option.name}`" if option.has_flag else f"`{option.variable}`"
    mark = " *" if option.key in missing_keys() else ""
    variable = f"`{option.variable}`" if option.variable and option.has_flag else ""
    default = default_text(option)
    return _line(
        f"{name}{mark}",
        option.kind.value,
        f"`{default}`" if default else "",
        variable,
        f"`{option.config_key}`" if option.config_key else "",
        option.help.replace("|", "\\|"),
    )


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _missing_section() -> str:
    rows = [_line(missing.feature, missing.instead) for missing in MISSING]
    head = [_line("Feature", "Until then"), _line("---", "---")]
    repeated = _line("rounds that repeat", "use --once or --interval 0")
    return "\n".join(["## Not in this release\n", *head, repeated, *rows, ""])


def main(arguments: list[str]) -> int:
    """Write the page, or with ``--check`` tell whether it is up to date."""
    text = flags_page()
    if "--check" in arguments:
        is_current = FLAGS_PAGE.exists() and FLAGS_PAGE.read_text(encoding="utf-8") == text
        print(f"{FLAGS_PAGE.name}: {'up to date' if is_current else 'run make docs'}")
        return 0 if is_current else 1
    FLAGS_PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
