"""The runtime of ``run``: everything that lives as long as the process, and its end.

Shutdown order: no new polls and writes begin; what runs is waited for, up to the shutdown timeout; then connections
are cut; at last everything is closed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from updater.argocd.client import ArgoCDClient
from updater.argocd.facts import ServerFacts, fetch_facts
from updater.argocd.fleet import ArgoCDFleet, FleetOptions
from updater.argocd.overrides import ArgoCDOverrides, OverrideOptions, WriteMode
from updater.assembly.connections import build_client
from updater.assembly.platforms import running_platform
from updater.assembly.registries import FleetRegistries, build_registries
from updater.assembly.surroundings import Surroundings
from updater.clock import Backoff, Deadline, SystemClock
from updater.engine.engine import Engine, EngineOptions
from updater.errors import ConfigurationError
from updater.model.report import Report
from updater.planning.documents_choice import RuleBook
from updater.planning.plans import PlanOptions
from updater.ports.log import EventLog
from updater.ports.metrics import Metrics, NoMetrics
from updater.ports.progress import Progress
from updater.rules.label_selectors import SelectorError, parse_label_selector
from updater.rules.name_patterns import compile_name_patterns
from updater.settings.parts import FilterSettings, RunSettings
from updater.settings.rules_files import RuleFiles
from updater.writeback.fields import FieldWriter, FieldWriterOptions

ROUND_TIMEOUT_S = 4 * 3600.0
"""A round that takes longer than this is stuck; each call inside has a deadline of its own."""

WORKERS_PER_CPU = 8


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the runtime owns and closes."""

    clock: SystemClock
    client: ArgoCDClient
    registries: FleetRegistries
    rules: RuleFiles


class Runtime:
    """One process's objects. ``stop`` may come from a signal handler's thread; ``close`` comes last, once."""

    def __init__(self, settings: RunSettings, parts: _Parts, log: EventLog, progress: Progress) -> None:
        self._settings = settings
        self._parts = parts
        self._log = log
        self._progress = progress
        self._fleet = ArgoCDFleet(
            parts.client, FleetOptions(settings.connection.projects, settings.filters.label_selector)
        )
        self._rules = parts.rules
        self._writer = _writer(settings, parts, log)
        self._stopping = threading.Event()
        self._cut: threading.Timer | None = None

    def run_once(self) -> Report:
        """One round over the fleet. Raises ``ArgoCDError`` when the Applications cannot be listed."""
        self._refresh_rules()
        self._parts.registries.refresh()
        deadline = Deadline.after(self._parts.clock, ROUND_TIMEOUT_S)
        facts = fetch_facts(self._parts.client, deadline)
        self._log.debug("argocd_connected", server=self._parts.client.server, version=facts.version)
        applications = self._fleet.fetch_applications(deadline)
        self._log.debug("applications_listed", count=len(applications))
        engine = self._engine(facts, len(applications))
        return engine.process(applications, deadline, self._progress)

    def stop(self) -> None:
        """Begin nothing new, let what runs finish until the shutdown timeout, then cut it off. Returns at once."""
        self._stopping.set()
        self._parts.clock.stop()
        if self._cut is None:
            self._cut = threading.Timer(self._settings.shutdown_timeout_s, self._cut_connections)
            self._cut.daemon = True
            self._cut.start()

    def close(self) -> None:
        """Close every connection. Idempotent."""
        self._parts.clock.stop()
        if self._cut is not None:
            self._cut.cancel()
        self._cut_connections()

    def _cut_connections(self) -> None:
        self._parts.registries.client.close()
        self._parts.client.close()

    def _refresh_rules(self) -> None:
        """A bad edit keeps the rules that were good, and is one error (``runtime.md`` 9.8)."""
        try:
            if self._rules.refresh():
                self._log.info("rules_changed", documents=len(self._rules.current.documents))
        except ConfigurationError as error:
            self._log.error("rules_refused", exception=error, code=error.code, error=str(error))

    def _engine(self, facts: ServerFacts, applications: int) -> Engine:
        options = EngineOptions(
            plan=_plan_options(self._settings, facts, self._rules.current),
            workers=_workers(self._settings.max_concurrency, applications),
            is_dry_run=self._settings.is_dry_run,
        )
        return Engine(
            self._parts.registries.client, self._writer, options, self._parts.clock, self._log, self._stopping
        )


def build_runtime(
    settings: RunSettings,
    *,
    log: EventLog,
    progress: Progress,
    environment: Mapping[str, str] = os.environ,
    metrics: Metrics | None = None,
) -> Runtime:
    """The runtime for validated settings. Raises ``ConfigurationError``; nothing has been sent yet.

    For an unverified native channel the server's certificate is fetched, which may raise ``ArgoCDUnreachable``.
    """
    around = Surroundings(environment, SystemClock(), log, metrics or NoMetrics())
    rules = _load_rules(settings.filters, log)
    registries = build_registries(settings.registry, around)
    client = build_client(settings.connection, around)
    return Runtime(settings, _Parts(around.clock, client, registries, rules), log, progress)


def _load_rules(filters: FilterSettings, log: EventLog) -> RuleFiles:
    rules = RuleFiles(filters.rules)
    log.debug("rules_loaded", documents=len(rules.current.documents))
    if not filters.rules and not filters.follows_annotations:
        text = "--annotations=false without --rules selects no Application"
        log.warning("setting_remarked", kind="nothing_selected", text=text)
    return rules


def _writer(settings: RunSettings, parts: _Parts, log: EventLog) -> FieldWriter:
    connection = settings.connection
    store = ArgoCDOverrides(parts.client, OverrideOptions(WriteMode(connection.write), connection.is_validating), log)
    backoff = Backoff(attempts=max(1, connection.max_conflict_retries), base_s=0.1, cap_s=6.4)
    return FieldWriter(store, FieldWriterOptions(backoff), parts.clock, log)


def _plan_options(settings: RunSettings, facts: ServerFacts, rules: RuleBook) -> PlanOptions:
    try:
        selector = parse_label_selector(settings.filters.label_selector)
    except SelectorError as error:
        raise ConfigurationError(str(error), where="--match-application-label", code="bad_selector") from error
    return PlanOptions(
        name_patterns=compile_name_patterns(settings.filters.name_patterns),
        label_selector=selector,
        default_platform=running_platform(),
        server_supports_hydrator=facts.supports_hydrator_overrides,
        rules=rules,
        follows_annotations=settings.filters.follows_annotations,
        are_pull_secrets_strict=settings.are_pull_secrets_strict,
    )


def _workers(wanted: int, applications: int) -> int:
    """The number of parallel workers; 0 means eight per processor, at most one per Application."""
    if wanted > 0:
        return wanted
    return max(1, min(WORKERS_PER_CPU * len(os.sched_getaffinity(0)), applications))
