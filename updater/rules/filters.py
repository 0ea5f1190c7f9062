"""allow-tags and ignore-tags: which tags of a repository may compete at all (``images-and-strategies.md`` 5.1, 5.2).

A mistake in allow-tags lets nothing pass, a malformed glob of ignore-tags is inert; both are recorded for the owner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from updater.errors import PlanError
from updater.model.images import Loss
from updater.model.report import Warned
from updater.rules.globs import Glob
from updater.rules.patterns import Pattern

_ANY = "any"
_REGEXP = "regexp"
_MISSPELLED = frozenset(("regex", "re"))


def _nothing(_tag: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class AllowedTags:
    """allow-tags, compiled: ``accepts`` is None when every tag passes; ``problem`` is the owner's mistake."""

    accepts: Callable[[str], bool] | None = None
    problem: str = ""


def parse_allowed_tags(value: str) -> AllowedTags:
    """Read ``any``, nothing at all, or ``regexp:<expression>``; anything else lets no tag pass."""
    text = value.strip()
    if not text or text.lower() == _ANY:
        return AllowedTags()
    function, colon, expression = text.partition(":")
    if not colon or function.lower() != _REGEXP:
        problem = f"allow-tags {text[:80]!r} is neither 'any' nor 'regexp:<expression>'; {_mend(text)}"
        return AllowedTags(_nothing, problem)
    if not expression:
        return AllowedTags()
    try:
        return AllowedTags(Pattern(expression).is_found_in)
    except PlanError as problem:
        return AllowedTags(_nothing, f"allow-tags: {problem}")


def _mend(text: str) -> str:
    if text[0] in "~<>=":
        return "a constraint stands after the image's name or in semver-constraint"
    function, _, expression = text.partition(":")
    return f"write 'regexp:{(expression if function.lower() in _MISSPELLED else text)[:80]}'"


def split_ignored_tags(value: str) -> tuple[str, ...]:
    """The globs of a comma-separated list, trimmed, empty ones dropped."""
    return tuple(item for part in value.split(",") if (item := part.strip()))


@dataclass(frozen=True, slots=True)
class TagFilter:
    """Both filters of one rule, compiled, with what their owner should mend."""

    allowed: AllowedTags
    ignored_names: frozenset[str]
    ignored_globs: tuple[Glob, ...]
    warnings: tuple[Warned, ...] = ()

    def loss(self, tag: str) -> Loss | None:
        """Why the tag may not compete, None when it may."""
        if self.allowed.accepts is not None and not self.allowed.accepts(tag):
            return Loss.NOT_ALLOWED
        if tag in self.ignored_names or any(glob.matches(tag) for glob in self.ignored_globs):
            return Loss.IGNORED
        return None

    @property
    def accepts_everything(self) -> bool:
        return self.allowed.accepts is None and not self.ignored_names and not self.ignored_globs

    def split(self, tags: Iterable[str]) -> tuple[list[str], list[tuple[str, Loss]]]:
        """The tags that may compete, in their order, and the others with the reason."""
        if self.accepts_everything:
            return list(tags), []
        kept: list[str] = []
        lost: list[tuple[str, Loss]] = []
        for tag in tags:
            loss = self.loss(tag)
            if loss is None:
                kept.append(tag)
            else:
                lost.append((tag, loss))
        return kept, lost


def compile_filter(allow_tags: str, ignore_tags: tuple[str, ...]) -> TagFilter:
    """Compile both filters; mistakes become warnings, never errors."""
    allowed = parse_allowed_tags(allow_tags)
    warnings = [Warned("allow_tags_invalid", f"{allowed.problem}; no tag is accepted")] if allowed.problem else []
    names: set[str] = set()
    globs: list[Glob] = []
    for text in ignore_tags:
        try:
            glob = Glob(text)
        except PlanError as problem:
            warnings.append(Warned("ignore_tags_invalid", f"ignore-tags: {problem}; the pattern ignores nothing"))
            continue
        if glob.is_literal:
            names.add(text)
        else:
            globs.append(glob)
    return TagFilter(allowed, frozenset(names), tuple(globs), tuple(warnings))
