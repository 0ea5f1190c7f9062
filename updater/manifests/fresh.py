"""Values that are written anew, as block lines or as flow text.

A fresh value is what an editor wants to stand in a file: strings, ``True``, and mappings and lists of them. Strings
are written so that they stay strings; ``True`` is the plain ``true``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from updater.manifests.nodes import Mapping, Node, Scalar, Sequence
from updater.manifests.scalars import render_string

Fresh: TypeAlias = "str | bool | dict[str, Fresh] | list[Fresh]"

_Leaf: TypeAlias = "str | bool"

_DASH = "- "


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is laid out.

    ``unit``: columns by which a nested mapping is indented. ``dash_offset``: columns from a key to the dashes of its
    list. ``quote``: the style of new scalars, ``"`` in a file that is JSON. ``line_break``: what ends its lines.
    """

    unit: int = 2
    dash_offset: int = 0
    quote: str = ""
    line_break: str = "\n"


def node_of(fresh: Fresh) -> Node:
    """The node that a reader gets for a fresh value."""
    if isinstance(fresh, bool):
        return Scalar("true" if fresh else "false", is_string=False)
    if isinstance(fresh, str):
        return Scalar(fresh, is_string=True)
    if isinstance(fresh, list):
        return Sequence(tuple(node_of(item) for item in fresh))
    return Mapping(tuple((node_of(key), node_of(value)) for key, value in fresh.items()))


def render_flow(fresh: Fresh, layout: Layout) -> str:
    """The value on one line."""
    if isinstance(fresh, dict):
        return "{" + ", ".join(flow_entry(key, value, layout) for key, value in fresh.items()) + "}"
    if isinstance(fresh, list):
        return "[" + ", ".join(render_flow(item, layout) for item in fresh) + "]"
    return _scalar(fresh, layout, in_flow=True)


def flow_entry(key: str, value: Fresh, layout: Layout) -> str:
    """One entry of a flow mapping."""
    return f"{_scalar(key, layout, in_flow=True)}: {render_flow(value, layout)}"


def block_lines(fresh: Fresh, layout: Layout) -> list[str]:
    """The value as lines that begin at column 0; one line for a scalar or an empty collection."""
    if isinstance(fresh, dict) and fresh:
        return [line for key, value in fresh.items() for line in entry_lines(key, value, layout)]
    if isinstance(fresh, list) and fresh:
        return [line for item in fresh for line in item_lines(item, layout)]
    if isinstance(fresh, str | bool):
        return [_scalar(fresh, layout, in_flow=False)]
    return [render_flow(fresh, layout)]


def entry_lines(key: str, value: Fresh, layout: Layout) -> list[str]:
    """One entry of a block mapping."""
    name = _scalar(key, layout, in_flow=False)
    lines = block_lines(value, layout)
    if not value or isinstance(value, str | bool):
        return [f"{name}: {lines[0]}"]
    return [f"{name}:", *indented(lines, child_offset(value, layout))]


def item_lines(item: Fresh, layout: Layout) -> list[str]:
    """One item of a block list, with its dash."""
    lines = block_lines(item, layout)
    return [_DASH + lines[0], *indented(lines[1:], len(_DASH))]


def child_offset(value: Fresh, layout: Layout) -> int:
    """Columns from a key to the lines of its value."""
    return layout.dash_offset if isinstance(value, list) else layout.unit


def indented(lines: list[str], columns: int) -> list[str]:
    """The lines, moved to the right."""
    return [" " * columns + line for line in lines]


def _scalar(fresh: _Leaf, layout: Layout, *, in_flow: bool) -> str:
    if isinstance(fresh, bool):
        return "true" if fresh else "false"
    return render_string(fresh, style=layout.quote, in_flow=in_flow)
