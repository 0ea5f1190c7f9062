"""What one round over Applications came to: the only thing that status, metrics, events, logs and tables read."""

from __future__ import annotations

from collections import Counter as Tally
from dataclasses import dataclass, field

from updater.model.applications import ApplicationKey
from updater.model.changes import WriteBackResult
from updater.model.images import Counter, Decision


@dataclass(frozen=True, slots=True)
class Warned:
    """Something an owner should mend that did not stop the work: a machine-readable kind and a line for people."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class ApplicationReport:
    """Everything about one Application in one round. ``error`` is set when the Application as a whole failed."""

    key: ApplicationKey
    decisions: tuple[Decision, ...] = ()
    result: WriteBackResult | None = None
    warnings: tuple[Warned, ...] = ()
    error: str = ""
    error_code: str = ""

    def count(self, counter: Counter) -> int:
        """The counter of ``runtime.md`` 3.7; a failed write takes its updates back and adds one error."""
        total = 0
        for decision in self.decisions:
            total += counter in decision.counts
        if counter is Counter.UPDATED:
            return self._updated(total)
        if counter is Counter.ERRORS:
            failed = self.result is not None and bool(self.result.error_code)
            return total + int(failed) + int(bool(self.error_code))
        return total

    def _updated(self, wanted: int) -> int:
        if self.result is None:
            return 0
        return wanted if self.result.outcome.counts_as_updated else 0


@dataclass(frozen=True, slots=True)
class Report:
    """One round. ``skipped`` are the Applications that were listed and not processed, by the reason's text.

    ``is_interrupted``: a signal ended the round early, so that what it did not come to is missing or says so.
    """

    applications: tuple[ApplicationReport, ...] = ()
    skipped: tuple[tuple[ApplicationKey, str], ...] = ()
    is_dry_run: bool = False
    seconds: float = 0.0
    is_interrupted: bool = False
    totals: dict[str, int] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        tally: Tally[str] = Tally({"applications": len(self.applications)})
        for counter in Counter:
            tally[counter.value] = sum(report.count(counter) for report in self.applications)
        self.totals.update(tally)
