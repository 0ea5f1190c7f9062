"""From protobuf messages to snapshots: the one place where their fields are read.

This runs for every Application of every listing, so it reads each field once and looks at presence only where absent
and empty differ (``argocd-api.md`` 2.2: the server writes most fields always, also when empty). Snapshots of a fleet
are kept, so texts that repeat from one Application to the next are one object.
"""

from __future__ import annotations

from collections.abc import Mapping
from sys import intern

from generated.application_messages_pb2 import Application, ApplicationSource, ApplicationSpec, DrySource
from updater.errors import ArgoCDProtocolError
from updater.model.applications import (
    ANNOTATION_PREFIX,
    ApplicationKey,
    ApplicationSnapshot,
    HelmParameter,
    PluginVariable,
    SourceLayout,
    SourceSnapshot,
)


def snapshot_of(application: Application) -> ApplicationSnapshot:
    """An immutable copy of what the updater reads of an Application.

    Raises ``ArgoCDProtocolError`` when one of its texts is not UTF-8: protobuf then gives bytes in its place.
    """
    try:
        snapshot = _snapshot(application)
        _require_texts(snapshot)
    except TypeError as error:
        name = application.metadata.name
        raise ArgoCDProtocolError(
            "the server sends a text that is not UTF-8",
            where=f"Application {name}" if isinstance(name, str) else "an Application",
            hint="something between changes the answer, or the server is broken",
        ) from error
    return snapshot


def _require_texts(snapshot: ApplicationSnapshot) -> None:
    """Raises ``TypeError`` for bytes; joining is the cheapest way to look at every text."""
    texts = [snapshot.key.namespace, snapshot.key.name, snapshot.project, snapshot.source_type, *snapshot.source_types]
    texts += snapshot.annotations.values()
    texts += (*snapshot.labels, *snapshot.labels.values())
    texts += (*snapshot.live_images, snapshot.resource_version, snapshot.controller_namespace)
    for source in snapshot.sources:
        texts += _texts_of(source)
    "".join(texts)


def _texts_of(source: SourceSnapshot) -> list[str]:
    texts = [source.repo_url, source.path, source.target_revision, source.chart, source.ref, source.name]
    for parameter in source.helm_parameters or ():
        texts += (parameter.name, parameter.value)
    for variable in source.plugin_env or ():
        texts += (variable.name, variable.value)
    texts += (*(source.kustomize_images or ()), *source.value_files)
    return texts


def _snapshot(application: Application) -> ApplicationSnapshot:
    metadata = application.metadata
    spec = application.spec
    status = application.status
    layout, sources = sources_of(spec)
    return ApplicationSnapshot(
        key=ApplicationKey(intern(metadata.namespace), metadata.name),
        project=intern(spec.project or "default"),
        annotations=_own_annotations(metadata.annotations),
        labels=_texts(metadata.labels),
        layout=layout,
        sources=sources,
        source_type=intern(status.sourceType),
        source_types=tuple(map(intern, status.sourceTypes)),
        live_images=tuple(map(intern, status.summary.images)),
        resource_version=metadata.resourceVersion,
        controller_namespace=intern(status.controllerNamespace),
    )


def sources_of(spec: ApplicationSpec) -> tuple[SourceLayout, tuple[SourceSnapshot, ...]]:
    """The effective sources: the hydrator's dry source, else the list, else the single one."""
    if spec.HasField("sourceHydrator"):
        return SourceLayout.HYDRATED, (_source(spec.sourceHydrator.drySource),)
    if spec.sources:
        return SourceLayout.MULTIPLE, tuple(_source(source) for source in spec.sources)
    if spec.HasField("source"):
        return SourceLayout.SINGLE, (_source(spec.source),)
    return SourceLayout.NONE, ()


def _own_annotations(held: Mapping[str, str]) -> dict[str, str]:
    # Others may be large (kubectl keeps whole manifests in one) and are never read.
    return {intern(name): held[name] for name in held if name.startswith(ANNOTATION_PREFIX)}


def _texts(held: Mapping[str, str]) -> dict[str, str]:
    # Half the time of dict(held), which goes through the keys() that protobuf's maps inherit.
    return {intern(name): intern(held[name]) for name in held}


def _source(source: ApplicationSource | DrySource) -> SourceSnapshot:
    helm = None
    if source.HasField("helm"):
        parameters = source.helm.parameters
        helm = tuple(
            [HelmParameter(intern(entry.name), intern(entry.value), entry.forceString) for entry in parameters]
        )
    plugin = None
    if source.HasField("plugin"):
        plugin = tuple([PluginVariable(intern(entry.name), entry.value) for entry in source.plugin.env])
    return SourceSnapshot(
        repo_url=intern(source.repoURL),
        path=source.path,
        target_revision=intern(source.targetRevision),
        chart=source.chart if isinstance(source, ApplicationSource) else "",
        ref=source.ref if isinstance(source, ApplicationSource) else "",
        name=source.name if isinstance(source, ApplicationSource) else "",
        helm_parameters=helm,
        kustomize_images=tuple(map(intern, source.kustomize.images)) if source.HasField("kustomize") else None,
        plugin_env=plugin,
    )
