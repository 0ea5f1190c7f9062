"""Untrusted text in pull requests: labels of images, which a forge must neither obey nor draw.

A forge reads more into a title or body than letters: mentions notify people, ``#7`` leaves a note on somebody's issue,
a line that begins with ``/merge`` is an order to GitLab, and Markdown makes links, pictures and hidden text. Escapes of
CommonMark 0.31 (2.4) stop what is drawn; mentions and references are looked for in the text that results, so that only
a character between stops them: ZERO WIDTH SPACE, as other bots do it. A value that is an address stays whole, for the
links that templates make of it; one of an issue or request does not, because forges take it for ``#7``. Pure.
"""

from __future__ import annotations

import re

_BREAK = "\u200b"
_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/?#@&=%+-]+", re.ASCII)
"""Becomes a link as a whole, and in links only one thing is looked for."""
_ENTRY = r"/(?:issues|pulls?|pull-requests|merge_requests|discussions|work_items|epics|incidents)/(?=\d)"
"""In an address: what people follow, and where a mention leaves a note."""
_ADDRESS_OF_ENTRY = re.compile(_ENTRY)
_REFERENCE = re.compile(rf"(?<![A-Za-z0-9_])[@!&~%$^](?=[\w\"{{])|[#!&](?=\d)|\b[Gg][Hh]-(?=\d)|\[(?=\w+:)|{_ENTRY}")
"""Mentions; issues, merge requests, epics, labels, milestones, snippets and alerts, as GitHub and GitLab write them,
with a project before them, too, and as ``[issue:7]``."""
_ESCAPED = re.compile(r"[\\`*\[\]<>|~$]|(?<![^\W_])_|_(?![^\W_])|!(?=\[)|&(?=#?\w+;)")
"""What draws inside a line. An underscore between letters does not, and stands in many addresses."""
_OPENING = re.compile(r"(?P<mark>[#/+=-])|(?P<number>\d{1,9})(?=[.)](?:\s|$))")
"""What means something at the beginning of a line, where the value may stand."""


def plain_title(value: str) -> str:
    """One line of text as a part of a title, which nobody draws as Markdown."""
    if _is_whole(value):
        return value
    return _REFERENCE.sub(lambda found: found[0] + _BREAK, value)


def plain_body(value: str) -> str:
    """One line of text as a part of a body in Markdown."""
    if _is_whole(value):
        return value
    opening = _OPENING.match(value)
    text = _ESCAPED.sub(lambda found: "\\" + found[0], plain_title(value))
    if opening is None:
        return text
    if opening["mark"]:
        return "\\" + text
    return opening["number"] + "\\" + text[opening.end() :]


def _is_whole(value: str) -> bool:
    """Whether it is an address that may be drawn as a link."""
    return _ADDRESS.fullmatch(value) is not None and not _ADDRESS_OF_ENTRY.search(value)
