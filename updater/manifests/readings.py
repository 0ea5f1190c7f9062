"""A text with what was read from it, and with scalars that are to change before it is read again.

Reading a file takes a thousand times as long as putting another word into it. When many Applications edit one file,
each of them leaves its new scalars *waiting* in what was read before, and the text with all of them is read once. It
has to hold exactly what they want, as after a single edit; if it does not, nothing is known of any of them, and they
have to be tried one by one. Only scalars that replace one stretch of a line wait: they move no line and no node.
Source: ``write-back.md`` 3.6; ``edits.py`` makes the edits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import yaml

from updater.errors import WriteBackError
from updater.manifests.fresh import Layout
from updater.manifests.nodes import Document, Node, NodePath, Scalar, Span, at, replaced, walk
from updater.manifests.reading import parse_documents
from updater.manifests.scalars import reads_as_other_type
from updater.manifests.splices import Splice

Anchors = Mapping[str, Sequence[tuple[int, NodePath]]]
"""Place and path of every node with an anchor, by its name, in the order of the text."""

_NOTHING: Mapping[NodePath, Splice] = MappingProxyType({})
_STRING_TAG = "tag:yaml.org,2002:str"
_RESOLVER: Any = yaml.resolver.Resolver()


class RefusedTogether(Exception):
    """The waiting scalars cannot be in the file together: whoever keeps them tries their edits one by one."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A text without byte order mark, and its documents, at least one, as they are meant to become.

    ``edited``: index of the document that edits go to, the first that is not empty. ``waiting``: what changes in the
    text, by the path in that document; all places are those of ``text``. ``layout`` and ``anchors`` are remembered
    once somebody needed them.
    """

    text: str
    documents: tuple[Document, ...]
    edited: int
    waiting: Mapping[NodePath, Splice] = field(default_factory=lambda: _NOTHING)
    layout: Layout | None = None
    anchors: Anchors | None = None

    @property
    def root(self) -> Node:
        """The root of the document that edits go to."""
        return self.documents[self.edited].root

    @property
    def new_text(self) -> str:
        """The text with what waits; raises ``RefusedTogether`` for scalars that touch each other."""
        pieces: list[str] = []
        place = -1
        for splice in sorted(self.waiting.values(), key=lambda splice: splice.start):
            if splice.start <= place:
                raise RefusedTogether
            pieces += self.text[max(place, 0) : splice.start], splice.text
            place = splice.end
        return "".join((*pieces, self.text[max(place, 0) :]))

    @property
    def new_length(self) -> int:
        """Characters of ``new_text``."""
        more = sum(len(splice.text) - (splice.end - splice.start) for splice in self.waiting.values())
        return len(self.text) + more

    def with_root(self, root: Node) -> tuple[Document, ...]:
        """The documents with another root in the one that is edited."""
        documents = list(self.documents)
        documents[self.edited] = replace(documents[self.edited], root=root)
        return tuple(documents)

    def with_waiting(self, path: NodePath, splice: Splice, wanted: Scalar) -> Reading:
        """The same with one more scalar that waits, at a path where none does."""
        documents = self.with_root(replaced(self.root, path, wanted))
        return replace(self, documents=documents, waiting={**self.waiting, path: splice})

    def checked(self, where: str) -> Reading:
        """What is read from the text with everything that waits; raises ``RefusedTogether`` if it is not as meant."""
        if not self.waiting:
            return self
        text = self.new_text
        try:
            found = read_text(text, where)
        except WriteBackError as error:
            raise RefusedTogether from error
        if found.documents != self.documents or not all(is_read_alike(at(found.root, path)) for path in self.waiting):
            raise RefusedTogether
        return replace(found, edited=self.edited, layout=self.layout)


@dataclass(frozen=True, slots=True)
class SharedText:
    """A text that is edited again and again: editors go on from its reading, and leave their scalars waiting there.

    ``text``: the whole file with everything that waits. ``reading``: None until it is needed for the first time.
    """

    text: str
    reading: Reading | None = None

    def checked(self, where: str) -> SharedText:
        """The same text, read; raises ``RefusedTogether``."""
        return self if self.reading is None else SharedText(self.text, self.reading.checked(where))


Source = str | SharedText
"""What an editor starts from. After each edit of a text alone it is read again at once."""


def text_of(source: Source | None) -> str | None:
    """The text of a source, None for a file that does not exist."""
    return source.text if isinstance(source, SharedText) else source


def read_text(text: str, where: str) -> Reading:
    """The reading of a text; raises ``WriteBackError`` (``parse_error``) with the line."""
    end = len(text)
    nothing = Document(Scalar("", is_string=False, span=Span(end, end, end, end)), end)
    documents = parse_documents(text, where) or (nothing,)
    filled = (index for index, document in enumerate(documents) if not document.is_empty)
    return Reading(text, documents, next(filled, 0))


def is_read_alike(node: Node) -> bool:
    """Whether PyYAML's own rules agree that every plain string here is a string: a judgement apart from ours."""
    scalars = [found for _, found in walk(node) if isinstance(found, Scalar)]
    plain = [found.value for found in scalars if found.is_string and not found.style and not found.tag]
    resolved = (_RESOLVER.resolve(yaml.ScalarNode, value, (True, False)) for value in plain)
    return all(tag == _STRING_TAG for tag in resolved) and not any(map(reads_as_other_type, plain))
