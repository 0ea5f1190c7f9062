"""Values that templates compute with, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = "str | bool | int | float | Record | tuple[Value, ...] | Mapping[str, Value] | None"
"""``None`` is what a missing key of a map gives; it prints as ``<no value>``."""


@dataclass(frozen=True, slots=True)
class Record:
    """A structure: its fields are known, so a name that is none of them is a mistake."""

    fields: Mapping[str, Value]


class Mistake(Exception):
    """Something that a template asks for and that cannot be done; the evaluator adds the place."""


def is_true(value: Value) -> bool:
    """Go's truth: false are false, 0, nothing, and empty texts, lists and maps."""
    return True if isinstance(value, Record) else bool(value)


def type_name(value: Value) -> str:
    """The type of a value in the words of Go, for messages."""
    names: tuple[tuple[type, str], ...] = (
        (bool, "bool"),
        (int, "int"),
        (float, "float64"),
        (str, "string"),
        (tuple, "list"),
        (Mapping, "map"),
        (Record, "structure"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "nil")
