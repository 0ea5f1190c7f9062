"""Labels of images as other parts may see them: few, short, and each value on one line.

An image's builder writes whatever he likes into them (``registries.md`` 3.7 names the place, not the size), and they
end in commit messages and pull requests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from updater.model.images import ImageLabels

MAX_LABELS = 100
MAX_KEY = 128
"""Characters. A longer key would have to be cut, and so become another one: its label is left out."""
MAX_VALUE = 1_000
"""Characters. Build tools keep whole documents in labels; what is cut ends with an ellipsis."""
MAX_TOTAL = 16_384
"""Characters of all keys and values of one image: a round may hold the labels of thousands of images."""

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:+-]*", re.ASCII)
"""Names as tools give them. A key can be printed like a value, so it must not hold what means something in a text."""
_FIRST = "org.opencontainers.image."
_MORE = "…"


def clean_labels(raw: Mapping[str, Any]) -> ImageLabels:
    """The labels that are kept of ``config.Labels``: those of the image-spec first, then by name, while they fit."""
    kept: list[tuple[str, str]] = []
    left = MAX_TOTAL
    for key in sorted(filter(_is_key, raw), key=lambda key: (not key.startswith(_FIRST), key)):
        value = raw[key]
        if not isinstance(value, str) or len(kept) == MAX_LABELS:
            continue
        text = clean_value(value)
        if len(key) + len(text) <= left:
            kept.append((key, text))
            left -= len(key) + len(text)
    return tuple(kept)


def clean_value(value: str) -> str:
    """The value on one line: whatever does not print, line ends and half characters too, is a blank."""
    # Cut before as well: what is thrown away need not be looked at character by character.
    head = value[: 4 * MAX_VALUE]
    line = " ".join("".join(each if each.isprintable() else " " for each in head).split())
    if len(line) <= MAX_VALUE and len(head) == len(value):
        return line
    return line[: MAX_VALUE - len(_MORE)].rstrip() + _MORE


def _is_key(key: str) -> bool:
    return len(key) <= MAX_KEY and _KEY.fullmatch(key) is not None
