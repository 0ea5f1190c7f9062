"""JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7386) on parsed JSON."""

from __future__ import annotations

import copy
import re
from typing import Any

_INDEX = re.compile(r"0|[1-9][0-9]*")


class PatchFailed(Exception):
    """An operation that cannot be applied, or a test that does not hold."""


def apply_json_patch(document: Any, operations: Any) -> Any:
    """A new document after all operations; ``PatchFailed`` when one fails."""
    if not isinstance(operations, list):
        raise PatchFailed("expected a list of operations")
    result = copy.deepcopy(document)
    for operation in operations:
        if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
            raise PatchFailed(f"expected an operation with a path, got {operation!r}")
        result = _apply(result, operation)
    return result


def apply_merge_patch(document: Any, patch: Any) -> Any:
    """A new document after a merge patch: objects merge, null removes, everything else replaces."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = copy.deepcopy(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = apply_merge_patch(result.get(name), value)
    return result


def _apply(document: Any, operation: dict[str, Any]) -> Any:
    path = _segments(operation["path"])
    match operation.get("op"):
        case "test":
            if _resolve(document, path) != _value(operation):
                raise PatchFailed(f"testing value {operation['path']} failed: test failed")
            return document
        case "add":
            return _add(document, path, _value(operation))
        case "remove":
            return _remove(document, path)
        case "replace":
            _resolve(document, path)
            return _add(_remove(document, path), path, _value(operation)) if path else _value(operation)
        case "move":
            source = _segments(operation.get("from", ""))
            moved = _resolve(document, source)
            return _add(_remove(document, source), path, moved)
        case "copy":
            return _add(document, path, copy.deepcopy(_resolve(document, _segments(operation.get("from", "")))))
        case other:
            raise PatchFailed(f"unexpected kind of operation: {other!r}")


def _value(operation: dict[str, Any]) -> Any:
    if "value" not in operation:
        raise PatchFailed(f"operation on {operation['path']} has no value")
    return copy.deepcopy(operation["value"])


def _segments(pointer: str) -> list[str]:
    """The parts of a JSON pointer (RFC 6901)."""
    if not pointer:
        return []
    if not pointer.startswith("/"):
        raise PatchFailed(f"path {pointer!r} does not start with a slash")
    return [each.replace("~1", "/").replace("~0", "~") for each in pointer[1:].split("/")]


def _resolve(document: Any, path: list[str]) -> Any:
    for depth, part in enumerate(path):
        if isinstance(document, dict) and part in document:
            document = document[part]
        elif isinstance(document, list):
            document = document[_index(part, len(document) - 1)]
        else:
            raise PatchFailed(f"doc is missing path: /{'/'.join(path[: depth + 1])}: missing value")
    return document


def _add(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent, last = _resolve(document, path[:-1]), path[-1]
    if isinstance(parent, dict):
        parent[last] = value
    elif isinstance(parent, list):
        parent.insert(len(parent) if last == "-" else _index(last, len(parent)), value)
    else:
        raise PatchFailed(f"doc is missing path: /{'/'.join(path)}: missing value")
    return document


def _remove(document: Any, path: list[str]) -> Any:
    _resolve(document, path)
    if not path:
        return None
    parent, last = _resolve(document, path[:-1]), path[-1]
    del parent[last if isinstance(parent, dict) else int(last)]
    return document


def _index(part: str, last: int) -> int:
    if not _INDEX.fullmatch(part) or int(part) > last:
        raise PatchFailed(f"index {part!r} is out of bounds")
    return int(part)
