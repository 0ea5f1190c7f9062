"""Private temporary folders and the files in them: made for one batch, removed after it, swept up after a crash.

The name holds the id of the process, so that a later start can tell what was left by one that is gone
(``write-back.md`` 3.2 and 3.13), and a word of its own for each process: in a container every one has the same id, and
the temporary folder may outlive it.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from updater.errors import GitError
from updater.transport.redaction import cap_text

PREFIX = "argocd-image-updater-git-"
_OWN_WORD = secrets.token_hex(4)
_NAME = re.compile(re.escape(PREFIX) + r"(?P<pid>\d+)-(?P<word>[^-]*).*")
_MEMORY = Path("/dev/shm")  # noqa: S108 - keys go into memory, in a folder of mode 0700


def secret_root() -> Path | None:
    """Where keys are put: memory if there is any, else the temporary folder (None)."""
    return _MEMORY if os.access(_MEMORY, os.W_OK | os.X_OK) else None


def make_folder(root: Path | None) -> Path:
    """A new folder of mode 0700 below ``root`` (None: the temporary folder); raises ``GitError`` ``disk_failed``."""
    try:
        return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-{_OWN_WORD}-", dir=root))
    except OSError as error:
        raise disk_failed(root or Path(tempfile.gettempdir()), error) from error


def write_private(path: Path, text: str) -> None:
    """A file that nobody else may read, with LF and one final newline; raises ``GitError`` ``disk_failed``.

    OpenSSH refuses keys with CRLF or without the newline.
    """
    try:
        path.touch(mode=0o600)
        path.write_text(text.replace("\r\n", "\n").strip("\n") + "\n")
    except OSError as error:
        raise disk_failed(path.parent, error) from error


def disk_failed(place: Path, error: OSError) -> GitError:
    """The error for a place on this machine that does not take what is written."""
    if isinstance(error, FileExistsError | NotADirectoryError):
        what, hint = "a file is where the folder should be", "name another folder, or remove the file"
    else:
        what = f"the folder cannot be used: {cap_text(error.strerror or str(error))}"
        hint = "see that we may write there, and that the disk is neither full nor read-only"
    return GitError(
        what,
        where=str(place),
        hint=hint,
        code="disk_failed",
        retryable=True,
    )


@contextmanager
def private_folder(root: Path | None = None) -> Iterator[Path]:
    """A folder for the time of a ``with`` block; what cannot be removed stays for the next start to sweep."""
    folder = make_folder(root)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep_leftovers() -> tuple[Path, ...]:
    """Remove folders of ours whose process is gone; returns them."""
    swept = []
    for root in {Path(tempfile.gettempdir()), secret_root() or Path(tempfile.gettempdir())}:
        for folder in root.glob(f"{PREFIX}*"):
            if _is_left_over(folder):
                shutil.rmtree(folder, ignore_errors=True)
                swept.append(folder)
    return tuple(swept)


def _is_left_over(folder: Path) -> bool:
    match = _NAME.fullmatch(folder.name)
    if match is None or folder.is_symlink():
        return False
    with suppress(FileNotFoundError):
        return folder.stat().st_uid == os.getuid() and not _is_used(int(match["pid"]), match["word"])
    return False


def _is_used(pid: int, word: str) -> bool:
    return word == _OWN_WORD if pid == os.getpid() else _is_running(pid)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
