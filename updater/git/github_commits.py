"""Commits that GitHub makes and signs itself: its GraphQL mutation ``createCommitOnBranch`` (``write-back.md`` 3.14).

API: "Mutations" of GitHub's GraphQL API, and ``POST /repos/{owner}/{repo}/git/refs`` of its REST API. An answer with
status 200 may still hold errors. Lists that are empty are left out: null makes the server fail with a text about
something else.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from updater.clock import Clock, Deadline
from updater.errors import GitError
from updater.git.access import GitHubApi
from updater.model.git_remotes import GitRemote
from updater.ports.git import HEADS, PushFate
from updater.transport.errors import TransportError
from updater.transport.http import HttpRequest, HttpTransport
from updater.transport.redaction import cap_text, redact

REQUEST_S = 30.0
"""``write-back.md`` 3.14; GitHub itself gives up after ten seconds."""
MAX_ANSWER_BYTES = 1024 * 1024
_MUTATION = "mutation($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { commit { oid } } }"
_STALE = re.compile(r"expected branch to point to|is at [0-9a-f]{40} but expected|STALE_DATA", re.IGNORECASE)
_PROTECTED = re.compile(r"protected branch|rule violations?|must be made through a pull request", re.IGNORECASE)


class CommitRefused(Exception):
    """GitHub made no commit; ``fate`` is what that means for a push."""

    def __init__(self, fate: PushFate, text: str) -> None:
        super().__init__(text)
        self.fate = fate
        self.text = text


class AnswerLost(Exception):
    """The request may have been carried out: the connection broke, or the server failed."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    text: str
    is_throttled: bool

    @property
    def said(self) -> str:
        return cap_text(redact(self.text)) or f"status {self.status}"

    def document(self) -> Mapping[str, Any]:
        try:
            found = json.loads(self.text)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


class GitHubCommits:
    """One repository, for one batch. Closed by who made it."""

    def __init__(self, api: GitHubApi, remote: GitRemote, clock: Clock, deadline: Deadline) -> None:
        self._api = api
        self._name = "/".join(remote.path.split("/")[:2])
        self._where = str(remote)
        self._deadline = deadline
        self._transport = HttpTransport(api.http, clock)

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def create_branch(self, branch: str, commit: str) -> None:
        """Let a branch begin at a commit that the remote has; one that is there already is fine.

        Raises ``CommitRefused``, ``AnswerLost``, ``GitError``.
        """
        body = {"ref": HEADS + branch, "sha": commit}
        answer = self._send(f"{self._api.base_url}/repos/{self._name}/git/refs", body)
        if answer.status not in (200, 201) and "Reference already exists" not in answer.text:
            raise self._refusal(answer)

    def commit(self, branch: str, expected: str, files: Mapping[str, bytes], message: str) -> str:
        """Set files on a branch that still is at ``expected``; the id of the commit.

        Raises ``CommitRefused``, ``AnswerLost``, ``GitError``.
        """
        variables = {"input": self._input(branch, expected, files, message)}
        answer = self._send(_graphql_url(self._api.base_url), {"query": _MUTATION, "variables": variables})
        if answer.status != 200:
            raise self._refusal(answer)
        document = answer.document()
        errors = document.get("errors")
        if errors:
            raise _refused(json.dumps(errors))
        try:
            return str(document["data"]["createCommitOnBranch"]["commit"]["oid"])
        except (KeyError, TypeError) as error:
            raise AnswerLost(f"the answer holds no commit ({answer.said})") from error

    def _input(self, branch: str, expected: str, files: Mapping[str, bytes], message: str) -> dict[str, object]:
        headline, _, rest = message.strip("\n").partition("\n")
        body = {"body": rest.strip("\n")} if rest.strip() else {}
        additions = [{"path": path, "contents": base64.b64encode(content).decode()} for path, content in files.items()]
        return {
            "branch": {"repositoryNameWithOwner": self._name, "branchName": branch},
            "expectedHeadOid": expected,
            "message": {"headline": headline, **body},
            "fileChanges": {"additions": additions} if additions else {},
        }

    def _send(self, url: str, body: Mapping[str, object]) -> _Answer:
        headers = {
            "Authorization": f"Bearer {self._api.token.reveal()}",
            "Accept": "application/vnd.github+json",
            "Content-Type": "application/json",
        }
        request = HttpRequest("POST", url, headers, json.dumps(body).encode(), is_repeatable=False)
        try:
            with self._transport.open(request, self._deadline.sooner(REQUEST_S)) as exchange:
                text = exchange.read(cap_bytes=MAX_ANSWER_BYTES).decode("utf-8", "replace")
                is_throttled = exchange.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in exchange.headers
                return _Answer(exchange.status, text, is_throttled)
        except TransportError as error:
            raise AnswerLost(error.text) from error

    def _refusal(self, answer: _Answer) -> Exception:
        if answer.status >= 500:
            return AnswerLost(f"the API failed: {answer.said}")
        if answer.status == 429 or (answer.status == 403 and answer.is_throttled):
            text = f"the API of GitHub asks for a pause: {answer.said}"
            return GitError(text, where=self._where, code="network", retryable=True)
        if answer.status == 401:
            text = f"the API of GitHub did not accept the token: {answer.said}"
            hint = "see that the App is installed for this repository and may write contents"
            return GitError(text, where=self._where, hint=hint, code="auth_failed")
        if answer.status == 404:
            text = f"the API of GitHub has no such repository, or hides it from the App: {answer.said}"
            return GitError(text, where=self._where, code="repo_not_found")
        return _refused(answer.text)


def _refused(text: str) -> CommitRefused:
    said = cap_text(redact(text))
    if _STALE.search(text):
        return CommitRefused(PushFate.RACE, said)
    return CommitRefused(PushFate.PROTECTED if _PROTECTED.search(text) else PushFate.DENIED, said)


def _graphql_url(base_url: str) -> str:
    return f"{base_url.removesuffix('/v3')}/graphql"
