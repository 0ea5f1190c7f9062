"""YAML and JSON text to plain values, bounded in depth and number, without executing or expanding anything.

Values are dicts, lists, texts, booleans, None, and ``Unread`` for what no field of a rules document takes (numbers,
dates, tagged values). Strict where mistakes hide: repeated keys and merge keys are refused. An alias counts as many
values as it stands for, so that no short text unfolds to a long one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import yaml

MAX_DEPTH = 40
"""Levels of nesting; a document with every field has 9, the server's own bookkeeping in metadata up to 20."""

MAX_VALUES = 500_000
"""Values and keys of one text, aliases unfolded: 10,000 small documents have 200,000."""

_PREFIX = "tag:yaml.org,2002:"
_TRUE = frozenset(("yes", "true", "on"))


class YamlProblem(ValueError):
    """A text that cannot be read; says the line, never quotes the text."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A scalar that is neither text, boolean nor null."""

    tag: str


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """One document of a text: the line that it begins on, counted from 1, and its value."""

    line: int
    value: object


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being read. ``key`` is the pending key of a mapping."""

    value: dict[str, object] | list[object]
    anchor: str | None
    first_value: int
    key: str | None = None


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: object
    size: int


@dataclass(slots=True)
class _Builder:
    """Takes the events of one text in their order."""

    documents: list[YamlDocument] = field(default_factory=list)
    open: list[_Open] = field(default_factory=list)
    anchors: dict[str, _Anchored] = field(default_factory=dict)
    values: int = 0
    line: int = 0
    resolver: yaml.resolver.Resolver = field(default_factory=yaml.resolver.Resolver)

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self.anchors.clear()
        elif isinstance(event, yaml.AliasEvent):
            self._take_alias(event)
        elif isinstance(event, yaml.ScalarEvent):
            self._count(1, event)
            self._take_scalar(event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._enter(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._leave(event)

    def _enter(self, event: yaml.CollectionStartEvent) -> None:
        self._count(1, event)
        if len(self.open) == MAX_DEPTH:
            raise _problem(event, f"nested deeper than {MAX_DEPTH} levels")
        if self.open and isinstance(self.open[-1].value, dict) and self.open[-1].key is None:
            raise _problem(event, "a key is a mapping or list, expected a text")
        value: dict[str, object] | list[object] = {} if isinstance(event, yaml.MappingStartEvent) else []
        if not self.open:
            self.line = _line(event)
        self.open.append(_Open(value, event.anchor, self.values))

    def _leave(self, event: yaml.Event) -> None:
        done = self.open.pop()
        self._put(done.value, done.anchor, 1 + self.values - done.first_value, event)

    def _take_scalar(self, event: yaml.ScalarEvent) -> None:
        holder = self.open[-1] if self.open else None
        if holder is not None and isinstance(holder.value, dict) and holder.key is None:
            if event.value in holder.value:
                raise _problem(event, f"the key {event.value[:60]!r} stands there twice")
            if event.value == "<<":
                raise _problem(event, "merge keys are not supported; write the fields out")
            holder.key = event.value
            return
        if holder is None:
            self.line = _line(event)
        self._put(self._scalar(event), event.anchor, 1, event)

    def _scalar(self, event: yaml.ScalarEvent) -> object:
        if event.tag and event.tag != f"{_PREFIX}str":
            return Unread(event.tag[:60])
        if event.tag or not event.implicit[0]:
            return event.value
        tag = self._tag(event.value)
        match tag:
            case "str":
                return event.value
            case "null":
                return None
            case "bool":
                return event.value.lower() in _TRUE
            case _:
                return Unread(tag)

    def _tag(self, plain: str) -> str:
        """What YAML 1.1 takes an unquoted text for, by the last part of its tag."""
        found = self.resolver.resolve(yaml.ScalarNode, plain, (True, False))  # type: ignore[no-untyped-call] # stubs
        return str(found).removeprefix(_PREFIX)

    def _take_alias(self, event: yaml.AliasEvent) -> None:
        name = event.anchor or ""
        anchored = self.anchors.get(name)
        if anchored is None:
            raise _problem(event, f"the alias {name[:60]!r} names nothing that ends before it")
        self._count(anchored.size, event)
        if self.open and isinstance(self.open[-1].value, dict) and self.open[-1].key is None:
            raise _problem(event, "a key is an alias, expected a text")
        self._put(anchored.value, None, anchored.size, event)

    def _put(self, value: object, anchor: str | None, size: int, event: yaml.Event) -> None:
        if anchor:
            self.anchors[anchor] = _Anchored(value, size)
        if not self.open:
            self.documents.append(YamlDocument(self.line, value))
            return
        holder = self.open[-1]
        if isinstance(holder.value, list):
            holder.value.append(value)
        elif holder.key is None:
            raise _problem(event, "a value has no key")
        else:
            holder.value[holder.key] = value
            holder.key = None

    def _count(self, number: int, event: yaml.Event) -> None:
        self.values += number
        if self.values > MAX_VALUES:
            raise _problem(event, f"more than {MAX_VALUES} values")


def read_yaml(text: str) -> tuple[YamlDocument, ...]:
    """The documents of a text in their order; an empty document has the value None. Raises ``YamlProblem``."""
    builder = _Builder()
    try:
        # Events come one by one from a state machine, so depth costs no stack, as composed nodes would.
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise YamlProblem(f"{line}{error.problem or 'not YAML'}") from error
    except yaml.YAMLError as error:
        raise YamlProblem("it holds characters that no text file has") from error
    return tuple(builder.documents)


def _problem(event: yaml.Event, what: str) -> YamlProblem:
    return YamlProblem(f"line {_line(event)}: {what}")


def _line(event: yaml.Event) -> int:
    return 1 if event.start_mark is None else event.start_mark.line + 1
