"""The repository that the per-repository cap counts an Application under (``runtime.md`` 3.5)."""

from __future__ import annotations

from updater.model.applications import ApplicationSnapshot, SourceKind, SourceSnapshot

_KINDS = frozenset(kind.value for kind in SourceKind)


def cap_repository(snapshot: ApplicationSnapshot) -> str:
    """The URL of the source that would be changed, as written; empty when there is no source.

    Of several sources that is the first of a type that takes overrides, else the first.
    """
    types = snapshot.source_types if len(snapshot.source_types) == len(snapshot.sources) else ()
    for index, source in enumerate(snapshot.sources):
        if (types and types[index] in _KINDS) or _takes_overrides(source):
            return source.repo_url
    return snapshot.sources[0].repo_url if snapshot.sources else ""


def _takes_overrides(source: SourceSnapshot) -> bool:
    return source.has_block or bool(source.chart)
