"""Questions of git over the private socket: who gets an answer, and who does not."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from updater.git.askpass import AskPass, Login
from updater.git.askpass_helper import EXIT_FAILED, NONCE_VARIABLE, SOCKET_VARIABLE, main
from updater.ports.log import NullLog
from updater.transport.redaction import Secret

_LOGIN = Login("https", "h.test:8443", "bot", Secret("pass word"))


@pytest.fixture
def questions() -> Iterator[AskPass]:
    server = AskPass(NullLog())
    yield server
    server.close()


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("Username for 'https://h.test:8443': ", "bot"),
        ("Password for 'https://bot@h.test:8443': ", "pass word"),
        ("Password for 'https://bot@h.test:8443/acme/a': ", "pass word"),
    ],
)
def test_the_helper_prints_the_answer(questions: AskPass, prompt: str, answer: str) -> None:
    with questions.registered(_LOGIN) as environment:
        done = subprocess.run(
            [environment["GIT_ASKPASS"], prompt], env=dict(environment), capture_output=True, check=True
        )
    assert done.stdout.decode() == f"{answer}\n"


@pytest.mark.parametrize(
    "prompt",
    [
        pytest.param("Password for 'https://bot@evil.test:8443': ", id="other host"),
        pytest.param("Password for 'https://bot@h.test': ", id="other port"),
        pytest.param("Password for 'http://bot@h.test:8443': ", id="without TLS"),
        pytest.param("Password for 'https://h.test:8443@evil.test': ", id="host as user"),
        pytest.param("Enter passphrase for key '/x': ", id="another question"),
        pytest.param("", id="nothing"),
    ],
)
def test_questions_about_anything_else_are_refused(
    questions: AskPass, prompt: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with questions.registered(_LOGIN) as environment:
        assert main([prompt], environment) == EXIT_FAILED
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "pass word" not in shown.err


def test_a_nonce_is_worth_nothing_afterwards(questions: AskPass, capsys: pytest.CaptureFixture[str]) -> None:
    with questions.registered(_LOGIN) as environment:
        pass
    assert main(["Password for 'https://bot@h.test:8443': "], environment) == EXIT_FAILED
    assert capsys.readouterr().out == ""


def test_a_guessed_nonce_gets_no_answer(questions: AskPass, capsys: pytest.CaptureFixture[str]) -> None:
    with questions.registered(_LOGIN) as environment:
        guessed = {**environment, NONCE_VARIABLE: "0" * 32}
        assert main(["Password for 'https://bot@h.test:8443': "], guessed) == EXIT_FAILED
    assert capsys.readouterr().out == ""


def test_two_logins_at_once_are_kept_apart(questions: AskPass, capsys: pytest.CaptureFixture[str]) -> None:
    other = Login("https", "other.test", "", Secret("token"))
    with questions.registered(_LOGIN), questions.registered(other) as environment:
        assert main(["Username for 'https://other.test': "], environment) == 0
        assert main(["Username for 'https://h.test:8443': "], environment) == EXIT_FAILED
    assert capsys.readouterr().out == "x-access-token\n"


@pytest.mark.parametrize("value", ["", "two\nlines", "a\0b"])
def test_a_value_that_git_would_misread_is_not_given(questions: AskPass, value: str) -> None:
    with questions.registered(Login("https", "h.test", "bot", Secret(value))) as environment:
        assert main(["Password for 'https://bot@h.test': "], environment) == EXIT_FAILED


def test_nobody_else_can_reach_the_socket(questions: AskPass) -> None:
    with questions.registered(_LOGIN) as environment:
        path = Path(environment[SOCKET_VARIABLE])
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert path.parent.stat().st_uid == os.getuid()


@pytest.mark.parametrize("line", [b"", b"rubbish\n", b"[]\n", b'{"nonce": 1}\n', b"\xff\xfe\n", b"[" * 60_000 + b"\n"])
def test_rubbish_on_the_socket_harms_nobody(questions: AskPass, line: bytes) -> None:
    with questions.registered(_LOGIN) as environment:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(environment[SOCKET_VARIABLE])
            connection.sendall(line)
            connection.shutdown(socket.SHUT_WR)
            assert "error" in json.loads(connection.makefile("rb").readline())
        assert main(["Username for 'https://h.test:8443': "], environment) == 0


@pytest.mark.parametrize("arguments", [[], ["a", "b"]])
def test_the_helper_wants_one_argument(arguments: list[str]) -> None:
    assert main(arguments, {}) == EXIT_FAILED


def test_the_helper_alone_says_that_it_is_for_git(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["Username for 'https://h.test': "], {}) == EXIT_FAILED
    assert "for git to call" in capsys.readouterr().err


def test_closing_removes_the_folder() -> None:
    server = AskPass(NullLog())
    with server.registered(_LOGIN) as environment:
        folder = Path(environment[SOCKET_VARIABLE]).parent
    server.close()
    assert not folder.exists()
