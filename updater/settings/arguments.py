"""Arguments the way Go's flag parser reads them (``runtime.md`` 1.1), which no Python library does.

Booleans never consume the next word; everything else does, even a word that starts with a dash; long names need two
dashes and are never abbreviated; flags and arguments mix; ``--`` ends the flags. Values are not looked at here.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from updater.errors import ConfigurationError
from updater.settings.model import Option

_RENAMED: Mapping[str, str] = MappingProxyType(
    {
        "metrics-bind-address": "--metrics-port",
        "health-probe-bind-address": "--health-port",
        "max-concurrent-apps": "--max-concurrency",
        "max-concurrent-reconciles": "--max-concurrency",
        "max-concurrent-updaters": "--max-concurrency",
        "watch-namespaces": "--application-namespace",
    }
)
"""Flags of the custom-resource line (1.x) that people copy, and what they are called here."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """What was written: the texts of each flag in order, the other words, and whether help was asked for."""

    flags: Mapping[str, tuple[str, ...]] = field(repr=False)
    words: tuple[str, ...] = ()
    wants_help: bool = False


def parse_arguments(words: Sequence[str], options: Sequence[Option]) -> Arguments:
    """Split ``words`` by the table; raises ``ConfigurationError`` (``unknown_flag``, ``missing_value``).

    The first mistake or the first request for help ends the reading, as in Go.
    """
    return _Reader(words, options).read()


class _Reader:
    """One pass over the words."""

    def __init__(self, words: Sequence[str], options: Sequence[Option]) -> None:
        self._rest = list(words)
        self._options = {option.name: option for option in options if option.has_flag}
        self._flags: dict[str, tuple[str, ...]] = {}
        self._words: list[str] = []

    def read(self) -> Arguments:
        while self._rest:
            word = self._rest.pop(0)
            if word in ("-h", "--help"):
                return Arguments(self._flags, tuple(self._words), wants_help=True)
            if word == "--":
                self._words += self._rest
                break
            self._read_word(word)
        return Arguments(self._flags, tuple(self._words))

    def _read_word(self, word: str) -> None:
        if word.startswith("--"):
            self._read_flag(word[2:])
        elif word.startswith("-") and word != "-":
            raise self._unknown_shorthand(word)
        else:
            self._words.append(word)

    def _read_flag(self, text: str) -> None:
        name, equals, value = text.partition("=")
        option = self._options.get(name)
        if option is None:
            raise self._unknown(name)
        if not equals:
            value = self._next_word(option) if option.takes_value else "true"
        self._flags[name] = (*self._flags.get(name, ()), value)

    def _next_word(self, option: Option) -> str:
        if not self._rest:
            raise ConfigurationError(f"flag needs an argument: --{option.name}", code="missing_value")
        return self._rest.pop(0)

    def _unknown(self, name: str) -> ConfigurationError:
        hint = f"it is called {_RENAMED[name]} here" if name in _RENAMED else self._guess(name)
        return ConfigurationError(f"unknown flag: --{name}", hint=hint, code="unknown_flag")

    def _unknown_shorthand(self, word: str) -> ConfigurationError:
        name = word[1:].partition("=")[0]
        hint = f"long flags take two dashes: --{name}" if name in self._options else ""
        # The word is cut: what follows the name may be a secret.
        return ConfigurationError(f"unknown shorthand flag: {word[1]!r} in -{name}", hint=hint, code="unknown_flag")

    def _guess(self, name: str) -> str:
        near = difflib.get_close_matches(name, self._options, n=1, cutoff=0.75)
        return f"did you mean --{near[0]}?" if near else ""
