"""Making commits: objects for changed files, message, identity, sign-off and signature (``write-back.md`` 1.6, 1.7).

``git commit-tree`` makes the commit itself, because it is git that knows how to call GnuPG and ``ssh-keygen``. There is
no index and no worktree, so no filter and no hook of the repository has a part in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from updater.errors import GitError
from updater.git.contents import tree_of
from updater.git.failures import local_failure_of
from updater.git.objects import ObjectsMissing, ObjectStore
from updater.git.options import Committer, Signing
from updater.git.processes import Finished
from updater.git.signing import refused_signature
from updater.git.trees import write_changes
from updater.transport.redaction import cap_text

_NAMELESS = re.compile(r"consists only of disallowed characters|empty ident name")
"""What git's ident.c says of names that leave nothing once brackets, quotes and stops at the ends are taken away."""


class LocalGit(Protocol):
    """Runs git commands that need no remote."""

    def local(self, *words: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> Finished: ...


class CommitMaker:
    """Makes commits under one identity; holds no state."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer
        self._environment = _identity(committer)

    def make(self, git: LocalGit, objects: ObjectStore, parent: str, files: Mapping[str, bytes], message: str) -> str:
        """The id of a commit on top of ``parent`` with ``files`` set.

        Raises ``GitError``: ``commit_failed``, ``signing_failed``, ``disk_failed``, ``mirror_damaged``.
        """
        try:
            tree = write_changes(objects, tree_of(objects, parent), files)
        except ObjectsMissing as error:
            raise GitError("the mirror lacks the tree to change", code="mirror_damaged", retryable=True) from error
        text = self._finished(git, message)
        signing = self._committer.signing
        words = ["commit-tree", tree, "-p", parent]
        if signing is not None:
            words = ["-c", f"gpg.format={signing.method.value}", *words, f"-S{signing.key}"]
        done = git.local(*words, stdin=text, environment=self._environment)
        if done.status != 0:
            raise _refused(done.complaint, signing)
        return done.stdout.decode("ascii", "replace").strip()

    def _finished(self, git: LocalGit, message: str) -> bytes:
        text = message.encode("utf-8", "replace").replace(b"\0", b"")
        if not self._committer.signs_off:
            return text
        name, email = (self._environment[f"GIT_COMMITTER_{word}"] for word in ("NAME", "EMAIL"))
        trailer = f"Signed-off-by: {name} <{email}>"
        done = git.local(
            "interpret-trailers", "--if-exists", "addIfDifferent", "--no-divider", "--trailer", trailer, stdin=text
        )
        if done.status != 0:
            raise GitError(f"the sign-off cannot be added: {cap_text(done.complaint)}", code="commit_failed")
        return done.stdout


def _identity(committer: Committer) -> dict[str, str]:
    name, email = _one_line(committer.name), _one_line(committer.email)
    default = Committer()
    environment = {
        "GIT_AUTHOR_NAME": name or default.name,
        "GIT_AUTHOR_EMAIL": email or default.email,
        "GIT_COMMITTER_NAME": name or default.name,
        "GIT_COMMITTER_EMAIL": email or default.email,
    }
    signing = committer.signing
    if signing is not None and signing.gnupg_home is not None:
        environment["GNUPGHOME"] = str(signing.gnupg_home)
    return environment


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _refused(complaint: str, signing: Signing | None) -> GitError:
    local = local_failure_of(complaint, "making the commit")
    if local is not None:
        return local
    if signing is not None and not _NAMELESS.search(complaint):
        return refused_signature(complaint, signing.method)
    hint = "see --git-commit-user and --git-commit-email" if _NAMELESS.search(complaint) else ""
    return GitError(f"the commit cannot be made: {cap_text(complaint)}", hint=hint, code="commit_failed")
