"""Git commands on one repository, with or without its remote: what each of them is told of the remote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from updater.clock import Deadline
from updater.git.access import RemoteAccess
from updater.git.environment import CONFIGURATION
from updater.git.processes import Command, Finished, ProcessRunner, arguments_of
from updater.model.git_remotes import GitRemote, GitScheme


@dataclass(frozen=True, slots=True)
class GitProcess:
    """Runs git on the repository that ``environment`` names, with or without access to its remote, until one deadline.

    ``max_file_bytes``: the longest file that git may write, which bounds what a fetch brings; None is no limit.
    """

    runner: ProcessRunner
    environment: Mapping[str, str]
    remote: GitRemote
    access: RemoteAccess
    deadline: Deadline
    folder: Path
    max_file_bytes: int | None = None

    def local(self, *words: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> Finished:
        """A command that needs no remote."""
        return self._run(words, CONFIGURATION, environment or {}, stdin)

    def remotely(self, *words: str, stdin: bytes = b"", configuration: Sequence[str] = ()) -> Finished:
        """A command that speaks to the remote, which it knows as ``origin``."""
        settings = (
            *CONFIGURATION,
            *_schemes(self.remote),
            f"remote.origin.url={self.remote.url}",
            *self.access.configuration,
            *configuration,
        )
        return self._run(words, settings, self.access.environment, stdin)

    def within(self, repository: Path, deadline: Deadline, max_file_bytes: int) -> GitProcess:
        """The same remote, seen from another repository and within other limits."""
        environment = {**self.environment, "GIT_DIR": str(repository)}
        return replace(self, environment=environment, deadline=deadline, max_file_bytes=max_file_bytes)

    def _run(
        self, words: Sequence[str], configuration: Sequence[str], environment: Mapping[str, str], stdin: bytes
    ) -> Finished:
        arguments = arguments_of(*words, configuration=configuration)
        command = Command(arguments, self.folder, {**self.environment, **environment}, stdin, self.max_file_bytes)
        return self.runner.run(command, self.deadline)


def _schemes(remote: GitRemote) -> tuple[str, ...]:
    """The protocol of the remote itself, where it is not allowed anyway; admission has let it pass."""
    if remote.scheme is GitScheme.LOCAL:
        return ("protocol.file.allow=always",)
    return ("protocol.http.allow=always",) if remote.scheme is GitScheme.HTTP else ()
