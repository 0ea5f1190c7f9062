"""A tiny application controller: which images run when the overrides of a spec are rendered.

Knows the two override forms the updater writes, ``image.name``/``image.tag`` as Helm parameters (with or without
a prefix) and Kustomize's ``images``, applied to the references that an Application's manifests name by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from generated.application_messages_pb2 import ApplicationSource, ApplicationSpec, DrySource

_ENDING = re.compile(r"(?P<name>[^@]+?)(?P<ending>(?::[^:/@]+)?(?:@.+)?)$")


@dataclass(frozen=True, slots=True)
class _Override:
    """Images called ``old`` run as ``name``; an empty name keeps the old one, an empty ending the old ending."""

    old: str
    name: str = ""
    ending: str = ""


def live_images(spec: ApplicationSpec, base_images: Sequence[str]) -> tuple[str, ...]:
    """The references that run, sorted and without repeats, as ``status.summary.images`` has them."""
    overrides = [each for source in _sources(spec) for each in _overrides(source, base_images)]
    return tuple(sorted({_apply(image, overrides) for image in base_images}))


def _sources(spec: ApplicationSpec) -> Iterable[ApplicationSource | DrySource]:
    if spec.HasField("sourceHydrator"):
        return (spec.sourceHydrator.drySource,)
    return spec.sources or (spec.source,)


def _overrides(source: ApplicationSource | DrySource, base_images: Sequence[str]) -> Iterable[_Override]:
    for entry in source.kustomize.images:
        old, _, new = entry.rpartition("=")
        name, ending = _cut(new)
        yield _Override(old or name, name, ending)
    parameters = {each.name: each.value for each in source.helm.parameters}
    for key, value in parameters.items():
        if key.endswith("image.tag"):
            name = parameters.get(f"{key.removesuffix('tag')}name", "")
            yield _Override(name or _only_name(base_images), name, _tag_ending(value))


def _apply(image: str, overrides: Iterable[_Override]) -> str:
    name, ending = _cut(image)
    for each in overrides:
        if each.old == name:
            name, ending = each.name or name, each.ending or ending
    return name + ending


def _cut(reference: str) -> tuple[str, str]:
    match = _ENDING.match(reference)
    return (match["name"], match["ending"]) if match else (reference, "")


def _only_name(base_images: Sequence[str]) -> str:
    """The name a lone ``image.tag`` speaks of: that of the first image."""
    return _cut(base_images[0])[0] if base_images else ""


def _tag_ending(value: str) -> str:
    return f"@{value}" if value.startswith("sha256:") else f":{value}"
