"""The annotation ``git-branch``: base branch and the template of the write branch (``write-back.md`` 1.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from updater.errors import PlanError
from updater.rules.branch_names import is_branch_name

_MARK = re.compile(r"\{\{|:")
_OPENED, _CLOSED = "{{", "}}"
_HEADS = "refs/heads/"


@dataclass(frozen=True, slots=True)
class GitBranch:
    """``base`` is empty when the revision of the source decides, ``template`` when the base itself is written."""

    base: str = ""
    template: str = ""


def parse_git_branch(text: str) -> GitBranch:
    """Parse the annotation; raises ``PlanError`` (``invalid_git_branch``, ``invalid_branch_name``)."""
    parts = _split(text.strip())
    if len(parts) > 2 or parts == ["", ""]:
        raise PlanError(
            f"git-branch {text.strip()[:120]!r} is not understood",
            hint="write <base>, <base>:<template> or :<template>, with other colons inside of braces",
            code="invalid_git_branch",
        )
    base = short_branch(parts[0])
    if base and not is_branch_name(base):
        text = f"git-branch names the branch {base[:120]!r}, and git takes no such name"
        raise PlanError(text, hint="write the name of a branch", code="invalid_branch_name")
    return GitBranch(base, parts[1] if len(parts) > 1 else "")


def _split(text: str) -> list[str]:
    """The parts between colons outside of braces; braces that are not closed are text. Takes linear time."""
    parts: list[str] = []
    start = place = 0
    while mark := _MARK.search(text, place):
        place = mark.end()
        if mark.group() == _OPENED:
            closed = text.find(_CLOSED, place)
            if closed < 0:
                first, *others = text[place:].split(":")
                return [*parts, (text[start:place] + first).strip(), *(other.strip() for other in others)]
            place = closed + len(_CLOSED)
        else:
            parts.append(text[start : mark.start()].strip())
            start = place
    return [*parts, text[start:].strip()]


def short_branch(revision: str) -> str:
    """The name of a branch without ``refs/heads/``."""
    return revision.strip().removeprefix(_HEADS)
