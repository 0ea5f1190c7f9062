"""Typed access to the fields of a document that was read from YAML, with every problem collected under its path.

A value is a dict with texts as keys, a list, a text, a boolean, None, or anything else, which no field takes. None is
the same as not written, as it is for Kubernetes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

_QUOTED = 60
"""Characters of a foreign name or value that a message quotes."""

_NAMED = 10
"""Unknown fields of one mapping that are named one by one."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field, by its path inside the document: ``spec.applicationRefs[0].namePattern``."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}" if self.path else self.text


@dataclass(slots=True)
class Problems:
    """Collects the problems of one document while it is read."""

    found: list[FieldProblem] = field(default_factory=list)

    def add(self, path: str, text: str) -> None:
        self.found.append(FieldProblem(path, text))


class Fields:
    """The fields of one mapping. A field that is not in ``known`` is a problem, which names the nearest one that is."""

    def __init__(self, value: object, path: str, problems: Problems, known: Iterable[str]) -> None:
        self.path = path
        self._problems = problems
        self._fields: Mapping[str, object] = {}
        self._is_mapping = isinstance(value, dict)
        if isinstance(value, dict):
            self._fields = value
            self._refuse_unknown(tuple(known))
        else:
            problems.add(path, f"expected a mapping, found {describe(value)}")

    def has(self, name: str) -> bool:
        """Whether a field is there and not empty."""
        return self._fields.get(name) not in (None, "", [], {})

    def peek(self, name: str) -> str:
        """The text of a field for a comparison, empty when it is none; nothing is complained about."""
        value = self._fields.get(name)
        return value.strip() if isinstance(value, str) else ""

    def complain(self, name: str, text: str) -> None:
        """Record a problem of one field, or of the mapping itself when the name is empty."""
        self._problems.add(self.path_of(name), text)

    def path_of(self, name: str) -> str:
        return ".".join(filter(None, (self.path, name)))

    def text(self, name: str, *, is_required: bool = False) -> str | None:
        """The trimmed text, None when it is not set or not a text."""
        value = self._fields.get(name)
        if value is None:
            self._require(name, is_required=is_required)
            return None
        if not isinstance(value, str):
            self.complain(name, f"expected a text, found {describe(value)}{_quoting(value)}")
            return None
        if is_required and not value.strip():
            self.complain(name, "must not be empty")
        return value.strip()

    def boolean(self, name: str) -> bool | None:
        value = self._fields.get(name)
        if value is None or isinstance(value, bool):
            return value
        self.complain(name, f"expected true or false, found {describe(value)}")
        return None

    def texts(self, name: str, *, keeps_blank: bool = False) -> tuple[str, ...] | None:
        """The trimmed texts of a list, without blank ones unless they mean something."""
        value = self._list(name)
        if value is None:
            return None
        texts: list[str] = []
        for index, item in enumerate(value):
            if isinstance(item, str):
                texts += [text for text in [item.strip()] if text or keeps_blank]
            else:
                self.complain(f"{name}[{index}]", f"expected a text, found {describe(item)}{_quoting(item)}")
        return tuple(texts)

    def text_map(self, name: str) -> dict[str, str]:
        """A mapping of texts to texts, without the entries that are something else."""
        value = self._fields.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.complain(name, f"expected a mapping, found {describe(value)}")
            return {}
        for key, item in value.items():
            if not isinstance(item, str):
                self.complain(f"{name}.{key}", f"expected a text, found {describe(item)}{_quoting(item)}")
        return {key: item for key, item in value.items() if isinstance(item, str)}

    def block(self, name: str, known: Iterable[str], *, is_required: bool = False) -> Fields | None:
        """The fields of a mapping inside this one, None when it is not there."""
        value = self._fields.get(name)
        if value is None:
            self._require(name, is_required=is_required)
            return None
        return Fields(value, self.path_of(name), self._problems, known)

    def blocks(self, name: str, known: Iterable[str]) -> list[Fields]:
        """The fields of every mapping of a list; an absent list has none."""
        names = tuple(known)
        items = self._list(name) or []
        return [
            Fields(item, f"{self.path_of(name)}[{index}]", self._problems, names) for index, item in enumerate(items)
        ]

    def _require(self, name: str, *, is_required: bool) -> None:
        # One complaint about what should be a mapping says enough.
        if is_required and self._is_mapping:
            self.complain(name, "is required")

    def _list(self, name: str) -> list[object] | None:
        value = self._fields.get(name)
        if value is None or isinstance(value, list):
            return value
        self.complain(name, f"expected a list, found {describe(value)}")
        return None

    def _refuse_unknown(self, known: tuple[str, ...]) -> None:
        unknown = [name for name in self._fields if name not in known]
        for name in unknown[:_NAMED]:
            near = get_close_matches(name[:_QUOTED], known, 1, 0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"expected {', '.join(known) or 'none'}"
            self.complain("", f"unknown field {name[:_QUOTED]!r}; {hint}")
        if len(unknown) > _NAMED:
            self.complain("", f"and {len(unknown) - _NAMED} more unknown fields")


def describe(value: object) -> str:
    """A value's kind in a sentence; its content may be anything and stays out."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "a boolean"
    kinds: tuple[tuple[type, str], ...] = ((dict, "a mapping"), (list, "a list"), (str, "a text"))
    return next((text for kind, text in kinds if isinstance(value, kind)), "a number or date")


def _quoting(value: object) -> str:
    """Advice for what YAML takes for something else than a text."""
    return "" if isinstance(value, dict | list) or value is None else "; put it in quotes"
