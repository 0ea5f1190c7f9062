"""A real bare repository on disk, to be pushed to: the other end of method ``git`` in demos and tests.

A caller changes the world in one line (``commit``, ``reject_pushes``, ``protect``) and looks at what is there.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_IDENTITY = {
    "GIT_AUTHOR_NAME": "Somebody",
    "GIT_AUTHOR_EMAIL": "somebody@example.test",
    "GIT_COMMITTER_NAME": "Somebody",
    "GIT_COMMITTER_EMAIL": "somebody@example.test",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "LC_ALL": "C",
}
_LINK = b"120000"
_FILE = b"100644"


class BareRepository:
    """One repository below ``folder``; its default branch is ``main``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "--bare", "-b", "main", ".")
        for setting in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant", "http.receivepack"):
            self.git("config", setting, "true")

    @property
    def url(self) -> str:
        """The address as a local path."""
        return self.folder.as_uri()

    def git(self, *words: str, stdin: bytes = b"") -> str:
        """Run git on the repository; what it printed."""
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.folder), **_IDENTITY}
        done = subprocess.run(  # noqa: S603 - fixed words of tests and the demo
            ["git", *words],  # noqa: S607 - git from the path, as everywhere
            cwd=self.folder,
            env=environment,
            input=stdin,
            capture_output=True,
            check=True,
        )
        return done.stdout.decode()

    def commit(
        self,
        files: Mapping[str, str | bytes],
        *,
        branch: str = "main",
        links: Mapping[str, str] | None = None,
        message: str = "change",
    ) -> str:
        """A commit that sets files (and symlinks) on a branch, which it makes when it is new; returns the id."""
        stream = [b"commit refs/heads/%s\n" % branch.encode()]
        stream.append(b"committer Somebody <somebody@example.test> now\n")
        stream.append(_data(message.encode()))
        if self.tip(branch):
            stream.append(b"from refs/heads/%s^0\n" % branch.encode())
        for path, content in files.items():
            text = content if isinstance(content, bytes) else content.encode()
            stream.append(b"M %s inline %s\n%s" % (_FILE, path.encode(), _data(text)))
        for path, target in (links or {}).items():
            stream.append(b"M %s inline %s\n%s" % (_LINK, path.encode(), _data(target.encode())))
        self.git("fast-import", "--quiet", "--date-format=now", stdin=b"".join(stream))
        return self.tip(branch)

    def tip(self, branch: str = "main") -> str:
        """The id that a branch points to, empty when there is no such branch."""
        return self.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}").strip()

    def read(self, path: str, branch: str = "main") -> str:
        """The text of a file."""
        return self.git("show", f"{branch}:{path}")

    def messages(self, branch: str = "main") -> list[str]:
        """Subjects of the branch's commits, the newest first."""
        return self.git("log", "--format=%s", branch).splitlines()

    def count(self, branch: str = "main") -> int:
        """How many commits a branch has."""
        return int(self.git("rev-list", "--count", branch))

    def add_hook(self, name: str, script: str) -> None:
        """Install a hook of the remote's side, a shell script without its first line."""
        hook = self.folder / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{script}\n")
        hook.chmod(0o755)

    def remove_hook(self, name: str) -> None:
        """Take a hook away."""
        (self.folder / "hooks" / name).unlink()

    def reject_pushes(self, text: str) -> None:
        """Refuse every push with a text."""
        self.add_hook("pre-receive", f"echo '{text}' >&2; exit 1")


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)
