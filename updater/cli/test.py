"""``test``: which tag would this image get, without any Application (``runtime.md`` 2)?

Talks to the registry alone. Everything it says is log records; with ``--output``, or on a terminal, standard output
belongs to the candidates and the records go to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

from updater.cli.output import ResultLost
from updater.cli.signals import Shutdown
from updater.cli.test_outcome import TagOutcome, TagTest
from updater.cli.test_report import TagReport
from updater.cli.test_request import ImageArgument, TagRequest, make_request, parse_image
from updater.errors import ConfigurationError, RegistryError, UpdaterError
from updater.model.report import Warned
from updater.ports.log import EventLog
from updater.ports.progress import NoProgress, Progress
from updater.registry.endpoints import RemoteRepository
from updater.settings.arguments import parse_arguments
from updater.settings.missing import refuse_missing
from updater.settings.model import Platform, Settings
from updater.settings.parts import has_log_colors, registry_settings, tag_test_settings
from updater.settings.resolution import resolve
from updater.settings.table import options_of
from updater.telemetry.log import Logging
from updater.telemetry.redactor import Redactor


def run_tag_test(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """The exit status of ``test``. Raises ``ConfigurationError`` for wrong usage, before anything is logged."""
    arguments = parse_arguments(words, options_of("test"))
    if arguments.wants_help:
        from updater.cli.help import print_help  # noqa: PLC0415 - only help needs click

        return print_help(("test",))
    if len(arguments.words) != 1:
        found = f"{len(arguments.words)} arguments were given" if arguments.words else "none was given"
        hint = "for example ghcr.io/acme/shop:1.2.0"
        raise ConfigurationError(f"image needs to be specified, exactly one: {found}", hint=hint, code="bad_argument")
    resolution = resolve("test", arguments, environment, platform=Platform())
    refuse_missing(resolution.settings)
    return _test_logged(arguments.words[0], resolution.settings, resolution.warnings, environment)


def _test_logged(text: str, settings: Settings, warnings: tuple[Warned, ...], environment: Mapping[str, str]) -> int:
    """One catching place: an expected failure is one fatal record, everything else is a bug."""
    redactor = Redactor()
    has_result = settings["output"].origin.is_explicit or sys.stdout.isatty()
    logging = Logging(
        settings.text("loglevel").lower(),
        "text",
        redactor=redactor,
        has_result=has_result,
        has_colors=has_log_colors(settings),
    )
    try:
        _warn(logging.log, warnings)
        report = _Command(settings, environment, logging.log).run(parse_image(text))
        if has_result:
            report.print(settings.text("output"))
    except UpdaterError as error:
        # Without the traceback that this level would show: the level is the default here, not somebody's wish.
        logging.log.fatal("start_refused", error=str(error), code=error.code)
    except ResultLost:
        raise
    except Exception as error:  # noqa: BLE001 - the last place that can say what happened
        logging.log.fatal("bug_found", exception=error, hint="run again with --loglevel debug for the traceback")
    else:
        return 0
    finally:
        logging.close()
    return 1


def _warn(log: EventLog, warnings: tuple[Warned, ...]) -> None:
    """One record for each."""
    for warning in warnings:
        log.warning("setting_remarked", text=warning.text, kind=warning.kind)


class _Command:
    """The steps between the log and the result."""

    def __init__(self, settings: Settings, environment: Mapping[str, str], log: EventLog) -> None:
        self._settings = settings
        self._environment = environment
        self._log = log

    def run(self, image: ImageArgument) -> TagReport:
        """Raises ``ConfigurationError``, ``RegistryError`` or ``CredentialError``."""
        from updater.assembly.platforms import running_platform  # noqa: PLC0415 - brings all adapters

        log = self._log.bind(**_image_fields(image))
        log.info("image_test_started")
        request = make_request(image, tag_test_settings(self._settings), running_platform())
        _warn(log, request.warnings)
        remote, outcome = self._ask(request, log)
        why = {"reason": outcome.choice.problem} if outcome.choice.problem else {}
        if outcome.latest is None:
            log.info("newer_image_missing", **why)
        else:
            log.info("latest_image_found", image=outcome.latest.full_reference, **why)
        return TagReport(request, remote, outcome)

    def _ask(self, request: TagRequest, log: EventLog) -> tuple[RemoteRepository, TagOutcome]:
        from updater.assembly.registries import build_registry_under_test  # noqa: PLC0415 - brings all adapters

        asked = tag_test_settings(self._settings)
        registry = build_registry_under_test(
            registry_settings(self._settings),
            request.image.reference.repository,
            self._environment,
            log,
            requests_per_s=asked.rate_limit,
        )
        try:
            if asked.rate_limit is not None:
                log.info("rate_limit_overridden", limit=asked.rate_limit)
            log.info("tags_wanted", application="test")
            test = TagTest(registry.client, registry.clock, _progress(), asked.credentials)
            outcome = _run_guarded(lambda: test.run(request), registry.close)
        finally:
            registry.close()
        log.info("tags_counted", count=outcome.remaining)
        return registry.remote, outcome


def _run_guarded(ask: Callable[[], TagOutcome], stop: Callable[[], None]) -> TagOutcome:
    """The outcome; a signal ends every request at once, and that is a failure: there is no answer."""
    with Shutdown() as shutdown:
        try:
            return shutdown.guard(ask, stop)
        except UpdaterError as error:
            if not shutdown.is_requested:
                raise
            raise RegistryError("stopped by a signal before there was an answer", code="cancelled") from error


def _image_fields(image: ImageArgument) -> dict[str, str]:
    reference = image.reference
    fields = {
        "image_name": reference.repository.full_name,
        "image_alias": image.alias,
        "registry_url": reference.repository.registry,
    }
    return fields | ({"image_tag": reference.tag, "image_digest": reference.digest} if reference.tag else {})


def _progress() -> Progress:
    if not sys.stderr.isatty():
        return NoProgress()
    from updater.cli.progress import ProgressBar  # noqa: PLC0415 - rich, for a terminal only

    return ProgressBar("Tags inspected")
