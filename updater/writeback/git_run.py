"""The state of one batch on its way, and its results. Data only: what is done with it stands in ``git_batch``."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from updater.clock import Deadline
from updater.errors import UpdaterError
from updater.model.changes import WriteBackResult, WriteOutcome
from updater.ports.git import CommitContent
from updater.writeback.git_branches import Branches
from updater.writeback.git_edits import Staged
from updater.writeback.git_intents import GitIntent
from updater.writeback.git_plan import Batch
from updater.writeback.git_staging import Staging

Results = dict[int, WriteBackResult]
"""By position in the batch."""


@dataclass(slots=True)
class Run:
    """One batch on its way; lives in the thread that writes it."""

    batch: Batch
    deadline: Deadline
    is_dry_run: bool
    races: int = 0
    failures: int = 0
    attempts: int = 0
    unanswered: dict[str, dict[int, str]] = field(default_factory=dict)
    """Tips whose push gave no answer, each with the commits it would carry, by position in the batch."""
    landed: dict[int, str] = field(default_factory=dict)
    """What of that was found on the remote later."""
    base: str = ""
    """The base branch, once it is known."""
    pending: dict[int, str] = field(default_factory=dict)
    """With a pull request in view: what the push branch holds already and the base lacks, each with its commit."""
    held: frozenset[int] = frozenset()
    """What a dry run found on a push branch that is made anew each time."""


@dataclass(slots=True)
class Draft:
    """A batch applied to one commit, not yet committed."""

    staging: Staging
    changed: dict[int, Staged]
    results: Results


@dataclass(frozen=True, slots=True)
class Place:
    """Where a commit goes: on top of ``content``, as the tip of the push branch if that is still at ``expected``."""

    branches: Branches
    content: CommitContent
    expected: str | None


def result_of(
    intent: GitIntent,
    outcome: WriteOutcome,
    run: Run,
    *,
    diff: tuple[str, ...] = (),
    commit: str = "",
    error: UpdaterError | None = None,
) -> WriteBackResult:
    """The result of one intent; the error's text begins with the Application."""
    change_set = intent.change_set
    text = f"{change_set.application}: {error}" if error is not None else ""
    return WriteBackResult(change_set, outcome, run.attempts, diff, error.code if error else "", text, commit)


def with_landed(run: Run, results: Results) -> Results:
    """Found as wanted, and it was us who wrote it: written, not unchanged."""
    return {
        index: replace(result, outcome=WriteOutcome.WRITTEN, commit=run.landed[index])
        if index in run.landed and result.outcome is WriteOutcome.UNCHANGED
        else result
        for index, result in results.items()
    }


def all_failed(run: Run, error: UpdaterError) -> Results:
    """One failure for the whole batch."""
    return {
        index: result_of(intent, WriteOutcome.FAILED, run, error=error)
        for index, intent in enumerate(run.batch.intents)
    }
