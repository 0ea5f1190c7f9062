"""Whether a branch holds the newest commit of another one (``write-back.md`` 3.4), at the price of one commit.

A mirror has the newest commits of its branches, so for a branch that it did not see begin it cannot tell. The remote
can: it is asked for those commits of the base that the branch lacks (``--shallow-exclude``) and that are no older than
the base's newest (``--shallow-since``), which is one commit, or nothing. For nothing upload-pack has only an error, "no
commits selected for shallow requests", which does not get through over HTTP; so the date of the newest commit is
fetched first, and once that has worked, a failure means that the branch lacks nothing. The longest history costs no
more than the shortest: of 1,000,000 commits without a commit graph (git 2.39, two loaded cores) both questions took
0.4 s at most and left 15 kB, for a branch that was 1,000 commits behind, one 900,000 behind, and one 5,000 ahead.

What comes goes into a repository of its own that is thrown away: in the mirror a commit without its trees would make
git believe, at the next fetch, that those are there too.
"""

from __future__ import annotations

from updater.git.git_process import GitProcess
from updater.git.mirrors import Mirror
from updater.git.objects import ObjectAccess
from updater.git.processes import Finished
from updater.ports.git import HEADS

ASKING_S = 15.0
"""For both questions together: the change itself has been pushed, and its result waits for this."""
MAX_BYTES = 1024 * 1024
"""Of what one question brings. A commit has some hundred bytes; a server that filters nothing sends all of its files
along, and is cut off here."""
UNFILTERED = "filtering not recognized by server"
"""A warning of git's fetch-pack.c."""


def ask_whether_lacking(process: GitProcess, mirror: Mirror, branch: str, base: str) -> bool | None:
    """Whether the remote's ``branch`` lacks the newest commit of its ``base``; None when it cannot say.

    ``mirror`` remembers a remote that cannot leave files out: it is not asked again. Raises ``GitError``.
    """
    if not mirror.is_filtered:
        return None
    folder = process.folder / "histories.git"
    Mirror(folder, ObjectAccess()).prepare()
    asking = process.within(folder, process.deadline.sooner(ASKING_S), MAX_BYTES)
    newest = _fetch(asking, base, "--depth=1")
    mirror.is_filtered = UNFILTERED not in newest.complaint
    if newest.status != 0 or not mirror.is_filtered:
        return None
    date = asking.local("log", "-1", "--format=%ct", HEADS + base).stdout.decode("ascii", "replace").strip()
    lacked = _fetch(asking, base, f"--shallow-since=@{date} +0000", f"--shallow-exclude={HEADS}{branch}")
    return lacked.status == 0


def _fetch(process: GitProcess, branch: str, *limits: str) -> Finished:
    words = ("fetch", "-q", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--filter=tree:0")
    ref = HEADS + branch
    return process.remotely(*words, *limits, "origin", f"+{ref}:{ref}")
