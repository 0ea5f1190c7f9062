"""The annotation ``image-list``: comma-separated entries ``[alias=]name[:constraint][@digest]``.

The algorithm is ours (``images-and-strategies.md`` 2.2): constraints may hold any operator, on any host. Entries keep
their order and may repeat.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from updater.errors import PlanError
from updater.model.references import (
    IllegalReference,
    ImageReference,
    ImageRepository,
    parse_repository,
    split_reference,
)
from updater.planning.advice import entry_hint

MAX_ENTRIES = 20_000
"""Of one Application: about a second of planning. Kubernetes stores 256 KiB of annotations, other servers any size."""

_ALIAS = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?")
_COMPARISON = re.compile(r"[!<>~^]|=\s*[<>=]|=\s*v?[0-9][0-9A-Za-z.+-]*\Z")
"""How an element begins that is no entry: no alias, host or path starts so, and no image is called ``7.1``."""
_ALIAS_LIKE_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?:[0-9]+/[A-Za-z0-9._/-]*[A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """One legal entry. ``constraint`` and ``digest`` are texts as written, empty when there are none.

    ``cut_off`` is the element after it when that can only be the rest of its constraint: a comma has ended the entry.
    """

    text: str
    alias: str
    repository: ImageRepository
    constraint: str = ""
    digest: str = ""
    cut_off: str = ""

    @property
    def reference(self) -> ImageReference:
        """The entry as a reference whose tag is the constraint: what rendering functions take."""
        return ImageReference(self.repository, self.constraint, self.digest, self.text)


@dataclass(frozen=True, slots=True)
class IllegalEntry:
    """An entry that names no image, and the line for its owner. The alias is kept: its keys are known all the same."""

    text: str
    alias: str
    problem: str


def parse_image_list(value: str) -> tuple[ImageEntry | IllegalEntry, ...]:
    """All entries in their order, up to ``MAX_ENTRIES``; empty elements are dropped, illegal ones stay visible."""
    entries: list[ImageEntry | IllegalEntry] = []
    for element in value.split(","):
        text = element.strip()
        if not text:
            continue
        if len(entries) == MAX_ENTRIES:
            entries.append(
                IllegalEntry(
                    "", "", f"the image-list has more than {MAX_ENTRIES} entries; those after them are left out"
                )
            )
            break
        try:
            entries.append(parse_entry(text))
        except PlanError as problem:
            entries.append(IllegalEntry(text, _split_alias(text)[0], str(problem)))
    return tuple(map(_with_cut_off, entries, (*entries[1:], None)))


def _with_cut_off(
    entry: ImageEntry | IllegalEntry, following: ImageEntry | IllegalEntry | None
) -> ImageEntry | IllegalEntry:
    if following is None or isinstance(entry, IllegalEntry) or not _COMPARISON.match(following.text):
        return entry
    return replace(entry, cut_off=following.text)


def parse_entry(text: str) -> ImageEntry:
    """One entry, blanks around it ignored; raises ``PlanError`` (``invalid_reference``)."""
    stripped = text.strip()
    alias, rest = _split_alias(stripped)
    parts = split_reference(rest)
    try:
        repository = parse_repository(parts.name.strip())
    except IllegalReference as problem:
        raise PlanError(
            f"image-list entry {stripped[:120]!r} is not an image reference: {problem.what}",
            hint=entry_hint(stripped),
            code="invalid_reference",
        ) from problem
    return ImageEntry(stripped, alias, repository, (parts.tag or "").strip(), (parts.digest or "").strip())


def _split_alias(text: str) -> tuple[str, str]:
    before, equals, rest = text.partition("=")
    alias = before.strip()
    is_alias = not alias or _ALIAS.fullmatch(alias) or _ALIAS_LIKE_HOST.fullmatch(alias)
    return (alias, rest.strip()) if equals and is_alias else ("", text)
