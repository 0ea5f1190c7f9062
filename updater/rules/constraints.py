"""Semver constraints: ranges of versions as owners write them, quirks included.

Grammar, pre-release gate and meaning of every operator: ``images-and-strategies.md`` 8.3 to 8.5 (Masterminds/semver
v3.4.0). Existing annotations depend on the quirks, so they are kept: ``~0.0.0`` accepts everything, ``<=*`` only 0.0.z.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from updater.errors import PlanError
from updater.rules.versions import Version, parse_version

_SPACES = re.compile(r"[ \t\r\n\f]*")
_OPERATOR = re.compile(r"!=|>=|=>|<=|=<|~>|=|>|<|~|\^")
_PART = r"[0-9|xX*]+"
_IDENTIFIERS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_VERSION = re.compile(
    rf"v?(?P<major>{_PART})(?:\.(?P<minor>{_PART}))?(?:\.(?P<patch>{_PART}))?"
    rf"(?P<pre>-{_IDENTIFIERS})?(?:\+{_IDENTIFIERS})?"
)
_HYPHEN = re.compile(r"[ \t\r\n\f]+-[ \t\r\n\f]+(?=v?[0-9|xX*])")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_WILDCARDS = frozenset(("x", "X", "*"))
_LENGTH_LIMIT = 4096
"""Characters of a constraint. Real ones have a few dozen; the limit keeps messages and caches small."""


class Dirty(Enum):
    """The first part of a term's version that is missing or a wildcard; everything right of it is ignored."""

    NOTHING = "nothing"
    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison: operator, zero-filled version, and how much of the version was left open."""

    operator: str
    check: Callable[[Version, Term], bool]
    version: Version
    dirty: Dirty

    def holds(self, candidate: Version) -> bool:
        """Whether the candidate satisfies the term; the pre-release gate is the group's business."""
        return self.check(candidate, self)


@dataclass(frozen=True, slots=True)
class Group:
    """Terms that must all hold; pre-releases pass only if one of the terms carries a pre-release."""

    terms: tuple[Term, ...]
    admits_prereleases: bool

    def holds(self, candidate: Version) -> bool:
        # Loops instead of all() and any(): thousands of tags are checked, and a generator costs more than the checks.
        for term in self.terms:  # noqa: SIM110
            if not term.check(candidate, term):
                return False
        return True


@dataclass(frozen=True, slots=True)
class Constraint:
    """A parsed constraint and the text it came from."""

    text: str
    groups: tuple[Group, ...]

    def allows(self, version: Version) -> bool:
        """Whether any group accepts the version."""
        is_prerelease = version.is_prerelease
        for group in self.groups:  # noqa: SIM110 - see Group.holds
            if (group.admits_prereleases or not is_prerelease) and group.holds(version):
                return True
        return False

    def allows_but_for_prerelease(self, version: Version) -> bool:
        """Whether some group would accept the version if the pre-release gate stood open."""
        return any(group.holds(version) for group in self.groups)


def parse_constraint(text: str) -> Constraint:
    """Parse a constraint; raises ``PlanError`` (``invalid_constraint``) that names position and what was expected."""
    if len(text) > _LENGTH_LIMIT:
        raise PlanError(
            f"a constraint of {len(text)} characters is too long",
            hint=f"write at most {_LENGTH_LIMIT}",
            code="invalid_constraint",
        )
    groups = []
    start = 0
    for part in text.split("||"):
        groups.append(_GroupParser(text, start, start + len(part)).parse())
        start += len(part) + 2
    return Constraint(text, tuple(groups))


class _GroupParser:
    """Reads the terms between ``||`` from left to right; ``at`` is the position in the whole text."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self._text = text
        self._start = start
        self._end = end
        self._at = start
        self._after_range = False

    def parse(self) -> Group:
        terms: list[Term] = []
        # The original reads bars that touch a number as part of it: '||1 - 2' is an error there, '||v1 - 2' is not.
        may_be_range = self._skip_spaces() or self._start == 0 or self._text.startswith("v", self._start)
        while True:
            terms += self._terms(may_be_range=may_be_range)
            had_space = self._skip_spaces() or self._after_range
            if self._at == self._end:
                break
            has_comma = self._skip_comma()
            if not has_comma and not had_space:
                raise self._error("a blank, a comma or '||' before the next comparison")
            may_be_range = has_comma
        # Written as the engine that owners know does it: one term with a pre-release opens the whole group.
        return Group(tuple(terms), any(term.version.is_prerelease for term in terms))

    def _terms(self, *, may_be_range: bool) -> list[Term]:
        start = self._at
        operator = self._match(_OPERATOR)
        self._skip_spaces()
        first = self._version(operator)
        self._after_range = False
        if self._match(_HYPHEN) is None:
            return [first]
        if operator or not may_be_range:
            self._at = start
            raise self._error("a hyphen range without an operator, at the beginning or after a comma")
        last = self._version("<=")
        self._after_range = True
        return [Term(">=", _CHECKS[">="], first.version, first.dirty), last]

    def _version(self, operator: str | None) -> Term:
        start = self._at
        match = _VERSION.match(self._text, start, self._end)
        if match is None:
            raise self._error("a version such as 1.2.3 or 1.x")
        self._at = match.end()
        term = _term(operator or "=", match)
        if term is None:
            self._at = start
            raise self._error("a version whose parts are numbers below 2^64 or wildcards")
        return term

    def _match(self, pattern: re.Pattern[str]) -> str | None:
        match = pattern.match(self._text, self._at, self._end)
        self._at = match.end() if match else self._at
        return match.group() if match else None

    def _skip_spaces(self) -> bool:
        return bool(self._match(_SPACES))

    def _skip_comma(self) -> bool:
        if not self._text.startswith(",", self._at, self._end):
            return False
        self._at += 1
        self._skip_spaces()
        return True

    def _error(self, expected: str) -> PlanError:
        rest = self._text[self._at : min(self._end, self._at + 20)]
        found = repr(rest) if rest else "the end"
        return PlanError(
            f"constraint {self._text[:80]!r}: expected {expected} at position {self._at + 1}, found {found}",
            hint=_hint(self._text),
            code="invalid_constraint",
        )


def _hint(text: str) -> str:
    if _WORD.fullmatch(text.strip()):
        return f"to follow the tag {text.strip()[:40]!r} itself, set the update strategy to digest"
    return "write for example ~1.2, ^1, 1.x or >=1.0.0 <2.0.0"


def _term(operator: str, match: re.Match[str]) -> Term | None:
    major, minor, patch = match["major"], match["minor"], match["patch"]
    prerelease = match["pre"] or ""
    if major in _WILDCARDS:
        return _dirty_term(operator, f"0.0.0{prerelease}", Dirty.MAJOR)
    if minor is None or minor in _WILDCARDS:
        return _dirty_term(operator, f"{major}.0.0{prerelease}", Dirty.MINOR)
    if patch is None or patch in _WILDCARDS:
        return _dirty_term(operator, f"{major}.{minor}.0{prerelease}", Dirty.PATCH)
    return _dirty_term(operator, match.group(), Dirty.NOTHING)


def _dirty_term(operator: str, version_text: str, dirty: Dirty) -> Term | None:
    version = parse_version(version_text)
    return None if version is None else Term(operator, _CHECKS[operator], version, dirty)


def _equal(version: Version, term: Term) -> bool:
    return version == term.version if term.dirty is Dirty.NOTHING else _tilde(version, term)


def _not_equal(version: Version, term: Term) -> bool:
    wanted = term.version
    if term.dirty is Dirty.MINOR:
        return version.major != wanted.major
    if term.dirty is Dirty.PATCH:
        return version[:2] != wanted[:2] or version.prerelease != wanted.prerelease
    return version != wanted


def _greater(version: Version, term: Term) -> bool:
    if term.dirty is Dirty.MINOR:
        return version.major > term.version.major
    if term.dirty is Dirty.PATCH:
        return version[:2] > term.version[:2]
    return version > term.version


def _less(version: Version, term: Term) -> bool:
    return version < term.version


def _greater_or_equal(version: Version, term: Term) -> bool:
    return version >= term.version


def _less_or_equal(version: Version, term: Term) -> bool:
    if term.dirty is Dirty.NOTHING:
        return version <= term.version
    if term.dirty is Dirty.MINOR:
        return version.major <= term.version.major
    return version[:2] <= term.version[:2]


def _tilde(version: Version, term: Term) -> bool:
    wanted = term.version
    if version < wanted:
        return False
    if term.dirty is Dirty.MAJOR:
        return True
    if term.dirty is Dirty.MINOR:
        return version.major == wanted.major
    is_all_zero = term.dirty is Dirty.NOTHING and wanted[:3] == (0, 0, 0)
    return is_all_zero or version[:2] == wanted[:2]


def _caret(version: Version, term: Term) -> bool:
    wanted = term.version
    if version < wanted or version.major != wanted.major:
        return False
    if wanted.major > 0 or term.dirty is Dirty.MINOR:
        return True
    if wanted.minor > 0 or term.dirty is Dirty.PATCH:
        return version.minor == wanted.minor
    return version[1:3] == wanted[1:3]


_CHECKS: dict[str, Callable[[Version, Term], bool]] = {
    "=": _equal,
    "!=": _not_equal,
    ">": _greater,
    "<": _less,
    ">=": _greater_or_equal,
    "=>": _greater_or_equal,
    "<=": _less_or_equal,
    "=<": _less_or_equal,
    "~": _tilde,
    "~>": _tilde,
    "^": _caret,
}
