"""The result of ``doctor`` for people, line by line as it is found, and for programs, as one document."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import MappingProxyType

from updater.model.findings import Finding, Verdict
from updater.transport.redaction import cap_text

SCHEMA_VERSION = 1
"""Raised when a key of the document goes away or changes its meaning; new keys do not raise it."""

_MARKS = MappingProxyType(
    {
        Verdict.PASSED: "ok",
        Verdict.NOTED: "note",
        Verdict.WARNED: "WARN",
        Verdict.FAILED: "FAIL",
        Verdict.SKIPPED: "-",
    }
)
_LAYER_WIDTH = 15
_LONGEST = 600


class DoctorReport:
    """Collects findings; prints lines as they come when ``output`` is ``text``. ``clean`` takes secrets out."""

    def __init__(self, output: str, clean: Callable[[str], str]) -> None:
        self._is_text = output == "text"
        self._clean = clean
        self._findings: list[Finding] = []
        self._subject = ""

    @property
    def is_well(self) -> bool:
        """Whether nothing has failed."""
        return self._first_failure is None

    @property
    def _first_failure(self) -> Finding | None:
        return next((each for each in self._findings if each.seen.verdict is Verdict.FAILED), None)

    def add(self, finding: Finding) -> None:
        """The next finding."""
        self._findings.append(finding)
        if not self._is_text:
            return
        if finding.subject != self._subject:
            self._subject = finding.subject
            self._say(finding.subject)
        seen = finding.seen
        text = seen.text or "not examined"
        self._say(f"  {_MARKS[seen.verdict]:<5} {finding.layer:<{_LAYER_WIDTH}} {text}")
        if seen.hint:
            self._say(f"  {'':<5} {'':<{_LAYER_WIDTH}} -> {seen.hint}")

    def end(self) -> None:
        """The last line, or the document."""
        if not self._is_text:
            print(json.dumps(self._document(), indent=2))  # noqa: T201 - this is the result
            return
        failure = self._first_failure
        if failure is None:
            self._say("Every layer passed.")
            return
        hint = f"; {failure.seen.hint}" if failure.seen.hint else ""
        self._say(f"First failure: {failure.subject}, {failure.layer}: {failure.seen.text}{hint}")

    def _say(self, text: str) -> None:
        leading = text[: len(text) - len(text.lstrip())]
        shown = self._clean(text.strip())
        safe = "".join(character if character.isprintable() else " " for character in shown)[:_LONGEST]
        print(f"{leading}{safe}", flush=True)  # noqa: T201 - this is the result

    def _document(self) -> dict[str, object]:
        failure = self._first_failure
        return {
            "schemaVersion": SCHEMA_VERSION,
            "command": "doctor",
            "healthy": failure is None,
            "firstFailure": self._entry(failure) if failure else None,
            "findings": [self._entry(finding) for finding in self._findings],
        }

    def _entry(self, finding: Finding) -> dict[str, object]:
        seen = finding.seen
        return {
            "subject": self._shown(finding.subject),
            "layer": finding.layer,
            "verdict": seen.verdict.value,
            "text": self._shown(seen.text),
            "hint": self._shown(seen.hint),
            "code": seen.code or None,
        }

    def _shown(self, text: str) -> str:
        return cap_text(self._clean(text), limit=_LONGEST)
