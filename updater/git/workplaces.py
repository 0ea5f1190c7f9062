"""Private temporary folders: made for one batch, removed after it, and swept up after a crash.

The name holds the id of the process, so that a later start can tell what was left by one that is gone
(``write-back.md`` 3.2 and 3.13).
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "argocd-image-updater-git-"
_NAME = re.compile(re.escape(PREFIX) + r"(?P<pid>\d+)-.*")
_MEMORY = Path("/dev/shm")  # noqa: S108 - keys go into memory, in a folder of mode 0700


def secret_root() -> Path | None:
    """Where keys are put: memory if there is any, else the temporary folder (None)."""
    return _MEMORY if os.access(_MEMORY, os.W_OK | os.X_OK) else None


def make_folder(root: Path | None) -> Path:
    """A new folder of mode 0700 below ``root`` (None: the temporary folder)."""
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=root))


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
        return folder.stat().st_uid == os.getuid() and not _is_running(int(match["pid"]))
    return False


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
