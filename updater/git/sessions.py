"""One remote for one batch: refs, fetches, commits and pushes as git commands on the mirror."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from updater.errors import GitError
from updater.git.commits import CommitMaker
from updater.git.contents import StoredCommit
from updater.git.failures import failure_of
from updater.git.git_process import GitProcess
from updater.git.histories import UNFILTERED, ask_whether_lacking
from updater.git.mirrors import Mirror
from updater.git.objects import ObjectStore
from updater.git.options import FetchMode
from updater.git.processes import Finished
from updater.git.pushes import read_push
from updater.git.references import read_references
from updater.ports.git import HEADS, TAGS, CommitContent, PushFate, PushResult, RemoteRefs

_BLOBLESS = "--filter=blob:none"


class MirrorSession:
    """A ``GitSession`` on a mirror. Closed by who opened it; not thread-safe."""

    def __init__(
        self, process: GitProcess, mirror: Mirror, mode: FetchMode, commits: CommitMaker, max_fetch_bytes: int = 0
    ) -> None:
        self._process = process
        self._fetching = replace(process, max_file_bytes=max_fetch_bytes or None)
        self._mirror = mirror
        self._mode = mode
        self._commits = commits
        with self._mirror.changing(process.deadline):
            self._mirror.prepare()
        self._objects = self._mirror.objects()

    @property
    def objects(self) -> ObjectStore:
        """The store as of the last fetch."""
        return self._objects

    def close(self) -> None:
        """Give back what the store has mapped."""
        self._objects.close()

    def fetch_refs(self, branches: Sequence[str]) -> RemoteRefs:
        names = [kind + branch for branch in dict.fromkeys(branches) for kind in (HEADS, TAGS)]
        done = self._process.remotely("ls-remote", "--symref", "--", "origin", "HEAD", *names)
        if done.status != 0:
            raise self._failure(done, "reading the refs", otherwise="fetch_failed", is_retryable=True)
        return read_references(done.stdout)

    def fetch_commit(self, branch: str, commit: str) -> CommitContent:
        if self._objects.missing((commit,)):
            with self._mirror.changing(self._process.deadline):
                self._reopen()
                # Another writer may have brought it in the meantime, under the name of another branch.
                if self._objects.missing((commit,)):
                    self._fetch_branch(branch)
                    commit = self._tip_of(branch)
            self._reopen()
        content = StoredCommit(commit, self)
        content.entry("")
        return content

    def commit(self, parent: CommitContent, files: Mapping[str, bytes], message: str) -> CommitContent:
        made = self._commits.make(self._process, self._objects, parent.commit, files, message)
        return StoredCommit(made, self)

    def push(self, commit: str, branch: str, expected: str | None) -> PushResult:
        lease = f"--force-with-lease={HEADS}{branch}:{expected or ''}"
        refspec = f"{commit}:{HEADS}{branch}"
        try:
            done = self._process.remotely("push", "--porcelain", "--no-verify", lease, "origin", refspec)
        except GitError as error:
            if error.code != "timeout":
                raise
            return PushResult(PushFate.UNKNOWN, str(error))
        result = read_push(done.stdout.decode("utf-8", "replace"), done.complaint, branch)
        if result is None:
            result = self._unreported(done)
        if result.fate is PushFate.LANDED:
            self._remember(branch, commit)
        return result

    def contains(self, tip: str, commit: str) -> bool:
        if self._objects.missing((commit,)):
            # Ours, from a mirror that was removed since; what was fetched into this one does not lead there.
            return False
        done = self._process.local("merge-base", "--is-ancestor", commit, tip)
        if done.status not in (0, 1):
            raise self._failure(done, "comparing commits", otherwise="fetch_failed", is_retryable=True)
        return done.status == 0

    def lacks(self, branch: str, tip: str, base: str, base_tip: str) -> bool | None:
        if self._mode is not FetchMode.PARTIAL:
            return None
        here = self._lacks_here(tip, base, base_tip)
        return here if here is not None else ask_whether_lacking(self._process, self._mirror, branch, base)

    def _lacks_here(self, tip: str, base: str, base_tip: str) -> bool | None:
        """As far as the mirror knows: where the two branches met, if it saw that.

        A base tip that is not here is newer than the one that the mirror knows, unless somebody has set the base back.
        """
        known = base_tip if not self._objects.missing((base_tip,)) else HEADS + base
        done = self._process.local("merge-base", known, tip)
        return done.stdout.decode("ascii", "replace").strip() != base_tip if done.status == 0 else None

    def fetch_missing(self, object_ids: Sequence[str]) -> None:
        """Bring files that a partial mirror lacks, all in one go; the ids come from trees that it holds."""
        missing = self._objects.missing(dict.fromkeys(object_ids))
        if not missing:
            return
        wanted = "".join(f"{each}\n" for each in missing).encode()
        words = ("fetch", "-q", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", _BLOBLESS)
        with self._mirror.changing(self._process.deadline):
            done = self._fetching.remotely(
                *words, "--stdin", "origin", stdin=wanted, configuration=("fetch.negotiationAlgorithm=noop",)
            )
        if done.status != 0:
            raise self._unfetched(done, "fetching files")
        self._reopen()

    def _fetch_branch(self, branch: str) -> None:
        ref = HEADS + branch
        is_known = self._process.local("show-ref", "--verify", "-q", ref).status == 0
        words = ["fetch", "-q", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--update-shallow"]
        words += [] if is_known else ["--depth=1"]
        words += [_BLOBLESS] if self._mode is FetchMode.PARTIAL else []
        done = self._fetching.remotely(*words, "origin", f"+{ref}:{ref}")
        if done.status != 0:
            raise self._unfetched(done, "fetching the branch")
        self._mirror.is_filtered = UNFILTERED not in done.complaint

    def _tip_of(self, branch: str) -> str:
        done = self._process.local("rev-parse", "--verify", "-q", f"{HEADS}{branch}^{{commit}}")
        if done.status != 0:
            raise self._failure(done, "reading the fetched branch", otherwise="mirror_damaged")
        return done.stdout.decode("ascii", "replace").strip()

    def _remember(self, branch: str, commit: str) -> None:
        """Let the mirror know what the remote has now: the next batch then has nothing to fetch.

        The push has landed, whatever becomes of this; without it the next batch fetches what we pushed.
        """
        with suppress(GitError), self._mirror.changing(self._process.deadline):
            self._process.local("update-ref", HEADS + branch, commit)

    def _unreported(self, done: Finished) -> PushResult:
        """A push without a status line: broken off, or refused before it began."""
        error = self._failure(done, "pushing", otherwise="network", is_retryable=True)
        if error.retryable:
            return PushResult(PushFate.UNKNOWN, str(error))
        raise error

    def _unfetched(self, done: Finished, operation: str) -> GitError:
        limit = self._fetching.max_file_bytes
        if limit is None or not self._mirror.has_unfinished(limit):
            return self._failure(done, operation, otherwise="fetch_failed", is_retryable=True)
        what = f"{operation}: the remote sends more than {limit} bytes"
        hint = "raise --git-max-fetch-size if the repository is that large, or use --git-checkout-mode partial"
        return GitError(what, where=str(self._process.remote), hint=hint, code="fetch_too_large")

    def _failure(self, done: Finished, operation: str, *, otherwise: str, is_retryable: bool = False) -> GitError:
        error = failure_of(done.complaint, operation, otherwise=otherwise, is_retryable=is_retryable)
        error.where = str(self._process.remote)
        return error

    def _reopen(self) -> None:
        self._objects.close()
        self._objects = self._mirror.objects()

    def tidy(self) -> None:
        """Pack what piled up; caller knows that nobody else uses the mirror. A failure costs the mirror only."""
        self._objects.close()
        with self._mirror.changing(self._process.deadline):
            try:
                done = self._process.local("gc", "--quiet", "--prune=now")
            except GitError:
                self._mirror.discard()
                raise
            if done.status != 0:
                self._mirror.discard()
                raise self._failure(done, "tidying the mirror", otherwise="mirror_damaged")
