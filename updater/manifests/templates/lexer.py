"""From the text of a template to tokens: texts with their blanks trimmed, and what stands between the braces."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from enum import Enum

from updater.manifests.templates.literals import read_number, read_string
from updater.manifests.templates.syntax import parse_error

_OPEN, _CLOSE = "{{", "}}"
_COMMENT_OPEN, _COMMENT_CLOSE = "/*", "*/"
_BLANKS = " \t\r\n"
_TRIM_WIDTH = 2
"""A trim marker is a dash and the blank beside it."""


class Kind(Enum):
    """What a token is. The value is its name in messages."""

    TEXT = "text"
    OPEN = "{{"
    CLOSE = "}}"
    FIELD = "field"
    DOT = "."
    VARIABLE = "variable"
    NAME = "name"
    NUMBER = "number"
    STRING = "string"
    PIPE = "|"
    LEFT = "("
    RIGHT = ")"
    DECLARE = ":="
    ASSIGN = "="
    COMMA = ","
    END = "the end of the template"


@dataclass(frozen=True, slots=True)
class Token:
    """One token. ``value`` is a text, a name without its sign, or a number; ``is_apart``: a blank stands before it."""

    kind: Kind
    value: str | int | float
    position: int
    is_apart: bool = False


_TOKENS = re.compile(
    r"""
      (?P<STRING> "(?:[^"\\\n]|\\.)*" | `[^`]*` )
    | (?P<VARIABLE> \$\w* )
    | (?P<NUMBER> [-+]?(?:[0-9]|\.[0-9])[\w.]*(?:(?<=[eEpP])[-+][0-9]+)? )
    | (?P<FIELD> \.[^\W\d]\w* )
    | (?P<DOT> \. )
    | (?P<NAME> [^\W\d]\w* )
    | (?P<DECLARE> := ) | (?P<ASSIGN> = ) | (?P<PIPE> \| ) | (?P<LEFT> \( ) | (?P<RIGHT> \) ) | (?P<COMMA> , )
    """,
    re.VERBOSE,
)


def read_tokens(source: str) -> Iterator[Token]:
    """The tokens of a template, closed by one of kind END; raises ``PlanError`` (``template_parse``)."""
    place, trims_left = 0, False
    while (start := source.find(_OPEN, place)) >= 0:
        behind = start + len(_OPEN)
        trims_right = source[behind : behind + 1] == "-" and source[behind + 1 : behind + 2] in tuple(_BLANKS)
        yield from _text(source[place:start], place, trims_left=trims_left, trims_right=trims_right)
        inside = behind + (_TRIM_WIDTH if trims_right else 0)
        if source.startswith(_COMMENT_OPEN, inside):
            end = _comment_end(source, inside)
        else:
            yield Token(Kind.OPEN, _OPEN, start)
            end = yield from _action(source, start, inside)
            yield Token(Kind.CLOSE, _CLOSE, end)
        trims_left = source[end] != "}"
        place = end + len(_CLOSE) + (_TRIM_WIDTH if trims_left else 0)
    yield from _text(source[place:], place, trims_left=trims_left, trims_right=False)
    yield Token(Kind.END, "", len(source))


def _text(text: str, place: int, *, trims_left: bool, trims_right: bool) -> Iterator[Token]:
    text = text.lstrip(_BLANKS) if trims_left else text
    text = text.rstrip(_BLANKS) if trims_right else text
    if text:
        yield Token(Kind.TEXT, text, place)


def _is_close(source: str, place: int) -> bool:
    """Whether the action ends here, with or without a trim marker."""
    if source.startswith(_CLOSE, place):
        return True
    return source[place : place + 1] in tuple(_BLANKS) and source.startswith("-" + _CLOSE, place + 1)


def _comment_end(source: str, start: int) -> int:
    end = source.find(_COMMENT_CLOSE, start + len(_COMMENT_OPEN))
    if end < 0:
        raise parse_error(source, start, "the comment is not closed")
    end += len(_COMMENT_CLOSE)
    if not _is_close(source, end):
        raise parse_error(source, start, "a comment stands alone in its braces")
    return end


def _action(source: str, start: int, place: int) -> Generator[Token, None, int]:
    """The tokens up to the closing braces; the generator's result is where those begin."""
    is_apart = False
    while not _is_close(source, place):
        if place >= len(source):
            raise parse_error(source, start, "the action is not closed")
        if source[place] in _BLANKS:
            is_apart = True
            place += 1
            continue
        token, place = _token(source, place, is_apart=is_apart)
        yield token
        is_apart = False
    return place


def _token(source: str, place: int, *, is_apart: bool) -> tuple[Token, int]:
    found = _TOKENS.match(source, place)
    if found is None or found.lastgroup is None:
        raise parse_error(source, place, f"unexpected {source[place : place + 10]!r}")
    kind, text = Kind[found.lastgroup], found.group()
    value: str | int | float = text
    try:
        if kind is Kind.STRING:
            value = read_string(text)
        elif kind is Kind.NUMBER:
            value = read_number(text)
    except ValueError as error:
        raise parse_error(source, place, f"bad {kind.value} {text[:40]!r}") from error
    if kind in (Kind.FIELD, Kind.VARIABLE):
        value = text[1:]
    return Token(kind, value, place, is_apart), found.end()
