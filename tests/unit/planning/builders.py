"""Snapshots for the tests of planning, in the few words that a test is about."""

from __future__ import annotations

from updater.model.applications import (
    ANNOTATION_PREFIX,
    ApplicationKey,
    ApplicationSnapshot,
    SourceLayout,
    SourceSnapshot,
)

KEY = ApplicationKey("argocd", "shop")


def helm_application(
    own: dict[str, str], *live: str, source: SourceSnapshot | None = None, labels: dict[str, str] | None = None
) -> ApplicationSnapshot:
    """A single-source Helm Application with our annotations (keys without prefix) and running images."""
    return ApplicationSnapshot(
        KEY,
        annotations=prefixed(own),
        labels=labels or {},
        layout=SourceLayout.SINGLE,
        sources=(source or SourceSnapshot(),),
        source_type="Helm",
        live_images=live,
    )


def sourced(
    *sources: SourceSnapshot,
    layout: SourceLayout = SourceLayout.MULTIPLE,
    source_types: tuple[str, ...] = (),
    source_type: str = "",
) -> ApplicationSnapshot:
    """An Application that is nothing but its sources and their types."""
    return ApplicationSnapshot(KEY, layout=layout, sources=sources, source_types=source_types, source_type=source_type)


def prefixed(own: dict[str, str]) -> dict[str, str]:
    """Annotations with the prefix that they carry on an Application."""
    return {f"{ANNOTATION_PREFIX}{key}": value for key, value in own.items()}
