"""What the log says of a round: one record per outcome that somebody may want to know of (``runtime.md`` 4.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from updater.clock import Clock, SystemClock
from updater.engine.awaited import Awaited, Place
from updater.engine.emptiness import FleetEmptiness
from updater.engine.failure_classes import SHUTTING_DOWN, is_mild, is_standing
from updater.engine.git_failures import GitFailure, SaidGitFailures, examples_of, group_git_failures
from updater.engine.registry_failures import (
    Extent,
    RegistryFailure,
    SaidFailures,
    group_registry_failures,
    is_registry_failure,
)
from updater.model.applications import ApplicationKey, ApplicationSnapshot
from updater.model.changes import WriteBackResult, WriteOutcome
from updater.model.images import Counter, Decision, Reason, Severity
from updater.model.report import Report, Warned
from updater.planning.eligibility import Skip
from updater.planning.plans import ApplicationPlan
from updater.ports.log import EventLog
from updater.rules.decisions import severity_of

MAX_REMEMBERED = 100_000
"""Warnings and failures whose repetition is suppressed; beyond it everything is forgotten and said once more."""


class Announcer:
    """Writes records; remembers which warnings, lasting failures and waiting changes of which Application were said.

    Thread-safe: threads that meet on a new warning may both say it.
    """

    def __init__(self, log: EventLog, clock: Clock | None = None) -> None:
        self._log = log
        self._said_failures = SaidFailures(clock or SystemClock())
        self._said_git_failures = SaidGitFailures(clock or SystemClock())
        self._said: set[tuple[ApplicationKey, str]] = set()
        self._failures: dict[tuple[str, ApplicationKey], str] = {}
        self._problems: dict[Place, str] = {}
        self._emptiness = FleetEmptiness(log)
        self._awaited = Awaited()

    def warnings(self, key: ApplicationKey, warnings: tuple[Warned, ...]) -> None:
        """Each once, until the Application or the process changes."""
        for warned in warnings:
            if self._is_new(key, warned.text):
                self._log.warning("annotation_remarked", **_named(key), kind=warned.kind, text=warned.text)

    def skipped(self, snapshot: ApplicationSnapshot, plan: ApplicationPlan) -> None:
        """An Application that is not processed; what its owner should mend is said once."""
        if plan.skip is None or not plan.is_selected or plan.skip.severity is not Severity.WARNING:
            self._log.debug("application_skipped", **_named(snapshot.key), text=plan.skipped)
        elif not self._is_new(snapshot.key, plan.skipped):
            return
        elif plan.skip is Skip.UNSUPPORTED_TYPE:
            kind = snapshot.source_type or ",".join(snapshot.source_types)
            self._log.warning("application_type_unsupported", **_named(snapshot.key), type=kind, text=plan.skipped)
        else:
            self._log.warning("application_skipped", **_named(snapshot.key), text=plan.skipped)

    def round_begun(self, listed: int, planned: int, reasons: Mapping[str, int], *, is_named: bool = False) -> None:
        """A round over the fleet; one that has nothing to do is a mistake somewhere, and is said once.

        ``reasons`` counts why Applications are left out. ``is_named``: the Applications were asked for by name, so that
        who asked knows best what is missing.
        """
        self._log.info("cycle_started", applications=planned)
        if not is_named:
            self._emptiness.look(listed, planned, reasons)

    def unanswered(self, decisions: Iterable[Decision]) -> None:
        """One error per minute for each cause among the images that registries did not answer for."""
        for failure in group_registry_failures(decisions):
            extent = self._said_failures.take(failure)
            first = failure.decisions[0]
            if extent is None:
                self._registry_failed(self._log.debug, failure, Extent(len(failure.decisions), failure.applications))
                continue
            # What a shutdown leaves out is no failure, and is told once in every roll-out of the updater itself.
            is_wanted = failure.code == SHUTTING_DOWN
            if extent.images == 1:
                log = self._log.bind(**_image(first))
                self._image_failed(log.info if is_wanted else log.error, first)
            else:
                self._registry_failed(self._log.info if is_wanted else self._log.error, failure, extent)

    def decision(self, decision: Decision) -> None:
        """One image; what a registry did not answer for is summed up by ``unanswered``."""
        log = self._log.bind(**_image(decision))
        image = decision.plan.repository.full_name
        if not decision.problem:
            self._problems.pop(_place_of(decision), None)
        match decision.reason:
            case Reason.UPDATE if decision.wanted is not None:
                reference = decision.wanted.full_reference
                self._aloud(log, decision, reference)("image_set", image=reference)
            case Reason.UP_TO_DATE:
                self._awaited.arrived(_place_of(decision))
                log.debug("image_up_to_date", image=image)
            case Reason.NOT_LIVE:
                log.debug("image_not_live", image=image)
            case Reason.OUTSIDE_CONSTRAINT:
                log.debug("image_without_tag", text=decision.problem)
            case _:
                self._other(log, decision)

    def failed(self, key: ApplicationKey, error: str, code: str) -> None:
        """An Application that could not be handled as a whole."""
        self._say_failure("application_failed_to_plan", key, error, code)

    def recovered(self, key: ApplicationKey) -> None:
        """An Application that could be handled: the next failure is news again."""
        self._failures.pop(("application_failed_to_plan", key), None)

    def writing(self, key: ApplicationKey, changes: int) -> None:
        """A change set is about to be carried out."""
        self._log.info("write_started", **_named(key), changes=changes)

    def queued(self, key: ApplicationKey, changes: int, repository: str) -> None:
        """A change set goes to Git, where it is written together with others, or found to be stored already."""
        say = self._log.info if self._awaited.take_news(key) else self._log.debug
        say("write_queued", **_named(key), changes=changes, repository=repository)

    def written(self, result: WriteBackResult) -> None:
        """What came of a change set; failures of Git are summed up by ``unwritten``."""
        named = _named(result.change_set.application)
        count = len(result.change_set.images)
        if result.outcome is not WriteOutcome.UNCHANGED:
            self._awaited.written(result.change_set.application)
        if result.outcome is not WriteOutcome.FAILED:
            self._failures.pop(("write_failed", result.change_set.application), None)
        if result.outcome is WriteOutcome.WRITTEN and result.change_set.git is not None:
            self._said_git_failures.forget(str(result.change_set.git.remote))
        match result.outcome:
            case WriteOutcome.WRITTEN:
                self._log.info("write_finished", attempts=result.attempts, **named, **_place(result))
            case WriteOutcome.DRY_RUN:
                self._log.info("write_skipped_dry_run", **named, changes=count)
            case WriteOutcome.UNCHANGED:
                say = self._log.info if self._awaited.is_stored_news(result) else self._log.debug
                say("write_unneeded", **named, **_request(result))
            case WriteOutcome.SUPERSEDED:
                self._log.warning("write_superseded", **named, text=result.error)
            case WriteOutcome.FAILED if result.change_set.git is None:
                self._say_unwritten(result)
        if result.outcome.counts_as_updated:
            self._changes(result)

    def unwritten(self, results: Iterable[WriteBackResult]) -> None:
        """One error for each cause among the changes that could not be written to Git."""
        for failure in group_git_failures(results):
            concerned = self._said_git_failures.take(failure)
            if len(concerned) == 1:
                result = failure.results[0]
                self._say_failure("write_failed", result.change_set.application, result.error, result.error_code)
                continue
            if concerned:
                self._repository_failed(failure, concerned)
            for result in failure.results:
                named = _named(result.change_set.application)
                self._log.debug("write_failed", **named, error=result.error, code=result.error_code)

    def _repository_failed(self, failure: GitFailure, concerned: frozenset[ApplicationKey]) -> None:
        self._log.error(
            "repository_failed",
            repository=failure.repository,
            code=failure.code,
            applications=len(concerned),
            examples=examples_of(concerned),
            error=failure.text,
        )

    def round_finished(self, report: Report) -> None:
        """The summary line."""
        self._log.info("cycle_finished", **report.totals)

    def _changes(self, result: WriteBackResult) -> None:
        for change in result.change_set.images:
            self._log.info(
                "image_updated",
                **_named(result.change_set.application),
                alias=change.alias,
                old=f"{change.image}:{change.old_tag}",
                new=f"{change.image}:{change.new_tag}",
                dry_run=result.outcome is WriteOutcome.DRY_RUN,
            )

    def _other(self, log: EventLog, decision: Decision) -> None:
        if Counter.ERRORS in decision.counts:
            is_loud = not is_registry_failure(decision) and self._is_news(decision)
            self._image_failed(log.error if is_loud else log.debug, decision)
            return
        log = log.bind(reason=decision.reason.value)
        match severity_of(decision.reason):
            case Severity.WARNING | Severity.ERROR:
                say = log.warning if self._is_news(decision) else log.debug
                say("image_skipped", text=decision.problem)
            case Severity.INFO:
                self._aloud(log, decision, decision.reason.value)("image_left_alone", **_problem(decision))
            case Severity.DEBUG:
                log.debug("image_left_alone", **_problem(decision))

    def _aloud(self, log: EventLog, decision: Decision, state: str) -> Callable[..., None]:
        """How to say what an image waits for: aloud when it is news."""
        return log.info if self._awaited.is_image_news(_place_of(decision), state) else log.debug

    def _registry_failed(self, say: Callable[..., None], failure: RegistryFailure, extent: Extent) -> None:
        say(
            "registry_failed",
            registry=failure.registry,
            code=failure.code,
            images=extent.images,
            applications=extent.applications,
            examples=failure.examples,
            error=failure.decisions[0].problem,
        )

    def _image_failed(self, say: Callable[..., None], decision: Decision) -> None:
        say(
            "image_failed",
            reason=decision.reason.value,
            error=decision.problem,
            code=decision.error_code or decision.reason.value,
        )

    def _say_unwritten(self, result: WriteBackResult) -> None:
        """Fields that were not written. While the API server is away that is the same for everybody, and said once."""
        application, error, code = result.change_set.application, result.error, result.error_code
        if is_standing(code):
            self._say_failure("write_failed", application, error, code)
            return
        cause = ("write", code, error.replace(str(application), "").replace(application.name, ""))
        extent = self._said_failures.take_cause(cause, {(application, "")})
        log = self._log.bind(**_named(application))
        say = log.debug if extent is None else log.error
        say("write_failed", error=error, code=code, applications=_others(extent))

    def _say_failure(self, event: str, key: ApplicationKey, error: str, code: str) -> None:
        """Loudly; one that stays until somebody mends it only when it is new or its text has changed."""
        log = self._log.bind(**_named(key))
        if is_standing(code):
            if self._failures.get((event, key)) == error:
                log.debug(event, error=error, code=code)
                return
            if len(self._failures) >= MAX_REMEMBERED:
                self._failures.clear()
            self._failures[event, key] = error
        say = log.warning if is_mild(code) else log.error
        say(event, error=error, code=code)

    def _is_news(self, decision: Decision) -> bool:
        """Whether the problem of an image is another than in its last round. A bug is news each time."""
        place, problem = _place_of(decision), decision.problem
        if decision.error_code == "internal_error":
            return True
        if decision.reason is Reason.INVALID_REFERENCE:
            # The plan has a warning with the same words.
            return self._is_new(decision.plan.application, problem)
        if self._problems.get(place) == problem:
            return False
        if len(self._problems) >= MAX_REMEMBERED:
            self._problems.clear()
        self._problems[place] = problem
        return True

    def _is_new(self, key: ApplicationKey, text: str) -> bool:
        if (key, text) in self._said:
            return False
        if len(self._said) >= MAX_REMEMBERED:
            self._said.clear()
        self._said.add((key, text))
        return True


def _named(key: ApplicationKey) -> dict[str, str]:
    """The fields by which people look for an Application."""
    return {"application": str(key), "namespace": key.namespace}


def _image(decision: Decision) -> dict[str, str]:
    """The fields by which people look for an image; its tag is the one that runs."""
    plan = decision.plan
    return {
        **_named(plan.application),
        "alias": plan.alias,
        "registry": plan.repository.registry,
        "image_name": plan.repository.full_name,
        "image_tag": plan.live.tag if plan.live else "",
    }


def _place_of(decision: Decision) -> Place:
    """The entry of an image list that a decision is about."""
    return decision.plan.application, decision.plan.alias, decision.plan.repository.full_name


def _problem(decision: Decision) -> dict[str, str]:
    """What keeps an image from being decided; nothing without one."""
    return {"text": decision.problem} if decision.problem else {}


def _others(extent: Extent | None) -> int:
    """How many Applications a record speaks for."""
    return extent.applications if extent is not None else 1


def _place(result: WriteBackResult) -> dict[str, str]:
    """Where in Git the change went; nothing for fields."""
    target = result.change_set.git
    if target is None:
        return {}
    return {"repository": str(target.remote), "commit": result.commit, **_request(result)}


def _request(result: WriteBackResult) -> dict[str, str]:
    """The page of the open pull request; nothing without one."""
    return {"pull_request": result.pull_request} if result.pull_request else {}
