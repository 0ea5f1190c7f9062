"""Items of ``kustomize.images``: ``[left=]image``, and which of them an override replaces (``write-back.md`` 2.4).

The identity of an item is its left-hand side: the text before ``=``, else the repository part of the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from updater.model.references import canonical_name, split_reference


@dataclass(frozen=True, slots=True)
class KustomizeItem:
    """One item, cut at its separators. ``left`` is None when the item has no ``=``.

    ``repository`` is spelled as written; ``suffix`` is ``[:tag][@digest]`` with its separators.
    """

    left: str | None
    repository: str
    suffix: str

    @property
    def identity(self) -> str:
        return self.repository if self.left is None else self.left


def parse_item(text: str) -> KustomizeItem:
    """Cut any text; nothing is checked, because Argo CD stores whatever was written."""
    left, equals, image = text.partition("=")
    image = image if equals else text
    repository = split_reference(image).name
    return KustomizeItem(left if equals else None, repository, image[len(repository) :])


def identity_of(text: str) -> str:
    """The left-hand side of an item in the one spelling that all names of a repository share."""
    return canonical_name(parse_item(text).identity)


def identities_of(text: str) -> frozenset[str]:
    """Both names an item may be found by: its left-hand side and the repository it sets."""
    item = parse_item(text)
    return frozenset((canonical_name(item.identity), canonical_name(item.repository)))


def matching_items(items: Sequence[str], left: str, image: str) -> tuple[int, ...]:
    """Indexes of the items that an override of ``image`` under the name ``left`` (may be empty) replaces."""
    parsed = [parse_item(item) for item in items]
    repository = split_reference(image).name
    wanted = left or repository
    literal = [index for index, item in enumerate(parsed) if item.identity == wanted]
    if literal:
        return tuple(literal)
    canonical = [index for index, item in enumerate(parsed) if canonical_name(item.identity) == canonical_name(wanted)]
    if canonical or left:
        return tuple(canonical)
    same = canonical_name(repository)
    return tuple(
        index for index, item in enumerate(parsed) if item.left is not None and canonical_name(item.repository) == same
    )


def replaced_item(text: str, left: str, image: str) -> str:
    """The item after the override: its own left-hand side and its own spelling of the repository are kept."""
    item = parse_item(text)
    wanted = parse_item(image)
    is_same = canonical_name(item.repository) == canonical_name(wanted.repository)
    reference = (item.repository if is_same else wanted.repository) + wanted.suffix
    if item.left is not None:
        return f"{item.left}={reference}"
    return f"{left}={reference}" if left and not is_same else reference


def new_item(left: str, image: str) -> str:
    """The item that is appended when nothing matches."""
    return f"{left}={image}" if left else image
