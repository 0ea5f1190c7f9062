"""Editing YAML by splicing: every edit replaces one stretch of text, and what came out is read again.

Bytes outside the stretch never change: comments, quotes, indentation, line ends, ``---`` and blank lines stay as they
are. After each edit the text is parsed anew and its nodes are compared with the nodes that the edit was meant to
produce; what differs in anything else is refused (``internal_edit_error``) and the text stays as it was. So positions
are never stale, and a construct that was not thought of ends in a refusal, not in a broken file.
Source: ``write-back.md`` 3.6. The three file formats of this package are its users.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from typing import Any

import yaml

from updater.errors import WriteBackError
from updater.manifests import lines
from updater.manifests.fresh import Fresh, Layout, node_of, render_flow
from updater.manifests.layouts import layout_of
from updater.manifests.nodes import Alias, Document, Mapping, Node, NodePath, Scalar, Sequence, Span, at, replaced, walk
from updater.manifests.reading import parse_documents
from updater.manifests.scalars import STRING_TAGS, reads_as_other_type, render_string
from updater.manifests.splices import (
    Splice,
    document_splice,
    entry_splice,
    fill_behind_dash,
    fill_below_key,
    item_splice,
    removal_splice,
    value_splice,
)

MAX_READ = 128 * 1024 * 1024
"""Characters that the edits of one file may read anew: a file of 5 MB takes 25 edits, and half a minute. People have
one or two for each image; a file with one key ten thousand times would take a day."""

_BYTE_ORDER_MARK = "\ufeff"
_STRING_TAG = "tag:yaml.org,2002:str"
_RESOLVER: Any = yaml.resolver.Resolver()


class YamlFile:
    """One YAML text under edit. Edits go to its first document that is not empty. Lives in one thread.

    ``where`` names the file in errors. Raises ``WriteBackError`` (``parse_error``) for a text that is no YAML.
    """

    def __init__(self, text: str, where: str) -> None:
        self._mark = _BYTE_ORDER_MARK if text.startswith(_BYTE_ORDER_MARK) else ""
        self._text = text.removeprefix(_BYTE_ORDER_MARK)
        self.where = where
        self._documents = self._read(self._text)
        filled = [index for index, document in enumerate(self._documents) if not document.is_empty]
        self._edited = filled[0] if filled else 0
        self.has_several_documents = len(filled) > 1
        self._layout: Layout | None = None
        self._anchors: dict[str, list[tuple[int, NodePath]]] | None = None
        self._read_characters = 0

    @property
    def text(self) -> str:
        """The text as edited so far."""
        return self._mark + self._text

    @property
    def document(self) -> Document:
        """The document that edits go to."""
        return self._documents[self._edited]

    @property
    def root(self) -> Node:
        """The root of that document."""
        return self.document.root

    @property
    def layout(self) -> Layout:
        """How the file was laid out when it was opened or first edited."""
        if self._layout is None:
            self._layout = layout_of(self._text, self.root)
        return self._layout

    def at(self, path: NodePath) -> Node:
        """The node at a path; aliases are not followed."""
        return at(self.root, path)

    def follow(self, path: NodePath) -> NodePath:
        """The path of what a node stands for: itself, or the anchored node when it is an alias."""
        seen = {path}
        node = self.at(path)
        while isinstance(node, Alias):
            path = self._anchored(node)
            if path in seen:
                raise self.refusal(f"the alias *{node.anchor} leads to itself", path, code="parse_error")
            seen.add(path)
            node = self.at(path)
        return path

    def _anchored(self, alias: Alias) -> NodePath:
        """The latest node with that anchor before the alias; keys of mappings are not looked at."""
        places = self._anchored_nodes().get(alias.anchor, [])
        index = bisect_left(places, alias.span.start, key=lambda place: place[0])
        found = places[index - 1][1] if index else None
        if found is None:
            text = f"the anchor of *{alias.anchor} stands in a key, where nothing can be edited"
            raise WriteBackError(text, where=self._place(alias.span.start), code="not_a_scalar")
        return found

    def _anchored_nodes(self) -> dict[str, list[tuple[int, NodePath]]]:
        """Place and path of every node with an anchor, by its name, in the order of the text."""
        if self._anchors is None:
            self._anchors = {}
            for path, node in walk(self.root):
                if not isinstance(node, Alias) and node.anchor:
                    self._anchors.setdefault(node.anchor, []).append((node.span.start, path))
        return self._anchors

    def refusal(self, what: str, path: NodePath, *, code: str, hint: str = "") -> WriteBackError:
        """An error that names the file and the line of a node."""
        return WriteBackError(what, where=self._place(self.at(path).span.content_start), hint=hint, code=code)

    def _place(self, start: int) -> str:
        return f"{self.where}:{lines.line_number(self._text, start)}"

    # Edits of what is there.

    def set_string(self, path: NodePath, value: str) -> None:
        """Make the scalar at a path the string, in its own style; anchor and tag stay. No change when it is already.

        Raises ``WriteBackError`` (``not_a_scalar``).
        """
        node = self._scalar(path)
        wanted = replace(node, value=value, is_string=True)
        if node != wanted:
            style = node.style or self.layout.quote
            self._set(path, node, wanted, render_string(value, style=style, in_flow=self._is_in_flow(path)))

    def set_true(self, path: NodePath) -> None:
        """Make the scalar at a path the boolean ``true``."""
        node = self._scalar(path)
        wanted = replace(node, value="true", is_string=False)
        if node != wanted:
            self._set(path, node, wanted, "true")

    def _scalar(self, path: NodePath) -> Scalar:
        node = self.at(path)
        if not isinstance(node, Scalar):
            raise self.refusal("expected a single value here", path, code="not_a_scalar")
        if node.tag.startswith("tag:") and node.tag not in STRING_TAGS:
            tag = node.tag.rpartition(":")[2]
            text = f"the value carries the tag !!{tag}, and the tag of an image is a string"
            raise self.refusal(text, path, code="not_a_scalar", hint="remove the tag")
        return node

    def _set(self, path: NodePath, node: Scalar, wanted: Node, text: str) -> None:
        self._apply(value_splice(self._text, node.span, text), path, wanted, new=path)

    def replace_alias(self, path: NodePath, value: str) -> None:
        """Put the string in the place of an alias; the anchored node stays as it is."""
        span = self.at(path).span
        text = render_string(value, style=self.layout.quote, in_flow=self._is_in_flow(path))
        self._apply(Splice(span.start, span.end, text), path, node_of(value), new=path)

    def rename_entry(self, path: NodePath, index: int, key: str) -> None:
        """Give another key to an entry of the mapping at a path."""
        mapping = self._mapping(path)
        old, value = mapping.entries[index]
        style = old.style if isinstance(old, Scalar) else ""
        text = render_string(key, style=style, in_flow=mapping.is_flow)
        entries = (*mapping.entries[:index], (node_of(key), value), *mapping.entries[index + 1 :])
        splice = Splice(old.span.content_start, old.span.end, text)
        self._apply(splice, path, replace(mapping, entries=entries))

    def remove_entry(self, path: NodePath, index: int) -> None:
        """Take an entry, with its lines, out of the mapping at a path; other entries must remain."""
        mapping = self._mapping(path)
        if len(mapping.entries) == 1:
            raise self.refusal("the only entry cannot be removed", path, code="not_a_mapping")
        entries = (*mapping.entries[:index], *mapping.entries[index + 1 :])
        self._apply(removal_splice(self._text, mapping, index), path, replace(mapping, entries=entries))

    # New entries and items.

    def fill(self, path: NodePath, value: Fresh) -> None:
        """Put a collection where nothing, a null or an empty ``[]`` stands; comments behind it stay."""
        self._apply(self._filling(path, value), path, _with_properties(node_of(value), self.at(path)), new=path)

    def _filling(self, path: NodePath, value: Fresh) -> Splice:
        text, layout, span = self._text, self.layout, self.at(path).span
        if not path and self.document.is_empty:
            return document_splice(text, self.document.end, value, layout)
        parent = self.at(path[:-1])
        if path and not self._is_in_flow(path) and isinstance(parent, Mapping):
            return fill_below_key(text, parent, span, value, layout)
        if path and not self._is_in_flow(path) and isinstance(parent, Sequence):
            return fill_behind_dash(text, parent, span, value, layout)
        return value_splice(text, span, render_flow(value, layout))

    def add_entry(self, path: NodePath, key: str, value: Fresh, *, behind: int | None = None) -> None:
        """Add an entry to the mapping at a path, behind the entry of that position or at the end.

        A null counts as an empty mapping.
        """
        node = self.at(path)
        if isinstance(node, Scalar) and node.is_null:
            self.fill(path, {key: value})
            return
        mapping = self._mapping(path)
        index = len(mapping.entries) if behind is None else behind + 1
        entries = (*mapping.entries[:index], (node_of(key), node_of(value)), *mapping.entries[index:])
        splice = entry_splice(self._text, mapping, index, (key, value), self.layout)
        self._apply(splice, path, replace(mapping, entries=entries), new=(*path, index))

    def add_item(self, path: NodePath, index: int, value: Fresh) -> None:
        """Put an item into the list at a path, before the item of that position. A null counts as an empty list."""
        node = self.at(path)
        if (isinstance(node, Scalar) and node.is_null) or (isinstance(node, Sequence) and self._is_bare(node)):
            self.fill(path, [value])
            return
        if not isinstance(node, Sequence):
            raise self.refusal("expected a list here", path, code="not_a_list")
        items = (*node.items[:index], node_of(value), *node.items[index:])
        splice = item_splice(self._text, node, index, value, self.layout)
        self._apply(splice, path, replace(node, items=items), new=(*path, index))

    def _is_bare(self, node: Sequence) -> bool:
        """Whether the list is ``[]`` with nothing in it, not even a comment."""
        return not node.items and not self._text[node.span.content_start + 1 : node.span.end - 1].strip()

    # Every edit ends here.

    def _mapping(self, path: NodePath) -> Mapping:
        node = self.at(path)
        if not isinstance(node, Mapping):
            raise self.refusal("expected a mapping here", path, code="not_a_mapping")
        return node

    def _is_in_flow(self, path: NodePath) -> bool:
        above = (self.at(path[:depth]) for depth in range(len(path)))
        return any(isinstance(node, Mapping | Sequence) and node.is_flow for node in above)

    def _apply(self, splice: Splice, path: NodePath, wanted: Node, *, new: NodePath | None = None) -> None:
        """Take the splice if the node at ``path`` is then the wanted one and all else is as it was.

        new: path of what was written, whose strings must be strings for PyYAML as well.
        """
        edited = splice.applied_to(self._text)
        self._read_characters += len(edited)
        if self._read_characters > MAX_READ:
            text = f"{len(edited)} characters would have to be read once more for each of too many edits"
            hint = "keep the file smaller, and each key and image in it once"
            raise WriteBackError(text, where=self._place(splice.start), hint=hint, code="target_too_large")
        expected = list(self._documents)
        expected[self._edited] = Document(replaced(self.root, path, wanted))
        try:
            found = self._read(edited)
        except WriteBackError as error:
            raise self._misfit(splice, f"the edit would break the file ({error.what})") from error
        if found != tuple(expected):
            raise self._misfit(splice, "the edit would change something else as well")
        if new is not None and not _is_read_alike(at(found[self._edited].root, new)):
            raise self._misfit(splice, "the value would be read as another type")
        self._layout = self.layout
        self._text, self._documents, self._anchors = edited, found, None

    def _misfit(self, splice: Splice, what: str) -> WriteBackError:
        hint = "write the value by hand once in a simpler form, and report the file as a defect"
        return WriteBackError(what, where=self._place(splice.start), hint=hint, code="internal_edit_error")

    def _read(self, text: str) -> tuple[Document, ...]:
        documents = parse_documents(text, self.where)
        end = len(text)
        return documents or (Document(Scalar("", is_string=False, span=Span(end, end, end, end)), end),)


def _with_properties(node: Node, old: Node) -> Node:
    if isinstance(node, Alias) or isinstance(old, Alias):
        return node
    return replace(node, anchor=old.anchor, tag=old.tag)


def _is_read_alike(node: Node) -> bool:
    """Whether PyYAML's own rules agree that every plain string here is a string: a judgement apart from ours."""
    scalars = [found for _, found in walk(node) if isinstance(found, Scalar)]
    plain = [found.value for found in scalars if found.is_string and not found.style and not found.tag]
    resolved = (_RESOLVER.resolve(yaml.ScalarNode, value, (True, False)) for value in plain)
    return all(tag == _STRING_TAG for tag in resolved) and not any(map(reads_as_other_type, plain))
