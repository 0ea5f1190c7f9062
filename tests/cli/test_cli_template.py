"""``template`` and the hidden ``ask-pass``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from updater.cli.entry import run_program
from updater.git.askpass import AskPass, Login
from updater.ports.log import NullLog
from updater.transport.redaction import Secret

_OLD = "sha256:01d09d19c2139a46aebfb577780d123d7396e97201bc7ead210a2ebff8239dee"
_NEW = "sha256:7aa7a5359173d05b63cfd682e3c38487f3cb4f7f1d60659fe59fab1505977d4c"


def test_without_a_path_the_built_in_template_is_shown() -> None:
    command = [sys.executable, "-W", "error", "-m", "updater.cli.entry", "template"]
    done = subprocess.run(command, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "build: automatic update of example-app",
        "",
        "updates image example/example tag '1.0.0' to '1.0.1'",
        f"updates image example/updater tag '{_OLD}' to '{_NEW}'",
        "",
    ]


def test_the_template_of_a_file_is_rendered_and_ends_with_one_more_newline(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "commit.template"
    path.write_text("chore({{ .AppName }}): {{ len .AppChanges }} images")
    assert run_program(["template", str(path)], {}) == 0
    assert capsys.readouterr().out == "chore(example-app): 2 images\n"


def test_the_example_of_the_documentation_shows_labels_of_the_image_that_has_some(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "git-write-back.md").read_text()
    path = tmp_path / "commit.template"
    path.write_text(page.partition("## Labels of images")[2].split("```")[1].lstrip())
    assert run_program(["template", str(path)], {}) == 0
    revision = "4f9ac1b2d3e4f5061728394a5b6c7d8e9fa0b1c2"
    assert capsys.readouterr().out.split("\n\n")[1:3] == [
        f"example/example 1.0.0 -> 1.0.1\nsource: https://git.example.com/example/example/commit/{revision}",
        f"example/updater {_OLD} -> {_NEW}",
    ]


def test_extended_functions_are_known_when_they_are_switched_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "commit.template"
    path.write_text("{{ upper .AppName }}")
    assert run_program(["template", str(path)], {}) == 1
    assert "upper" in capsys.readouterr().err
    assert run_program(["template", str(path), "--git-template-functions", "extended"], {}) == 0
    assert run_program(["template", str(path)], {"GIT_TEMPLATE_FUNCTIONS": "extended"}) == 0
    assert capsys.readouterr().out == "EXAMPLE-APP\n" * 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "no such file or directory", id="no file"),
        pytest.param(b"{{ range }", "line 1, column 10: could not parse commit message template: ", id="syntax"),
        pytest.param(b"{{ .Nope }}", "the template gives no message", id="unknown variable"),
        pytest.param(b"{{ if false }}x{{ end }}", "the template printed nothing", id="nothing printed"),
        pytest.param(b"\xff\xfe", "it is not UTF-8", id="bytes"),
        pytest.param(b"x" * 65_537, "it is larger than 65536 bytes", id="size"),
    ],
)
def test_a_template_of_no_use_is_one_line_and_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, said: str
) -> None:
    path = tmp_path / "commit.template"
    if content is not None:
        path.write_bytes(content)
    assert run_program(["template", str(path)], {}) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err
    assert len(shown.err.splitlines()) == 1


def test_a_second_path_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_program(["template", "a", "b"], {}) == 1
    assert "at most one template" in capsys.readouterr().err


@pytest.fixture
def asked() -> Iterator[dict[str, str]]:
    """What git's environment would hold, while a login is registered."""
    questions = AskPass(NullLog())
    with questions.registered(Login("https", "h.test", "bot", Secret("pa ss"))) as environment:
        yield dict(environment)
    questions.close()


@pytest.mark.parametrize("name", ["ask-pass", "askpass"])
def test_ask_pass_prints_the_answer_to_a_prompt(
    asked: dict[str, str], capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert run_program([name, "Password for 'https://bot@h.test': "], asked) == 0
    assert capsys.readouterr().out == "pa ss\n"


def test_the_name_in_the_environment_makes_the_program_answer_whatever_its_arguments_say(
    asked: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    asked["ARGOCD_BINARY_NAME"] = "argocd-git-ask-pass"
    assert run_program(["Username for 'https://h.test': "], asked) == 0
    assert capsys.readouterr().out == "bot\n"
    assert run_program(["run", "--once"], asked) == 20


@pytest.mark.parametrize(
    ("words", "removed"),
    [
        pytest.param(["Password for 'https://other.test': "], "", id="another host"),
        pytest.param(["Pin for 'https://h.test': "], "", id="another question"),
        pytest.param([], "", id="no prompt"),
        pytest.param(["Password for 'https://bot@h.test': ", "x"], "", id="two prompts"),
        pytest.param(["Password for 'https://bot@h.test': "], "ARGOCD_GIT_ASKPASS_NONCE", id="no nonce"),
        pytest.param(["Password for 'https://bot@h.test': "], "ARGOCD_ASK_PASS_SOCK", id="no socket"),
    ],
)
def test_ask_pass_without_an_answer_says_why_and_ends_with_20(
    asked: dict[str, str], capsys: pytest.CaptureFixture[str], words: list[str], removed: str
) -> None:
    asked.pop(removed, "")
    assert run_program(["ask-pass", *words], asked) == 20
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("ask-pass: ")


def test_ask_pass_is_not_listed(capsys: pytest.CaptureFixture[str]) -> None:
    run_program(["help"], {})
    assert "ask" not in capsys.readouterr().out
