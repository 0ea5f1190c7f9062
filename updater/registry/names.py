"""Names that go into URLs: hosts, repositories and tags, checked before any request is made.

Grammar: OCI distribution-spec 1.1 (names, tags) and ``registries.md`` 1.7 and 4.4. A name that passes holds no
``..``, ``%``, ``?``, ``#``, blank or empty part, so it can be put into a path as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from updater.errors import RegistryError
from updater.model.references import ImageRepository

MAX_FULL_NAME = 255
"""Characters of ``host/name`` together."""

MAX_PORT = 65_535

HUB_HOSTS = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})

_COMPONENT = r"[a-z0-9]+(?:(?:\.|__|_|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{{1,5}}))?")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


def is_tag(text: str) -> bool:
    """Whether the text is a legal tag."""
    return _TAG.fullmatch(text) is not None


def select_tags(texts: Iterable[str]) -> tuple[str, ...]:
    """The legal tags among the texts, in their order. Lists are long, hence no call of ours for each."""
    return tuple(filter(_TAG.fullmatch, texts))


def check_repository(repository: ImageRepository) -> None:
    """Raise ``RegistryError`` with code ``invalid_reference`` for a name or host that may not enter a URL."""
    full = f"{repository.registry}/{repository.name}"
    if not _NAME.fullmatch(repository.name):
        _refuse(repository, "the repository name is not legal")
    host = _HOST.fullmatch(repository.registry)
    if repository.registry and host is None:
        _refuse(repository, "the registry is not a host name")
    if host is not None and int(host["port"] or 0) > MAX_PORT:
        _refuse(repository, f"the registry's port is greater than {MAX_PORT}")
    if len(full) > MAX_FULL_NAME:
        _refuse(repository, f"the name has {len(full)} characters, {MAX_FULL_NAME} are allowed")


def check_tag(repository: ImageRepository, tag: str) -> None:
    """Raise ``RegistryError`` with code ``invalid_reference`` for a tag that may not enter a URL."""
    if not is_tag(tag):
        raise RegistryError(
            "the tag is not legal",
            where=repository.full_name,
            hint="a tag is at most 128 letters, digits, dots, underscores and dashes",
            code="invalid_reference",
        )


def _refuse(repository: ImageRepository, what: str) -> None:
    raise RegistryError(
        what,
        where=repository.full_name,
        hint="names are lower-case letters, digits and single separators between slashes",
        code="invalid_reference",
    )
