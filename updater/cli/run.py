"""``run``: one round over the Applications (``runtime.md`` 3.1)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from updater.cli.following import Following
from updater.cli.output import ResultLost
from updater.cli.signals import Shutdown, end_at_once
from updater.cli.summary import print_summary
from updater.cli.version import short_version
from updater.clock import render_duration
from updater.errors import UpdaterError
from updater.model.report import Report, Warned
from updater.ports.progress import NoProgress, Progress
from updater.settings.arguments import parse_arguments
from updater.settings.config_folder import LoadFolder, load_config_folder
from updater.settings.live_folder import ResolveWith
from updater.settings.missing import refuse_missing
from updater.settings.model import Platform, Resolution, Settings
from updater.settings.parts import RunSettings, log_settings, run_settings, secret_values
from updater.settings.resolution import resolve
from updater.settings.table import options_of
from updater.telemetry.log import Logging, StandardEventLog
from updater.telemetry.redactor import Redactor

PLATFORM = Platform(kubernetes_problem="this release has none, the extra [kubernetes] is to come")
"""What this release knows of where it runs."""


class Runtime(Protocol):
    """What the assembly builds: the object graph of one ``run``."""

    def open(self) -> None: ...

    @property
    def lost_listener(self) -> str: ...

    def run_once(self) -> Report: ...

    def run(self) -> bool: ...

    def stop(self) -> None: ...

    def reconfigure(self, settings: RunSettings) -> None: ...

    def close(self) -> None: ...


def run(words: Sequence[str], environment: Mapping[str, str], place: Mapping[str, str]) -> int:
    """The exit status of ``run``. Raises ``ConfigurationError`` before anything is started."""
    arguments = parse_arguments(words, options_of("run"))
    if arguments.wants_help:
        from updater.cli.help import print_help  # noqa: PLC0415 - only help needs click

        return print_help(("run",), place)

    def resolve_with(load: LoadFolder = load_config_folder) -> Resolution:
        return resolve("run", arguments, environment, platform=PLATFORM, place=place, load_folder=load)

    resolution = resolve_with()
    refuse_missing(resolution.settings)
    return _run_logged(resolution, lambda folder: resolve_with(lambda _: folder), resolution.warnings)


def wants_result(settings: Settings) -> bool:
    """Whether standard output shows the result, so that every record goes to standard error (``runtime.md`` 4.1)."""
    return settings["output"].origin.is_explicit or sys.stdout.isatty()


def _run_logged(resolution: Resolution, resolve_with: ResolveWith, warnings: tuple[Warned, ...]) -> int:
    settings = resolution.settings
    redactor = Redactor(secret_values(settings))
    wanted = log_settings(settings)
    logging = Logging(
        wanted.level,
        wanted.format,
        redactor=redactor,
        has_result=wants_result(settings),
        has_colors=wanted.has_colors,
    )
    try:
        _announce(logging.log, settings, warnings)
        with Shutdown() as shutdown:
            following = Following(resolution, resolve_with, logging=logging, redactor=redactor)
            return _run_guarded(settings, logging.log, shutdown, redactor, following)
    finally:
        logging.close()


def _announce(log: StandardEventLog, settings: Settings, warnings: tuple[Warned, ...]) -> None:
    values = run_settings(settings)
    interval = render_duration(values.interval_s) if values.interval_s else "once"
    log.info(
        "updater_started",
        version=short_version(),
        loglevel=values.log.level.upper(),
        interval=interval,
        health_port=settings.integer("health_port") or "off",
    )
    for warning in warnings:
        log.warning("setting_remarked", text=warning.text, kind=warning.kind)


def _announce_settings(log: StandardEventLog, settings: Settings) -> None:
    """After the files were read (``runtime.md`` 3.1)."""
    values = run_settings(settings)
    interval = render_duration(values.interval_s) if values.interval_s else "once"
    log.info("argocd_configured", **connection_facts(values))
    log.info(
        "runtime_configured",
        mode=settings.text("mode"),
        interval=interval,
        max_concurrency=values.max_concurrency,
        schedule=settings.text("schedule"),
        cooldown=render_duration(settings.seconds("cooldown")),
        per_repo_cap=settings.integer("per_repo_cap"),
        health_port=settings.integer("health_port") or "off",
        metrics_port=settings.integer("metrics_port") or "off",
        registries_conf=values.registry.conf_path,
    )


def connection_facts(values: RunSettings) -> dict[str, str | bool]:
    """What the record about the connection says: how the server is spoken to, whichever setting decides it."""
    connection = values.connection
    return {
        "api_kind": values.applications_api,
        "server": connection.server,
        "auth_token": bool(connection.token or connection.token_file),
        "insecure": connection.is_insecure,
        "grpc_web": connection.dialect.is_grpc_web,
        "plaintext": connection.dialect.is_plaintext,
    }


def _run_guarded(
    settings: Settings, log: StandardEventLog, shutdown: Shutdown, redactor: Redactor, following: Following
) -> int:
    """One catching place for the whole run: expected errors are one line, everything else is a bug."""
    try:
        runtime = build(run_settings(settings), log, progress_for(settings))
        try:
            _announce_settings(log, settings)
            runtime.open()
            with following.drive(runtime, run_settings):
                status = make_round(runtime, settings, log, shutdown=shutdown, redactor=redactor)
            return 1 if runtime.lost_listener else status
        finally:
            runtime.close()
    except UpdaterError as error:
        log.fatal("start_refused", exception=error, code=error.code)
    except ResultLost:
        raise
    except Exception as error:  # noqa: BLE001 - the last place that can say what happened
        log.fatal("bug_found", exception=error, hint="run again with --loglevel debug for the traceback")
    return 1


def build(values: RunSettings, log: StandardEventLog, progress: Progress) -> Runtime:
    """The object graph. Raises ``ConfigurationError``."""
    from updater.assembly import build_runtime  # noqa: PLC0415 - brings all adapters, which only a round needs

    return build_runtime(values, log=log, progress=progress, last_resort=end_at_once)


def progress_for(settings: Settings) -> Progress:
    """A bar for a person who watches a quiet log, else nothing."""
    is_quiet = settings.text("loglevel").lower() not in ("trace", "debug")
    # The bar draws itself with escape codes, which NO_COLOR wants none of.
    is_plain = settings.text("logformat") != "text" or bool(settings.text("no_color"))
    if is_plain or not (sys.stderr.isatty() and is_quiet):
        return NoProgress()
    from updater.cli.progress import ProgressBar  # noqa: PLC0415 - rich, for a terminal only

    return ProgressBar()


def make_round(
    runtime: Runtime, settings: Settings, log: StandardEventLog, *, shutdown: Shutdown, redactor: Redactor
) -> int:
    """Run once and print the result, or run until a signal where rounds repeat.

    0 also when Applications had errors, unless ``--fail-on-error`` asks for 1, and when a signal ended the work; 1 when
    the Applications of a single round could not be listed (``runtime.md`` 1.1).
    """

    def stop() -> None:
        log.warning("stopping")
        runtime.stop()

    try:
        if settings.seconds("interval") > 0 or settings.text("mode") == "continuous":
            if settings["output"].origin.is_explicit:
                text = "--output shows the result of a single round; of others there are records alone"
                log.warning("setting_remarked", kind="no_effect", text=text)
            return _repeat(runtime, log, shutdown, stop)
        report = shutdown.guard(runtime.run_once, stop)
    except UpdaterError as error:
        if not shutdown.is_requested:
            return _say_unreadable(log, settings, error)
        report = Report(is_dry_run=settings.is_on("dry_run"), is_interrupted=True)
    if wants_result(settings):
        print_summary(report, settings.text("output"), redactor)
    log.info("updater_finished")
    return int(settings.is_on("fail_on_error") and bool(report.totals["errors"]))


def _repeat(runtime: Runtime, log: StandardEventLog, shutdown: Shutdown, stop: Callable[[], None]) -> int:
    if not shutdown.guard(runtime.run, stop):
        log.warning("shutdown_incomplete")
    log.info("updater_finished")
    return 0


def _say_unreadable(log: StandardEventLog, settings: Settings, error: UpdaterError) -> int:
    """One record with the facts of the connection (``runtime.md`` 3.3)."""
    dialect = run_settings(settings).connection.dialect
    log.error(
        "fleet_unreadable",
        exception=error,
        code=error.code,
        argocd_server=settings.text("argocd_server_addr"),
        grpc_web=dialect.is_grpc_web,
        grpc_webroot=settings.text("argocd_grpc_web_root_path"),
        plaintext=dialect.is_plaintext,
        insecure=settings.is_on("argocd_insecure"),
    )
    return 1
