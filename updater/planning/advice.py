"""Hints at what owners get wrong most: placeholders and templates left in, newlines as separators, unread settings.

The mistakes were counted over several hundred published annotation sets. A hint never changes what is done.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from updater.model.report import Warned
from updater.planning import annotation_keys as keys
from updater.planning.write_back import Method, WriteBackMethod

_TEMPLATE = re.compile(r"\{\{|\}\}|\$\{|\$\(")
_PLACEHOLDER = re.compile(r"<[A-Za-z][^<>]*>|\b(?:YOUR|MY)[_-]|\.\.\.|CHANGE_?ME")
_EXPRESSION_PREFIX = re.compile(r"(?i)regexp?:")
_EXPRESSION = re.compile(r"^\^|\$$|\.\*|\.\+|\\[dwsDWS]|\]\+|\|")
_ANCHOR = re.compile(r"\^|\$|\\A|\\z|\.\*")
_OPERATORS = frozenset("=!<>~^")


def left_over(text: str) -> str:
    """What a template or a placeholder in a value deserves to hear; empty when there is neither."""
    if _TEMPLATE.search(text):
        return "a template was left in; let the tool that writes the manifest fill it in"
    return "a placeholder was left in; put the real value there" if _PLACEHOLDER.search(text) else ""


def entry_hint(text: str) -> str:
    """How to mend an illegal entry of the image list."""
    if "\n" in text:
        return "only a comma ends an entry, a new line does not"
    if text[:1] in _OPERATORS:
        return "a comma ends an entry; join the comparisons of a constraint with a blank"
    found = left_over(text)
    if not found and any(character.isspace() for character in text.partition(":")[0]):
        return "only a comma ends an entry, a blank does not"
    return found or "write [alias=][host[:port]/]path[:constraint]"


def cut_off_problem(entry: str, alias: str, constraint: str, rest: str) -> str:
    """Why an entry whose constraint was cut at a comma is not followed: the bound after the comma would be lost."""
    together = f"{constraint[:40]} {rest[:40]}".strip()
    elsewhere = f", or write it with its comma in the annotation {alias[:80]}.semver-constraint" if alias else ""
    return (
        f"image-list entry {entry[:80]!r} ends at the comma before {rest[:40]!r}, and without that part its constraint "
        f"would allow too much; join comparisons with a blank, {together!r}{elsewhere}"
    )


def filter_warnings(allow_tags: str, ignore_tags: tuple[str, ...]) -> Iterator[Warned]:
    """Filters that work, but hardly as they were meant."""
    function, _, expression = allow_tags.partition(":")
    if function.lower() == "regexp" and expression and not _ANCHOR.search(expression):
        text = f"allow-tags {allow_tags[:80]!r} matches anywhere in a tag; anchor it with ^ and $ to match whole tags"
        yield Warned("allow_tags_unanchored", text)
    for item in ignore_tags:
        if _EXPRESSION_PREFIX.match(item) or _EXPRESSION.search(item):
            text = f"ignore-tags {item[:80]!r} looks like a regular expression; it is read as a glob such as '*-rc*'"
            yield Warned("ignore_tags_expression", text)


def git_warnings(names: Sequence[str], method: WriteBackMethod | None) -> Iterator[Warned]:
    """Settings of the git method, by their names, beside the other method, which does not read them."""
    if names and method is not None and method.method is not Method.GIT:
        text = f"{', '.join(names)}: only read with the write-back method git, which is not set here"
        yield Warned("git_settings_unused", text)


def missing_list_warnings(own: Mapping[str, str]) -> tuple[Warned, ...]:
    """For an Application that has other annotations of ours but no image list."""
    if not own:
        return ()
    names = ", ".join(sorted(own)[:5])
    text = f"without the annotation {keys.IMAGE_LIST} the others ({names[:200]}) have no effect"
    return (Warned("image_list_missing", text),)
