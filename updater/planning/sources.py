"""Which type an Application has, and which of its sources is written (``write-back.md`` 2.2).

The chain never falls back to a source of another type: a kustomize block in a Helm source breaks the Application.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import assert_never

from updater.errors import PlanError
from updater.model.applications import ApplicationSnapshot, SourceKind, SourceLayout, SourceSnapshot
from updater.model.changes import SourceChoice
from updater.rules.kustomize_items import identities_of, identity_of

_KINDS = {kind.value: kind for kind in SourceKind}


def source_kind(
    snapshot: ApplicationSnapshot, *, server_supports_hydrator: bool = True, allows_plugin: bool = False
) -> SourceKind:
    """The type that Argo CD reports; raises ``PlanError`` (``unsupported_source_type``).

    Of several sources a plugin counts only beside neither Helm nor Kustomize, and only where ``allows_plugin`` says
    that there are variables to write.
    """
    match snapshot.layout:
        case SourceLayout.MULTIPLE:
            found = _preferred_kind(snapshot)
            reported = ", ".join(snapshot.source_types)
        case SourceLayout.HYDRATED:
            if not server_supports_hydrator:
                raise _unsupported("a source hydrator", "it can be written from Argo CD 3.3 on")
            found = _hydrated_kind(snapshot)
            reported = snapshot.source_type
        case _:
            found = _KINDS.get(snapshot.source_type)
            reported = snapshot.source_type
    if found is SourceKind.PLUGIN and not allows_plugin:
        raise _unsupported(reported or found.value, "a plugin takes overrides by a rule with manifestTargets.plugin")
    if found is None:
        raise _unsupported(reported or "none yet", "only Helm and Kustomize take image overrides")
    return found


def _preferred_kind(snapshot: ApplicationSnapshot) -> SourceKind | None:
    """The first of the sources' types, plugins last."""
    kinds = [_KINDS[text] for text in snapshot.source_types if text in _KINDS]
    return min(kinds, key=lambda kind: kind is SourceKind.PLUGIN, default=None)


def _unsupported(found: str, hint: str) -> PlanError:
    return PlanError(f"unsupported source type: {found[:120]}", hint=hint, code="unsupported_source_type")


def _hydrated_kind(snapshot: ApplicationSnapshot) -> SourceKind | None:
    if snapshot.sources and snapshot.sources[0].has_block:
        return _block_kind(snapshot.sources[0])
    return _KINDS.get(snapshot.source_type)


def _block_kind(source: SourceSnapshot) -> SourceKind | None:
    return next((kind for kind in SourceKind if _has_block_of(source, kind)), None)


def _has_block_of(source: SourceSnapshot, kind: SourceKind) -> bool:
    return _block_of(source, kind) is not None


def _block_of(source: SourceSnapshot, kind: SourceKind) -> Collection[object] | None:
    match kind:
        case SourceKind.HELM:
            return source.helm_parameters
        case SourceKind.KUSTOMIZE:
            return source.kustomize_images
        case SourceKind.PLUGIN:
            return source.plugin_env
        case unreachable:
            assert_never(unreachable)


def selected_kind(snapshot: ApplicationSnapshot, selector: str) -> SourceKind | None:
    """The type of the source that ``write-back-source`` names, None when the source itself does not tell.

    Raises ``PlanError`` (``source_not_found``).
    """
    return _kind_of(snapshot, _find_named(snapshot, selector))


def select_source(snapshot: ApplicationSnapshot, choice: SourceChoice, names: Collection[str]) -> int:
    """Index of the source to write.

    names: what will be written: names of parameters or variables, or left-hand sides of kustomize items. A source that
    carries one of them already comes before others. Raises ``PlanError`` (``no_source``, ``source_not_found``,
    ``no_matching_source``, ``unsupported_source_type``).
    """
    if not snapshot.sources:
        raise PlanError("the spec has no source", where=str(snapshot.key), code="no_source")
    if snapshot.layout is not SourceLayout.MULTIPLE:
        return 0
    if choice.selector:
        return _named_source(snapshot, choice)
    candidates = [index for index in range(len(snapshot.sources)) if _is_of(snapshot, index, choice.kind)]
    if not candidates:
        raise _no_match(snapshot, choice)
    carrying = [index for index in candidates if _carries(snapshot.sources[index], choice.kind, names)]
    explicit = [index for index in candidates if _has_block_of(snapshot.sources[index], choice.kind)]
    return (carrying or explicit or candidates)[0]


def _named_source(snapshot: ApplicationSnapshot, choice: SourceChoice) -> int:
    index = _find_named(snapshot, choice.selector)
    # Where neither block nor status tells a type, the owner who named the source is believed.
    is_untold = not snapshot.sources[index].has_block and not _has_aligned_status(snapshot)
    if is_untold or _is_of(snapshot, index, choice.kind):
        return index
    raise _no_match(snapshot, choice)


def _find_named(snapshot: ApplicationSnapshot, selector: str) -> int:
    sources = snapshot.sources
    if selector.isascii() and selector.isdigit():
        found = [index for index in range(len(sources)) if str(index) == selector]
    else:
        found = [index for index, source in enumerate(sources) if source.name == selector]
        found = found or [index for index, source in enumerate(sources) if source.ref == selector]
    if len(found) == 1:
        return found[0]
    known = ", ".join(filter(None, (source.name or source.ref for source in sources)))
    raise PlanError(
        f"write-back-source {selector[:80]!r} names {'several sources' if found else 'no source'}",
        where=str(snapshot.key),
        hint=f"write an index from 0 to {len(sources) - 1}" + (f" or one of {known[:120]}" if known else ""),
        code="source_not_found",
    )


def _kind_of(snapshot: ApplicationSnapshot, index: int) -> SourceKind | None:
    """Type of one source: its block, else its entry in the status; without an aligned status a chart is Helm."""
    source = snapshot.sources[index]
    if source.has_block:
        return _block_kind(source)
    if _has_aligned_status(snapshot):
        return _KINDS.get(snapshot.source_types[index])
    return SourceKind.HELM if source.chart else None


def _has_aligned_status(snapshot: ApplicationSnapshot) -> bool:
    return len(snapshot.source_types) == len(snapshot.sources)


def _is_of(snapshot: ApplicationSnapshot, index: int, kind: SourceKind) -> bool:
    return _has_block_of(snapshot.sources[index], kind) or _kind_of(snapshot, index) is kind


def _carries(source: SourceSnapshot, kind: SourceKind, names: Collection[str]) -> bool:
    if kind is SourceKind.HELM:
        return any(parameter.name in names for parameter in source.helm_parameters or ())
    if kind is SourceKind.PLUGIN:
        return any(variable.name in names for variable in source.plugin_env or ())
    wanted = {identity_of(name) for name in names}
    return any(not wanted.isdisjoint(identities_of(item)) for item in source.kustomize_images or ())


def _no_match(snapshot: ApplicationSnapshot, choice: SourceChoice) -> PlanError:
    return PlanError(
        f"none of the {len(snapshot.sources)} sources is a {choice.kind.value} source to write to",
        where=str(snapshot.key),
        hint="name the source with the annotation write-back-source",
        code="no_matching_source",
    )
