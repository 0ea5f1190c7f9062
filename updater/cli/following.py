"""Follows the mounted configuration while a command runs (``runtime.md`` 1.16)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from updater.cli.config import shown_value
from updater.errors import ConfigurationError
from updater.settings.live_folder import LOOK_EVERY_S, FolderChange, LiveFolder, ResolveWith
from updater.settings.model import Resolution, Setting, Settings
from updater.settings.parts import RunSettings, log_settings, secret_values
from updater.telemetry.log import Logging, StandardEventLog
from updater.telemetry.redactor import Redactor


class Reconfigurable(Protocol):
    """What takes other settings while it runs."""

    def reconfigure(self, settings: RunSettings) -> None: ...


class Following:
    """Looks every half minute between enter and exit, in a thread of its own; does nothing without a folder.

    ``parts_of`` makes the values of the runtime from settings.
    """

    def __init__(
        self,
        resolution: Resolution,
        resolve_with: ResolveWith,
        *,
        logging: Logging,
        redactor: Redactor,
        period_s: float = LOOK_EVERY_S,
    ) -> None:
        self._live = LiveFolder(resolution, resolve_with) if resolution.settings.text("config_dir") else None
        self._logging = logging
        self._log: StandardEventLog = logging.log
        self._redactor = redactor
        self._period_s = period_s
        self._runtime: Reconfigurable | None = None
        self._parts_of: Callable[[Settings], RunSettings] | None = None
        self._complaint = ""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="config-poll", daemon=True)

    def drive(self, runtime: Reconfigurable, parts_of: Callable[[Settings], RunSettings]) -> Self:
        """Who is told of changes."""
        self._runtime, self._parts_of = runtime, parts_of
        return self

    def look(self) -> None:
        """Once: apply what holds at once, and say what does not."""
        if self._live is None:
            return
        try:
            change = self._live.refresh()
            if change is not None:
                self._apply(change)
            self._complaint = ""
        except ConfigurationError as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                self._log.error("config_refused", exception=error, code=error.code, error=str(error))

    def __enter__(self) -> Self:
        if self._live is not None:
            # What is there now was read a moment ago: the first look only takes note of it.
            self.look()
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _follow(self) -> None:
        while not self._stopped.wait(self._period_s):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - a bug met in one look must not be the end of all
                self._log.error("bug_found", exception=error, error=str(error))

    def _apply(self, change: FolderChange) -> None:
        self._redactor.add(*secret_values(change.settings))
        for warning in change.warnings:
            self._log.warning("setting_remarked", text=warning.text, kind=warning.kind)
        for setting in change.waiting:
            self._log.warning("setting_needs_restart", key=_key(setting), value=shown_value(setting))
        if not change.applied:
            return
        for setting in change.applied:
            self._log.info("setting_changed", key=_key(setting), value=shown_value(setting))
        self._logging.set_level(log_settings(change.settings).level)
        if self._runtime is not None and self._parts_of is not None:
            self._runtime.reconfigure(self._parts_of(change.settings))


def _key(setting: Setting) -> str:
    return setting.option.config_key or setting.option.name
