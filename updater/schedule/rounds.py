"""What both ways of running share: the callables around the work, and the warm-up (``runtime.md`` 1.13, 3.9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from updater.errors import UpdaterError
from updater.ports.log import EventLog, Field
from updater.schedule.complaints import Listener, nobody_hears

_NO_FIELDS: Mapping[str, Field] = MappingProxyType({})


def _nothing(key: str) -> None:
    del key


def nobody_waits() -> None:
    """Nobody waits for the fleet to be known."""


@dataclass(frozen=True, slots=True)
class RoundHooks:
    """``on_known`` and ``on_gone`` hear the keys of Applications that join and leave, for series of metrics.

    ``warm_up`` is one dry-run round over the fleet that counts nothing, and returns the fields of its closing record;
    None: no warm-up. It may raise ``UpdaterError``. ``server_fields`` describe the connection in the record of a fleet
    that cannot be listed (``runtime.md`` 3.3). ``on_listed`` is called when the fleet is known, and after each List.
    ``on_trouble`` hears why the fleet could not be listed, and None when it could.
    """

    on_known: Callable[[str], None] = _nothing
    on_gone: Callable[[str], None] = _nothing
    on_listed: Callable[[], None] = nobody_waits
    on_trouble: Listener = nobody_hears
    warm_up: Callable[[], Mapping[str, int]] | None = None
    server_fields: Mapping[str, Field] = field(default_factory=lambda: _NO_FIELDS)


def warm_up(hooks: RoundHooks, log: EventLog) -> None:
    """Fill the caches if that is wanted; a failure is one record, and the start goes on."""
    if hooks.warm_up is None:
        return
    log.info("warmup_started")
    try:
        fields = hooks.warm_up()
    except UpdaterError as error:
        log.warning("warmup_failed", code=error.code, error=str(error))
        return
    except Exception as error:  # noqa: BLE001 - a bug met in the warm-up must not keep the rounds from beginning
        log.error("bug_found", exception=error, error=str(error))
        return
    log.info("warmup_finished", **fields)
