"""The runtime of ``run``: everything that lives as long as the process, and its end.

Shutdown order (``runtime.md`` 3.10): no new webhooks are taken, and those that were accepted are finished; jobs, Watch
and cycles stop; no new polls and writes begin; what runs is waited for, up to the shutdown timeout; then connections
are cut; at last everything is closed, listeners included: until then probes are answered that the updater is shutting
down. How long each step may take is the business of ``updater.assembly.ending``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sidecar.addresses import Address
from updater.argocd.client import ArgoCDClient
from updater.argocd.fleet import ArgoCDFleet, FleetOptions
from updater.argocd.overrides import ArgoCDOverrides, OverrideOptions, WriteMode
from updater.argocd.watch import ArgoCDFeed
from updater.assembly.connections import build_client
from updater.assembly.ending import Ending, LastResort
from updater.assembly.git import GitParts, build_git, read_git_texts
from updater.assembly.presence import Presence, exported_metrics
from updater.assembly.registries import FleetRegistries, build_registries, share_tags_s
from updater.assembly.rounds import ROUND_TIMEOUT_S, Rounds, Writes
from updater.assembly.surroundings import Surroundings
from updater.assembly.underway import WritesUnderway
from updater.assembly.webhooks import Webhooks, build_webhooks
from updater.clock import Backoff, Deadline, SystemClock
from updater.engine.writing import Parked, Writers, not_parked
from updater.errors import UpdaterError
from updater.model.applications import ApplicationSnapshot
from updater.model.report import Report
from updater.ports.log import EventLog
from updater.ports.metrics import Metrics, NoMetrics
from updater.ports.progress import NoProgress, Progress
from updater.schedule.continuous_runner import ContinuousParts, ContinuousRunner
from updater.schedule.cycle_runner import CycleParts, CycleRunner
from updater.schedule.follower import FleetAccess, FollowOptions
from updater.schedule.nudging import FleetNudges, PollNudges
from updater.schedule.options import Mode, Schedule, ScheduleOptions
from updater.schedule.round_times import RoundTimes
from updater.schedule.rounds import RoundHooks, nobody_waits
from updater.settings.parts import FilterSettings, RunSettings
from updater.settings.rules_files import RuleFiles
from updater.writeback.fields import FieldWriter, FieldWriterOptions


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the runtime owns and closes."""

    clock: SystemClock
    client: ArgoCDClient
    registries: FleetRegistries
    presence: Presence
    git: GitParts
    ending: Ending
    webhooks: Webhooks | None = None


class Runtime:
    """One process's objects. ``stop`` may come from any thread; ``close`` comes last, once."""

    def __init__(
        self, settings: RunSettings, around: Surroundings, parts: _Parts, rounds: Rounds, progress: Progress
    ) -> None:
        self._settings = settings
        self._around = around
        self._parts = parts
        self._rounds = rounds
        self._progress = progress
        listed = FleetOptions(settings.connection.projects, settings.filters.label_selector, settings.filters.names)
        self._fleet = ArgoCDFleet(parts.client, listed)
        self._feed = ArgoCDFeed(parts.client, listed)
        self._runner: CycleRunner | ContinuousRunner | None = None
        self._polls: PollNudges | None = None
        self._is_idle = True
        self._lost_listener = ""

    def open(self) -> None:
        """Take the ports of all listeners and serve. Raises ``ConfigurationError`` ``port_in_use``."""
        self._parts.presence.open(on_death=self.stop)
        if self._parts.webhooks is not None:
            self._parts.webhooks.open(on_death=self._lose)

    @property
    def addresses(self) -> Mapping[str, Address]:
        """Where the listeners listen, by name."""
        webhooks = self._parts.webhooks
        found = self._parts.presence.addresses
        return found if webhooks is None else {**found, webhooks.name: webhooks.address}

    @property
    def lost_listener(self) -> str:
        """The name of a listener that died, empty while all live: the process is then to end with status 1."""
        return self._parts.presence.lost_listener or self._lost_listener

    def run_once(self) -> Report:
        """One round over the fleet. Raises ``ArgoCDError`` when the Applications cannot be listed."""
        return self._cycle_runner().run_cycle()

    def run(self) -> bool:
        """Rounds or attempts until ``stop``; False when something was still busy at the deadline of the shutdown.

        With interval 0 there is one pass, which raises ``ArgoCDError`` when the Applications cannot be listed.
        """
        is_continuous = Mode(self._settings.mode) is Mode.CONTINUOUS
        self._runner = self._continuous_runner() if is_continuous else self._cycle_runner()
        self._parts.presence.follow(self._runner)
        self._connect_nudges(self._runner)
        if self._rounds.stopping.is_set():
            self._runner.stop()
        self._is_idle = self._runner.run()
        return self._is_idle

    def stop(self) -> None:
        """Begin nothing new, let what runs finish until the shutdown timeout, then cut it off. Returns at once."""
        self._parts.presence.end()
        self._rounds.ending_cycles.set()
        self._parts.ending.begin(self._cut_connections)
        if self._parts.webhooks is None or self._runner is None:
            self._end()
        else:
            self._runner.keep_only_nudged()
            self._parts.webhooks.end(self._parts.ending.events, self._end)

    def reconfigure(self, settings: RunSettings) -> None:
        """Take over what may change while the process runs (``runtime.md`` 1.16). Raises ``ConfigurationError``."""
        if self._parts.webhooks is not None:
            self._parts.webhooks.reconfigure(settings.webhooks)
        if settings.interval_s != self._settings.interval_s and self._runner is not None:
            self._runner.change_interval(settings.interval_s)
            self._parts.registries.client.share_tags_for(share_tags_s(settings.registry))
            if self._polls is not None:
                self._polls.quiet_for(settings.interval_s / 2)
        self._parts.presence.reconfigure(settings)
        self._settings = replace(self._settings, interval_s=settings.interval_s)
        # Last, because only this can fail: the file of the template has been read by nobody yet.
        self._rounds.change_intents(self._parts.git.reconfigure(settings.git, self._around))

    def close(self) -> None:
        """Close every connection. Idempotent."""
        self._parts.clock.stop()
        self._parts.ending.done_working()
        self._cut_connections()
        self._parts.git.close()
        answers = self._parts.ending.answers
        if self._parts.webhooks is not None:
            self._parts.webhooks.close(answers)
        self._parts.presence.close(answers)
        self._parts.ending.close(is_idle=self._is_idle)

    def _end(self) -> None:
        self._rounds.stopping.set()
        if self._runner is not None:
            self._runner.stop()
        self._parts.clock.stop()

    def _lose(self, name: str) -> None:
        self._lost_listener = name
        self.stop()

    def _connect_nudges(self, runner: CycleRunner | ContinuousRunner) -> None:
        client = self._parts.registries.client
        nudges = FleetNudges(runner, client.forget_tags, self._around.log)
        if self._parts.webhooks is not None:
            self._parts.webhooks.follow(nudges)
        if isinstance(runner, ContinuousRunner):
            # In a cycle all users of a repository see one list.
            quiet_s = self._settings.interval_s / 2
            self._polls = PollNudges(runner, self._parts.clock, quiet_s, self._around.log)
            client.when_tags_change(self._polls.tags_changed)

    def _cut_connections(self) -> None:
        self._parts.git.abandon()
        self._parts.registries.client.close()
        self._parts.client.close()

    def _cycle_runner(self) -> CycleRunner:
        parts = CycleParts(
            self._fleet,
            self._rounds.admits,
            self._process_fleet,
            self._hooks(),
            images_of=self._rounds.images_of,
            process_nudged=None if self._parts.webhooks is None else self._process_between,
        )
        around, reports = self._around, self._parts.ending.reports
        return CycleRunner(parts, self._schedule(), reports, around.metrics, around.clock, around.log)

    def _continuous_runner(self) -> ContinuousRunner:
        settings = self._settings
        follow = FollowOptions(least_gap_s=settings.interval_s) if settings.is_polling else FollowOptions()
        parts = ContinuousParts(
            FleetAccess(self._fleet, self._feed),
            self._rounds.admits,
            self._process_one,
            self._hooks(),
            follow,
            images_of=self._rounds.images_of,
            is_polling=settings.is_polling,
        )
        around, reports = self._around, self._parts.ending.reports
        return ContinuousRunner(parts, self._schedule(), reports, around.metrics, around.clock, around.log)

    def _process_fleet(self, applications: Sequence[ApplicationSnapshot], workers: int) -> Report:
        report = self._rounds.process_fleet(applications, workers, self._times(self._progress, self._around.metrics))
        self._parts.presence.note_cycle(report)
        return report

    def _process_between(self, applications: Sequence[ApplicationSnapshot], workers: int) -> Report:
        """A round over nudged Applications between two cycles."""
        times = self._times(NoProgress(), self._around.metrics)
        return self._process_nudged(applications, workers, progress=times)

    def _times(self, progress: Progress, metrics: Metrics) -> RoundTimes:
        on_work = nobody_waits if self._runner is None else self._runner.note_work
        return RoundTimes(progress, metrics, self._around.clock, on_work)

    def _process_nudged(
        self,
        applications: Sequence[ApplicationSnapshot],
        workers: int,
        parked: Parked = not_parked,
        progress: Progress | None = None,
    ) -> Report:
        report = self._rounds.process_nudged(applications, workers, parked, progress)
        self._parts.presence.note_attempts(report)
        return report

    def _process_one(self, application: ApplicationSnapshot) -> Report:
        runner = self._runner
        parked = (lambda key: runner.parked(str(key))) if isinstance(runner, ContinuousRunner) else not_parked
        try:
            # Attempts are timed by who makes them.
            return self._process_nudged([application], 1, parked, self._times(NoProgress(), NoMetrics()))
        except UpdaterError as error:
            self._parts.presence.note_failure(str(application.key), error)
            raise

    def _hooks(self) -> RoundHooks:
        connection = self._settings.connection
        is_warmed_up = self._settings.is_warmed_up and self._settings.interval_s > 0
        presence, webhooks = self._parts.presence, self._parts.webhooks
        return RoundHooks(
            on_listed=nobody_waits if webhooks is None else webhooks.fleet_known,
            on_known=presence.note_known,
            on_gone=presence.note_gone,
            on_trouble=presence.note_trouble,
            warm_up=presence.warming(self._warm_up if is_warmed_up else None),
            server_fields={
                "argocd_server": connection.server,
                "grpc_web": connection.dialect.is_grpc_web,
                "grpc_webroot": connection.root_path,
                "plaintext": connection.dialect.is_plaintext,
                "insecure": connection.is_insecure,
            },
        )

    def _warm_up(self) -> Mapping[str, int]:
        applications = self._fleet.fetch_applications(Deadline.after(self._parts.clock, ROUND_TIMEOUT_S))
        return self._rounds.warm_up(applications, self._schedule().workers_for(len(applications)))

    def _schedule(self) -> ScheduleOptions:
        settings = self._settings
        return ScheduleOptions(
            interval_s=settings.interval_s,
            max_concurrency=settings.max_concurrency,
            cpus=len(os.sched_getaffinity(0)),
            schedule=Schedule(settings.schedule),
            cooldown_s=settings.cooldown_s,
            per_repo_cap=settings.per_repo_cap,
        )


def build_runtime(  # noqa: PLR0913 - each is replaced on its own, by commands and by tests
    settings: RunSettings,
    *,
    log: EventLog,
    progress: Progress | None = None,
    environment: Mapping[str, str] = os.environ,
    metrics: Metrics | None = None,
    clock: SystemClock | None = None,
    last_resort: LastResort | None = None,
) -> Runtime:
    """The runtime for validated settings. Raises ``ConfigurationError``; nothing has been sent yet.

    last_resort: what ends a process whose shutdown takes too long, None where nobody does.
    """
    exported = exported_metrics(settings.face)
    around = Surroundings(environment, clock or SystemClock(), log, metrics or exported or NoMetrics())
    # In the order of ``runtime.md`` 3.1: of several mistakes the first one is reported.
    texts = read_git_texts(settings.git, log)
    registries = build_registries(settings.registry, around)
    rules = _load_rules(settings.filters, log)
    client = build_client(settings.connection, around)
    stopping = threading.Event()
    writers = settings.max_concurrency or len(os.sched_getaffinity(0))
    git = build_git(settings.git, around, stopping, writers=writers, texts=texts, is_dry_run=settings.is_dry_run)
    underway = WritesUnderway()
    watched = underway.watching(Writers(_writer(settings, client, around), git.write_back))
    writes = Writes(watched, git.intents, stopping)
    rounds = Rounds(settings, around, client=client, registries=registries, rules=rules, writes=writes)
    presence = Presence(settings, around, exported, registries.client.ports)
    webhooks = build_webhooks(settings.webhooks, around)
    ending = Ending(settings.shutdown_timeout_s, around, underway, last_resort)
    parts = _Parts(around.clock, client, registries, presence, git, ending, webhooks)
    return Runtime(settings, around, parts, rounds, progress or NoProgress())


def _load_rules(filters: FilterSettings, log: EventLog) -> RuleFiles:
    rules = RuleFiles(filters.rules)
    log.debug("rules_loaded", documents=len(rules.current.documents))
    if not filters.rules and not filters.follows_annotations:
        text = "--annotations=false without --rules selects no Application"
        log.warning("setting_remarked", kind="nothing_selected", text=text)
    return rules


def _writer(settings: RunSettings, client: ArgoCDClient, around: Surroundings) -> FieldWriter:
    connection = settings.connection
    options = OverrideOptions(WriteMode(connection.write), connection.is_validating)
    store = ArgoCDOverrides(client, options, around.log)
    backoff = Backoff(attempts=max(1, connection.max_conflict_retries), base_s=0.1, cap_s=6.4)
    return FieldWriter(store, FieldWriterOptions(backoff), around.clock, around.log)
