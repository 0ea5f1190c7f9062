"""One batch from refs to results: list refs, fetch, edit, commit, push; again after a lost race (``write-back.md`` 3).

Edits are data, so a lost race costs one more fetch and the same edits on what is there now: nothing is merged, rebased
or forced. A push without an answer is looked up before anything is repeated.
"""

from __future__ import annotations

from collections.abc import Sequence

from updater.clock import Clock, Deadline
from updater.errors import GitError, PlanError, UpdaterError, WriteBackError
from updater.model.changes import WriteBackResult, WriteOutcome
from updater.model.git_targets import GitTarget
from updater.ports.git import CommitContent, GitRemotes, GitSession, PushFate, PushResult
from updater.ports.log import EventLog
from updater.writeback.git_branches import Branches, branch_names, resolve_branches
from updater.writeback.git_drift import DriftWatch
from updater.writeback.git_edits import Outcome
from updater.writeback.git_intents import GitIntent
from updater.writeback.git_measures import GitMeasures, MeasuredSession
from updater.writeback.git_messages import commit_message
from updater.writeback.git_options import GitWriteOptions
from updater.writeback.git_plan import Batch
from updater.writeback.git_requests import RequestWriter
from updater.writeback.git_run import Draft, Place, Results, Run, all_failed, result_of, with_landed
from updater.writeback.git_staging import Staging, locate

LOOK_UP_S = 30.0
"""For the last look at a remote that gave no answer to a push."""
_SETTLED = (WriteOutcome.UNCHANGED, WriteOutcome.FAILED)


class BatchWriter:
    """Writes batches. Holds no state but what was said of branches; thread-safe as its remotes are."""

    def __init__(
        self, remotes: GitRemotes, options: GitWriteOptions, clock: Clock, log: EventLog, measures: GitMeasures
    ) -> None:
        self._remotes = remotes
        self._options = options
        self._clock = clock
        self._log = log
        self._measures = measures
        self._drift = DriftWatch(log)

    def write(
        self, batch: Batch, *, dry_run: bool, deadline: Deadline, requests: RequestWriter | None = None
    ) -> tuple[WriteBackResult, ...]:
        """One result per intent, in their order, then one per superseded intent; nothing is raised for a failure.

        requests: who opens pull requests, for targets that want one.
        """
        run = Run(batch, deadline, dry_run)
        results = self._written(run) if requests is None else requests.write(run, self._written)
        replaced = tuple(
            WriteBackResult(intent.change_set, WriteOutcome.SUPERSEDED, error="a newer change of the same file came")
            for intent in batch.superseded
        )
        return (*(results[index] for index in range(len(batch.intents))), *replaced)

    def _written(self, run: Run) -> Results:
        while True:
            try:
                return with_landed(run, self._attempt(run))
            except UpdaterError as error:
                if not self._may_repeat(run, error):
                    return self._given_up(run, error)

    def _given_up(self, run: Run, error: UpdaterError) -> Results:
        """A failure; unless a push whose outcome nobody reported turns out to have been stored."""
        if run.unanswered:
            run.deadline = Deadline.after(self._clock, LOOK_UP_S)
            run.is_dry_run = True
            try:
                found = self._attempt(run)
            except UpdaterError as second:
                text = f"{error}; whether it was stored is unknown, because {second}"
                return all_failed(run, GitError(text, code=error.code))
            if run.landed:
                lost = all_failed(run, error)
                kept = {index: result for index, result in found.items() if result.outcome in _SETTLED}
                return with_landed(run, {**lost, **kept})
        return all_failed(run, error)

    def _attempt(self, run: Run) -> Results:
        target, namespace = run.batch.target, run.batch.intents[0].change_set.application.namespace
        with self._remotes.open(target, namespace, run.deadline) as session:
            measured = MeasuredSession(session, self._measures)
            while True:
                results = self._once(measured, run)
                if results is not None:
                    return results

    def _may_repeat(self, run: Run, error: UpdaterError) -> bool:
        """Whether a failure of the network kind is worth another attempt; waits before it says yes."""
        run.failures += 1
        if not error.retryable or run.failures >= self._options.backoff.attempts:
            return False
        if run.unanswered:
            self._measures.push_repeated("no_answer")
        return self._wait(run, run.failures - 1)

    def _wait(self, run: Run, attempt: int) -> bool:
        delay_s = self._options.backoff.delay_s(attempt, self._clock)
        if delay_s >= run.deadline.remaining_s():
            return False
        return self._clock.wait_s(delay_s)

    def _once(self, session: GitSession, run: Run) -> Results | None:
        """One pass over the pipeline; None when the race was lost and is worth another."""
        target = run.batch.target
        refs = session.fetch_refs(branch_names(target))
        branches = resolve_branches(target, refs)
        run.base, run.pending = branches.base, {}
        self._log.debug("git_refs_listed", repository=str(target.remote), branch=branches.push)
        content, expected = self._start(session, branches, target)
        self._log.debug("git_commit_fetched", repository=str(target.remote), commit=content.commit)
        self._look_up(session, run, branches, content)
        draft = self._draft(run, content)
        if target.pull_request is not None and (draft.changed or content.commit != branches.base_commit):
            run.pending = self._pending(session, run, branches, draft)
        if run.is_dry_run and target.pull_request is not None and branches.expected is not None:
            run.held = self._held(session, run, branches.push, branches.expected)
        if not draft.changed or run.is_dry_run:
            return draft.results
        return self._publish(session, run, Place(branches, content, expected), draft)

    def _start(self, session: GitSession, branches: Branches, target: GitTarget) -> tuple[CommitContent, str | None]:
        """The commit to work on, and the tip that the push branch must still have."""
        if branches.expected is None or (self._is_made_anew(target) and not branches.is_kept):
            return session.fetch_commit(branches.base, branches.base_commit), branches.expected
        content = session.fetch_commit(branches.push, branches.expected)
        return content, content.commit

    def _is_made_anew(self, target: GitTarget) -> bool:
        """Whether the push branch holds one batch and nothing else, as the head of a request under a name of ours."""
        is_head = target.pull_request is not None and target.pull_request.names_own_branches
        return is_head or self._options.resets_write_branch

    def _pending(self, session: GitSession, run: Run, branches: Branches, draft: Draft) -> dict[int, str]:
        """What the push branch has or will have without further ado, and the base lacks: it needs a request too."""
        held = [index for index, result in draft.results.items() if result.outcome is WriteOutcome.UNCHANGED]
        if not held:
            return {}
        base = Staging(session.fetch_commit(branches.base, branches.base_commit))
        outcomes = zip(held, base.apply_all([run.batch.intents[index] for index in held]), strict=True)
        return {index: branches.expected or "" for index, staged in outcomes if _is_changed(staged) is True}

    def _held(self, session: GitSession, run: Run, branch: str, tip: str) -> frozenset[int]:
        """Intents that change nothing on a branch."""
        outcomes = Staging(session.fetch_commit(branch, tip)).apply_all(run.batch.intents)
        return frozenset(index for index, staged in enumerate(outcomes) if _is_changed(staged) is False)

    def _look_up(self, session: GitSession, run: Run, branches: Branches, content: CommitContent) -> None:
        """See which pushes without an answer have been stored after all."""
        for tip, commits in run.unanswered.items():
            if tip == branches.expected or session.contains(content.commit, tip):
                run.landed.update(commits)
                self._log.info("git_push_found", repository=str(run.batch.target.remote), commit=tip)

    def _draft(self, run: Run, content: CommitContent) -> Draft:
        """Edits take half of the time that is left."""
        intents = run.batch.intents
        _prefetch(content, intents)
        draft = Draft(Staging(content), {}, {})
        enough_s = run.deadline.remaining_s() / 2
        outcomes = draft.staging.apply_all(intents, lambda: run.deadline.remaining_s() < enough_s)
        for index, outcome in enumerate(outcomes):
            draft.results[index] = self._drafted(run, draft, index, outcome)
        draft.changed = dict(sorted(draft.changed.items()))
        for earlier, later in draft.staging.conflicts():
            if run.deadline.remaining_s() < enough_s:
                break  # looking for them edits the files once more
            self._log.warning(
                "git_changes_conflicted",
                application=str(later.change_set.application),
                other=str(earlier.change_set.application),
                path=later.target.path,
            )
        draft.staging.forget()
        return draft

    def _drafted(self, run: Run, draft: Draft, index: int, staged: Outcome) -> WriteBackResult:
        intent = run.batch.intents[index]
        if isinstance(staged, UpdaterError):
            return result_of(intent, WriteOutcome.FAILED, run, error=staged)
        if isinstance(staged, Exception):
            self._log.error("bug_found", exception=staged, application=str(intent.change_set.application))
            text = f"{intent.change_set.application}: internal error: {type(staged).__name__}"
            return WriteBackResult(intent.change_set, WriteOutcome.FAILED, error_code="internal_error", error=text)
        for warned in staged.warnings:
            self._log.warning(warned.kind, application=str(intent.change_set.application), text=warned.text)
        if not staged.is_changed:
            return result_of(intent, WriteOutcome.UNCHANGED, run)
        draft.changed[index] = staged
        return result_of(intent, WriteOutcome.DRY_RUN, run, diff=staged.diff)

    def _publish(self, session: GitSession, run: Run, place: Place, draft: Draft) -> Results | None:
        if not draft.staging.changes:
            return {**draft.results, **self._outcome(run, draft, WriteOutcome.UNCHANGED)}
        tip, commits = self._commit(session, run, place, draft)
        self._log.debug("git_commit_made", repository=str(run.batch.target.remote), commit=tip.commit)
        if place.expected is not None and self._is_there_already(session, place, tip):
            run.pending.update(dict.fromkeys(draft.changed, place.expected))
            return {**draft.results, **self._outcome(run, draft, WriteOutcome.UNCHANGED)}
        run.attempts += 1
        result = session.push(tip.commit, place.branches.push, place.expected)
        self._log.debug("git_push_ended", repository=str(run.batch.target.remote), fate=result.fate.value)
        stored = {index: result.renamed[commit] for index, commit in commits.items() if commit in result.renamed}
        if result.fate is PushFate.LANDED:
            self._drift.look(session, run, place)
            return {**draft.results, **self._outcome(run, draft, WriteOutcome.WRITTEN, {**commits, **stored})}
        run.landed.update(stored)
        if result.fate is PushFate.UNKNOWN:
            run.unanswered[tip.commit] = commits
        return self._not_landed(run, draft, result, place)

    def _commit(
        self, session: GitSession, run: Run, place: Place, draft: Draft
    ) -> tuple[CommitContent, dict[int, str]]:
        """The new tip, and the commit that carries each change."""
        intents = run.batch.intents
        changed = [intents[index] for index in draft.changed]
        if not self._options.commits_per_application:
            message = commit_message(changed, self._options.subject)
            tip = session.commit(place.content, draft.staging.changes, message)
            return tip, dict.fromkeys(draft.changed, tip.commit)
        tip, commits, kept = place.content, {}, None
        for application in dict.fromkeys(intent.change_set.application for intent in changed):
            own = [index for index in draft.changed if intents[index].change_set.application == application]
            staging = Staging(tip, kept)
            for index in own:
                staging.apply(intents[index])
            kept = staging.kept
            if staging.changes:
                tip = session.commit(tip, staging.changes, commit_message([intents[i] for i in own]))
            commits.update(dict.fromkeys(own, tip.commit))
        return tip, commits

    def _is_there_already(self, session: GitSession, place: Place, tip: CommitContent) -> bool:
        """Whether a branch that is made anew each time holds just this already."""
        if place.expected is None or place.expected == place.content.commit:
            return False
        stored = session.fetch_commit(place.branches.push, place.expected)
        return stored.entry("") == tip.entry("")

    def _not_landed(self, run: Run, draft: Draft, result: PushResult, place: Place) -> Results | None:
        where = f"{run.batch.target.remote} {place.branches.push}"
        match result.fate:
            case PushFate.RACE:
                run.races += 1
                if run.races < self._options.race_attempts and self._wait(run, run.races // 2):
                    self._measures.push_repeated("race")
                    return None
                text = f"others moved the branch {run.races} times before us ({result.text})"
                raise GitError(text, where=where, code="push_rejected")
            case PushFate.UNKNOWN:
                raise GitError(f"the push failed: {result.text}", where=where, code="network", retryable=True)
            case _:
                denied = GitError(f"the remote refuses the push: {result.text}", where=where, code="push_denied")
        several = len({run.batch.intents[index].change_set.application for index in draft.changed}) > 1
        if result.fate is PushFate.DENIED and several and not self._is_made_anew(run.batch.target):
            return self._apart(run, draft)
        failed = {
            index: result_of(run.batch.intents[index], WriteOutcome.FAILED, run, error=denied)
            for index in draft.changed
        }
        return {**draft.results, **failed}

    def _apart(self, run: Run, draft: Draft) -> Results:
        """The remote refused several Applications together: each on its own, so that only the refused ones fail."""
        self._log.warning("git_batch_split", repository=str(run.batch.target.remote), changes=len(draft.changed))
        results = dict(draft.results)
        intents = run.batch.intents
        for application in dict.fromkeys(intents[index].change_set.application for index in draft.changed):
            own = [index for index in draft.changed if intents[index].change_set.application == application]
            alone = Run(Batch(tuple(intents[index] for index in own)), run.deadline, run.is_dry_run)
            written = self._written(alone)
            results.update({index: written[position] for position, index in enumerate(own)})
            run.pending.update({own[position]: commit for position, commit in alone.pending.items()})
        return results

    def _outcome(self, run: Run, draft: Draft, outcome: WriteOutcome, commits: dict[int, str] | None = None) -> Results:
        return {
            index: result_of(
                run.batch.intents[index], outcome, run, diff=staged.diff, commit=(commits or {}).get(index, "")
            )
            for index, staged in draft.changed.items()
        }


def _is_changed(staged: Outcome) -> bool | None:
    """Whether the intent changed its file; None when it could not be carried out."""
    return None if isinstance(staged, Exception) else staged.is_changed


def _prefetch(content: CommitContent, intents: Sequence[GitIntent]) -> None:
    """Bring the files of all intents at once; what cannot be found is the matter of its own intent."""
    object_ids = []
    for intent in intents:
        try:
            real = locate(content, intent.target)
        except (WriteBackError, PlanError):
            continue
        if real.entry is not None:
            object_ids.append(real.entry.object_id)
    content.prefetch(object_ids)
