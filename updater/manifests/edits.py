"""Editing YAML by splicing: every edit replaces one stretch of text, and what came out is read again.

Bytes outside the stretch never change: comments, quotes, indentation, line ends, ``---`` and blank lines stay as they
are. After each edit the text is parsed anew and its nodes are compared with the nodes that the edit was meant to
produce; what differs in anything else is refused (``internal_edit_error``) and the text stays as it was. So positions
are never stale, and a construct that was not thought of ends in a refusal, not in a broken file.
Source: ``write-back.md`` 3.6. The three file formats of this package are its users.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import yaml

from updater.errors import WriteBackError
from updater.manifests import lines
from updater.manifests.fresh import (
    Fresh,
    Layout,
    block_lines,
    child_offset,
    entry_lines,
    flow_entry,
    indented,
    item_lines,
    node_of,
    render_flow,
)
from updater.manifests.layouts import layout_of
from updater.manifests.nodes import Alias, Document, Mapping, Node, NodePath, Scalar, Sequence, Span, at, replaced, walk
from updater.manifests.reading import parse_documents
from updater.manifests.scalars import STRING_TAGS, reads_as_other_type, render_string

_BYTE_ORDER_MARK = "\ufeff"
_STRING_TAG = "tag:yaml.org,2002:str"
_RESOLVER: Any = yaml.resolver.Resolver()


@dataclass(frozen=True, slots=True)
class _Splice:
    start: int
    end: int
    text: str


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
        found: NodePath | None = None
        for path, node in walk(self.root):
            is_before = node.span.start < alias.span.start
            if is_before and not isinstance(node, Alias) and node.anchor == alias.anchor:
                found = path
        if found is None:
            text = f"the anchor of *{alias.anchor} stands in a key, where nothing can be edited"
            raise WriteBackError(text, where=self._place(alias.span.start), code="not_a_scalar")
        return found

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
        self._apply(_Splice(node.span.content_start, node.span.end, self._apart(node.span, text)), path, wanted)

    def _apart(self, span: Span, text: str) -> str:
        """An empty value has nothing between itself and its colon."""
        before = self._text[span.content_start - 1 : span.content_start]
        return f" {text}" if span.content_start == span.end and before.strip() else text

    def replace_alias(self, path: NodePath, value: str) -> None:
        """Put the string in the place of an alias; the anchored node stays as it is."""
        span = self.at(path).span
        text = render_string(value, style=self.layout.quote, in_flow=self._is_in_flow(path))
        self._apply(_Splice(span.start, span.end, text), path, node_of(value))

    def rename_entry(self, path: NodePath, index: int, key: str) -> None:
        """Give another key to an entry of the mapping at a path."""
        mapping = self._mapping(path)
        old, value = mapping.entries[index]
        style = old.style if isinstance(old, Scalar) else ""
        text = render_string(key, style=style, in_flow=mapping.is_flow)
        entries = (*mapping.entries[:index], (node_of(key), value), *mapping.entries[index + 1 :])
        span = old.span
        self._apply(_Splice(span.content_start, span.end, text), path, replace(mapping, entries=entries))

    def remove_entry(self, path: NodePath, index: int) -> None:
        """Take an entry, with its lines, out of the mapping at a path; other entries must remain."""
        mapping = self._mapping(path)
        entries = (*mapping.entries[:index], *mapping.entries[index + 1 :])
        splice = self._flow_removal(mapping, index) if mapping.is_flow else self._block_removal(mapping, index)
        self._apply(splice, path, replace(mapping, entries=entries))

    def _flow_removal(self, mapping: Mapping, index: int) -> _Splice:
        if index:
            return _Splice(_entry_end(mapping, index - 1), _entry_end(mapping, index), "")
        return _Splice(mapping.entries[0][0].span.start, mapping.entries[1][0].span.start, "")

    def _block_removal(self, mapping: Mapping, index: int) -> _Splice:
        text, start = self._text, mapping.entries[index][0].span.start
        own_line = lines.line_start(text, start)
        following = lines.next_line(text, _entry_end(mapping, index))
        if not text[own_line:start].strip():
            is_last = following == len(text) and lines.line_end(text, start) == following
            return _Splice(lines.line_end(text, own_line - 1) if is_last and own_line else own_line, following, "")
        behind = mapping.entries[index + 1][0].span.start
        if text[following:behind].strip():
            dash = own_line + len(text[own_line:start].rstrip())
            return _Splice(dash, lines.line_end(text, _entry_end(mapping, index)), "")
        return _Splice(start, behind, "")

    # New entries and items.

    def fill(self, path: NodePath, value: Fresh) -> None:
        """Put a collection where nothing, a null or an empty ``[]`` stands; comments behind it stay."""
        node = self.at(path)
        wanted = _with_properties(node_of(value), node)
        if not path and self.document.is_empty:
            self._apply(self._appended(value), path, wanted)
        elif self._is_in_flow(path):
            self._apply(self._flow_fill(node.span, value), path, wanted)
        else:
            self._apply(self._block_fill(path, node.span, value), path, wanted)

    def _flow_fill(self, span: Span, value: Fresh) -> _Splice:
        return _Splice(span.content_start, span.end, self._apart(span, render_flow(value, self.layout)))

    def _block_fill(self, path: NodePath, span: Span, value: Fresh) -> _Splice:
        """Lines below the line that the value stands on; the items of a list begin behind their dash."""
        parent = self.at(path[:-1]) if path else None
        text, layout = self._text, self.layout
        if isinstance(parent, Sequence):
            column = lines.column(text, parent.span.content_start) + 2
            block = indented(block_lines(value, layout), column)
            joined = layout.line_break.join(block).lstrip(" ")
            return _Splice(span.content_start, span.end, self._apart(span, joined))
        column = lines.column(text, parent.span.content_start) + child_offset(value, layout) if parent else 0
        start = span.content_start
        while text[start - 1 : start] in (" ", "\t") and span.end > span.content_start:
            start -= 1
        end = lines.line_end(text, span.end)
        block = indented(block_lines(value, layout), column)
        return _Splice(start, end, text[span.end : end] + self._below(block))

    def _below(self, block: list[str]) -> str:
        return "".join(self.layout.line_break + line for line in block)

    def _appended(self, value: Fresh) -> _Splice:
        """At the end of a document that holds nothing but comments."""
        end, line_break = self.document.end, self.layout.line_break
        body = line_break.join(block_lines(value, self.layout))
        before = self._text[:end]
        if before and lines.line_start(self._text, end) != end:
            return _Splice(end, end, line_break + body)
        return _Splice(end, end, body + line_break)

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
        self._apply(self._new_entry(mapping, index, key, value), path, replace(mapping, entries=entries))

    def _new_entry(self, mapping: Mapping, index: int, key: str, value: Fresh) -> _Splice:
        if not mapping.entries:
            place = mapping.span.content_start + 1
            return _Splice(place, place, flow_entry(key, value, self.layout))
        place = _entry_end(mapping, index - 1)
        if mapping.is_flow:
            return _Splice(place, place, f", {flow_entry(key, value, self.layout)}")
        place = lines.line_end(self._text, place)
        column = lines.column(self._text, mapping.span.content_start)
        return _Splice(place, place, self._below(indented(entry_lines(key, value, self.layout), column)))

    def add_item(self, path: NodePath, index: int, value: Fresh) -> None:
        """Put an item into the list at a path, before the item of that position. A null counts as an empty list."""
        node = self.at(path)
        is_empty = isinstance(node, Scalar) or (isinstance(node, Sequence) and self._is_bare(node))
        if is_empty:
            self.fill(path, [value])
            return
        if not isinstance(node, Sequence):
            raise self.refusal("expected a list here", path, code="not_a_list")
        items = (*node.items[:index], node_of(value), *node.items[index:])
        splice = self._new_flow_item(node, index, value) if node.is_flow else self._new_block_item(node, index, value)
        self._apply(splice, path, replace(node, items=items))

    def _is_bare(self, node: Sequence) -> bool:
        """Whether the list is ``[]`` with nothing in it, not even a comment."""
        return not node.items and not self._text[node.span.content_start + 1 : node.span.end - 1].strip()

    def _new_flow_item(self, node: Sequence, index: int, value: Fresh) -> _Splice:
        text = render_flow(value, self.layout)
        if not node.items:
            place = node.span.content_start + 1
            return _Splice(place, place, text)
        if index:
            place = node.items[index - 1].span.content_end
            return _Splice(place, place, f", {text}")
        place = node.items[0].span.start
        return _Splice(place, place, f"{text}, ")

    def _new_block_item(self, node: Sequence, index: int, value: Fresh) -> _Splice:
        """Comments above an item stay with it: a new first item goes directly below the line of the key."""
        text, dash = self._text, node.span.content_start
        column = lines.column(text, dash)
        block = indented(item_lines(value, self.layout), column)
        if index:
            place = lines.line_end(text, node.items[index - 1].span.content_end)
            return _Splice(place, place, self._below(block))
        line_break = self.layout.line_break
        place = lines.line_start(text, dash)
        if text[place:dash].strip():
            return _Splice(dash, dash, line_break.join(block).lstrip(" ") + line_break + " " * column)
        while place and _is_remark(text, lines.line_start(text, _before_break(text, place)), place):
            place = lines.line_start(text, _before_break(text, place))
        return _Splice(place, place, line_break.join(block) + line_break)

    # Every edit ends here.

    def _mapping(self, path: NodePath) -> Mapping:
        node = self.at(path)
        if not isinstance(node, Mapping):
            raise self.refusal("expected a mapping here", path, code="not_a_mapping")
        return node

    def _is_in_flow(self, path: NodePath) -> bool:
        above = (self.at(path[:depth]) for depth in range(len(path)))
        return any(isinstance(node, Mapping | Sequence) and node.is_flow for node in above)

    def _apply(self, splice: _Splice, path: NodePath, wanted: Node) -> None:
        edited = self._text[: splice.start] + splice.text + self._text[splice.end :]
        expected = list(self._documents)
        expected[self._edited] = Document(replaced(self.root, path, wanted))
        try:
            found = self._read(edited)
        except WriteBackError as error:
            raise self._misfit(splice, f"the edit would break the file ({error.what})") from error
        if found != tuple(expected) or not _is_read_alike(at(found[self._edited].root, path)):
            raise self._misfit(splice, "the edit would change something else as well")
        if self._layout is None:
            self._layout = self.layout
        self._text, self._documents = edited, found

    def _misfit(self, splice: _Splice, what: str) -> WriteBackError:
        hint = "write the value by hand once in a simpler form, and report the file as a defect"
        return WriteBackError(what, where=self._place(splice.start), hint=hint, code="internal_edit_error")

    def _read(self, text: str) -> tuple[Document, ...]:
        documents = parse_documents(text, self.where)
        end = len(text)
        return documents or (Document(Scalar("", is_string=False, span=Span(end, end, end, end)), end),)


def _entry_end(mapping: Mapping, index: int) -> int:
    key, value = mapping.entries[index]
    return max(key.span.content_end, value.span.content_end)


def _before_break(text: str, place: int) -> int:
    """A place on the line above the one that begins at a place."""
    return place - 2 if text[:place].endswith("\r\n") else place - 1


def _is_remark(text: str, start: int, end: int) -> bool:
    """Whether a line is blank or a comment."""
    line = text[start:end].strip()
    return not line or line.startswith("#")


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
