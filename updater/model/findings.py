"""What an examination of the connections found: one finding per layer, lower layers first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """How a layer fared."""

    PASSED = "passed"
    NOTED = "noted"
    """Worth knowing; nothing depends on it with these settings."""
    WARNED = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not examined, because a layer below it failed."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the examination of one layer saw. ``hint`` says what to change where something should be."""

    text: str
    verdict: Verdict = Verdict.PASSED
    hint: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen of one layer of one subject: the API server, a registry, a Git remote."""

    subject: str
    layer: str
    seen: Seen
