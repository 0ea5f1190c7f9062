"""What ``git ls-remote --symref`` printed. Pure."""

from __future__ import annotations

import re
from types import MappingProxyType

from updater.errors import GitError
from updater.ports.git import RemoteRefs

_LINE = re.compile(r"(?P<id>[0-9a-f]{40,64})\t(?P<name>\S.*)")
_SYMBOLIC = re.compile(r"ref: (?P<target>[^\t]+)\tHEAD")


def read_references(stdout: bytes) -> RemoteRefs:
    """Refs by full name, the default branch always among them; raises ``GitError`` for a line of another shape."""
    refs: dict[str, str] = {}
    head = None
    for line in stdout.decode("utf-8", "surrogateescape").split("\n"):  # names may hold what else ends lines
        symbolic = _SYMBOLIC.fullmatch(line)
        match = _LINE.fullmatch(line)
        if symbolic:
            head = symbolic["target"]
        elif match:
            refs[match["name"]] = match["id"]
        elif line.strip() and not line.startswith("ref: "):
            raise GitError("the remote's listing of refs cannot be read", code="fetch_failed", retryable=True)
    commit = refs.pop("HEAD", None)
    if head is not None and commit is not None:
        refs[head] = commit
    return RemoteRefs(MappingProxyType(refs), head)
