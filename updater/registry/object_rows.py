"""Facts as rows of the disk cache, and back. A row that does not read as facts is no fact: the file may be anything."""

from __future__ import annotations

import json
from typing import Any

from updater.registry.contents import ConfigFacts, Facts, IndexEntry, IndexFacts, ManifestFacts
from updater.registry.digests import is_digest
from updater.rules.platforms import Platform

FORMAT = 1
"""Raised with every change of the shape below: rows of another format are dropped."""


def render_row(facts: Facts) -> str:
    """One line of JSON: a letter for the kind, then its fields in order."""
    row: list[object]
    match facts:
        case IndexFacts():
            entries = [[entry.digest, *_platform_fields(entry.platform), entry.is_index] for entry in facts.entries]
            row = ["i", facts.created_ns, entries]
        case ManifestFacts():
            row = ["m", facts.created_ns, facts.config_digest, facts.config_size_bytes]
        case ConfigFacts():
            row = ["c", facts.created_ns, facts.history_ns, *_platform_fields(facts.platform)]
    return json.dumps(row, separators=(",", ":"))


def parse_row(text: object) -> Facts | None:
    """The facts of a row, None for a text that is none."""
    try:
        row = json.loads(text) if isinstance(text, str) else None
        return _facts(row) if isinstance(row, list) else None
    except (ValueError, TypeError, IndexError, RecursionError):
        # Whatever is wrong with it, the registry can be asked again.
        return None


def _facts(row: list[Any]) -> Facts | None:
    kind, created_ns, *fields = row
    if kind == "i":
        (entries,) = fields
        parsed = tuple(IndexEntry(_digest(digest), _platform(*rest[:3]), _flag(rest[3])) for digest, *rest in entries)
        return IndexFacts(parsed, _number(created_ns))
    if kind == "m":
        digest, size = fields
        return ManifestFacts(_digest(digest), _number(size) or 0, _number(created_ns))
    if kind == "c":
        history_ns, *platform = fields
        return ConfigFacts(_platform(*platform), _number(created_ns), _number(history_ns))
    return None


def _platform_fields(platform: Platform | None) -> list[str]:
    return [platform.os, platform.architecture, platform.variant] if platform else ["", "", ""]


def _platform(os: object, architecture: object, variant: object) -> Platform | None:
    if not isinstance(os, str) or not isinstance(architecture, str) or not isinstance(variant, str):
        raise TypeError("a platform is three texts")
    return Platform(os, architecture, variant) if os else None


def _digest(value: object) -> str:
    if not isinstance(value, str) or not is_digest(value):
        raise TypeError("not a digest")
    return value


def _number(value: object) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise TypeError("not a whole number")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value
