"""The tree of a parsed template. ``position`` is an index into the template's text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from updater.errors import PlanError

NESTING_LIMIT = 50
"""Levels of blocks, parentheses and called templates (``write-back.md`` appendix A, "Limits")."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, number or boolean as written."""

    value: str | bool | int | float
    position: int


@dataclass(frozen=True, slots=True)
class Nil:
    """The word ``nil``."""

    position: int


@dataclass(frozen=True, slots=True)
class Dot:
    """The current value, or a field of it: ``.``, ``.A.B``."""

    fields: tuple[str, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable, or a field of it; ``$`` has an empty name."""

    name: str
    fields: tuple[str, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Function:
    """The name of a function; what follows it in its command are its arguments."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Group:
    """A pipeline in parentheses, or a field of its result."""

    pipeline: Pipeline
    fields: tuple[str, ...]
    position: int


Operand = Literal | Nil | Dot | Variable | Function | Group


@dataclass(frozen=True, slots=True)
class Command:
    """One stage of a pipeline: an operand and its arguments."""

    operands: tuple[Operand, ...]

    @property
    def position(self) -> int:
        return self.operands[0].position


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, each given the result of the one before; ``names`` are the variables that take the result."""

    commands: tuple[Command, ...]
    names: tuple[str, ...] = ()
    is_assignment: bool = False

    @property
    def position(self) -> int:
        return self.commands[0].position


@dataclass(frozen=True, slots=True)
class Text:
    """Copied as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Action:
    """A pipeline whose value is printed, unless variables take it."""

    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class If:
    """``if``; with ``is_with`` the value also becomes the current one."""

    pipeline: Pipeline
    body: Block
    otherwise: Block
    is_with: bool = False


@dataclass(frozen=True, slots=True)
class Range:
    """``range``: the body for every element, or the other branch when there is none."""

    pipeline: Pipeline
    body: Block
    otherwise: Block


@dataclass(frozen=True, slots=True)
class Call:
    """``template``: another definition, with its own current value."""

    name: str
    argument: Pipeline | None
    position: int


@dataclass(frozen=True, slots=True)
class Leave:
    """``break`` or ``continue``."""

    is_break: bool


Statement = Text | Action | If | Range | Call | Leave
Block = tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A template that parsed: its statements, and its definitions by name. ``source`` is its text.

    ``fields`` are the names of all fields that it mentions, of whatever value.
    """

    source: str
    body: Block
    definitions: Mapping[str, Block]
    fields: frozenset[str] = frozenset()


def template_error(source: str, position: int, what: str, *, code: str) -> PlanError:
    """An error with line and column, counted from 1."""
    line = source.count("\n", 0, position) + 1
    column = position - (source.rfind("\n", 0, position) + 1) + 1
    return PlanError(what[:300], where=f"template, line {line}, column {column}", code=code)


def parse_error(source: str, position: int, what: str) -> PlanError:
    """``template_parse``: the text is no template."""
    return template_error(source, position, what, code="template_parse")


def run_error(source: str, position: int, what: str) -> PlanError:
    """``template_exec``: the template cannot be carried out, or not within its limits."""
    return template_error(source, position, what, code="template_exec")
