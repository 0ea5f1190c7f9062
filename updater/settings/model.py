"""What a setting is: its row in the table, its value, and where the value came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from updater.model.report import Warned
from updater.transport.redaction import Secret

Value = str | bool | int | float | Secret | tuple[str, ...] | tuple[Secret, ...] | None
"""A resolved value. Durations are seconds. None means: decided later, from something that is not a setting."""


_T = TypeVar("_T")


class Kind(Enum):
    """The grammar of an option's value (``runtime.md`` 1.2)."""

    STRING = "string"
    BOOL = "bool"
    INT = "int"
    DURATION = "duration"
    LIST = "list"
    """Every occurrence is one CSV record."""
    ARRAY = "array"
    """Every occurrence is one element."""
    LENIENT_BOOL = "lenient bool"
    """A variable only: unset, ``1``, ``true``, ``yes`` are true, everything else is false."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The range of a number; ``code`` is the error for a flag outside it, a variable outside it only warns."""

    low: float
    high: float = float("inf")
    code: str = "bad_int"

    def allow(self, number: float) -> bool:
        return self.low <= number <= self.high


@dataclass(frozen=True, slots=True)
class Option:
    """One row of the table.

    ``name`` is the flag without dashes, or the variable when there is no flag. ``variable_separator`` splits a
    variable that holds several elements. ``choices`` are compared by the validation, with ``code`` as the error;
    ``may_be_empty`` lets an empty text pass, which chooses nothing.
    ``config_key`` is the key in the ConfigMap of the standard deployment, in its Secret when ``is_secret``.
    """

    name: str
    kind: Kind
    default: Value
    help: str
    variable: str = ""
    config_key: str = ""
    is_secret: bool = False
    has_flag: bool = True
    bounds: Bounds | None = None
    choices: tuple[str, ...] = ()
    may_be_empty: bool = False
    ignores_case: bool = False
    code: str = "bad_configuration"
    variable_separator: str = ""
    commands: frozenset[str] = frozenset({"run", "webhook"})
    default_in: tuple[tuple[str, Value], ...] = ()

    @property
    def key(self) -> str:
        """The name in settings, in the texts of ``config`` and in the vectors."""
        return self.name.replace("-", "_").lower()

    def default_for(self, command: str) -> Value:
        """The built-in default, which may differ by command."""
        return dict(self.default_in).get(command, self.default)

    @property
    def takes_value(self) -> bool:
        """Whether the flag consumes the next word: booleans never do."""
        return self.kind is not Kind.BOOL


class OriginKind(Enum):
    """The places a value can come from, strongest first."""

    FLAG = "flag"
    VARIABLE = "variable"
    FILE = "file"
    """A key of the mounted configuration; the origin's name is the path of its file."""
    PLACE = "place"
    """The defaults of a special place to run in, for example beside argocd-server."""
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: ``flag --interval``, ``variable ARGOCD_SERVER``, ``file /x/interval``, ``default``."""

    kind: OriginKind = OriginKind.DEFAULT
    name: str = ""

    @property
    def is_explicit(self) -> bool:
        """Whether the operator wrote it, rather than us."""
        return self.kind in (OriginKind.FLAG, OriginKind.VARIABLE, OriginKind.FILE)

    def __str__(self) -> str:
        return f"{self.kind.value} {self.name}".strip()


@dataclass(frozen=True, slots=True)
class Setting:
    """A value and its origin. Secret values are ``Secret`` objects, so no representation shows them."""

    option: Option = field(repr=False)
    value: Value
    origin: Origin


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one command, by key. The readers check the type; a wrong one is a bug of the caller."""

    command: str
    by_key: Mapping[str, Setting]

    def __getitem__(self, key: str) -> Setting:
        return self.by_key[key]

    def text(self, key: str) -> str:
        return _expect(str, self.by_key[key].value, key)

    def is_on(self, key: str) -> bool:
        return _expect(bool, self.by_key[key].value, key)

    def integer(self, key: str) -> int:
        return _expect(int, self.by_key[key].value, key)

    def seconds(self, key: str) -> float:
        return _expect(float, self.by_key[key].value, key)

    def texts(self, key: str) -> tuple[str, ...]:
        return tuple(_expect(str, item, key) for item in _expect(tuple, self.by_key[key].value, key))

    def secret(self, key: str) -> Secret:
        return _expect(Secret, self.by_key[key].value, key)

    def secrets(self, key: str) -> tuple[Secret, ...]:
        return tuple(_expect(Secret, item, key) for item in _expect(tuple, self.by_key[key].value, key))


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a command line and an environment come to. ``warnings`` keep the order in which they were found."""

    settings: Settings
    warnings: tuple[Warned, ...] = ()


@dataclass(frozen=True, slots=True)
class Platform:
    """Facts about where the program runs. ``kubernetes_namespace`` is None when no Kubernetes client can be built."""

    kubernetes_namespace: str | None = None
    kubernetes_problem: str = ""


def _expect(kind: type[_T], value: object, key: str) -> _T:
    if not isinstance(value, kind):
        raise TypeError(f"setting {key} holds {type(value).__name__}, not {kind.__name__}")
    return value
