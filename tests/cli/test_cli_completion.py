"""``completion``: scripts written from the table of flags, tried in the shells themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from updater.cli.entry import run_program
from updater.settings.commands import COMMANDS
from updater.settings.table import options_of

BASH = shutil.which("bash") or ""


def script(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run_program(["completion", *words], {}) == 0
    return capsys.readouterr().out


def complete(text: str, *typed: str, folder: Path | None = None) -> list[str]:
    """What bash offers for a command line whose last word is being typed, split as bash splits it."""
    words = " ".join(f"'{word}'" for word in ("argocd-image-updater", *typed))
    ask = f'COMP_WORDS=({words}); COMP_CWORD={len(typed)}; _argocd_image_updater; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(
        [BASH, "--norc", "-c", f"{text}\n{ask}"], capture_output=True, text=True, timeout=50, check=True, cwd=folder
    )
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1] if done.stdout.strip() else []


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        pytest.param(("pl",), ["plan"], id="a command"),
        pytest.param(("run", "--once"), ["--once"], id="a flag"),
        pytest.param(("run", "--arg"), None, id="flags of a section"),
        pytest.param(("plan", "--che"), ["--check"], id="a flag of its own"),
        pytest.param(("run", "--che"), [], id="a flag of another command"),
        pytest.param(("doctor", "--dry"), ["--dry-run"], id="a borrowed flag"),
        pytest.param(("config", "--dry"), ["--dry-run"], id="a flag of run for config"),
        pytest.param(("run", "--mode", ""), ["cycle", "continuous"], id="the words of a flag"),
        pytest.param(("run", "--mode", "=", "con"), ["continuous"], id="after the sign"),
        pytest.param(("run", "--mode", "="), ["cycle", "continuous"], id="at the sign"),
        pytest.param(("run", "--interval", ""), [], id="a free value"),
        pytest.param(("help", "do"), ["doctor"], id="a command to explain"),
        pytest.param(("completion", "z"), ["zsh"], id="a shell"),
    ],
)
def test_bash_completes(capsys: pytest.CaptureFixture[str], typed: tuple[str, ...], expected: list[str] | None) -> None:
    found = complete(script(capsys, "bash"), *typed)

    if expected is None:
        flags = [option.name for option in options_of("run") if option.has_flag]
        expected = [f"--{name}" for name in flags if name.startswith("arg")]
    assert sorted(found) == sorted(expected)


def test_bash_completes_files_where_a_path_is_wanted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "my registries.conf").touch()

    assert complete(script(capsys, "bash"), "run", "--registries-conf-path", "my", folder=tmp_path) == [
        "my registries.conf"
    ]


def shell_program(name: str) -> str:
    program = shutil.which(name)
    if program is None:
        assert os.environ.get("UPDATER_REQUIRE_REAL") != "1", f"{name} has to be installed here"
        pytest.skip(f"{name} is not installed")
    return program


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        pytest.param("pl", ["plan"], id="a command"),
        pytest.param("plan --che", ["--check"], id="a flag of its own"),
        pytest.param("run --che", [], id="a flag of another command"),
        pytest.param("run --mode ", ["continuous", "cycle"], id="the words of a flag"),
        pytest.param("help do", ["doctor"], id="a command to explain"),
        pytest.param("completion z", ["zsh"], id="a shell"),
    ],
)
def test_fish_completes(capsys: pytest.CaptureFixture[str], tmp_path: Path, typed: str, expected: list[str]) -> None:
    path = tmp_path / "script"
    path.write_text(script(capsys, "fish"))
    ask = f"source {path}; complete -C 'argocd-image-updater {typed}'"
    done = subprocess.run(
        [shell_program("fish"), "--no-config", "-c", ask], capture_output=True, text=True, timeout=50, check=True
    )
    assert done.stderr == ""
    assert sorted(line.partition("\t")[0] for line in done.stdout.splitlines()) == expected


_ZSH_SESSION = r"""
zmodload zsh/zpty
zpty -b inner zsh -f -i
zpty -w inner "PS1=; unsetopt zle_bracketed_paste; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -d $1/dump"
zpty -w inner "argocd-image-updater() { print -r -- \"<\$*>\" }"
zpty -w inner "echo RE''ADY"
zpty -r inner seen '*READY*'
zpty -w -n inner "argocd-image-updater $2"$'\t\n'
zpty -r inner seen "*<$3>*"
zpty -d inner
"""
"""A shell within a shell, because zsh completes at a terminal only. What it
completes to is what the command is then started with; ends when that is seen."""


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        pytest.param("pl", "plan", id="a command"),
        pytest.param("plan --che", "plan --check", id="a flag of its own"),
        pytest.param("run --mode con", "run --mode continuous", id="the words of a flag"),
        pytest.param("completion z", "completion zsh", id="a shell"),
    ],
)
def test_zsh_completes(capsys: pytest.CaptureFixture[str], tmp_path: Path, typed: str, seen: str) -> None:
    (tmp_path / "_argocd-image-updater").write_text(script(capsys, "zsh"))
    session = tmp_path / "session.zsh"
    session.write_text(_ZSH_SESSION)
    words = [shell_program("zsh"), "-f", str(session), str(tmp_path), typed, seen]
    done = subprocess.run(words, capture_output=True, text=True, timeout=50, check=True)
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_every_script_knows_every_command_and_flag(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    text = script(capsys, shell)

    for command in COMMANDS:
        assert not command.is_built or command.name in text
        for option in options_of(command.name):
            flag = f"-l {option.name}" if shell == "fish" else f"--{option.name}"
            assert not option.has_flag or flag in text


@pytest.mark.parametrize("shell", ["zsh", "fish", "powershell"])
def test_descriptions_can_be_left_out(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    described = "Decide, and write nothing"
    assert described in script(capsys, shell)
    assert described not in script(capsys, shell, "--no-descriptions")


@pytest.mark.parametrize(("shell", "flags"), [("bash", ["-n"]), ("zsh", ["-n"]), ("fish", ["--no-execute"])])
def test_the_shell_itself_can_read_its_script(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, shell: str, flags: list[str]
) -> None:
    program = shell_program(shell)
    path = tmp_path / "script"
    path.write_text(script(capsys, shell))
    done = subprocess.run([program, *flags, str(path)], capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", [(), ("tcsh",), ("bash", "zsh")])
def test_anything_but_one_known_shell_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert run_program(["completion", *words], {}) == 1
    error, usage = capsys.readouterr().err.splitlines()
    assert "expected one of bash, zsh, fish, powershell" in error
    assert usage.startswith("Usage: argocd-image-updater completion bash|zsh|fish|powershell")
