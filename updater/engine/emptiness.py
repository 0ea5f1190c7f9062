"""A fleet of nobody: nothing fails, nothing happens, and something is set up wrongly. Said once while it lasts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from updater.engine.registry_failures import tally_text
from updater.ports.log import EventLog

_NO_REASONS: Mapping[str, int] = MappingProxyType({})


class FleetEmptiness:
    """Remembers what was said. One owner at a time: whoever lists."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._said = ""

    def look(self, listed: int, wanted: int, reasons: Mapping[str, int] = _NO_REASONS) -> None:
        """``listed`` Applications are visible, of which ``wanted`` are looked after.

        ``reasons`` counts why the others are left out; without them the records of each tell.
        """
        text = ""
        if not listed:
            text = (
                "the token sees no Application; check its right to 'applications, get' (the token of a project sees "
                "that project alone, and Applications outside the namespace of Argo CD are PROJECT/NAMESPACE/NAME in "
                "policies), --argocd-projects and --match-application-label"
            )
        elif not wanted:
            why = tally_text(reasons) or "--loglevel debug says of each why"
            text = (
                f"none of {listed} Applications is to be looked after ({why}); check the annotation image-list and "
                "--match-application-name"
            )
        if text and text != self._said:
            self._log.warning("fleet_empty", text=text, listed=listed)
        self._said = text
