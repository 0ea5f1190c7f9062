"""``webhook``: serve registries, and update the Applications that use what they name (``runtime.md`` 1.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from updater.cli.following import Following
from updater.cli.guarding import guard_command, logging_for, warn
from updater.cli.run import PLATFORM, build, connection_facts
from updater.cli.signals import Shutdown
from updater.cli.version import short_version
from updater.errors import ConfigurationError
from updater.ports.progress import NoProgress
from updater.settings.arguments import parse_arguments
from updater.settings.config_folder import LoadFolder, load_config_folder
from updater.settings.missing import refuse_missing
from updater.settings.model import Resolution, Settings
from updater.settings.parts import RunSettings, secret_values
from updater.settings.resolution import resolve
from updater.settings.table import options_of
from updater.settings.webhook_command import webhook_command_settings
from updater.telemetry.log import StandardEventLog
from updater.telemetry.redactor import Redactor

_OFF = "off"


def run_webhook(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """The exit status of ``webhook``: 0 after a signal. Raises ``ConfigurationError`` before anything is started."""
    arguments = parse_arguments(words, options_of("webhook"))
    if arguments.wants_help:
        from updater.cli.help import print_help  # noqa: PLC0415 - only help needs click

        return print_help(("webhook",))

    def resolve_with(load: LoadFolder = load_config_folder) -> Resolution:
        return resolve("webhook", arguments, environment, platform=PLATFORM, load_folder=load)

    resolution = resolve_with()
    refuse_missing(resolution.settings)
    settings, values = resolution.settings, webhook_command_settings(resolution.settings)
    if values.webhooks.port is None:
        text = "port 0 starts no webhook server, which is all that this command does"
        raise ConfigurationError(text, where="--webhook-port", code="bad_port")
    redactor = Redactor(secret_values(settings))
    with logging_for(settings, redactor, has_result=False) as logging, Shutdown() as shutdown:
        _announce(logging.log, values)
        warn(logging.log, resolution.warnings)
        following = Following(
            resolution, lambda folder: resolve_with(lambda _: folder), logging=logging, redactor=redactor
        )
        return guard_command(logging.log, lambda: _serve(settings, values, logging.log, shutdown, following))


def _announce(log: StandardEventLog, values: RunSettings) -> None:
    log.info(
        "updater_started",
        version=short_version(),
        loglevel=values.log.level.upper(),
        interval=_OFF,
        health_port=_OFF,
    )


def _announce_settings(log: StandardEventLog, settings: Settings, values: RunSettings) -> None:
    """After the files were read (``runtime.md`` 3.1)."""
    log.info("argocd_configured", **connection_facts(values))
    log.info(
        "runtime_configured",
        mode="webhook",
        interval=_OFF,
        max_concurrency=values.max_concurrency,
        schedule="default",
        cooldown="0s",
        per_repo_cap=0,
        health_port=_OFF,
        metrics_port=settings.integer("metrics_port") or _OFF,
        registries_conf=values.registry.conf_path,
    )


def _serve(
    settings: Settings, values: RunSettings, log: StandardEventLog, shutdown: Shutdown, following: Following
) -> int:
    runtime = build(values, log, NoProgress())

    def stop() -> None:
        log.warning("stopping")
        runtime.stop()

    try:
        _announce_settings(log, settings, values)
        runtime.open()
        with following.drive(runtime, webhook_command_settings):
            is_complete = shutdown.guard(runtime.run, stop)
        if not is_complete:
            log.warning("shutdown_incomplete")
    finally:
        runtime.close()
    log.info("updater_finished")
    return 1 if runtime.lost_listener else 0
