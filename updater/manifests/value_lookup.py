"""Finding the place of a key in a values file (``write-back.md`` 3.9).

At each mapping the next segment is tried alone, then joined with those that follow; the first complete path to a scalar
wins. So nested paths come before literal dotted keys, and a literal key is used at any level. Aliases are followed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from updater.manifests.edits import YamlFile
from updater.manifests.nodes import Mapping, NodePath, Scalar, Sequence
from updater.manifests.value_keys import KeySegment


@dataclass(frozen=True, slots=True)
class Found:
    """A scalar, or an alias of one, at a path."""

    path: NodePath


@dataclass(frozen=True, slots=True)
class Missing:
    """The mapping (or null) at ``path`` lacks the segments from ``position`` on."""

    path: NodePath
    position: int


@dataclass(frozen=True, slots=True)
class Blocked:
    """The file has something else where the key leads; ``code`` is one of ``write-back.md`` 7.1."""

    path: NodePath
    what: str
    code: str


Place = Found | Missing | Blocked


def find_place(file: YamlFile, segments: tuple[KeySegment, ...]) -> Place:
    """Where the key leads; raises ``WriteBackError`` only for aliases that lead nowhere."""
    return _Search(file, segments).search((), 0)


@dataclass(slots=True)
class _Search:
    """One search. ``known`` keeps aliases that form a web from being walked again and again."""

    file: YamlFile
    segments: tuple[KeySegment, ...]
    known: dict[tuple[NodePath, int], Place] = field(default_factory=dict)

    def search(self, path: NodePath, position: int) -> Place:
        target = self.file.follow(path)
        if position == len(self.segments):
            return self._leaf(path, target)
        place = self.known.get((target, position))
        if place is None:
            place = self.known[target, position] = self._inside(target, position)
        return place

    def _leaf(self, path: NodePath, target: NodePath) -> Place:
        if isinstance(self.file.at(target), Scalar):
            return Found(path)
        return Blocked(path, "it leads to a mapping or a list", "not_a_scalar")

    def _inside(self, path: NodePath, position: int) -> Place:
        node = self.file.at(path)
        if isinstance(node, Sequence):
            return Blocked(path, "it leads through a list, so it needs an index", "index_required")
        if isinstance(node, Mapping):
            return self._best(path, node, position)
        if isinstance(node, Scalar) and node.is_null:
            return Missing(path, position)
        return Blocked(path, "it leads through a single value", "not_a_mapping")

    def _best(self, path: NodePath, mapping: Mapping, position: int) -> Place:
        places: list[Place] = []
        for width in range(1, len(self.segments) - position + 1):
            name = self._joined(position, width)
            if name is None:
                break
            index = mapping.find(name)
            if index is not None:
                places.append(self._behind((*path, index), position + width))
            if places and isinstance(places[-1], Found):
                return places[-1]
        missing = [place for place in places if isinstance(place, Missing)]
        if missing:
            return max(missing, key=lambda place: place.position)
        return places[0] if places else Missing(path, position)

    def _joined(self, position: int, width: int) -> str | None:
        """The name of some segments taken as one, None when they cannot be: an index or a quote stands between."""
        segments = self.segments[position : position + width]
        if width > 1 and (segments[-2].indexes or any(segment.is_literal for segment in segments)):
            return None
        return ".".join(segment.name for segment in segments)

    def _behind(self, path: NodePath, position: int) -> Place:
        """Through the indexes of the segment before ``position``, and on."""
        for index in self.segments[position - 1].indexes:
            target = self.file.follow(path)
            node = self.file.at(target)
            if isinstance(node, Scalar) and node.is_null:
                return Blocked(target, "its list is missing, and lists are never invented", "list_missing")
            if not isinstance(node, Sequence):
                return Blocked(target, "it has an index where the file has no list", "not_a_list")
            if index >= len(node.items):
                return Blocked(target, f"index {index} in a list of {len(node.items)}", "index_out_of_range")
            path = (*target, index)
        return self.search(path, position)
