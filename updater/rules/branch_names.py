"""Names of branches: what git accepts, and how a rendered text becomes one that it accepts.

Source: git-check-ref-format(1) of git 2.39 and ``write-back.md`` 3.4.
"""

from __future__ import annotations

import re

NAME_LIMIT_BYTES = 240
"""Longest name. A component over 250 bytes cannot be created: its lock file's name would exceed 255."""

_KEPT_BYTES = 231
"""What stays of a longer name: a dash and eight digits that keep it unique follow."""

_REFUSED = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]")
_REPLACED = re.compile(rf"{_REFUSED.pattern}|[\x80-\x9f]")
_BLANKS = " \t\r\n\f\v"
_DOTS = re.compile(r"\.{2,}")
_LOCK = ".lock"
_NEVER_FIRST = "-./"
_RESERVED = ("", "@", "HEAD")


def is_branch_name(name: str) -> bool:
    """Whether git takes the text as the name of a branch."""
    if name in _RESERVED or name.startswith("-") or _REFUSED.search(name) or ".." in name or "@{" in name:
        return False
    return all(map(_is_component, name.split("/"))) and not name.endswith(".")


def _is_component(text: str) -> bool:
    return bool(text) and not text.startswith(".") and not text.endswith(_LOCK)


def clean_branch_name(text: str, unique: str) -> str:
    """The nearest name that git takes; empty when nothing is left of the text.

    unique: hexadecimal digits that tell the change from others, for names that must be cut.
    """
    name = _REPLACED.sub("-", text.strip(_BLANKS)).replace("@{", "-{")
    name = _cut(_with_clean_components(_DOTS.sub(".", name)), unique)
    return "" if name in _RESERVED else name


def _with_clean_components(name: str) -> str:
    """Until nothing changes: stripping one thing may lay another bare.

    What no name begins with goes at once: piece by piece, an owner's megabyte of dashes and dots would take minutes.
    """
    while True:
        components = (_clean_component(component) for component in name.split("/"))
        cleaned = "/".join(filter(None, components)).lstrip(_NEVER_FIRST)
        if cleaned == name:
            return name
        name = cleaned


def _clean_component(text: str) -> str:
    text = text.strip(".")
    return text.removesuffix(_LOCK) + "-lock" if text.endswith(_LOCK) else text


def _cut(name: str, unique: str) -> str:
    encoded = name.encode()
    if len(encoded) <= NAME_LIMIT_BYTES:
        return name
    return f"{encoded[:_KEPT_BYTES].decode('utf-8', 'ignore').rstrip('/.-')}-{unique[:8]}"
