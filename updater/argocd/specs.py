"""Override lists placed into a spec, in place: everything else of it stays byte for byte (``argocd-api.md`` 2.9).

A spec is never built afresh and never goes through JSON; only the sub-messages that carry overrides are touched, and
of those only what differs. An empty block is a change too, so none is made where nothing is to be written.
"""

from __future__ import annotations

from generated.application_messages_pb2 import ApplicationSource, ApplicationSpec, DrySource
from updater.argocd.snapshots import sources_of
from updater.errors import ArgoCDProtocolError
from updater.model.applications import HelmParameter, PluginVariable
from updater.model.changes import OverrideLists


def place_overrides(spec: ApplicationSpec, after: OverrideLists) -> None:
    """Make the lists of one source be ``after``: entries are changed in place or appended, never removed."""
    source = override_source(spec, after.source_index)
    for index, parameter in enumerate(after.helm_parameters or ()):
        _place_parameter(source, index, parameter)
    for index, image in enumerate(after.kustomize_images or ()):
        _place_image(source, index, image)
    for index, variable in enumerate(after.plugin_env or ()):
        _place_variable(source, index, variable)


def override_source(spec: ApplicationSpec, index: int) -> ApplicationSource | DrySource:
    """The effective source with this index: the hydrator's dry source, one of the list, or the single one."""
    if spec.HasField("sourceHydrator"):
        return spec.sourceHydrator.drySource
    return spec.sources[index] if spec.sources else spec.source


def read_overrides(spec: ApplicationSpec, wanted: OverrideLists) -> OverrideLists:
    """The lists of the same source and kind as ``wanted``, as a spec holds them; None where the block is absent.

    Raises ``ArgoCDProtocolError`` for a spec without that source: it says nothing of what was stored.
    """
    _, sources = sources_of(spec)
    if wanted.source_index >= len(sources):
        raise ArgoCDProtocolError(
            f"the answer to a write holds {len(sources)} sources, but number {wanted.source_index + 1} was written"
        )
    source = sources[wanted.source_index]
    return OverrideLists(
        source_index=wanted.source_index,
        helm_parameters=source.helm_parameters if wanted.helm_parameters is not None else None,
        kustomize_images=source.kustomize_images if wanted.kustomize_images is not None else None,
        plugin_env=source.plugin_env if wanted.plugin_env is not None else None,
    )


def is_rest_kept(sent: ApplicationSpec, answered: ApplicationSpec, index: int) -> bool:
    """Whether an answer holds all that was sent beside the overrides, the server's own normalisation apart (7.4).

    False tells of a server that dropped fields it does not know, as happens while replicas of two versions run.
    """
    if answered.sources and index >= len(answered.sources):
        return False
    left, right = ApplicationSpec(), ApplicationSpec()
    for target, origin in ((left, sent), (right, answered)):
        target.CopyFrom(origin)
        source = override_source(target, index)
        source.ClearField("helm")
        source.ClearField("kustomize")
        if source.HasField("plugin"):
            source.plugin.ClearField("env")
        target.project = target.project or "default"
        if not target.syncPolicy.ByteSize():
            target.ClearField("syncPolicy")
    return left == right


def _place_parameter(source: ApplicationSource | DrySource, index: int, wanted: HelmParameter) -> None:
    held = source.helm.parameters
    entry = held[index] if index < len(held) else held.add()
    if entry.name != wanted.name:
        entry.name = wanted.name
    if entry.value != wanted.value:
        entry.value = wanted.value
    if entry.forceString != wanted.force_string:
        entry.forceString = wanted.force_string


def _place_variable(source: ApplicationSource | DrySource, index: int, wanted: PluginVariable) -> None:
    held = source.plugin.env
    entry = held[index] if index < len(held) else held.add()
    if entry.name != wanted.name:
        entry.name = wanted.name
    if entry.value != wanted.value:
        entry.value = wanted.value


def _place_image(source: ApplicationSource | DrySource, index: int, wanted: str) -> None:
    held = source.kustomize.images
    if index >= len(held):
        held.append(wanted)
    elif held[index] != wanted:
        held[index] = wanted
