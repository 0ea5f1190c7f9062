"""Pull requests around one batch: the token first, then Git, then one request for what was pushed.

What was pushed stays, whatever becomes of its request: a failure there is a warning, and the next round tries again.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from updater.errors import ForgeError, ForgeWaits, UpdaterError
from updater.manifests.template_data import change_digest, template_changes
from updater.model.changes import WriteBackResult, WriteOutcome
from updater.model.pull_requests import PullRequestSettings
from updater.ports.forge import Forges, NewRequest, OpenRequest, RequestForge
from updater.ports.log import EventLog
from updater.writeback.git_intents import GitIntent
from updater.writeback.git_measures import GitMeasures
from updater.writeback.git_plan import Batch
from updater.writeback.git_requests_measured import MeasuredForge
from updater.writeback.git_requests_text import RequestTemplates, application_names, named_applications, request_text
from updater.writeback.git_requests_wishes import Wishes
from updater.writeback.git_run import Results, Run, all_failed

_PER_CHANGE_HEAD = re.compile(r"(?P<prefix>image-updater-[0-9a-f]{8}-)[0-9a-f]{64}")
_HEAD = "HEAD"
_DENIED = "pr_denied"
_MAX_SAID = 10_000
"""Failures whose repetition is suppressed; beyond it everything is forgotten and said once more."""


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """``closes_superseded`` is ``--pull-request-close-superseded``."""

    templates: RequestTemplates = field(default_factory=RequestTemplates)
    closes_superseded: bool = True


@dataclass(frozen=True, slots=True)
class _Job:
    """One request that is wanted: from where to where, for which intents."""

    forge: RequestForge
    settings: PullRequestSettings
    head: str
    base: str
    intents: tuple[GitIntent, ...]

    @property
    def names(self) -> str:
        return ", ".join(application_names(self.intents))[:300]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look at the forge before the write showed; ``error`` is why it showed nothing."""

    request: OpenRequest | None = None
    error: ForgeError | None = None


class RequestWriter:
    """Writes batches whose target wants a request. Thread-safe; remembers what was said, and what others want."""

    def __init__(self, forges: Forges, options: RequestOptions, log: EventLog, measures: GitMeasures) -> None:
        self._forges = forges
        self._options = options
        self._log = log
        self._measures = measures
        self._lock = threading.Lock()
        self._wishes = Wishes()
        self._said: dict[tuple[str, str, str], str] = {}

    def write(self, run: Run, carry_out: Callable[[Run], Results]) -> Results:
        """Results by position in the batch; every failure is in them, none is raised. ``carry_out`` is the Git part."""
        target = run.batch.target
        settings = target.pull_request
        if settings is None:
            return carry_out(run)
        namespace = run.batch.intents[0].change_set.application.namespace
        if settings.is_rolling and settings.names_own_branches:
            run.batch = self._wishes.joined(run.batch, run.deadline.clock, remembers=not run.is_dry_run)
        try:
            with self._forges.open(target, namespace, run.deadline) as forge:
                return self._write(run, MeasuredForge(forge, self._measures), settings, carry_out)
        except UpdaterError as error:
            return all_failed(run, error)

    def _write(
        self, run: Run, forge: RequestForge, settings: PullRequestSettings, carry_out: Callable[[Run], Results]
    ) -> Results:
        seen = self._look_up(run.batch, forge)
        if seen.request is not None:
            if not run.is_dry_run:
                self._count(settings, "unchanged")
            return _all_open(run, seen.request)
        results = carry_out(run)
        wanted = [index for index in results if results[index].outcome is WriteOutcome.WRITTEN or index in run.pending]
        if seen.error is not None:
            # Where a request is asked for next, that is the one thing to be told of: it fails for the same reason.
            self._unseen(run.batch, seen.error, is_loud=run.is_dry_run or not wanted)
        if run.is_dry_run:
            return self._foreseen(run, forge, results)
        if not wanted:
            return results
        intents = tuple(run.batch.intents[index] for index in sorted(wanted))
        job = _Job(forge, _with_all_labels(settings, intents), run.batch.target.write_branch, run.base, intents)
        try:
            request, is_new = self._ensure(job)
        except ForgeError as error:
            # What waits for a rate limit says nothing of what met it.
            told = seen.error if seen.error is not None and isinstance(error, ForgeWaits) else error
            self._failed(run.batch, job, told)
            return {**results, **{index: replace(results[index], warning=_text(error)) for index in wanted}}
        self._forget(run.batch)
        commit = next((results[index].commit for index in wanted if results[index].commit), "")
        for index in wanted:
            if is_new and results[index].outcome is WriteOutcome.UNCHANGED:
                # Pushed by an earlier process, or with another Application's change: it counts once it is asked for.
                carried = run.pending[index] or commit
                results[index] = replace(results[index], outcome=WriteOutcome.WRITTEN, commit=carried)
            results[index] = replace(results[index], pull_request=request.url)
        return results

    def _foreseen(self, run: Run, forge: RequestForge, results: Results) -> Results:
        """What a dry run would change, without what is on its branch and asked for already."""
        held = [index for index in run.held if results[index].outcome is WriteOutcome.DRY_RUN]
        if not held:
            return results
        try:
            found = forge.find_open(run.batch.target.write_branch, run.base)
        except ForgeError as error:
            self._unseen(run.batch, error, is_loud=True)
            return results
        if found is None:
            return results
        unchanged = {index: _unchanged(run.batch.intents[index], found) for index in held}
        return {**results, **unchanged}

    def _look_up(self, batch: Batch, forge: RequestForge) -> _Seen:
        """An open request that carries these very changes, as far as that can be told before the remote is asked."""
        base, head = batch.target.revision, batch.target.write_branch
        if base in ("", _HEAD) or not all(_names_change(head, each) for each in batch.intents):
            return _Seen()
        try:
            return _Seen(forge.find_open(head, base))
        except ForgeError as error:
            return _Seen(error=error)

    def _unseen(self, batch: Batch, error: ForgeError, *, is_loud: bool) -> None:
        say = self._log.warning if is_loud and self._is_news("lookup", batch, error) else self._log.debug
        say("pull_request_lookup_failed", repository=str(batch.target.remote), error=str(error))

    def _ensure(self, job: _Job) -> tuple[OpenRequest, bool]:
        """The open request, and whether it is new. Raises ``ForgeError``."""
        written = request_text(job.intents, self._options.templates)
        if written.fallback_reason:
            self._log.warning("pull_request_text_replaced", applications=job.names, text=written.fallback_reason)
        request = job.forge.find_open(job.head, job.base)
        if request is None:
            request = job.forge.create(NewRequest(job.head, job.base, written.text, job.settings.labels))
            if request is not None:
                self._opened(job, request)
                return request, True
            # Perhaps by ourselves, and only the answer was lost: labels are added once more at worst.
            request = self._found_after_all(job)
            self._label(job, request)
        updated = job.forge.update(request, written.text) if job.settings.is_rolling else request
        has_changed = updated.text != request.text
        self._count(job.settings, "updated" if has_changed else "unchanged")
        if has_changed:
            self._log.info("pull_request_updated", applications=job.names, url=updated.url)
        return updated, False

    def _found_after_all(self, job: _Job) -> OpenRequest:
        """The request that the forge says is there already: somebody opened it a moment ago."""
        request = job.forge.find_open(job.head, job.base)
        if request is None:
            text = "the forge says that there is an open request for the branch, and shows none"
            raise ForgeError(text, where=f"{job.head} into {job.base}")
        return request

    def _opened(self, job: _Job, request: OpenRequest) -> None:
        self._count(job.settings, "opened")
        self._log.info(
            "pull_request_opened", applications=job.names, provider=job.settings.provider.value, url=request.url
        )
        self._label(job, request)
        if self._options.closes_superseded:
            self._close_superseded(job, request)

    def _label(self, job: _Job, request: OpenRequest) -> None:
        try:
            missing = job.forge.label(request, job.settings.labels)
        except ForgeError as error:
            self._log.warning("pull_request_labels_failed", url=request.url, error=str(error))
            return
        if missing:
            self._log.warning("pull_request_labels_missing", url=request.url, labels=", ".join(missing)[:300])

    def _close_superseded(self, job: _Job, successor: OpenRequest) -> None:
        """Close older requests of ours for the same target, if all their Applications are among those of this one."""
        head = _PER_CHANGE_HEAD.fullmatch(job.head)
        if head is None:
            return
        ours = frozenset(application_names(job.intents))
        try:
            for request in job.forge.list_open(job.base, head["prefix"]):
                is_older = request.number != successor.number and _PER_CHANGE_HEAD.fullmatch(request.head)
                # Without names nobody knows whose it is: a person changed the text, or it is for very many.
                theirs = named_applications(request.text.body)
                if is_older and theirs and theirs <= ours:
                    self._close(job, request, successor)
        except ForgeError as error:
            self._log.warning("pull_request_close_failed", url=successor.url, error=str(error))

    def _close(self, job: _Job, request: OpenRequest, successor: OpenRequest) -> None:
        job.forge.close(request, f"Superseded by {successor.url}, which carries newer versions.")
        self._count(job.settings, "closed")
        self._log.info("pull_request_closed", url=request.url, successor=successor.url)

    def _failed(self, batch: Batch, job: _Job, error: ForgeError) -> None:
        self._count(job.settings, "denied" if error.code == _DENIED else "failed")
        say = self._log.warning if self._is_news("request", batch, error) else self._log.debug
        say("pull_request_failed", applications=job.names, error=str(error), code=error.code)

    def _is_news(self, what: str, batch: Batch, error: ForgeError) -> bool:
        """Whether a failure is to be said aloud: one that stays until somebody mends it only when it has changed.

        What waits for a rate limit was told of when the limit was met.
        """
        if isinstance(error, ForgeWaits):
            return False
        key = (what, batch.target.remote.place, batch.target.write_branch)
        with self._lock:
            if error.code == _DENIED and self._said.get(key) == str(error):
                return False
            if len(self._said) >= _MAX_SAID:
                self._said.clear()
            self._said[key] = str(error)
        return True

    def _forget(self, batch: Batch) -> None:
        """The next failure is news again."""
        with self._lock:
            for what in ("lookup", "request"):
                self._said.pop((what, batch.target.remote.place, batch.target.write_branch), None)

    def _count(self, settings: PullRequestSettings, result: str) -> None:
        self._measures.request_ended(settings.provider.value, result)


def _names_change(head: str, intent: GitIntent) -> bool:
    """Whether the name of the branch says which changes it carries."""
    return change_digest(template_changes(intent.change_set.images)) in head


def _with_all_labels(settings: PullRequestSettings, intents: tuple[GitIntent, ...]) -> PullRequestSettings:
    wanted = [intent.target.pull_request for intent in intents]
    return replace(settings, labels=tuple(dict.fromkeys(label for each in wanted if each for label in each.labels)))


def _all_open(run: Run, request: OpenRequest) -> Results:
    return {index: _unchanged(intent, request) for index, intent in enumerate(run.batch.intents)}


def _unchanged(intent: GitIntent, request: OpenRequest) -> WriteBackResult:
    return WriteBackResult(intent.change_set, WriteOutcome.UNCHANGED, pull_request=request.url)


def _text(error: ForgeError) -> str:
    return f"{error.code}: {error}"
