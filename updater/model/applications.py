"""What the updater knows of one Application: a small, immutable copy of the fields it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

ANNOTATION_PREFIX = "argocd-image-updater.argoproj.io/"

_EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, order=True)
class ApplicationKey:
    """Identity of an Application; its text ``namespace/name`` is also the metric label."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class SourceKind(Enum):
    """The kinds of source that take an image override."""

    HELM = "Helm"
    KUSTOMIZE = "Kustomize"
    PLUGIN = "Plugin"


class SourceLayout(Enum):
    """Which field of the spec holds the sources (``argocd-api.md`` 2.4: hydrator, else sources, else source)."""

    NONE = "none"
    SINGLE = "source"
    MULTIPLE = "sources"
    HYDRATED = "drySource"


@dataclass(frozen=True, slots=True)
class HelmParameter:
    """One entry of ``helm.parameters``."""

    name: str
    value: str
    force_string: bool = False


@dataclass(frozen=True, slots=True)
class PluginVariable:
    """One entry of ``plugin.env``: an environment variable of a config management plugin."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class SourceSnapshot:
    """One source of a spec. ``None`` for a block means that the block is absent, which an empty one is not.

    ``value_files`` are those of its helm block as written; ``$ref/path`` is a file of the source with that ``ref``.
    """

    repo_url: str = ""
    path: str = ""
    target_revision: str = ""
    chart: str = ""
    ref: str = ""
    name: str = ""
    helm_parameters: tuple[HelmParameter, ...] | None = None
    kustomize_images: tuple[str, ...] | None = None
    plugin_env: tuple[PluginVariable, ...] | None = None
    value_files: tuple[str, ...] = ()

    @property
    def has_block(self) -> bool:
        """Whether a helm, kustomize or plugin block is written in the spec."""
        blocks = (self.helm_parameters, self.kustomize_images, self.plugin_env)
        return any(block is not None for block in blocks)


@dataclass(frozen=True, slots=True)
class ApplicationSnapshot:
    """One Application as it was at one moment.

    ``annotations`` are those under our prefix, keys in full; ``source_type`` and ``source_types`` are texts of its
    status.
    """

    key: ApplicationKey
    project: str = ""
    annotations: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    labels: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    layout: SourceLayout = SourceLayout.NONE
    sources: tuple[SourceSnapshot, ...] = ()
    source_type: str = ""
    source_types: tuple[str, ...] = ()
    live_images: tuple[str, ...] = ()
    resource_version: str = ""
    controller_namespace: str = ""
