"""Version texts of tags, as the semver strategy reads them: more lenient than the semver standard.

Grammar and precedence: ``images-and-strategies.md`` 8.1 and 8.2 (Masterminds/semver v3.4.0, lenient mode). A version is
a tuple whose natural order is its precedence, so that thousands of tags compare without a Python-level method call.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import semver

_NUMBER_LIMIT = 2**64 - 1
_NUMBER_DIGITS = 19
"""Every number of so many digits is below the limit."""

# Possessive throughout: no part can end where the next one begins, and a third of the matching time is saved.
_IDENTIFIERS = r"[0-9A-Za-z-]++(?:\.[0-9A-Za-z-]++)*+"
_VERSION = re.compile(rf"v?([0-9]++)(?:\.([0-9]++))?+(?:\.([0-9]++))?+(?:-({_IDENTIFIERS}))?+(?:\+{_IDENTIFIERS})?+")

Identifier = tuple[int, int, str]
"""Sort key of one pre-release identifier: numeric ones (0, digits, text) below words (1, 0, text)."""

RELEASE: tuple[Identifier, ...] = ((2, 0, ""),)
"""Stands where a release has no pre-release part: above every identifier."""


class Version(NamedTuple):
    """One version; comparing two of them is semver precedence (build metadata never takes part)."""

    major: int
    minor: int = 0
    patch: int = 0
    prerelease: tuple[Identifier, ...] = RELEASE

    @property
    def is_prerelease(self) -> bool:
        return self.prerelease != RELEASE

    def __str__(self) -> str:
        text = f"{self.major}.{self.minor}.{self.patch}"
        return f"{text}-{'.'.join(part[2] for part in self.prerelease)}" if self.is_prerelease else text

    def to_semver(self) -> semver.Version:
        """The same version as the library's type, for callers that want one."""
        return semver.Version.parse(str(self))


_new_version = tuple.__new__
"""Builds a ``Version`` from its fields in half the time that calling the class takes."""


def parse_version(text: str) -> Version | None:
    """The version that a whole tag spells (``1``, ``v1.2``, ``01.2.3-rc.1``), None when it spells none."""
    match = _VERSION.fullmatch(text)
    if match is None:
        return None
    major, minor, patch, prerelease = match.groups()
    if len(text) > _NUMBER_DIGITS:
        return _checked(major, minor, patch, prerelease)
    # Too short for a number over the limit: the way of nearly every tag, of which a list may have thousands.
    identifiers = RELEASE if prerelease is None else parse_prerelease(prerelease)
    if identifiers is None:
        return None
    return _new_version(Version, (int(major), int(minor or 0), int(patch or 0), identifiers))


def _checked(major: str, minor: str | None, patch: str | None, prerelease: str | None) -> Version | None:
    numbers = (_number(major), _number(minor or "0"), _number(patch or "0"))
    identifiers = RELEASE if prerelease is None else parse_prerelease(prerelease)
    if numbers[0] is None or numbers[1] is None or numbers[2] is None or identifiers is None:
        return None
    return Version(numbers[0], numbers[1], numbers[2], identifiers)


def _number(digits: str) -> int | None:
    significant = digits.lstrip("0")
    if len(significant) > _NUMBER_DIGITS + 1:
        return None
    number = int(significant or "0")
    return number if number <= _NUMBER_LIMIT else None


def parse_prerelease(text: str) -> tuple[Identifier, ...] | None:
    """Sort keys of dot-separated identifiers, None when an all-digit one has a leading zero."""
    keys: list[Identifier] = []
    for part in text.split("."):
        if not part.isdigit():
            keys.append((1, 0, part))
        elif part[0] == "0" and len(part) > 1:
            return None
        else:
            # Without leading zeros longer digit runs are greater, so no conversion is needed to order them by value.
            keys.append((0, len(part), part))
    return tuple(keys)
