"""Asking registries: one listing or inspection at a time, every failure turned into a value."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from updater.clock import Deadline
from updater.engine.failure_classes import SHUTTING_DOWN
from updater.errors import CredentialError, RegistryAuthError, UpdaterError
from updater.model.images import Candidate, Inspection, Reason, TagList
from updater.model.references import ImageRepository
from updater.ports.log import EventLog
from updater.ports.registry import TagInspector, TagSource
from updater.rules.decisions import FactsUnavailable

LISTING_TIMEOUT_S = 180.0
"""For one listing, all pages, retries and tokens included (``registries.md`` 5.4)."""

INSPECTION_TIMEOUT_S = 900.0
"""For the metadata of one shortlist: a thousand tags at twenty requests a second, and as long again for retries."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Need:
    """What one poll depends on."""

    repository: ImageRepository
    pull_secret: str = ""


class Poller:
    """Called from many threads. Once ``stopping`` is set nothing more is asked, and the answers say so."""

    def __init__(
        self,
        tags: TagSource,
        inspector: TagInspector,
        deadline: Deadline,
        log: EventLog,
        stopping: threading.Event,
    ) -> None:
        self._tags = tags
        self._inspector = inspector
        self._deadline = deadline
        self._log = log
        self._stopping = stopping

    def list_tags(self, need: Need) -> TagList | FactsUnavailable:
        """The complete list, or why there is none."""
        within = self._deadline.sooner(LISTING_TIMEOUT_S)
        listed = self.ask(
            need,
            Reason.TAGS_UNAVAILABLE,
            lambda: self._tags.fetch_tags(need.repository, within, pull_secret=need.pull_secret),
        )
        if isinstance(listed, TagList):
            # The record of the listing itself is the registry's; this one also comes where a list was shared.
            self._log.trace("tags_known", repository=need.repository.full_name, count=len(listed.tags))
        return listed

    def inspect(
        self, need: Need, tags: Sequence[str], inspection: Inspection
    ) -> tuple[Candidate, ...] | FactsUnavailable:
        """The candidates among ``tags``, or why nothing is known of them."""
        if not tags:
            return ()
        within = self._deadline.sooner(INSPECTION_TIMEOUT_S)
        return self.ask(
            need,
            Reason.METADATA_UNKNOWN,
            lambda: self._inspector.fetch_candidates(
                need.repository, tags, inspection, within, pull_secret=need.pull_secret
            ),
        )

    def guard(self, need: Need, work: Callable[[], Answer]) -> Answer | FactsUnavailable:
        """What ``work`` makes of a repository's facts; a bug met in it must not cost the other repositories."""
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - see above
            self._log.error("bug_found", exception=error, repository=need.repository.full_name, error=str(error))
            text = f"internal error: {type(error).__name__}"
            return FactsUnavailable(Reason.TAGS_UNAVAILABLE, text, "internal_error")

    def ask(self, need: Need, reason: Reason, ask: Callable[[], Answer]) -> Answer | FactsUnavailable:
        """What one call to a registry answers, or why there is no answer: ``reason``, unless credentials are wrong."""
        if self._stopping.is_set():
            return FactsUnavailable(reason, "not asked, because the updater is shutting down", SHUTTING_DOWN)
        try:
            return ask()
        except (CredentialError, RegistryAuthError) as error:
            return FactsUnavailable(Reason.CREDENTIALS_FAILED, str(error), error.code)
        except UpdaterError as error:
            return FactsUnavailable(reason, str(error), error.code)
        except Exception as error:  # noqa: BLE001 - a bug in one poll must not cost the other repositories
            self._log.error("bug_found", exception=error, repository=need.repository.full_name, error=str(error))
            return FactsUnavailable(reason, f"internal error: {type(error).__name__}", "internal_error")
