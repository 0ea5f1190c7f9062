"""How much a template may do: it comes from people who only own one Application (``write-back.md`` appendix A)."""

from __future__ import annotations

from dataclasses import dataclass

from updater.manifests.templates.syntax import NESTING_LIMIT
from updater.manifests.templates.values import Mistake

OUTPUT_LIMIT_BYTES = 1024 * 1024
ITERATION_LIMIT = 10_000
"""Rounds of all ranges together, and calls of templates."""
STEP_LIMIT = 200_000
"""Statements and operands. Templates that call themselves twice would otherwise double with every level."""
WORK_LIMIT = 16 * 1024 * 1024
"""Characters of all texts that functions make: a text that doubles in a loop ends here."""


@dataclass(slots=True)
class Budget:
    """What one run has used so far; every method raises ``Mistake`` when that is too much."""

    output_bytes: int = 0
    iterations: int = 0
    steps: int = 0
    characters: int = 0
    depth: int = 0

    def print(self, text: str) -> None:
        self.output_bytes += len(text.encode("utf-8", "surrogatepass"))
        _check(self.output_bytes, OUTPUT_LIMIT_BYTES, "bytes of output")

    def iterate(self) -> None:
        self.iterations += 1
        _check(self.iterations, ITERATION_LIMIT, "iterations")

    def step(self) -> None:
        self.steps += 1
        _check(self.steps, STEP_LIMIT, "steps")

    def work(self, characters: int) -> None:
        self.characters += characters
        _check(self.characters, WORK_LIMIT, "characters of text")

    def enter(self) -> None:
        self.depth += 1
        _check(self.depth, NESTING_LIMIT, "levels of nesting")

    def leave(self) -> None:
        self.depth -= 1


def _check(used: int, limit: int, what: str) -> None:
    if used > limit:
        raise Mistake(f"the template needs more than {limit} {what}")
