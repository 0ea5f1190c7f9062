"""RFC 6902 patches of nothing but override lists, guarded by tests (``argocd-api.md`` 7.6).

The server applies a patch to the Application's JSON, where empty values are left out; a path that may be absent there
is therefore added, never replaced or tested.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from updater.model.applications import ApplicationSnapshot, HelmParameter, PluginVariable, SourceLayout
from updater.model.changes import OverrideLists

Operation = dict[str, object]


def override_patch(snapshot: ApplicationSnapshot, before: OverrideLists, after: OverrideLists) -> str:
    """The JSON text that turns ``before`` into ``after`` on this very version of the Application."""
    base = _source_path(snapshot.layout, after.source_index)
    operations: list[Operation] = [_test("/metadata/resourceVersion", snapshot.resource_version)]
    if after.helm_parameters is not None:
        operations += _helm(f"{base}/helm", before.helm_parameters, after.helm_parameters)
    if after.kustomize_images is not None:
        operations += _kustomize(f"{base}/kustomize", before.kustomize_images, after.kustomize_images)
    if after.plugin_env is not None:
        operations += _plugin(f"{base}/plugin", before.plugin_env, after.plugin_env)
    return json.dumps(operations, separators=(",", ":"))


def _source_path(layout: SourceLayout, index: int) -> str:
    if layout is SourceLayout.HYDRATED:
        return "/spec/sourceHydrator/drySource"
    return f"/spec/sources/{index}" if layout is SourceLayout.MULTIPLE else "/spec/source"


def _helm(
    block: str, before: tuple[HelmParameter, ...] | None, after: tuple[HelmParameter, ...]
) -> Iterator[Operation]:
    if before is None:
        yield _add(block, {"parameters": [_parameter(entry) for entry in after]})
    elif not before:
        yield _add(f"{block}/parameters", [_parameter(entry) for entry in after])
    else:
        for index, (old, new) in enumerate(zip(before, after, strict=False)):
            yield from _changed_parameter(f"{block}/parameters/{index}", old, new)
        for entry in after[len(before) :]:
            yield _add(f"{block}/parameters/-", _parameter(entry))


def _changed_parameter(path: str, old: HelmParameter, new: HelmParameter) -> Iterator[Operation]:
    """Only the members that differ: the others may include some that we do not know."""
    if old == new:
        return
    yield _test(f"{path}/name", old.name)
    if old.value:
        yield _test(f"{path}/value", old.value)
    if old.value != new.value:
        yield _add(f"{path}/value", new.value)
    if old.force_string != new.force_string:
        yield _add(f"{path}/forceString", new.force_string)


def _kustomize(block: str, before: tuple[str, ...] | None, after: tuple[str, ...]) -> Iterator[Operation]:
    if before is None:
        yield _add(block, {"images": list(after)})
    elif not before:
        yield _add(f"{block}/images", list(after))
    else:
        for index, (old, new) in enumerate(zip(before, after, strict=False)):
            if old != new:
                yield _test(f"{block}/images/{index}", old)
                yield {"op": "replace", "path": f"{block}/images/{index}", "value": new}
        for image in after[len(before) :]:
            yield _add(f"{block}/images/-", image)


def _plugin(
    block: str, before: tuple[PluginVariable, ...] | None, after: tuple[PluginVariable, ...]
) -> Iterator[Operation]:
    if before is None:
        yield _add(block, {"env": [_variable(entry) for entry in after]})
    elif not before:
        yield _add(f"{block}/env", [_variable(entry) for entry in after])
    else:
        for index, (old, new) in enumerate(zip(before, after, strict=False)):
            if old != new:
                yield _test(f"{block}/env/{index}/name", old.name)
                if old.value:
                    yield _test(f"{block}/env/{index}/value", old.value)
                yield _add(f"{block}/env/{index}/value", new.value)
        for entry in after[len(before) :]:
            yield _add(f"{block}/env/-", _variable(entry))


def _variable(entry: PluginVariable) -> dict[str, object]:
    return {"name": entry.name, "value": entry.value}


def _parameter(entry: HelmParameter) -> dict[str, object]:
    return {"name": entry.name, "value": entry.value, "forceString": entry.force_string}


def _test(path: str, value: object) -> Operation:
    return {"op": "test", "path": path, "value": value}


def _add(path: str, value: object) -> Operation:
    return {"op": "add", "path": path, "value": value}
