"""Name patterns: which Applications of a fleet are processed (``runtime.md`` 1.13, ``images-and-strategies.md`` 1.1).

A malformed pattern matches nothing; the others still count.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass

from updater.errors import ConfigurationError, PlanError
from updater.rules.globs import Glob


@dataclass(frozen=True, slots=True)
class NamePatterns:
    """Compiled patterns in their order. ``entries`` pairs each text with its glob, None when it is malformed."""

    entries: tuple[tuple[str, Glob | None], ...] = ()

    def matches(self, name: str) -> bool:
        """Whether any pattern matches the whole name; no pattern at all matches every name."""
        return not self.entries or any(glob is not None and glob.matches(name) for _, glob in self.entries)

    def malformed_before_match(self, name: str) -> tuple[str, ...]:
        """The malformed patterns that are met while looking for one that matches the name."""
        met: list[str] = []
        for text, glob in self.entries:
            if glob is None:
                met.append(text)
            elif glob.matches(name):
                break
        return tuple(met)

    @property
    def malformed(self) -> tuple[str, ...]:
        return tuple(text for text, glob in self.entries if glob is None)


def compile_name_patterns(patterns: Iterable[str]) -> NamePatterns:
    """Compile once; malformed patterns stay visible in the result."""
    return NamePatterns(tuple((text, _compile(text)) for text in patterns))


def _compile(text: str) -> Glob | None:
    try:
        return Glob(text)
    except PlanError:
        return None


def split_patterns(values: Iterable[str]) -> tuple[str, ...]:
    """The patterns of repeated flag values: each is one CSV record, an empty one adds nothing (``runtime.md`` 1.2).

    Raises ``ConfigurationError`` (``bad_list``) for a value that is no CSV record.
    """
    patterns: list[str] = []
    for value in values:
        try:
            records = list(csv.reader([value], strict=True))
        except csv.Error as problem:
            raise ConfigurationError(
                f"{value[:120]!r} is not a comma-separated list: {problem}", code="bad_list"
            ) from None
        patterns += [item for record in records for item in record]
    return tuple(patterns)
