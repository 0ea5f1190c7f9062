"""``ImageUpdater`` documents as values: what people write who cannot annotate Applications (``runtime.md`` 9).

Settings are merged from the whole document over the rule to the image while a document is read, so that a ``Rule``
holds what finally counts. None means not set; an empty text or list is set, and replaces what stands further out.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TypeVar

from updater.planning.image_list import ImageEntry
from updater.rules.specificity import ApplicationRule


@dataclass(frozen=True, slots=True)
class UpdateSettings:
    """One block ``commonUpdateSettings``. ``update_strategy`` is a name that is known, perhaps an old one."""

    update_strategy: str | None = None
    force_update: bool | None = None
    allow_tags: str | None = None
    ignore_tags: tuple[str, ...] | None = None
    pull_secret: str | None = None
    platforms: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class PullRequest:
    """The block ``pullRequest``: the one provider it names, its labels in their order without repeats, its mode."""

    provider: str
    labels: tuple[str, ...] = ()
    mode: str = ""


@dataclass(frozen=True, slots=True)
class WriteBackConfig:
    """One block ``writeBackConfig``; texts follow the grammars of the annotations of the same meaning."""

    method: str | None = None
    repository: str | None = None
    branch: str | None = None
    target: str | None = None
    pull_request: PullRequest | None = None

    @property
    def has_git_settings(self) -> bool:
        """Whether anything is set that only the git method reads."""
        return any((self.repository, self.branch, self.target, self.pull_request))


@dataclass(frozen=True, slots=True)
class Verification:
    """One block ``imagesVerification``; a block that is there is on unless it says otherwise."""

    is_enabled: bool | None = None
    secret_name: str | None = None
    secret_key: str | None = None
    key_file: str | None = None

    @property
    def is_on(self) -> bool:
        return self.is_enabled is not False

    @property
    def has_key(self) -> bool:
        return bool(self.key_file or (self.secret_name and self.secret_key))


@dataclass(frozen=True, slots=True)
class HelmNames:
    """``manifestTargets.helm``: names of Helm parameters, empty for the defaults; ``spec`` wins."""

    name: str = ""
    tag: str = ""
    spec: str = ""


@dataclass(frozen=True, slots=True)
class KustomizeName:
    """``manifestTargets.kustomize``: the image's name in the manifests."""

    name: str = ""


@dataclass(frozen=True, slots=True)
class PluginNames:
    """``manifestTargets.plugin``: names of a plugin's environment variables, empty when not written; ``spec`` wins."""

    name: str = ""
    tag: str = ""
    spec: str = ""


ManifestTarget = HelmNames | KustomizeName | PluginNames


@dataclass(frozen=True, slots=True)
class RuleImage:
    """One image of a rule with the settings that count for it; the text of its entry is ``imageName`` as written."""

    entry: ImageEntry
    settings: UpdateSettings = UpdateSettings()
    verification: Verification | None = None
    target: ManifestTarget | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of ``applicationRefs``: which Applications it selects, and what is wanted for them.

    With ``uses_annotations`` there are no images, and only ``verification`` counts, which is then the rule's own.
    """

    selection: ApplicationRule
    uses_annotations: bool = False
    images: tuple[RuleImage, ...] = ()
    write_back: WriteBackConfig = WriteBackConfig()
    verification: Verification | None = None

    @property
    def has_plugin_targets(self) -> bool:
        """Whether any image is written to the environment of a plugin."""
        return any(isinstance(image.target, PluginNames) for image in self.images)


@dataclass(frozen=True, slots=True)
class RulesDocument:
    """One document. An empty ``namespace`` applies to all; ``origin`` names file and place for people.

    ``rules`` stand in the order in which they are tried: the most specific first, else as written.
    """

    name: str
    namespace: str = ""
    origin: str = ""
    rules: tuple[Rule, ...] = ()

    @property
    def label(self) -> str:
        """The document in a sentence: ``namespace/name``, or only the name."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


_Block = TypeVar("_Block", UpdateSettings, WriteBackConfig, Verification)


def refined(outer: _Block, inner: _Block) -> _Block:
    """``outer`` with every field replaced that ``inner`` sets, lists and ``pullRequest`` as a whole."""
    found = {field.name: getattr(inner, field.name) for field in fields(inner)}
    return replace(outer, **{name: value for name, value in found.items() if value is not None})


def refined_verification(outer: Verification | None, inner: Verification | None) -> Verification | None:
    """As ``refined``, where a block that is not there differs from an empty one, which asks for verification."""
    if outer is None or inner is None:
        return inner or outer
    return refined(outer, inner)
