"""A session whose pushes are commits that GitHub makes (``write-back.md`` 3.14): read with git, written by the API.

Commits are made here as well, in the mirror alone: the next one of a chain begins with what the one before it wrote,
and what the remote holds can be compared. The remote's commits have other ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from updater.errors import GitError
from updater.git.github_commits import AnswerLost, CommitRefused, GitHubCommits
from updater.git.sessions import MirrorSession
from updater.ports.git import CommitContent, PushFate, PushResult, RemoteRefs


@dataclass(frozen=True, slots=True)
class _Made:
    """One commit that is here alone."""

    content: CommitContent
    parent: str
    files: Mapping[str, bytes]
    message: str


class ApiSession:
    """A ``GitSession``. Closed by who opened it; not thread-safe."""

    def __init__(self, session: MirrorSession, commits: GitHubCommits) -> None:
        self._session = session
        self._commits = commits
        self._made: dict[str, _Made] = {}

    def close(self) -> None:
        """Give back what the session holds, and close the connection."""
        self._session.close()
        self._commits.close()

    def fetch_refs(self, branches: Sequence[str]) -> RemoteRefs:
        return self._session.fetch_refs(branches)

    def fetch_commit(self, branch: str, commit: str) -> CommitContent:
        return self._session.fetch_commit(branch, commit)

    def commit(self, parent: CommitContent, files: Mapping[str, bytes], message: str) -> CommitContent:
        content = self._session.commit(parent, files, message)
        self._made[content.commit] = _Made(content, parent.commit, dict(files), message)
        return content

    def contains(self, tip: str, commit: str) -> bool:
        return self._session.contains(tip, commit)

    def lacks(self, branch: str, tip: str, base: str, base_tip: str) -> bool | None:
        return self._session.lacks(branch, tip, base, base_tip)

    def push(self, commit: str, branch: str, expected: str | None) -> PushResult:
        """As a push, but the remote makes the commits, one after the other; see ``PushResult.renamed``."""
        chain = self._chain(commit)
        head = chain[0].parent
        if expected not in (None, head):
            # A branch that is made anew: only git can take its old commits away.
            return self._session.push(commit, branch, expected)
        renamed: dict[str, str] = {}
        try:
            if expected is None:
                self._commits.create_branch(branch, head)
            for made in chain:
                head = renamed[made.content.commit] = self._commits.commit(branch, head, made.files, made.message)
        except CommitRefused as refusal:
            return PushResult(refusal.fate, refusal.text, renamed)
        except AnswerLost as lost:
            return self._looked_up(chain, renamed, branch, head, lost)
        return PushResult(PushFate.LANDED, renamed=renamed)

    def _chain(self, commit: str) -> list[_Made]:
        """From the first commit that is here alone to the tip."""
        chain: list[_Made] = []
        while commit in self._made:
            chain.insert(0, self._made[commit])
            commit = chain[0].parent
        return chain

    def _looked_up(
        self, chain: list[_Made], renamed: dict[str, str], branch: str, head: str, lost: AnswerLost
    ) -> PushResult:
        """A request without an answer: whether the branch holds just what it was to hold by now.

        Raises ``GitError`` ``network`` when nothing at all was stored.
        """
        made = chain[len(renamed)]
        text = f"the API of GitHub gave no usable answer: {lost}"
        try:
            tip = self._session.fetch_refs((branch,)).branch(branch)
            content = None if tip in (None, head) else self._session.fetch_commit(branch, str(tip))
        except GitError as error:
            return PushResult(PushFate.UNKNOWN, f"{text}; {error}", renamed)
        if content is not None and content.entry("") == made.content.entry(""):
            renamed[made.content.commit] = content.commit
            return PushResult(PushFate.LANDED if made is chain[-1] else PushFate.RACE, text, renamed)
        if not renamed:
            raise GitError(text, code="network", retryable=True)
        return PushResult(PushFate.RACE, text, renamed)
