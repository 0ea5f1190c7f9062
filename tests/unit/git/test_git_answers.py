"""What git and remotes say, and what it means."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.errors import GitError
from updater.git.failures import failure_of
from updater.git.processes import Finished
from updater.git.pushes import read_push
from updater.git.references import read_references
from updater.ports.git import PushFate


@pytest.mark.parametrize(
    ("line", "stderr", "fate"),
    [
        pytest.param(" \tc:refs/heads/main\ta..b", "", PushFate.LANDED, id="moved"),
        pytest.param("*\tc:refs/heads/main\t[new branch]", "", PushFate.LANDED, id="created"),
        pytest.param("=\tc:refs/heads/main\t[up to date]", "", PushFate.LANDED, id="as it was"),
        pytest.param("+\tc:refs/heads/main\ta...b (forced update)", "", PushFate.LANDED, id="reset with a lease"),
        pytest.param("!\tc:refs/heads/main\t[rejected] (fetch first)", "", PushFate.RACE, id="fetch first"),
        pytest.param("!\tc:refs/heads/main\t[rejected] (non-fast-forward)", "", PushFate.RACE, id="not ahead"),
        pytest.param("!\tc:refs/heads/main\t[rejected] (stale info)", "", PushFate.RACE, id="lease"),
        pytest.param(
            "!\tc:refs/heads/main\t[remote rejected] (failed to update ref)", "", PushFate.RACE, id="lost on the remote"
        ),
        pytest.param(
            "!\tc:refs/heads/main\t[remote rejected] (cannot lock ref 'refs/heads/main': is at a but expected b)",
            "",
            PushFate.RACE,
            id="lock on the remote",
        ),
        pytest.param(
            "!\tc:refs/heads/main\t[remote rejected] (pre-receive hook declined)", "", PushFate.DENIED, id="hook"
        ),
        pytest.param(
            "!\tc:refs/heads/main\t[remote rejected] (protected branch hook declined)",
            "remote: error: GH006: Protected branch update failed",
            PushFate.PROTECTED,
            id="protected, GitHub",
        ),
        pytest.param(
            "!\tc:refs/heads/main\t[remote rejected] (pre-receive hook declined)",
            "remote: GitLab: You are not allowed to push code to protected branches on this project.",
            PushFate.PROTECTED,
            id="protected, GitLab",
        ),
        pytest.param(
            "!\tc:refs/heads/main\t[remote rejected] (unpacker error)", "", PushFate.UNKNOWN, id="remote's disk"
        ),
        pytest.param(
            "!\tc:refs/heads/main\t[remote rejected] (TF401028: The reference has already been updated)",
            "",
            PushFate.RACE,
            id="lost on the remote, Azure",
        ),
        pytest.param(
            "!\tc:refs/heads/main\t[remote rejected] (failed to update ref)",
            "remote: error: cannot lock ref 'refs/heads/u/x': 'refs/heads/u' exists; cannot create 'refs/heads/u/x'",
            PushFate.PROTECTED,
            id="a branch where a folder has to be",
        ),
        pytest.param(
            "!\tc:refs/heads/main\t[remote rejected] (directory file conflict)",
            "",
            PushFate.PROTECTED,
            id="a branch where a folder has to be, GitHub",
        ),
        pytest.param(
            "!\tc:refs/heads/main\t[remote rejected] (non-fast-forward)", "", PushFate.PROTECTED, id="no branch anew"
        ),
        pytest.param("!\tc:refs/heads/main\t[remote failure] (no report)", "", PushFate.UNKNOWN, id="no report"),
    ],
)
def test_a_status_line_tells_races_from_refusals(line: str, stderr: str, fate: PushFate) -> None:
    result = read_push(f"To https://h.test/a\n{line}\nDone\n", stderr, "main")
    assert result is not None
    assert result.fate is fate


def test_the_line_of_another_branch_says_nothing() -> None:
    assert read_push(" \tc:refs/heads/other\ta..b\n", "", "main") is None


def test_words_of_a_hook_are_shown_on_one_short_line() -> None:
    stdout = "!\tc:refs/heads/main\t[remote rejected] (pre-receive hook declined)\n"
    result = read_push(stdout, "remote: frozen\x1b[31m until\nremote: Monday" + "!" * 5000, "main")
    assert result is not None
    assert "frozen" in result.text
    assert "\x1b" not in result.text
    assert len(result.text) <= 300


def test_a_remote_that_unpacks_nothing_says_why() -> None:
    stderr = (
        "error: remote unpack failed: unable to create temporary object directory\nerror: failed to push some refs\n"
    )
    result = read_push("!\tc:refs/heads/main\t[remote rejected] (unpacker error)\n", stderr, "main")
    assert result is not None
    said = "[remote rejected] (unpacker error) remote unpack failed: unable to create temporary object directory"
    assert result.text == said


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_answer_crashes_the_reader(stdout: str, stderr: str) -> None:
    read_push(stdout, stderr, "main")
    failure_of(stderr, "pushing", otherwise="network")


@pytest.mark.parametrize(
    ("text", "code", "retryable"),
    [
        ("fatal: Authentication failed for 'https://h.test/a/'", "auth_failed", False),
        ("fatal: could not read Username for 'https://h.test': terminal prompts disabled", "auth_failed", False),
        ("git@h.test: Permission denied (publickey).", "auth_failed", False),
        ("error: RPC failed; HTTP 403 curl 22 The requested URL returned error: 403", "auth_failed", False),
        ("remote: Repository not found.\nfatal: repository 'https://h.test/a/' not found", "repo_not_found", False),
        ("Host key verification failed.\nfatal: Could not read from remote", "host_key_unknown", False),
        (
            "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
            "host_key_mismatch",
            False,
        ),
        ("fatal: unable to access: SSL certificate problem: self-signed certificate", "tls_failed", False),
        ("fatal: unable to access: Could not resolve host: h.test", "network", True),
        ("fatal: unable to access: The requested URL returned error: 503", "network", True),
        ("fatal: unable to access: The requested URL returned error: 429", "network", True),
        ("fatal: early EOF", "network", True),
        ("fatal: write error: No space left on device", "disk_failed", True),
        ("fatal: sha1 file 'objects/pack/tmp_idx_A' write error. Out of diskspace", "disk_failed", True),
        ("error: cannot update ref 'refs/heads/main': couldn't write 'refs/heads/main.lock'", "disk_failed", True),
        ("error: failed to write new configuration file config.lock", "disk_failed", True),
        ("error: index-pack died of signal 25\nfatal: index-pack failed", "disk_failed", True),
        ("remote: aborting due to possible repository corruption on the remote side.", "fetch_failed", False),
        ("fatal: mismatched algorithms: client sha1; server sha256", "fetch_failed", False),
        ("fatal: unable to access: The requested URL returned error: 302", "fetch_failed", False),
        ("error: object file objects/aa/bb is empty", "mirror_damaged", True),
        ("something nobody has seen", "fetch_failed", False),
    ],
)
def test_words_of_git_have_one_meaning(text: str, code: str, retryable: bool) -> None:  # noqa: FBT001 - a column of the table
    error = failure_of(text, "fetching", otherwise="fetch_failed")
    assert (error.code, error.retryable) == (code, retryable)


def test_a_flood_of_words_takes_no_time_and_hides_no_error() -> None:
    flood = b"remote: " + b"repository Remote branch " * 500_000
    began_s = time.process_time()
    error = failure_of(Finished(128, b"", flood + b"\nfatal: early EOF\n").complaint, "fetching", otherwise="x")
    assert (error.code, time.process_time() - began_s < 3) == ("network", True)


def test_refs_are_read_with_the_default_branch() -> None:
    one, two = "a" * 40, "b" * 40
    listing = f"ref: refs/heads/trunk\tHEAD\n{one}\tHEAD\n{two}\trefs/tags/v1\n".encode()
    refs = read_references(listing)
    assert refs.head == "refs/heads/trunk"
    assert dict(refs.refs) == {"refs/heads/trunk": one, "refs/tags/v1": two}


def test_a_name_that_holds_the_end_of_a_line_elsewhere_is_a_name() -> None:
    one, name = "a" * 40, "refs/heads/x\u2028\x85\u00a0y/refs/heads/main"
    listing = f"ref: {name}\tHEAD\n{one}\tHEAD\n{one}\t{name}\n{one}\trefs/heads/main\n".encode()
    refs = read_references(listing)
    assert (refs.head, sorted(refs.refs)) == (name, sorted([name, "refs/heads/main"]))


def test_an_empty_repository_has_no_refs() -> None:
    assert read_references(b"").refs == {}


def test_a_listing_of_another_shape_is_an_error() -> None:
    with pytest.raises(GitError):
        read_references(b"<html>login</html>\n")
