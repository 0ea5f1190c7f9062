"""Image references: the grammar of registries' names, and their canonical form beside the text that was written.

Source of the rules: ``images-and-strategies.md`` 2.3 (the distribution reference grammar and Argo CD's use of it).
A repository is not an image, a tag is a pointer, a digest names content.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DOCKER_HUB = "docker.io"
_DOCKER_HUB_INDEX = "index.docker.io"
_IMPLICIT_NAMESPACE = "library/"
_PATH_LIMIT = 255
"""Characters of a repository path (distribution reference grammar v0.6.0; the host does not count)."""

_COMPONENT = r"[a-z0-9]+(?:(?:__|[._]|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")
_BARE_IDENTIFIER = re.compile(r"[0-9a-f]{64}")
_UPPER = re.compile(r"[A-Z]")


class IllegalReference(ValueError):
    """A text that names no image; ``what`` says why, on one line.

    Not of the tree in ``updater.errors``, which is a neighbour of this floor: who knows where the text stood says so.
    """

    def __init__(self, text: str, what: str) -> None:
        super().__init__(f"{text!r} is not an image reference: {what}")
        self.text = text
        self.what = what


@dataclass(frozen=True, slots=True, order=True)
class ImageRepository:
    """Where images live: ``registry`` as written, empty for Docker Hub, and the path ``name`` on it."""

    registry: str
    name: str

    @property
    def full_name(self) -> str:
        """``registry/name``; just ``name`` when the registry is implicit or already its first part."""
        if not self.registry or self.name.startswith(f"{self.registry}/"):
            return self.name
        return f"{self.registry}/{self.name}"


@dataclass(frozen=True, slots=True)
class ImageReference:
    """One image: repository, tag and digest (empty when unknown), and the text it was parsed from."""

    repository: ImageRepository
    tag: str = ""
    digest: str = ""
    original: str = ""

    @property
    def full_reference(self) -> str:
        """``registry/name[:tag][@digest]``."""
        text = self.repository.full_name
        text = f"{text}:{self.tag}" if self.tag else text
        return f"{text}@{self.digest}" if self.digest else text

    @property
    def tag_with_digest(self) -> str:
        """What a Helm tag parameter holds; ``latest`` stands in for an unknown tag beside a digest."""
        if not self.digest:
            return self.tag
        return f"{self.tag or 'latest'}@{self.digest}"

    @property
    def tag_text(self) -> str:
        """The tag as people read it in events and commit messages: the digest if there is one, else the tag."""
        return self.digest or self.tag


@dataclass(frozen=True, slots=True)
class ReferenceParts:
    """A reference cut at its separators, nothing checked: ``tag`` and ``digest`` are None when not written."""

    name: str
    tag: str | None
    digest: str | None


def split_reference(text: str) -> ReferenceParts:
    """Cut ``name[:tag][@digest]``: the first ``@``, then the first colon after the last slash before it."""
    head, at, digest = text.partition("@")
    slash = head.rfind("/") + 1
    name, colon, tag = head[slash:].partition(":")
    return ReferenceParts(head[:slash] + name, tag if colon else None, digest if at else None)


def parse_reference(text: str) -> ImageReference:
    """The reference of a running image; raises ``IllegalReference``."""
    parts = split_reference(text)
    repository = parse_repository(parts.name)
    if parts.tag is not None and not _TAG.fullmatch(parts.tag):
        raise IllegalReference(text, f"{parts.tag!r} is not a tag")
    if parts.digest is not None and not _DIGEST.fullmatch(parts.digest):
        raise IllegalReference(text, f"{parts.digest!r} is not a sha256, sha384 or sha512 digest")
    return ImageReference(repository, parts.tag or "", parts.digest or "", text)


def parse_repository(text: str) -> ImageRepository:
    """The repository that ``[host[:port]/]path`` names, in canonical form; raises ``IllegalReference``."""
    host, path = split_host(text)
    if host and not _HOST.fullmatch(host):
        raise IllegalReference(text, f"{host!r} is not a registry host")
    if len(path) > _PATH_LIMIT:
        raise IllegalReference(f"{text[:40]}...", f"its path is longer than {_PATH_LIMIT} characters")
    if not _PATH.fullmatch(path):
        raise IllegalReference(text, _path_mistake(path))
    if _BARE_IDENTIFIER.fullmatch(text):
        raise IllegalReference(text, "64 hexadecimal digits name content, not a repository")
    return _canonical(host, path)


def has_registry_prefix(text: str) -> bool:
    """Whether the text has a slash and a dot in its first part: a host, as values files are read."""
    first, slash, _ = text.partition("/")
    return bool(slash) and "." in first


def short_form(text: str) -> str:
    """The text without its registry, when it has one by ``has_registry_prefix``."""
    return text.partition("/")[2] if has_registry_prefix(text) else text


def canonical_name(text: str) -> str:
    """One spelling for all names of one repository: Docker Hub without host, its official images without namespace.

    ``nginx``, ``library/nginx``, ``docker.io/nginx`` and ``index.docker.io/library/nginx`` are the same. Any text is
    taken; what is not a name of Docker Hub comes back unchanged.
    """
    host, path = split_host(text)
    if host not in ("", DOCKER_HUB, _DOCKER_HUB_INDEX):
        return text
    return _hub_host(path) + _without_implicit_namespace(path)


def _hub_host(path: str) -> str:
    """The host that a path of Docker Hub cannot do without: its first part would be taken for another registry."""
    return f"{DOCKER_HUB}/" if split_host(path)[0] else ""


def split_host(text: str) -> tuple[str, str]:
    """Host and path of a name as written, the host empty when the first part does not look like one."""
    first, slash, rest = text.partition("/")
    is_host = first == "localhost" or "." in first or ":" in first or _UPPER.search(first) is not None
    return (first, rest) if slash and is_host else ("", text)


def _canonical(host: str, path: str) -> ImageRepository:
    if host == DOCKER_HUB:
        return ImageRepository(host, _without_implicit_namespace(path))
    if host == _DOCKER_HUB_INDEX:
        return ImageRepository(_hub_host(path).rstrip("/"), _without_implicit_namespace(path))
    return ImageRepository(host, path)


def _without_implicit_namespace(path: str) -> str:
    rest = path.removeprefix(_IMPLICIT_NAMESPACE)
    return path if "/" in rest else rest


def _path_mistake(path: str) -> str:
    if not path:
        return "it has no name"
    if _UPPER.search(path):
        return "a repository path is lower case"
    return f"{path!r} is not a repository path"
