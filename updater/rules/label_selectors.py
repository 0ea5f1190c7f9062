"""Kubernetes label selectors: ``k``, ``!k``, ``k=v``, ``k!=v``, ``k in (a,b)``, ``k notin (a,b)``, ``k>n``, ``k<n``.

Evaluated here with the same result as on the API server (``runtime.md`` 1.13, grammar of ``k8s.io/apimachinery``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from updater.errors import ConfigurationError

_TOKEN = re.compile(r"[ \t\r\n]*(==|!=|[()=!,<>]|[^ \t\r\n()=!,<>]+)")
_SYMBOLS = frozenset(("==", "!=", "=", "!", "(", ")", ",", "<", ">"))
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_INT64 = 2**63
_NAME_LIMIT = 63
_SUBDOMAIN_LIMIT = 253


class SelectorError(ConfigurationError):
    """A selector that cannot be used; ``kind`` says whether its syntax, a key or a value is wrong."""

    code = "bad_selector"

    def __init__(self, kind: Literal["syntax", "key", "value"], selector: str, what: str) -> None:
        super().__init__(f"label selector {selector[:120]!r}: {what}", hint="write for example team=red,!frozen")
        self.kind = kind


class Operator(Enum):
    """What a requirement asks of a label, by the spelling in the selector."""

    EXISTS = "exists"
    ABSENT = "!"
    EQUALS = "="
    DOUBLE_EQUALS = "=="
    NOT_EQUALS = "!="
    IN = "in"
    NOT_IN = "notin"
    GREATER = ">"
    LESS = "<"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label; ``values`` are sorted and without repeats."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def holds(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.key)
        match self.operator:
            case Operator.EXISTS:
                return value is not None
            case Operator.ABSENT:
                return value is None
            case Operator.NOT_EQUALS | Operator.NOT_IN:
                return value is None or value not in self.values
            case Operator.GREATER | Operator.LESS:
                return value is not None and self._orders(value)
            case _:
                return value is not None and value in self.values

    def _orders(self, value: str) -> bool:
        number, bound = _integer(value), _integer(self.values[0])
        if number is None or bound is None:
            return False
        return number > bound if self.operator is Operator.GREATER else number < bound


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """Requirements that must all hold, sorted by key; none at all selects everything."""

    text: str = ""
    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        return all(requirement.holds(labels) for requirement in self.requirements)


def parse_label_selector(text: str) -> LabelSelector:
    """Parse a selector; raises ``SelectorError``."""
    requirements = _Parser(text).parse()
    return LabelSelector(text, tuple(sorted(requirements, key=lambda requirement: requirement.key)))


class _Parser:
    """Recursive descent over the tokens; a token None stands for the end of the text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._at = 0

    def parse(self) -> list[Requirement]:
        requirements: list[Requirement] = []
        if self._peek() is None:
            return requirements
        while True:
            requirements.append(self._requirement())
            separator = self._next()
            if separator is None:
                return requirements
            if separator != ",":
                raise self._syntax(f"expected ',' or the end, found {separator[:40]!r}")

    def _requirement(self) -> Requirement:
        is_negated = self._peek() == "!"
        self._at += is_negated
        key = self._next()
        if key is None or key in _SYMBOLS:
            raise self._syntax(f"expected a label key, found {key or 'the end'!r}")
        self._check_key(key)
        if is_negated:
            return Requirement(key, Operator.ABSENT)
        if self._peek() in (None, ","):
            return Requirement(key, Operator.EXISTS)
        return self._comparison(key)

    def _comparison(self, key: str) -> Requirement:
        token = self._next()
        if token not in _OPERATORS:
            raise self._syntax(f"expected an operator after {key!r}, found {(token or '')[:40]!r}")
        operator = _OPERATORS[token]
        values = self._set() if operator in (Operator.IN, Operator.NOT_IN) else {self._exact_value()}
        for value in values:
            self._check_value(value, operator)
        return Requirement(key, operator, tuple(sorted(values)))

    def _exact_value(self) -> str:
        if self._peek() in (None, ","):
            return ""
        token = self._next()
        if token is None or token in _SYMBOLS:
            raise self._syntax(f"expected a value, found {token!r}")
        return token

    def _set(self) -> set[str]:
        if self._next() != "(":
            raise self._syntax("expected '(' after the operator")
        values: set[str] = set()
        item = ""
        while (word := self._next()) != ")":
            if word == ",":
                values.add(item)
                item = ""
            elif word is None or word in _SYMBOLS or item:
                raise self._syntax(f"expected ',' or ')', found {(word or 'the end')[:40]!r}")
            else:
                item = word
        values.add(item)
        return values

    def _check_key(self, key: str) -> None:
        prefix, slash, name = key.rpartition("/")
        is_prefix_good = not slash or (len(prefix) <= _SUBDOMAIN_LIMIT and _SUBDOMAIN.fullmatch(prefix) is not None)
        if not is_prefix_good or len(name) > _NAME_LIMIT or not _NAME.fullmatch(name):
            raise SelectorError("key", self._text, f"{key[:80]!r} is not a label key")

    def _check_value(self, value: str, operator: Operator) -> None:
        if operator in (Operator.GREATER, Operator.LESS) and _integer(value) is None:
            raise SelectorError("value", self._text, f"{value[:80]!r} is not an integer")
        if value and (len(value) > _NAME_LIMIT or not _NAME.fullmatch(value)):
            raise SelectorError("value", self._text, f"{value[:80]!r} is not a label value")

    def _peek(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self) -> str | None:
        token = self._peek()
        self._at += token is not None
        return token

    def _syntax(self, what: str) -> SelectorError:
        return SelectorError("syntax", self._text, what)


_OPERATORS: Mapping[str | None, Operator] = {
    operator.value: operator for operator in Operator if operator not in (Operator.EXISTS, Operator.ABSENT)
}


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    at = 0
    while match := _TOKEN.match(text, at):
        tokens.append(match.group(1))
        at = match.end()
    return tokens


def _integer(text: str) -> int | None:
    if not _INTEGER.fullmatch(text):
        return None
    number = int(text)
    return number if -_INT64 <= number < _INT64 else None
