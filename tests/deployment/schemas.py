"""JSON schemas for kubeconform, from Kubernetes' own description of its API and from custom resource definitions.

Strict: a field that the description does not know is an error, so that a misspelt one is found. One file per kind, with
everything that it refers to inside, because kubeconform is not to fetch anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

KINDS = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "ConfigMap",
        "Deployment",
        "Ingress",
        "NetworkPolicy",
        "Role",
        "RoleBinding",
        "Secret",
        "Service",
        "ServiceAccount",
    }
)
LOCATION = "{{ .ResourceKind }}{{ .KindSuffix }}.json"
"""How kubeconform names the file of a kind; ``_file_name`` says the same."""

_REFERENCE = "#/definitions/"
_NUMBER_OR_TEXT = {"type": ["string", "number"]}
_OPEN_FORMATS = ("int-or-string", "quantity")

Schema = dict[str, Any]


def write_schemas(swagger: Path, definitions: list[Path], folder: Path) -> list[str]:
    """Write a file per kind into ``folder``; ``definitions`` are files of CustomResourceDefinitions. Returns names."""
    folder.mkdir(parents=True, exist_ok=True)
    schemas = {**_kinds_of_kubernetes(json.loads(swagger.read_text())), **_kinds_of_definitions(definitions)}
    for name, schema in schemas.items():
        (folder / name).write_text(json.dumps(schema))
    return sorted(schemas)


def _kinds_of_kubernetes(swagger: Schema) -> dict[str, Schema]:
    definitions = swagger["definitions"]
    found = {}
    for name, definition in definitions.items():
        for kind in definition.get("x-kubernetes-group-version-kind", ()):
            # Versions that are no release of an API (v1beta1) come and go with clusters: no manifest may use them.
            if kind["kind"] in KINDS and kind["version"] == "v1":
                needed = {other: _strict(definitions[other]) for other in _reachable(name, definitions)}
                found[_file_name(kind)] = {"$ref": _REFERENCE + name, "definitions": needed}
    return found


def _kinds_of_definitions(paths: list[Path]) -> dict[str, Schema]:
    found = {}
    for path in paths:
        spec = yaml.safe_load(path.read_text())["spec"]
        for version in spec["versions"]:
            kind = {"group": spec["group"], "kind": spec["names"]["kind"], "version": version["name"]}
            found[_file_name(kind)] = _strict(version["schema"]["openAPIV3Schema"])
    return found


def _file_name(kind: Mapping[str, str]) -> str:
    words = [kind["kind"].lower(), kind["group"].partition(".")[0], kind["version"].lower()]
    return "-".join(word for word in words if word) + ".json"


def _reachable(name: str, definitions: Schema) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting += _references(definitions[current])
    return found


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield str(value).removeprefix(_REFERENCE)
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _strict(node: Any) -> Any:
    """The same schema, closed against unknown fields."""
    if isinstance(node, list):
        return [_strict(value) for value in node]
    if not isinstance(node, dict):
        return node
    if node.get("x-kubernetes-int-or-string") or node.get("format") in _OPEN_FORMATS:
        return dict(_NUMBER_OR_TEXT)
    if "Quantity is a fixed-point" in str(node.get("description", "")):
        return dict(_NUMBER_OR_TEXT)
    closed = {key: _strict(value) for key, value in node.items() if key != "description"}
    has_fields = isinstance(closed.get("properties"), dict) and "type" in closed
    if has_fields and "additionalProperties" not in closed and not node.get("x-kubernetes-preserve-unknown-fields"):
        closed["additionalProperties"] = False
    return closed
