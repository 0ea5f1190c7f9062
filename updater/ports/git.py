"""What write-back needs from Git: refs, the content of a commit, a commit, a push, and a remote to do it with.

Ids are full hexadecimal names of objects; branches are short names (``main``). Paths are relative to the root of the
repository, with ``/``; they are looked up component by component, and no lookup follows a symlink.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Protocol

from updater.clock import Deadline
from updater.model.git_targets import GitTarget

HEADS = "refs/heads/"
TAGS = "refs/tags/"


class EntryKind(Enum):
    """What a path of a commit can be. Executable files are files."""

    FILE = "file"
    SYMLINK = "symlink"
    DIRECTORY = "directory"
    SUBMODULE = "submodule"


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands at one path of a commit."""

    kind: EntryKind
    object_id: str


@dataclass(frozen=True, slots=True)
class RemoteRefs:
    """A part of a remote's refs, full names to ids, and what ``HEAD`` points to (None: nothing, or detached)."""

    refs: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    head: str | None = None

    def branch(self, name: str) -> str | None:
        """The id of the tip of a branch, None when the remote has no such branch."""
        return self.refs.get(HEADS + name)


class CommitContent(Protocol):
    """The files of one commit."""

    @property
    def commit(self) -> str:
        """Its id."""

    def entry(self, path: str) -> Entry | None:
        """What stands at ``path``, None for nothing; the empty path is the root. Raises ``GitError``."""

    def prefetch(self, object_ids: Sequence[str]) -> None:
        """Bring those of the files that are not here yet, in one go. Raises ``GitError``."""

    def read(self, object_id: str, max_bytes: int) -> bytes:
        """The content of a file or symlink. Raises ``GitError``, with ``object_too_large`` over ``max_bytes``."""


class PushFate(Enum):
    """What became of a push."""

    LANDED = "landed"
    RACE = "race"
    """Somebody else moved the branch first: nothing was stored."""
    DENIED = "denied"
    """The remote refuses such a push: a hook or a protected branch."""
    PROTECTED = "protected"
    """Denied because of the branch itself, whatever is pushed."""
    UNKNOWN = "unknown"
    """The connection broke or the time was over: it may have been stored."""


@dataclass(frozen=True, slots=True)
class PushResult:
    """The fate, and what the remote said, capped and redacted.

    ``renamed``: the ids under which commits landed that the remote made anew, by ours; of a chain perhaps only a part.
    """

    fate: PushFate
    text: str = ""
    renamed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class GitSession(Protocol):
    """One remote with its credentials, for one batch. Not thread-safe."""

    def fetch_refs(self, branches: Sequence[str]) -> RemoteRefs:
        """``HEAD`` and what the remote has under these names, as branch and as tag. Raises ``GitError``."""

    def fetch_commit(self, branch: str, commit: str) -> CommitContent:
        """The content of a commit that ``branch`` pointed to in ``fetch_refs``. Raises ``GitError``."""

    def commit(self, parent: CommitContent, files: Mapping[str, bytes], message: str) -> CommitContent:
        """A commit on top of ``parent`` with these files set. Raises ``GitError`` (``signing_failed``, ...)."""

    def push(self, commit: str, branch: str, expected: str | None) -> PushResult:
        """Store the commit as the tip of ``branch`` if that still is at ``expected`` (None: does not exist).

        Raises ``GitError`` when it is certain that nothing was stored: before the connection, or by an answer.
        """

    def contains(self, tip: str, commit: str) -> bool:
        """Whether a commit fetched as ``tip`` is, or descends from, ``commit``. Raises ``GitError``."""

    def lacks(self, branch: str, tip: str, base: str, base_tip: str) -> bool | None:
        """Whether ``branch``, which is at ``tip``, lacks the newest commit of ``base``, which is ``base_tip``.

        None where nobody can tell without fetching more than is worth it. Raises ``GitError``.
        """


class GitRemotes(Protocol):
    """Opens sessions. Thread-safe."""

    def open(self, target: GitTarget, namespace: str, deadline: Deadline) -> AbstractContextManager[GitSession]:
        """A session for the remote of ``target`` with its credentials; ``namespace`` is the Application's.

        Raises ``GitError`` or ``CredentialError`` (``repo_url_refused``, ``no_credentials``, ...).
        """


class GitSecrets(Protocol):
    """Secrets of the cluster that hold credentials for Git; values are decoded texts by field name."""

    def fetch_repository_secrets(self, deadline: Deadline) -> Mapping[str, Mapping[str, str]]:
        """Argo CD's secrets for repositories, by name. Raises ``CredentialError``."""

    def fetch_credential_templates(self, deadline: Deadline) -> Mapping[str, Mapping[str, str]]:
        """Argo CD's credential templates, by name. Raises ``CredentialError``."""

    def fetch_secret(self, namespace: str, name: str, deadline: Deadline) -> Mapping[str, str] | None:
        """One secret, None when there is none of that name. Raises ``CredentialError``."""
