"""Where a stretch of text begins and ends that an edit replaces, and what stands there afterwards.

Each function looks at one node and gives one splice; nothing is applied or checked here (``edits.py`` does).
Source of the places: ``write-back.md`` 3.6, "Insert a key into a mapping", and 3.8.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    render_flow,
)
from updater.manifests.nodes import Mapping, Sequence, Span

_DASH_WIDTH = 2


@dataclass(frozen=True, slots=True)
class Splice:
    """The text from ``start`` up to ``end`` gives way to another."""

    start: int
    end: int
    text: str

    def applied_to(self, text: str) -> str:
        return text[: self.start] + self.text + text[self.end :]


def value_splice(text: str, span: Span, value: str) -> Splice:
    """A value in place of another; an empty one has nothing between itself and its colon or dash."""
    start = span.content_start
    is_stuck = start == span.end and text[start - 1 : start].strip()
    return Splice(start, span.end, f" {value}" if is_stuck else value)


def fill_below_key(text: str, parent: Mapping, span: Span, value: Fresh, layout: Layout) -> Splice:
    """A block collection on the lines below its key; a null goes away, what else stands on the line stays."""
    column = lines.column(text, parent.span.content_start) + child_offset(value, layout)
    start = span.content_start
    while span.end > span.content_start and text[start - 1 : start] in (" ", "\t"):
        start -= 1
    end = lines.line_end(text, span.end)
    return Splice(start, end, text[span.end : end] + _below(indented(block_lines(value, layout), column), layout))


def fill_behind_dash(text: str, parent: Sequence, span: Span, value: Fresh, layout: Layout) -> Splice:
    """A block collection that begins on the line of its dash."""
    column = lines.column(text, parent.span.content_start) + _DASH_WIDTH
    block = layout.line_break.join(indented(block_lines(value, layout), column)).lstrip(" ")
    return value_splice(text, span, block)


def document_splice(text: str, end: int, value: Fresh, layout: Layout) -> Splice:
    """A collection at the end of a document that holds nothing but comments."""
    body = layout.line_break.join(block_lines(value, layout))
    if lines.line_start(text, end) != end:
        return Splice(end, end, layout.line_break + body)
    return Splice(end, end, body + layout.line_break)


def entry_splice(text: str, mapping: Mapping, index: int, entry: tuple[str, Fresh], layout: Layout) -> Splice:
    """A new entry before the position ``index``: behind the one before it, on a line of its own in block style."""
    if not mapping.entries:
        place = mapping.span.content_start + 1
        return Splice(place, place, flow_entry(*entry, layout))
    place = _entry_end(mapping, index - 1)
    if mapping.is_flow:
        return Splice(place, place, f", {flow_entry(*entry, layout)}")
    place = lines.line_end(text, place)
    column = lines.column(text, mapping.span.content_start)
    return Splice(place, place, _below(indented(entry_lines(*entry, layout), column), layout))


def removal_splice(text: str, mapping: Mapping, index: int) -> Splice:
    """Nothing in place of an entry; another one must remain."""
    if not mapping.is_flow:
        return _block_removal(text, mapping, index)
    if index:
        return Splice(_entry_end(mapping, index - 1), _entry_end(mapping, index), "")
    return Splice(mapping.entries[0][0].span.start, mapping.entries[1][0].span.start, "")


def _block_removal(text: str, mapping: Mapping, index: int) -> Splice:
    """The lines of the entry. Where it shares its line with a dash, the next entry moves up to the dash."""
    start = mapping.entries[index][0].span.start
    own_line, end = lines.line_start(text, start), _entry_end(mapping, index)
    following = lines.next_line(text, end)
    if not text[own_line:start].strip():
        is_last = lines.line_end(text, end) == following
        return Splice(lines.break_before(text, own_line) if is_last else own_line, following, "")
    behind = mapping.entries[index + 1][0].span.start
    if text[following:behind].strip():
        return Splice(own_line + len(text[own_line:start].rstrip()), lines.line_end(text, end), "")
    return Splice(start, behind, "")


def item_splice(text: str, node: Sequence, index: int, value: Fresh, layout: Layout) -> Splice:
    """A new item before the position ``index`` of a list that is not empty, or of ``[]`` in flow style."""
    if node.is_flow:
        return _flow_item(node, index, render_flow(value, layout))
    column = lines.column(text, node.span.content_start)
    block = indented(item_lines(value, layout), column)
    if not index:
        return _first_item(text, node.span.content_start, block, layout)
    place = lines.line_end(text, node.items[index - 1].span.content_end)
    return Splice(place, place, _below(block, layout))


def _flow_item(node: Sequence, index: int, value: str) -> Splice:
    if not node.items:
        place = node.span.content_start + 1
        return Splice(place, place, value)
    if index:
        place = node.items[index - 1].span.content_end
        return Splice(place, place, f", {value}")
    place = node.items[0].span.start
    return Splice(place, place, f"{value}, ")


def _first_item(text: str, dash: int, block: list[str], layout: Layout) -> Splice:
    """Comments above an item stay with it: the new one goes directly below the line of the key."""
    place = lines.line_start(text, dash)
    joined = layout.line_break.join(block) + layout.line_break
    if text[place:dash].strip():
        return Splice(dash, dash, joined.lstrip(" ") + " " * lines.column(text, dash))
    while place and _is_remark(text, above := lines.line_start(text, lines.break_before(text, place))):
        place = above
    return Splice(place, place, joined)


def _is_remark(text: str, start: int) -> bool:
    """Whether the line is blank or a comment."""
    line = text[start : lines.line_end(text, start)].strip()
    return not line or line.startswith("#")


def _entry_end(mapping: Mapping, index: int) -> int:
    key, value = mapping.entries[index]
    return max(key.span.content_end, value.span.content_end)


def _below(block: list[str], layout: Layout) -> str:
    return "".join(layout.line_break + line for line in block)
