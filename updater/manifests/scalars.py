"""Strings as YAML scalars: when a text may stand plain, and how it is written otherwise.

A tag of an image is a string, whatever it looks like: ``1.20``, ``1234567``, ``12e4567``, ``2024-05-01``, ``on`` and
``010`` must not become numbers, dates or booleans for any reader, of YAML 1.1 (Helm, PyYAML) or 1.2.
Source: ``write-back.md`` 3.6, YAML 1.1 type repository (bool, int, float, null, timestamp), YAML 1.2.2 section 10.3.
"""

from __future__ import annotations

import re

STRING_TAGS = frozenset(("!", "!!str", "tag:yaml.org,2002:str"))

_WORDS = frozenset(("y", "n", "yes", "no", "true", "false", "on", "off", "null", "~", "=", "<<"))
_LONGEST_WORD = max(map(len, _WORDS))
_NUMBER_STARTS = "+-.0123456789"
"""Every number and date begins with one of these; most texts do not, and files have thousands of them."""
_OTHER_TYPE = re.compile(
    r"""
      [-+]? (?: 0b[01_]+ | 0o[0-7_]+ | 0x[0-9a-f_]+ | [0-9][0-9_]* )          # integers; a leading 0 is octal in 1.1
    | [-+]? (?: [0-9][0-9_]*\.[0-9_]* | \.[0-9][0-9_]* ) (?: e[-+]?[0-9]+ )?  # 1. and .5 and 1.5e3
    | [-+]? [0-9][0-9_]* e[-+]?[0-9]+                                         # 12e4567
    | [-+]? \.inf | \.nan
    | [-+]? [0-9][0-9_]* (?: :[0-5]?[0-9] )+ (?: \.[0-9_]* )?                 # base 60
    | [0-9]{4}-[0-9]{2}-[0-9]{2}
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2} (?: t | [ \t]+ ) .*
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_INDICATORS = "!&*?|>%@`\"'#,[]{}-"
_NOT_IN_FLOW = re.compile(r"[,?\[\]{}]|^:")
"""Also a question mark anywhere and a colon in front: PyYAML's own scanner takes neither in a flow collection."""
_UNPRINTABLE = re.compile(r"[^\t\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|[\u2028\u2029]")
"""What must be escaped: control characters, line breaks of YAML 1.1, byte order marks, lone surrogates."""
_ESCAPED = re.compile(rf'[\\"\t]|{_UNPRINTABLE.pattern}')
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def reads_as_other_type(text: str) -> bool:
    """Whether some reader takes the plain text for a null, boolean, number, date or merge key."""
    if text[:1] in _NUMBER_STARTS:
        return not text or _OTHER_TYPE.fullmatch(text) is not None
    return len(text) <= _LONGEST_WORD and text.lower() in _WORDS


def is_plain_safe(text: str, *, in_flow: bool) -> bool:
    """Whether the text may stand without quotes and is the same string for every reader."""
    if reads_as_other_type(text) or _UNPRINTABLE.search(text) or "\t" in text or text != text.strip(" "):
        return False
    if in_flow and _NOT_IN_FLOW.search(text):
        return False
    return _starts_plain(text) and not _has_plain_break(text)


def _starts_plain(text: str) -> bool:
    if text[0] == "?" or text[0] == ":":
        return len(text) > 1 and text[1] != " "
    return text[0] not in _INDICATORS and not text.startswith(("---", "..."))


def _has_plain_break(text: str) -> bool:
    """Whether something in the text would end the scalar."""
    return text.endswith(":") or ": " in text or " #" in text


def render_string(text: str, *, style: str = "", in_flow: bool = False) -> str:
    """The text as a scalar that is a string, in the style of the scalar it takes the place of.

    style: the indicator of the old scalar; block scalars and plain ones become plain where that is safe.
    """
    if style == "'" and not _UNPRINTABLE.search(text):
        return "'" + text.replace("'", "''") + "'"
    if style in ("", "|", ">") and is_plain_safe(text, in_flow=in_flow):
        return text
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    return _ESCAPES.get(character) or f"\\u{ord(character):04x}"
