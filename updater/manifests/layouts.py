"""How a file is laid out, so that what is added looks like what is there (``write-back.md`` 3.6, 3.8)."""

from __future__ import annotations

from updater.manifests import lines
from updater.manifests.fresh import Layout
from updater.manifests.nodes import Mapping, Node, Scalar, Sequence, walk

_DEFAULT = Layout()


def layout_of(text: str, root: Node) -> Layout:
    """The layout of the first nested block mapping and the first block list below a key; defaults where none is."""
    unit: int | None = None
    dash_offset: int | None = None
    for _, node in walk(root):
        if not isinstance(node, Mapping) or node.is_flow:
            continue
        for _, value in node.entries:
            offset = _offset(text, node, value)
            if isinstance(value, Mapping) and unit is None:
                unit = offset
            if isinstance(value, Sequence) and dash_offset is None:
                dash_offset = offset
        if unit is not None and dash_offset is not None:
            break
    return Layout(
        unit=_DEFAULT.unit if unit is None else unit,
        dash_offset=_DEFAULT.dash_offset if dash_offset is None else dash_offset,
        quote='"' if _is_json(root) else "",
        line_break=lines.first_break(text),
    )


def _offset(text: str, parent: Mapping, value: Node) -> int | None:
    if not isinstance(value, Mapping | Sequence) or value.is_flow:
        return None
    return lines.column(text, value.span.content_start) - lines.column(text, parent.span.content_start)


def _is_json(root: Node) -> bool:
    """Whether the root is a flow mapping whose keys all stand in double quotes."""
    if not isinstance(root, Mapping) or not root.is_flow or not root.entries:
        return False
    return all(isinstance(key, Scalar) and key.style == '"' for key, _ in root.entries)
