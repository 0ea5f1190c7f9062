"""YAML nodes with their places in the text: what the splices of ``edits.py`` aim at.

Two nodes are equal when their contents are: anchors, tags and values count, places and styles do not. So the tree of
an edited text can be compared with the tree that the edit was meant to produce.

Places are indexes of characters. ``start`` is where the node begins with its anchor and tag, ``content_start`` where
it begins without them. ``end`` is what a replacement takes away; ``content_end`` is the last place of the node behind
which a line may be inserted: a block scalar whose trailing blank lines belong to its value keeps them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

NodePath = tuple[int, ...]
"""Steps from the root: the position of an entry in a mapping (its value is meant) or of an item in a sequence."""


class Span(NamedTuple):
    """Places of one node in the text. A tuple, because a large file has thousands."""

    start: int
    content_start: int
    end: int
    content_end: int


NOWHERE = Span(0, 0, 0, 0)
"""The span of a node that is not in any text yet."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """One scalar. ``is_string`` says that readers of YAML 1.1 and 1.2 alike take it for a string.

    ``style`` is the indicator it begins with (``'``, ``"``, ``|``, ``>``), empty for a plain one.
    """

    value: str
    is_string: bool
    anchor: str = ""
    tag: str = ""
    style: str = field(default="", compare=False)
    span: Span = field(default=NOWHERE, compare=False)

    @property
    def is_null(self) -> bool:
        """Whether nothing, ``~`` or ``null`` is written."""
        return not self.style and not self.tag and self.value in ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True)
class Alias:
    """A reference to the anchor of an earlier node."""

    anchor: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list. ``is_flow``: written with brackets."""

    items: tuple[Node, ...]
    anchor: str = ""
    tag: str = ""
    is_flow: bool = field(default=False, compare=False)
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping with its entries as written: keys may repeat, and need not be scalars."""

    entries: tuple[tuple[Node, Node], ...]
    anchor: str = ""
    tag: str = ""
    is_flow: bool = field(default=False, compare=False)
    span: Span = field(default=NOWHERE, compare=False)

    def find(self, key: str) -> int | None:
        """Position of the entry that readers take: the last one of that name (Go, Helm and PyYAML agree)."""
        for index in range(len(self.entries) - 1, -1, -1):
            name = self.entries[index][0]
            if isinstance(name, Scalar) and name.value == key:
                return index
        return None

    def get(self, key: str) -> Node | None:
        """The value of the entry that readers take, None when there is none."""
        index = self.find(key)
        return None if index is None else self.entries[index][1]

    def names(self) -> tuple[str, ...]:
        """The scalar keys, as written, repeats included."""
        return tuple(key.value for key, _ in self.entries if isinstance(key, Scalar))


Node = Scalar | Alias | Sequence | Mapping


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a stream. ``end`` is where its text ends: at ``...``, at the next ``---`` or with the file."""

    root: Node
    end: int = field(default=0, compare=False)

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing but comments and markers."""
        root = self.root
        return isinstance(root, Scalar) and root.is_null and not root.value and not root.anchor


def children(node: Node) -> tuple[Node, ...]:
    """The nodes that a step of a path leads to."""
    if isinstance(node, Mapping):
        return tuple(value for _, value in node.entries)
    return node.items if isinstance(node, Sequence) else ()


def at(root: Node, path: NodePath) -> Node:
    """The node that a path leads to; aliases are not followed."""
    for step in path:
        if isinstance(root, Mapping):
            root = root.entries[step][1]
        elif isinstance(root, Sequence):
            root = root.items[step]
        else:
            raise IndexError(step)
    return root


def replaced(root: Node, path: NodePath, node: Node) -> Node:
    """The tree with another node at a path."""
    if not path:
        return node
    step, rest = path[0], path[1:]
    if isinstance(root, Mapping):
        key, value = root.entries[step]
        entries = (*root.entries[:step], (key, replaced(value, rest, node)), *root.entries[step + 1 :])
        return replace(root, entries=entries)
    if isinstance(root, Sequence):
        items = (*root.items[:step], replaced(root.items[step], rest, node), *root.items[step + 1 :])
        return replace(root, items=items)
    raise IndexError(path)


def walk(root: Node) -> Iterator[tuple[NodePath, Node]]:
    """Every node that is a value or an item, in the order of the text, with its path."""
    stack: list[tuple[NodePath, Node]] = [((), root)]
    while stack:
        path, node = stack.pop()
        yield path, node
        inner = children(node)
        stack.extend(((*path, step), inner[step]) for step in range(len(inner) - 1, -1, -1))
