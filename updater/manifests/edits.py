"""Editing YAML by splicing: every edit replaces one stretch of text, and what came out is read again.

Bytes outside the stretch never change: comments, quotes, indentation, line ends, ``---`` and blank lines stay as they
are. After each edit the text is parsed anew and its nodes are compared with the nodes that the edit was meant to
produce; what differs in anything else is refused (``internal_edit_error``) and the text stays as it was. So positions
are never stale, and a construct that was not thought of ends in a refusal, not in a broken file. In a text that is
shared, scalars may wait and are read together (``readings.py``); everything else is read at once there too.
Source: ``write-back.md`` 3.6. The three file formats of this package are its users.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from updater.errors import UpdaterError, WriteBackError
from updater.manifests import lines
from updater.manifests.fresh import Fresh, Layout, node_of, render_flow
from updater.manifests.layouts import layout_of
from updater.manifests.nodes import Alias, Document, Mapping, Node, NodePath, Scalar, Sequence, at, replaced, walk
from updater.manifests.readings import Anchors, Reading, SharedText, Source, is_read_alike, read_text
from updater.manifests.scalars import STRING_TAGS, render_string
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
_QUOTES = "'\""


class YamlFile:
    """One YAML text under edit. Edits go to its first document that is not empty. Lives in one thread.

    ``where`` names the file in errors. Raises ``WriteBackError`` (``parse_error``) for a text that is no YAML. Methods
    raise ``RefusedTogether`` only for a ``SharedText``.
    """

    def __init__(self, source: Source, where: str) -> None:
        shared = source if isinstance(source, SharedText) else SharedText(source)
        self._mark = _BYTE_ORDER_MARK if shared.text.startswith(_BYTE_ORDER_MARK) else ""
        self._reading = shared.reading or read_text(shared.text.removeprefix(_BYTE_ORDER_MARK), where)
        self._is_shared = shared is source
        self.where = where
        self.has_several_documents = sum(not document.is_empty for document in self._reading.documents) > 1
        self._layout: Layout | None = None
        self._read_characters = 0
        self._left_waiting = False

    @property
    def text(self) -> str:
        """The text as edited so far."""
        return self._mark + self._reading.new_text

    @property
    def shared(self) -> SharedText | None:
        """What the next editor of a shared text starts from, None when it was not shared."""
        return SharedText(self.text, self._reading) if self._is_shared else None

    @property
    def document(self) -> Document:
        """The document that edits go to."""
        return self._reading.documents[self._reading.edited]

    @property
    def root(self) -> Node:
        """The root of that document."""
        return self._reading.root

    @property
    def layout(self) -> Layout:
        """How the file was laid out when it was opened or first edited."""
        if self._layout is None:
            self._layout = self._reading.layout or layout_of(self._reading.text, self.root)
            self._reading = replace(self._reading, layout=self._layout)
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

    def _anchored_nodes(self) -> Anchors:
        if self._reading.anchors is None:
            anchors: dict[str, list[tuple[int, NodePath]]] = {}
            for path, node in walk(self.root):
                if not isinstance(node, Alias) and node.anchor:
                    anchors.setdefault(node.anchor, []).append((node.span.start, path))
            self._reading = replace(self._reading, anchors=anchors)
            return anchors
        return self._reading.anchors

    def refusal(self, what: str, path: NodePath, *, code: str, hint: str = "") -> WriteBackError:
        """An error that names the file and the line of a node."""
        return WriteBackError(what, where=self._place(self.at(path).span.content_start), hint=hint, code=code)

    def _place(self, start: int) -> str:
        return f"{self.where}:{lines.line_number(self._reading.text, start)}"

    @contextmanager
    def failing_as_alone(self) -> Iterator[None]:
        """Around all edits of one owner: when one fails, those before it are read, as if nothing ever waited.

        So the error is that of the first edit that cannot be, and not of a later one.
        """
        try:
            yield
        except UpdaterError:
            if self._left_waiting:
                self._settle()
            raise

    # Edits of what is there.

    def set_string(self, path: NodePath, value: str) -> None:
        """Make the scalar at a path the string, in its own style; anchor and tag stay. No change when it is already.

        Raises ``WriteBackError`` (``not_a_scalar``).
        """
        if self._wants(path, value, is_string=True):
            node = self._ready_scalar(path)
            style = node.style or self.layout.quote
            text = render_string(value, style=style, in_flow=self._is_in_flow(path))
            written = text[0] if text[0] in _QUOTES else ""
            self._set(path, replace(node, value=value, is_string=True, style=written), text)

    def set_true(self, path: NodePath) -> None:
        """Make the scalar at a path the boolean ``true``."""
        if self._wants(path, "true", is_string=False):
            self._set(path, replace(self._ready_scalar(path), value="true", is_string=False, style=""), "true")

    def _wants(self, path: NodePath, value: str, *, is_string: bool) -> bool:
        node = self._scalar(path)
        return node != replace(node, value=value, is_string=is_string)

    def _ready_scalar(self, path: NodePath) -> Scalar:
        """The scalar at a path, with nothing waiting there."""
        if path in self._reading.waiting:
            self._settle()
        return self._scalar(path)

    def _scalar(self, path: NodePath) -> Scalar:
        node = self.at(path)
        if not isinstance(node, Scalar):
            raise self.refusal("expected a single value here", path, code="not_a_scalar")
        if node.tag.startswith("tag:") and node.tag not in STRING_TAGS:
            tag = node.tag.rpartition(":")[2]
            text = f"the value carries the tag !!{tag}, and the tag of an image is a string"
            raise self.refusal(text, path, code="not_a_scalar", hint="remove the tag")
        return node

    def _set(self, path: NodePath, wanted: Scalar, text: str) -> None:
        splice = value_splice(self._reading.text, wanted.span, text)
        if self._is_shared and not lines.has_break(self._reading.text, splice.start, splice.end):
            waiting = self._reading.with_waiting(path, splice, wanted)
            self._charge(waiting.new_length, splice)
            self._reading, self._left_waiting = waiting, True
        elif self._reading.waiting:
            self._settle()
            self._set(path, replace(wanted, span=self._scalar(path).span), text)
        else:
            self._apply(splice, path, wanted, new=path)

    def _settle(self) -> None:
        """Read the text with what waits in it, so that places are those of the text again."""
        self._reading, self._left_waiting = self._reading.checked(self.where), False

    def replace_alias(self, path: NodePath, value: str) -> None:
        """Put the string in the place of an alias; the anchored node stays as it is."""
        self._settle()
        span = self.at(path).span
        text = render_string(value, style=self.layout.quote, in_flow=self._is_in_flow(path))
        self._apply(Splice(span.start, span.end, text), path, node_of(value), new=path)

    def rename_entry(self, path: NodePath, index: int, key: str) -> None:
        """Give another key to an entry of the mapping at a path."""
        self._settle()
        mapping = self._mapping(path)
        old, value = mapping.entries[index]
        style = old.style if isinstance(old, Scalar) else ""
        text = render_string(key, style=style, in_flow=mapping.is_flow)
        entries = (*mapping.entries[:index], (node_of(key), value), *mapping.entries[index + 1 :])
        splice = Splice(old.span.content_start, old.span.end, text)
        self._apply(splice, path, replace(mapping, entries=entries))

    def remove_entry(self, path: NodePath, index: int) -> None:
        """Take an entry, with its lines, out of the mapping at a path; other entries must remain."""
        self._settle()
        mapping = self._mapping(path)
        if len(mapping.entries) == 1:
            raise self.refusal("the only entry cannot be removed", path, code="not_a_mapping")
        entries = (*mapping.entries[:index], *mapping.entries[index + 1 :])
        self._apply(removal_splice(self._reading.text, mapping, index), path, replace(mapping, entries=entries))

    # New entries and items.

    def fill(self, path: NodePath, value: Fresh) -> None:
        """Put a collection where nothing, a null or an empty ``[]`` stands; comments behind it stay."""
        self._settle()
        self._apply(self._filling(path, value), path, _with_properties(node_of(value), self.at(path)), new=path)

    def _filling(self, path: NodePath, value: Fresh) -> Splice:
        text, layout, span = self._reading.text, self.layout, self.at(path).span
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
        self._settle()
        node = self.at(path)
        if isinstance(node, Scalar) and node.is_null:
            self.fill(path, {key: value})
            return
        mapping = self._mapping(path)
        index = len(mapping.entries) if behind is None else behind + 1
        entries = (*mapping.entries[:index], (node_of(key), node_of(value)), *mapping.entries[index:])
        splice = entry_splice(self._reading.text, mapping, index, (key, value), self.layout)
        self._apply(splice, path, replace(mapping, entries=entries), new=(*path, index))

    def add_item(self, path: NodePath, index: int, value: Fresh) -> None:
        """Put an item into the list at a path, before the item of that position. A null counts as an empty list."""
        self._settle()
        node = self.at(path)
        if (isinstance(node, Scalar) and node.is_null) or (isinstance(node, Sequence) and self._is_bare(node)):
            self.fill(path, [value])
            return
        if not isinstance(node, Sequence):
            raise self.refusal("expected a list here", path, code="not_a_list")
        items = (*node.items[:index], node_of(value), *node.items[index:])
        splice = item_splice(self._reading.text, node, index, value, self.layout)
        self._apply(splice, path, replace(node, items=items), new=(*path, index))

    def _is_bare(self, node: Sequence) -> bool:
        """Whether the list is ``[]`` with nothing in it, not even a comment."""
        return not node.items and not self._reading.text[node.span.content_start + 1 : node.span.end - 1].strip()

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

        new: path of what was written, whose strings must be strings for PyYAML as well. Nothing may wait.
        """
        edited = splice.applied_to(self._reading.text)
        self._charge(len(edited), splice)
        expected = self._reading.with_root(replaced(self.root, path, wanted))
        try:
            found = read_text(edited, self.where)
        except WriteBackError as error:
            raise self._misfit(splice, f"the edit would break the file ({error.what})") from error
        if found.documents != expected:
            raise self._misfit(splice, "the edit would change something else as well")
        if new is not None and not is_read_alike(at(found.documents[self._reading.edited].root, new)):
            raise self._misfit(splice, "the value would be read as another type")
        self._layout = self.layout
        self._reading = Reading(edited, found.documents, self._reading.edited)

    def _charge(self, characters: int, splice: Splice) -> None:
        """Count what an edit makes necessary to read, before it is read."""
        self._read_characters += characters
        if self._read_characters > MAX_READ:
            text = f"{characters} characters would have to be read once more for each of too many edits"
            hint = "keep the file smaller, and each key and image in it once"
            raise WriteBackError(text, where=self._place(splice.start), hint=hint, code="target_too_large")

    def _misfit(self, splice: Splice, what: str) -> WriteBackError:
        hint = "write the value by hand once in a simpler form, and report the file as a defect"
        return WriteBackError(what, where=self._place(splice.start), hint=hint, code="internal_edit_error")


def _with_properties(node: Node, old: Node) -> Node:
    if isinstance(node, Alias) or isinstance(old, Alias):
        return node
    return replace(node, anchor=old.anchor, tag=old.tag)
