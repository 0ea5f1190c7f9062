"""Which Applications are processed at all (``images-and-strategies.md`` 1.1 and 1.2, ``runtime.md`` 3.2).

One function for every way in, polling and webhooks alike. The checks run in a fixed order; the first failure counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from updater.model.applications import ANNOTATION_PREFIX, ApplicationSnapshot, SourceKind, SourceLayout
from updater.model.changes import SourceChoice
from updater.model.images import Severity
from updater.planning import annotation_keys as keys
from updater.planning.sources import selected_kind, source_kind
from updater.planning.write_back import Method, WriteBackMethod, forced_kind
from updater.rules.label_selectors import LabelSelector
from updater.rules.name_patterns import NamePatterns


class Skip(Enum):
    """Why an Application is not processed; the value is a stable name."""

    NO_IMAGE_LIST = "no_image_list"
    EMPTY_IMAGE_LIST = "empty_image_list"
    NO_RULE = "no_rule"
    UNSUPPORTED_TYPE = "unsupported_source_type"
    NAME = "name"
    LABEL = "label"

    @property
    def severity(self) -> Severity:
        """How loudly it is reported: only what its owner should mend is a warning."""
        return Severity.WARNING if self in (Skip.EMPTY_IMAGE_LIST, Skip.UNSUPPORTED_TYPE) else Severity.DEBUG


@dataclass(frozen=True, slots=True)
class Skipped:
    """An Application that is left out, and the line that says why."""

    why: Skip
    text: str


def skip_without_images(snapshot: ApplicationSnapshot, *, has_entries: bool) -> Skipped | None:
    """The check on the image list: absent is an Application that never asked, empty is an owner's mistake."""
    if f"{ANNOTATION_PREFIX}{keys.IMAGE_LIST}" not in snapshot.annotations:
        return Skipped(Skip.NO_IMAGE_LIST, "it has no image-list annotation")
    if not has_entries:
        return Skipped(Skip.EMPTY_IMAGE_LIST, "its image-list annotation has no entry")
    return None


def skip_by_selection(snapshot: ApplicationSnapshot, patterns: NamePatterns, selector: LabelSelector) -> Skipped | None:
    """The checks on what the operator chose: name, then labels."""
    if not patterns.matches(snapshot.key.name):
        return Skipped(Skip.NAME, "its name matches no name pattern")
    if not selector.matches(snapshot.labels):
        return Skipped(Skip.LABEL, "its labels do not match the selector")
    return None


def choose_target(
    snapshot: ApplicationSnapshot,
    own: Mapping[str, str],
    method: WriteBackMethod,
    *,
    server_supports_hydrator: bool,
    allows_plugin: bool,
) -> SourceChoice:
    """Type of the Application and how to find its source.

    The target prefix of the git method decides, then the source that ``write-back-source`` names, then the status.
    Raises ``PlanError``: ``unsupported_source_type`` leaves the Application out, other codes stop its write-back.
    """
    selector = own.get(keys.WRITE_BACK_SOURCE, "")
    kind = forced_kind(own, method)
    if kind is not None:
        return SourceChoice(kind, selector)
    # What older servers drop are fields; a commit does not pass through them.
    is_writable = server_supports_hydrator or method.method is Method.GIT
    reported = source_kind(snapshot, server_supports_hydrator=is_writable, allows_plugin=allows_plugin)
    named = selected_kind(snapshot, selector) if selector and snapshot.layout is SourceLayout.MULTIPLE else None
    is_usable = named is not SourceKind.PLUGIN or allows_plugin
    return SourceChoice(named if named and is_usable else reported, selector)
