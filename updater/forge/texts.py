"""Titles and bodies, cut to what a forge takes (``write-back.md`` 6.3)."""

from __future__ import annotations

from dataclasses import dataclass

from updater.ports.forge import RequestText

MORE = "…"
_CUT = "\n\n(The rest of the text was cut off.)"


@dataclass(frozen=True, slots=True)
class TextLimits:
    """Characters of a title and of a body."""

    title: int = 255
    body: int = 65_536


def stored_text(title: str, body: str) -> RequestText:
    """The text of a request as a forge gives it back: some change line ends or trim."""
    return RequestText(title.strip(), body.replace("\r\n", "\n").strip())


def fitted(text: RequestText, limits: TextLimits) -> RequestText:
    """The text within the limits, with a mark where something was cut off; the title on one line.

    The last paragraph of a body says for whom the request is, and stays.
    """
    return RequestText(_title(text.title, limits.title), _body(stored_text("", text.body).body, limits.body))


def _title(title: str, limit: int) -> str:
    line = " ".join(title.split())
    return line if len(line) <= limit else line[: limit - len(MORE)].rstrip() + MORE


def _body(body: str, limit: int) -> str:
    if len(body) <= limit:
        return body
    head, _, last = body.rpartition("\n\n")
    ending = f"\n\n{last}" if head and len(last) <= limit // 2 else ""
    kept = (head if ending else body)[: limit - len(_CUT) - len(ending)]
    return kept.rstrip() + _CUT + ending
