"""What templates see of a change: the variables of ``write-back.md`` 1.5 and 1.6."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from types import MappingProxyType

from updater.manifests.templates.syntax import Template
from updater.manifests.templates.values import Record
from updater.model.changes import ImageChange
from updater.model.references import IllegalReference, parse_repository

_EMPTY: Mapping[str, str] = MappingProxyType({})
_LABELS = "Labels"


@dataclass(frozen=True, slots=True)
class TemplateChange:
    """One changed image: ``name`` is its repository path without registry, ``labels`` those of the new image."""

    name: str
    alias: str
    old_tag: str
    new_tag: str
    labels: Mapping[str, str] = field(default_factory=lambda: _EMPTY)

    def for_branches(self) -> Record:
        """An element of ``.Images``."""
        return Record({"Name": self.name, "Alias": self.alias, "OldTag": self.old_tag, "NewTag": self.new_tag})

    def for_messages(self) -> Record:
        """An element of ``.AppChanges``."""
        return Record({"Image": self.name, "OldTag": self.old_tag, "NewTag": self.new_tag, _LABELS: self.labels})


def template_changes(images: Iterable[ImageChange]) -> tuple[TemplateChange, ...]:
    """The changes of a change set, in its order."""
    return tuple(
        TemplateChange(_path(image.image), image.alias, image.old_tag, image.new_tag, _labels(image))
        for image in images
    )


def quoted_changes(changes: Iterable[TemplateChange], quote: Callable[[str], str]) -> tuple[TemplateChange, ...]:
    """The same changes with values of labels as ``quote`` writes them: they are text from outside."""
    return tuple(
        replace(change, labels={key: quote(value) for key, value in change.labels.items()}) for change in changes
    )


def shows_labels(template: Template) -> bool:
    """Whether a template mentions labels at all: they are had from a registry only for those that do."""
    return _LABELS in template.fields


def _labels(image: ImageChange) -> Mapping[str, str]:
    return MappingProxyType(dict(image.labels)) if image.labels else _EMPTY


def _path(image: str) -> str:
    """The repository's path; a text that is no image is shown as it is."""
    try:
        return parse_repository(image).name
    except IllegalReference:
        return image


def change_digest(changes: Sequence[TemplateChange]) -> str:
    """``.SHA256``: equal for equal changes in equal order. A comma follows every change, the last one too."""
    text = "".join(f"{change.name}-{change.old_tag}-{change.new_tag}," for change in changes)
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def target_key(repository: str, base_branch: str, path: str) -> str:
    """``.TargetKey``: eight digits that are equal for Applications that write to one place.

    repository: the normalised URL. base_branch: as resolved. path: the effective target, a directory for a
    kustomization.
    """
    return sha256(f"{repository}|{base_branch}|{path}".encode()).hexdigest()[:8]
