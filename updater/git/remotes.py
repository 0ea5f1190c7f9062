"""Opens sessions: admission, mirror, private folder and credentials around one batch, and their end after it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from updater.clock import Clock, Deadline
from updater.errors import GitError
from updater.git.access import AccessSource, RemoteAccess
from updater.git.admission import check_admission
from updater.git.api_sessions import ApiSession
from updater.git.commits import CommitMaker
from updater.git.environment import environment_for
from updater.git.git_process import GitProcess
from updater.git.github_commits import GitHubCommits
from updater.git.mirrors import Mirror, MirrorStore
from updater.git.options import Committer, GitOptions
from updater.git.processes import ProcessRunner
from updater.git.sessions import MirrorSession
from updater.git.signing import check_key, check_program
from updater.git.version import GitVersion
from updater.git.workplaces import private_folder
from updater.model.git_targets import GitTarget
from updater.ports.git import GitSession
from updater.ports.log import EventLog

TIDYING_S = 120.0


class MirroredRemotes:
    """A ``GitRemotes``. Thread-safe; owns the mirrors; ``close`` once, after the last session.

    Once ``abandoned`` is set, running git processes are ended and no more begin. A configured folder for mirrors is
    opened at once, a private one with the first session. Making one raises ``GitError``: ``disk_failed``,
    ``signing_failed``.
    """

    def __init__(
        self,
        options: GitOptions,
        access: AccessSource,
        inherited: Mapping[str, str],
        clock: Clock,
        log: EventLog,
        abandoned: threading.Event | None = None,
    ) -> None:
        self._options = options
        self._access = access
        self._inherited = inherited
        self._clock = clock
        self._log = log
        self._runner = ProcessRunner(options.limits, clock, abandoned)
        self._check_signing()
        self._opening = threading.Lock()
        self._mirrors: MirrorStore | None = None
        if options.cache_folder is not None:
            self._opened()
        self._commits = CommitMaker(options.committer)
        self._version = GitVersion(self._runner, inherited)

    def identify(self, committer: Committer) -> None:
        """Commit under another name from the next session on."""
        self._commits = CommitMaker(committer)

    @contextmanager
    def open(self, target: GitTarget, namespace: str, deadline: Deadline) -> Iterator[GitSession]:
        check_admission(target.remote, self._options.admission)
        self._version.check(deadline)
        credentials = f"{target.credentials} {target.project}"
        with (
            self._opened().use(target.remote.place, credentials) as mirror,
            private_folder() as folder,
            self._access.open(target, namespace, deadline) as access,
        ):
            session = self._written(mirror, target, folder, access, deadline)
            try:
                yield session
            except GitError as error:
                session.close()
                self._learn(error, mirror, target, namespace, deadline)
                raise
            finally:
                session.close()
            self._tidy(mirror, target, folder)

    def close(self) -> None:
        """Remove private mirrors. Idempotent."""
        with self._opening:
            mirrors, self._mirrors = self._mirrors, None
        if mirrors is not None:
            mirrors.close()

    def _check_signing(self) -> None:
        """Raise ``GitError`` ``signing_failed``. No program is needed in a dry run, or where GitHub may commit."""
        signing = self._options.committer.signing
        if signing is None:
            return
        check_key(signing)
        if self._options.makes_commits and not self._options.uses_api:
            check_program(signing.method, self._runner, self._inherited, self._clock)

    def _opened(self) -> MirrorStore:
        """The mirrors; the first to ask waits for the disk, and so does whoever asks meanwhile."""
        with self._opening:
            if self._mirrors is None:
                options = self._options
                self._mirrors = MirrorStore(options.cache_folder, options.max_cache_bytes, self._log)
            return self._mirrors

    def _written(
        self, mirror: Mirror, target: GitTarget, folder: Path, access: RemoteAccess, deadline: Deadline
    ) -> MirrorSession | ApiSession:
        """The session for a batch: through the API of GitHub where that is wanted and the credentials allow it."""
        if not self._options.uses_api:
            return self._session(mirror, target, folder, access, deadline)
        if access.api is None:
            text = "commits through the API of GitHub need the credentials of a GitHub App; git is used"
            self._log.warning("git_api_unavailable", repository=str(target.remote), text=text)
            return self._session(mirror, target, folder, access, deadline)
        session = self._session(mirror, target, folder, access, deadline, CommitMaker(Committer()))
        return ApiSession(session, GitHubCommits(access.api, target.remote, self._clock, deadline))

    def _session(
        self,
        mirror: Mirror,
        target: GitTarget,
        folder: Path,
        access: RemoteAccess,
        deadline: Deadline,
        commits: CommitMaker | None = None,
    ) -> MirrorSession:
        environment = environment_for(self._inherited, home=folder, repository=mirror.folder)
        process = GitProcess(self._runner, environment, target.remote, access, deadline, folder)
        options = self._options
        return MirrorSession(process, mirror, options.mode, commits or self._commits, options.max_fetch_bytes)

    def _learn(self, error: GitError, mirror: Mirror, target: GitTarget, namespace: str, deadline: Deadline) -> None:
        """See to it that another attempt may go better than this one."""
        mirror.is_littered = True
        if error.code == "auth_failed" and self._access.reject(target, namespace):
            error.retryable = True
        if error.code == "mirror_damaged":
            self._log.warning("git_mirror_discarded", repository=str(target.remote), error=str(error))
            with mirror.changing(deadline):
                mirror.discard()

    def _tidy(self, mirror: Mirror, target: GitTarget, folder: Path) -> None:
        """Pack the mirror when that is due and nobody else uses it; the batch is done, so a failure is only told."""
        if mirror.users > 1 or not mirror.needs_tidying:
            return
        session = self._session(mirror, target, folder, RemoteAccess(), Deadline.after(self._clock, TIDYING_S))
        try:
            session.tidy()
        except GitError as error:
            self._log.warning("git_mirror_discarded", repository=str(target.remote), error=str(error))
