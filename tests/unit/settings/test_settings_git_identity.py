"""Name and mail address of commits: what git would make of them, asked of git itself."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from updater.errors import ConfigurationError
from updater.settings.git_identity import as_git_writes
from updater.settings.model import Platform
from updater.settings.resolution import resolve_command_line

_BASE = ["run", "--applications-api", "argocd", "--disable-kubernetes"]
_IDENTITY = re.compile(r"(?P<name>.*) <(?P<email>.*)> \d+ [+-]\d{4}\n", re.DOTALL)
_TEXTS = [
    "bot",
    "a b",
    "no-at",
    "<x>",
    "Jane <jane@h.test>",
    ".,:;a'\"\\",
    "'bot@h.test'",
    "bot@h.test.",
    "a,b;c",
    "a\x01b",
    "\x01a",
    "a\x7f",
    "ü@h.test",
    "a. <b>",
]


def remarks(**environment: str) -> list[str]:
    resolution = resolve_command_line(_BASE, environment, Platform())
    return [warned.text for warned in resolution.warnings if warned.kind == "bad_git_identity"]


def ident(name: str, email: str) -> subprocess.CompletedProcess[str]:
    own = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": email, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        ["git", "var", "GIT_AUTHOR_IDENT"],
        env={"PATH": os.environ["PATH"], **own},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("text", _TEXTS, ids=ascii)
def test_what_git_makes_of_a_name_and_an_address_is_foreseen(text: str) -> None:
    found = _IDENTITY.fullmatch(ident(text, text).stdout)
    assert found is not None
    assert (found["name"], found["email"]) == (as_git_writes(text), as_git_writes(text))


@pytest.mark.parametrize("name", [".", "<>", "' '", ",;"])
def test_a_name_that_git_refuses_is_refused_at_the_start(name: str) -> None:
    assert ident(name, "bot@h.test").returncode == 128
    with pytest.raises(ConfigurationError) as caught:
        remarks(GIT_COMMIT_USER=name)
    assert (caught.value.code, caught.value.where) == ("bad_git_identity", "variable GIT_COMMIT_USER")


@pytest.mark.parametrize("variable", ["GIT_COMMIT_USER", "GIT_COMMIT_EMAIL"])
def test_what_no_process_can_be_handed_is_refused(variable: str) -> None:
    with pytest.raises(ConfigurationError, match="NUL"):
        remarks(**{variable: "a\0b"})


@pytest.mark.parametrize(
    ("email", "fragment"),
    [
        pytest.param("a b", "'a b': it is no mail address", id="a blank"),
        pytest.param("no-at", "'no-at': it is no mail address", id="no at sign"),
        pytest.param("a\x01@h.test", "it is no mail address", id="a control character"),
        pytest.param("a\n@h.test", "git makes 'a @h.test' of it", id="a line end"),
        pytest.param("<x>", "'<x>': git makes 'x' of it; give the bare address", id="brackets"),
        pytest.param("Jane <jane@h.test>", "git makes 'Jane jane@h.test' of it", id="a name before it"),
        pytest.param(".", "git makes '' of it", id="nothing left"),
    ],
)
def test_an_address_by_which_nobody_is_told_is_a_warning_that_names_its_setting(email: str, fragment: str) -> None:
    (text,) = remarks(GIT_COMMIT_EMAIL=email)
    assert text.startswith("variable GIT_COMMIT_EMAIL ")
    assert fragment in text


@pytest.mark.parametrize("email", ["bot@h.test", " bot@h.test ", "", "12345+bot@users.noreply.h.test", "bot@localhost"])
def test_an_address_that_is_one_is_not_remarked(email: str) -> None:
    assert remarks(GIT_COMMIT_EMAIL=email) == []


def test_a_name_that_git_writes_otherwise_is_a_warning() -> None:
    assert "git makes 'Jane jane@h.test' of it" in remarks(GIT_COMMIT_USER="Jane <jane@h.test>")[0]
    assert remarks(GIT_COMMIT_USER="Image Updater (prod)") == []
