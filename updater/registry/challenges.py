"""WWW-Authenticate: reading challenges and picking the one to answer.

Rules: RFC 9110 11.6.1, read as leniently as ``registries.md`` 3.3 asks for. Vectors: ``www_authenticate.json``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

_GAP = re.compile(r"[ \t,]*")
_WORD = re.compile(r'[^\s,="]+')
_EQUALS = re.compile(r"[ \t]*=[ \t]*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r'[^\s,"]*')
_TOKEN68 = re.compile(r"[ \t]+[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|$)")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge; ``scheme`` and the names of parameters are lower case, values as written."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse_challenges(lines: Iterable[str]) -> tuple[Challenge, ...]:
    """Every challenge of every header line, in order. A broken parameter ends the reading of its line."""
    return tuple(challenge for line in lines for challenge in _parse_line(line))


def select_challenge(challenges: Iterable[Challenge], *, has_credentials: bool) -> Challenge | None:
    """The first Bearer challenge with a realm, else Basic if it can be answered, else None."""
    known = tuple(challenges)
    for challenge in known:
        if challenge.scheme == "bearer" and challenge.parameters.get("realm"):
            return challenge
    basic = (challenge for challenge in known if challenge.scheme == "basic")
    return next(basic, None) if has_credentials else None


def _parse_line(line: str) -> Iterator[Challenge]:
    """Words followed by ``=`` are parameters of the scheme before them; other words are schemes."""
    scheme, parameters = "", dict[str, str]()
    position = 0
    while word := _WORD.match(line, _skip(_GAP, line, position)):
        equals = _EQUALS.match(line, word.end())
        if equals is None:
            if scheme:
                yield Challenge(scheme, parameters)
            scheme, parameters = word[0].lower(), {}
            position = _skip_token68(line, word.end(), scheme)
            continue
        value = _read_value(line, equals.end())
        if value is None or not scheme:
            break
        text, position = value
        parameters.setdefault(word[0].lower(), text)
    if scheme:
        yield Challenge(scheme, parameters)


def _read_value(line: str, position: int) -> tuple[str, int] | None:
    """The value that starts here and the position after it; None for a quote that never closes."""
    if line.startswith('"', position):
        quoted = _QUOTED.match(line, position)
        return (_ESCAPE.sub(r"\1", quoted[1]), quoted.end()) if quoted else None
    bare = _BARE.match(line, position)
    return (bare[0], bare.end()) if bare else ("", position)


def _skip_token68(line: str, position: int, scheme: str) -> int:
    """Credentials in one word, which only schemes that are foreign to registries send."""
    return position if scheme in {"basic", "bearer"} else _skip(_TOKEN68, line, position)


def _skip(pattern: re.Pattern[str], line: str, position: int) -> int:
    match = pattern.match(line, position)
    return match.end() if match else position
