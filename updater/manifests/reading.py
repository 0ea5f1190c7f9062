"""From text to nodes, by the events of libyaml.

``yaml.compose`` would resolve aliases silently and load-and-dump would rewrite the file, so nodes are built from the
events themselves. libyaml counts characters from behind a byte order mark; callers hand over text without one. Block
collections and block scalars end, for libyaml, at the next token: their real ends are found here.
Source: ``write-back.md`` 3.6; checked with PyYAML 6.0.3 on libyaml 0.2.5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import yaml

from updater.errors import WriteBackError
from updater.manifests.nodes import Alias, Document, Mapping, Node, Scalar, Sequence, Span
from updater.manifests.scalars import STRING_TAGS, reads_as_other_type

NESTING_LIMIT = 100
"""Levels of collections. libyaml takes quadratic time in the depth of flow collections; people write ten."""

EVENT_LIMIT = 400_000
"""Values and ends of collections in one file, about 150,000 lines: some 300 MB while it is edited."""

_NODE_EVENTS = (yaml.NodeEvent, yaml.CollectionEndEvent)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PROPERTY = re.compile(r"&[^\s,\[\]{}]+|!<[^>]*>|![^\s,\[\]{}]*")
_SEPARATION = re.compile(r"(?:\s+(?:\#[^\n\r]*)?)*")
_CONTENT_CHARACTER = re.compile(r"\S")


class _Mark(Protocol):
    """What is needed of the marks of both loaders."""

    @property
    def index(self) -> int:
        """Characters from the start of the text."""


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    event: yaml.CollectionStartEvent
    nodes: list[Node] = field(default_factory=list)


def parse_documents(text: str, where: str) -> tuple[Document, ...]:
    """The documents of a text without byte order mark; empty for a text of comments only.

    Raises ``WriteBackError`` (``parse_error``) with the line.
    """
    try:
        return tuple(_documents(text, where))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _unreadable(error.problem or error.context or "no YAML", where, mark.line if mark else None) from error
    except (yaml.YAMLError, UnicodeError) as error:
        raise _unreadable(str(error).partition("\n")[0], where, None) from error


def _unreadable(problem: str, where: str, line: int | None) -> WriteBackError:
    place = where if line is None else f"{where}:{line + 1}"
    return WriteBackError(f"the file is not YAML: {problem[:200]}", where=place, code="parse_error")


def _documents(text: str, where: str) -> Iterator[Document]:
    """A document is given out when the next one begins, because its end is not known before."""
    root: Node | None = None
    end: int | None = None
    stack: list[_Open] = []
    for count, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        if isinstance(event, _NODE_EVENTS):
            if count > EVENT_LIMIT:
                raise _unreadable(f"the file has more than {EVENT_LIMIT} values", where, None)
            node = _node(event, stack, text, where)
            if node is not None and stack:
                stack[-1].nodes.append(node)
            elif node is not None:
                root = node
        elif isinstance(event, yaml.DocumentEndEvent):
            end = _index(event.start_mark) if event.explicit else None
        elif isinstance(event, yaml.DocumentStartEvent) and root is not None:
            yield Document(root, _index(event.start_mark) if end is None else end)
            root, end = None, None
    if root is not None:
        yield Document(root, len(text) if end is None else end)


def _node(event: yaml.Event, stack: list[_Open], text: str, where: str) -> Node | None:
    """The node that is complete with this event."""
    if isinstance(event, yaml.ScalarEvent):
        start, end = _index(event.start_mark), _index(event.end_mark)
        if event.style or event.tag or event.anchor:
            return _scalar(event, text, start, end)
        value: str = event.value
        return Scalar(value, not reads_as_other_type(value), "", "", "", Span(start, start, end, end))
    if isinstance(event, yaml.CollectionEndEvent):
        return _collection(stack.pop(), event, text)
    if isinstance(event, yaml.AliasEvent):
        start, end = _index(event.start_mark), _index(event.end_mark)
        return Alias(event.anchor or "", Span(start, start, end, end))
    if isinstance(event, yaml.CollectionStartEvent):
        if len(stack) >= NESTING_LIMIT:
            problem = f"collections are nested more than {NESTING_LIMIT} deep"
            raise _unreadable(problem, where, event.start_mark.line if event.start_mark else None)
        stack.append(_Open(event))
    return None


def _index(mark: _Mark | None) -> int:
    """Place of a mark in the text; the events of a text always have marks."""
    return 0 if mark is None else mark.index


def _scalar(event: yaml.ScalarEvent, text: str, start: int, end: int) -> Scalar:
    """A scalar with a style, a tag or an anchor."""
    style, tag = event.style or "", event.tag or ""
    content_start = _content_start(text, start, end) if tag or event.anchor else start
    content_end = end
    if style in ("|", ">"):
        end = start + len(text[start:end].rstrip())
        content_end = end if _ends_at_text(event.value) else _before_break(text, content_end)
    is_string = _is_tagged_string(tag) if tag else bool(style) or not reads_as_other_type(event.value)
    span = Span(start, content_start, end, content_end)
    return Scalar(event.value, is_string, event.anchor or "", tag, style, span)


def _is_tagged_string(tag: str) -> bool:
    """A tag of nobody's standard means what somebody's program makes of it: the text then counts as it is."""
    return tag in STRING_TAGS or not tag.startswith("tag:yaml.org,2002:")


def _ends_at_text(value: str) -> bool:
    """Whether a block scalar ends at its last visible character, so that blank lines behind it mean nothing."""
    return value[len(value.rstrip()) :] in ("", "\n")


def _before_break(text: str, end: int) -> int:
    if text[:end].endswith("\r\n"):
        return end - 2
    return end - 1 if text[end - 1 : end] in ("\n", "\r") else end


def _content_start(text: str, start: int, end: int) -> int:
    """The place behind anchor and tag, and behind the blanks and comments that follow them."""
    place = start
    while place < end and (found := _PROPERTY.match(text, place, end)):
        place = found.end()
        gap = _SEPARATION.match(text, place, end)
        behind = gap.end() if gap else place
        place = behind if _CONTENT_CHARACTER.match(text, behind, end) else place
    return place


def _collection(opened: _Open, event: yaml.CollectionEndEvent, text: str) -> Node:
    start_event, nodes = opened.event, opened.nodes
    is_flow = bool(start_event.flow_style)
    start, end = _index(start_event.start_mark), _index(event.end_mark)
    if not is_flow and nodes:
        end = max(node.span.content_end for node in nodes[-2:])
    anchor, tag = start_event.anchor or "", start_event.tag or ""
    content_start = _content_start(text, start, end) if anchor or tag else start
    span = Span(start, content_start, end, end)
    if isinstance(start_event, yaml.SequenceStartEvent):
        return Sequence(tuple(nodes), anchor, tag, is_flow, span)
    return Mapping(tuple(zip(nodes[::2], nodes[1::2], strict=True)), anchor, tag, is_flow, span)
