"""How long a file may become that a running process, or anything that it starts, writes. Linux only.

The limit comes after the start: between fork and exec no Python may run in a program with threads. By then git may have
started its helper for the transport, which starts what stores the pack, so whoever is there already gets it too.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROCESSES = Path("/proc")
_SESSION = 3
"""Position of the session in ``stat`` behind the name, which is in parentheses (proc(5))."""


def limit_files(leader: int, max_bytes: int) -> None:
    """Limit the leader of a session and all in it. What they start later inherits the limit.

    Raises ``ProcessLookupError`` for a leader that is gone.
    """
    _lower(leader, max_bytes)
    # Who was found without a limit may have started others meanwhile: until there is nobody.
    while any(_is_lowered(pid, max_bytes) for pid in _session_of(leader)):
        pass


def _is_lowered(pid: int, max_bytes: int) -> bool:
    with suppress(ProcessLookupError, PermissionError):  # it has ended
        return _lower(pid, max_bytes)
    return False


def _lower(pid: int, max_bytes: int) -> bool:
    """Whether it had to be done. A lower limit of the system stays: raising it is not for everybody."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    is_free = soft == resource.RLIM_INFINITY or soft > max_bytes
    if is_free:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (max_bytes, hard))
    return is_free


def _session_of(leader: int) -> Iterator[int]:
    for folder in _PROCESSES.glob("[0-9]*"):
        if _session(folder) == leader:
            yield int(folder.name)


def _session(folder: Path) -> int | None:
    try:
        stat = (folder / "stat").read_bytes()
    except OSError:  # it has ended
        return None
    return int(stat.rpartition(b")")[2].split()[_SESSION])
