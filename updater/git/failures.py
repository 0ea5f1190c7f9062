"""What git's messages mean: text on stderr to an error of our tree.

Only English is read (``LC_ALL=C``). The rows are tried in order; sources: ``write-back.md`` 7.1, and the texts of git
2.39, OpenSSH 9 and libcurl seen by the tests. GitHub says "not found" for missing permission too.
"""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass

from updater.errors import GitError
from updater.transport.redaction import cap_text


@dataclass(frozen=True, slots=True)
class _Row:
    pattern: re.Pattern[str]
    code: str
    what: str
    hint: str = ""
    is_retryable: bool = False


def _row(pattern: str, code: str, what: str, hint: str = "", *, is_retryable: bool = False) -> _Row:
    return _Row(re.compile(pattern, re.IGNORECASE), code, what, hint, is_retryable)


_DISK_FAILED = "disk_failed"
_MIRROR_DAMAGED = "mirror_damaged"
_ADVICE = re.compile(r"To add an exception for this directory, call:\s+git config --global [^\n]*")
"""git's own, for a configuration that we do not let it read."""

_ROWS = (
    _row(
        r"detected dubious ownership|unsafe repository",
        "repo_untrusted",
        "the repository belongs to another user than the one that git runs as there",
        "change its owner, or name it as safe.directory in /etc/gitconfig, for no user's own configuration is read",
    ),
    _row(
        r"REMOTE HOST IDENTIFICATION HAS CHANGED",
        "host_key_mismatch",
        "the SSH host key is not the known one",
        "compare it with the server's and update the known hosts",
    ),
    _row(
        r"Host key verification failed|No \w+ host key is known",
        "host_key_unknown",
        "the SSH host key is not known",
        "add it to sshKnownHosts or to ssh_known_hosts",
    ),
    _row(
        r"SSL certificate problem|certificate verif|server certificate|unable to get local issuer|SSL: no alternative",
        "tls_failed",
        "the TLS certificate was not accepted",
        "add the CA of the server to the TLS folder, in a file named after the host",
    ),
    _row(
        r"Authentication failed|could not read (?:Username|Password)|HTTP Basic: Access denied|returned error: 40[13]\b"
        r"|Permission denied \(|terminal prompts disabled|Load key |invalid format",
        "auth_failed",
        "the remote did not accept the credentials",
        "see which credentials match this repository, and what they may do",
    ),
    _row(
        r"repository .* not found|returned error: 404|does not appear to be a git repository|Repository not found"
        r"|project you were looking for could not be found",
        "repo_not_found",
        "the remote has no such repository, or hides it from these credentials",
    ),
    _row(
        rf"No space left on device|Out of diskspace|Disk quota exceeded|File too large|unable to write"
        rf"|died of signal {signal.SIGXFSZ.value}\b"
        r"|(?:couldn't|failed to) write|insufficient permission for adding an object|Read-only file system",
        _DISK_FAILED,
        "there is no room left, here or on the remote",
        is_retryable=True,
    ),
    _row(
        r"repository corruption on the remote side",
        "fetch_failed",
        "the remote's own repository is damaged",
        "have it examined with git fsck",
    ),
    _row(
        r"mismatched algorithms",
        "fetch_failed",
        "the remote names its objects by SHA-256, which is not supported",
    ),
    _row(
        r"returned error: 30[12378]\b",
        "fetch_failed",
        "the remote redirects, and a token in a header is not sent elsewhere",
        "write the address that it redirects to",
    ),
    _row(r"couldn't find remote ref|Remote branch .* not found", "branch_not_found", "the remote has no such branch"),
    _row(
        r"bad object|object file .* is empty|loose object .* corrupt|is corrupt|not a git repository"
        r"|broken (?:link|pack)|bad signature|shallow file has changed|missing (?:tree|commit) "
        r"|cannot lock ref|unable to update local ref",
        _MIRROR_DAMAGED,
        "the mirror is damaged",
        is_retryable=True,
    ),
    _row(
        r"Could not resolve host|Could not connect|Failed to connect|Connection (?:refused|reset|timed out|closed)"
        r"|early EOF|RPC failed|hung up|returned error: (?:429|5\d\d)|Operation timed out|unexpected disconnect"
        r"|Empty reply|Network is unreachable|kex_exchange_identification|Broken pipe",
        "network",
        "the remote cannot be reached, or the connection broke",
        is_retryable=True,
    ),
)


def failure_of(complaint: str, operation: str, *, otherwise: str, is_retryable: bool = False) -> GitError:
    """The error for what git wrote to stderr; ``otherwise`` is the code for a text that no row knows."""
    said = cap_text(_ADVICE.sub("", complaint)) or "git gave no reason"
    for row in _ROWS:
        if row.pattern.search(complaint):
            what = f"{operation}: {row.what} ({said})"
            return GitError(what, hint=row.hint, code=row.code, retryable=row.is_retryable)
    return GitError(f"{operation}: {said}", code=otherwise, retryable=is_retryable)


def local_failure_of(complaint: str, operation: str) -> GitError | None:
    """The error for what git wrote to stderr when the disk or the mirror is at fault, None for any other trouble."""
    error = failure_of(complaint, operation, otherwise="")
    return error if error.code in (_DISK_FAILED, _MIRROR_DAMAGED) else None
