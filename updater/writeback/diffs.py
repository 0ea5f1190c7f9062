"""A change of override lists, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from updater.model.applications import HelmParameter, PluginVariable
from updater.model.changes import OverrideLists


def render_diff(before: OverrideLists, after: OverrideLists) -> tuple[str, ...]:
    """Lines that begin with ``-`` or ``+``, one for every entry that is different."""
    helm = _lines(
        "helm.parameters", map(_parameter, before.helm_parameters or ()), map(_parameter, after.helm_parameters or ())
    )
    images = _lines("kustomize.images", iter(before.kustomize_images or ()), iter(after.kustomize_images or ()))
    env = _lines("plugin.env", map(_variable, before.plugin_env or ()), map(_variable, after.plugin_env or ()))
    return (*helm, *images, *env)


def _parameter(entry: HelmParameter) -> str:
    return f"{entry.name}={entry.value}" + ("" if entry.force_string else " (not forced to a string)")


def _variable(entry: PluginVariable) -> str:
    return f"{entry.name}={entry.value}"


def _lines(path: str, before: Iterator[str], after: Iterator[str]) -> Iterator[str]:
    for old, new in zip_longest(before, after):
        if old == new:
            continue
        if old is not None:
            yield f"- {path}: {old}"
        if new is not None:
            yield f"+ {path}: {new}"
