"""The program as a process: help, version, usage errors, statuses, secrets."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from docs.generate import FLAGS_PAGE, flags_page
from tests.program import program_command
from updater import __version__
from updater.settings.places import BESIDE_ARGOCD_SERVER
from updater.settings.table import options_of

Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def program() -> Program:
    def run(*words: str, module: str = "updater.cli.entry", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*program_command(module), *words],
            env={"PATH": "/usr/bin:/bin", **environment},
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )

    return run


@pytest.mark.parametrize(
    "words",
    [
        pytest.param((), id="no command"),
        pytest.param(("--help",), id="the flag"),
        pytest.param(("-h",), id="the short flag"),
        pytest.param(("help",), id="the command"),
    ],
)
def test_the_help_of_the_program_lists_its_commands(program: Program, words: tuple[str, ...]) -> None:
    done = program(*words)
    assert (done.returncode, done.stderr) == (0, "")
    for command in ("run", "demo", "version", "help"):
        assert f"\n  {command} " in done.stdout


def test_help_of_a_command_equals_its_help_flag(program: Program) -> None:
    by_command, by_flag = program("help", "run"), program("run", "--once", "--help", "--nonsense")
    assert by_command.stdout == by_flag.stdout
    assert by_flag.returncode == 0


def test_help_names_every_flag_and_variable(program: Program) -> None:
    words = set(program("run", "--help").stdout.replace("(", " ").replace(")", " ").replace(",", " ").split())
    for option in options_of("run"):
        assert not option.has_flag or f"--{option.name}" in words
        assert not option.variable or option.variable in words


def test_the_page_of_flags_equals_the_table() -> None:
    assert FLAGS_PAGE.read_text(encoding="utf-8") == flags_page(), "run make docs"


def test_the_version_in_its_forms(program: Program) -> None:
    lines = program("version").stdout.splitlines()
    assert lines[0] == f"argocd-image-updater: v{__version__}+unknown"
    assert [line.split(":")[0] for line in lines[1:]] == [
        "  BuildDate",
        "  GitCommit",
        "  PythonVersion",
        "  PythonImplementation",
        "  Platform",
    ]
    assert program("version", "--short").stdout == f"v{__version__}+unknown\n"
    facts = json.loads(program("version", "--output=json").stdout)
    assert (facts["schemaVersion"], facts["version"]) == (1, f"v{__version__}+unknown")


@pytest.mark.parametrize("module", ["updater.cli.entry", "sidecar"])
def test_a_fresh_interpreter_starts_it_without_a_warning(module: str) -> None:
    words = [sys.executable, "-W", "error", "-m", module, *(["run"] if module != "sidecar" else []), "--nonsense"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[0] == "Error: unknown flag: --nonsense"


def test_the_version_imports_nothing_heavy(program: Program) -> None:
    code = (
        "import sys; from updater.cli.entry import run_program; run_program(['version'], {}); "
        "print(sorted({'click','rich','grpc','google','requests','urllib3','yaml','re2','logging','ssl'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("words", "fragment"),
    [
        pytest.param(("runn",), 'Error: unknown command "runn"', id="unknown command"),
        pytest.param(("run", "--nonsense"), "Error: unknown flag: --nonsense", id="unknown flag"),
        pytest.param(("run", "-once"), "Error: unknown shorthand flag", id="one dash"),
        pytest.param(("run", "--interval"), "Error: flag needs an argument: --interval", id="missing value"),
        pytest.param(("run", "--interval", "2d"), 'invalid argument "2d" for "--interval" flag', id="bad duration"),
        pytest.param(("run", "--dry-run=x"), 'invalid argument "x" for "--dry-run" flag', id="bad boolean"),
        pytest.param(
            ("version", "--interval", "1s"), "Error: unknown flag: --interval", id="a flag of another command"
        ),
        pytest.param(("help", "runn"), "Error: unknown command", id="help of nothing"),
    ],
)
def test_wrong_usage_says_so_with_the_usage_and_status_1(
    program: Program, words: tuple[str, ...], fragment: str
) -> None:
    done = program(*words)
    assert (done.returncode, done.stdout) == (1, "")
    error, usage = done.stderr.splitlines()
    assert fragment in error
    assert usage.startswith("Usage: argocd-image-updater ")


def test_the_flag_for_the_version_equals_the_command(program: Program) -> None:
    assert program("--version", "--short").stdout == f"v{__version__}+unknown\n"


def test_help_follows_the_width_of_the_terminal(program: Program) -> None:
    done = program("run", "--help", COLUMNS="80")
    assert 70 < max(map(len, done.stdout.splitlines())) <= 80


def test_doctor_and_plan_know_the_place_of_the_sidecar(program: Program) -> None:
    for command in ("doctor", "plan"):
        page = " ".join(program(command, "--help", module="sidecar").stdout.split())
        assert page.startswith(f"Usage: python -m sidecar {command} ")
        assert "(default localhost:8080, variable ARGOCD_SERVER)" in page


@pytest.mark.parametrize("words", [("--help",), ("run", "--help"), ("help", "run")], ids=" ".join)
def test_the_help_of_the_sidecar_has_its_own_defaults(program: Program, words: tuple[str, ...]) -> None:
    page = " ".join(program(*words, module="sidecar").stdout.split())
    assert page.startswith("Usage: python -m sidecar [flags]")
    for name, default in BESIDE_ARGOCD_SERVER.items():
        row = page.partition(f" --{name} ")[2].partition(" --")[0]
        assert f"(default {default}" in row, name


def test_a_command_that_is_the_same_everywhere_has_the_same_help_everywhere(program: Program) -> None:
    pages = {program(*words).stdout for words in (("webhook", "--help"), ("help", "webhook"))}
    pages |= {program(*words, module="sidecar").stdout for words in (("webhook", "--help"), ("help", "webhook"))}
    assert len(pages) == 1


@pytest.mark.parametrize(
    ("words", "redirection", "reason"),
    [
        pytest.param("version", ">&-", "Bad file descriptor", id="closed"),
        pytest.param("run --help", ">&-", "Bad file descriptor", id="help of a closed one"),
        pytest.param("version", ">/dev/full", "No space left on device", id="full"),
    ],
)
def test_a_result_that_cannot_be_written_is_one_line_and_status_1(words: str, redirection: str, reason: str) -> None:
    command = f"{sys.executable} -W error -m updater.cli.entry {words} {redirection}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stderr) == (1, f"Error: standard output cannot be written: {reason}\n")


def test_without_any_stream_the_status_still_tells(program: Program) -> None:
    command = f"{sys.executable} -W error -m updater.cli.entry version <&- >&- 2>&-"
    assert subprocess.run(["bash", "-c", command], timeout=50, check=False).returncode == 1


@pytest.mark.parametrize(
    ("words", "fragment"),
    [
        pytest.param(("run", "--once", "--mode", "z"), 'invalid argument "z" for "--mode"', id="a mode under once"),
        pytest.param(("run",), "could not create K8s client", id="no cluster"),
        pytest.param(("run",), "--applications-api argocd --disable-kubernetes", id="the way out"),
        pytest.param(("run", "--loglevel", "loud"), "invalid loglevel", id="level"),
    ],
)
def test_a_bad_setting_is_one_line_on_stderr_with_status_1(
    program: Program, words: tuple[str, ...], fragment: str
) -> None:
    done = program(*words)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert fragment in line


def test_the_sidecar_has_the_defaults_of_its_place(program: Program) -> None:
    done = program("--nonsense", module="sidecar")
    assert (done.returncode, done.stderr.splitlines()[0]) == (1, "Error: unknown flag: --nonsense")
    done = program("--once", "--metrics-port", "0", module="sidecar")
    assert "http://localhost:8080" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("--once", "--argocd-auth-token", "planted-1", "--loglevel", "loud"), id="another flag is bad"),
        pytest.param(("--once", "--argocd-header", "planted-2"), id="the header is bad"),
        pytest.param(("--once", "--argocd-header", "X: planted-3\n"), id="its value is bad"),
        pytest.param(("--argocd-auth-token=planted-4", "--config-dir=x"), id="the release lacks something"),
        pytest.param(("--quay-webhook-secret=planted-5", "--webhook-port=x"), id="the port is bad"),
        pytest.param(("--once", "--argocd-auth-tokn=planted-6"), id="the flag is misspelt"),
        pytest.param(("--once", "-argocd-auth-token=planted-7"), id="the flag has one dash"),
    ],
)
def test_a_secret_never_shows_in_an_error(program: Program, words: tuple[str, ...]) -> None:
    base = ("run", "--applications-api", "argocd", "--disable-kubernetes", "--loglevel", "trace")
    done = program(*base, *words, ARGOCD_TOKEN="planted-token", QUAY_WEBHOOK_SECRET="planted-hook")
    assert done.returncode == 1
    assert done.stderr
    assert "planted" not in done.stdout + done.stderr
