from __future__ import annotations

import subprocess

import pytest

from updater.rules.branch_names import NAME_LIMIT_BYTES, clean_branch_name, is_branch_name

_TEXTS = (
    *(
        "main",
        "release/1.x",
        "a-b",
        "ключ",
        "a@b",
        "{1}",
        "a.b",
        "a/b.locked",
        "HEAD",
        "",
        "a b",
        "a~1",
        "a^",
        "a:b",
    ),
    *(
        "a?",
        "a*",
        "a[",
        "a\\b",
        "a..b",
        "a.",
        ".a",
        "a/.b",
        "a.lock",
        "a/b.lock/c",
        "/a",
        "a/",
        "a//b",
        "-a",
        "a@{1}",
        "a\x7f",
    ),
)


@pytest.mark.parametrize("text", _TEXTS)
def test_names_are_judged_as_git_judges_them(text: str) -> None:
    git = subprocess.run(["git", "check-ref-format", "--branch", text], capture_output=True, check=False)
    assert is_branch_name(text) is (git.returncode == 0)


def test_a_name_that_git_reads_as_head_is_none() -> None:
    assert not is_branch_name("@")


@pytest.mark.parametrize("text", [*_TEXTS, "a.lock.", "-.a", "--/-/.x", ".lock", "a.lock.lock", "x" * 300, "é" * 200])
def test_a_cleaned_name_is_empty_or_taken_by_git(text: str) -> None:
    name = clean_branch_name(text, "0123456789")
    assert not name or is_branch_name(name)
    assert clean_branch_name(name, "0123456789") == name
    assert len(name.encode()) <= NAME_LIMIT_BYTES
