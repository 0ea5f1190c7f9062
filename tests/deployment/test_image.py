"""The Dockerfile, read and followed: there is no engine here that could build it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest

from tests.deployment.documents import ROOT, find, load
from updater import __version__

INSTRUCTION = re.compile(r"(?P<word>[A-Z]+)\s+(?P<rest>.*)")
COMMIT, DATE = "0123456789abcdef0123456789abcdef01234567", "2026-11-20T00:00:00Z"
PINNED = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>[^ ;\\]+)")


def instructions() -> list[tuple[str, str]]:
    """Word and rest of each instruction, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    found = [INSTRUCTION.fullmatch(line) for line in lines]
    assert all(found), lines
    return [(match["word"], " ".join(match["rest"].split())) for match in found if match]


def rests(word: str) -> list[str]:
    return [rest for other, rest in instructions() if other == word]


def copied() -> list[str]:
    """What is copied from the working tree."""
    return [name for rest in rests("COPY") if "--from=" not in rest for name in rest.split()[:-1]]


def locked(path: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Name to version and hashes, of a file of pinned requirements."""
    text = (ROOT / path).read_text().replace("\\\n", " ")
    lines = [(PINNED.match(line), line) for line in text.splitlines()]
    return {
        match["name"]: (match["version"], frozenset(re.findall(r"sha256:[0-9a-f]{64}", line)))
        for match, line in lines
        if match
    }


def test_every_stage_starts_from_one_base_that_a_digest_can_replace() -> None:
    assert rests("ARG")[0] == "BASE=docker.io/library/python:3.13-slim-trixie"
    assert rests("FROM") == ["${BASE} AS build", "${BASE}"]


def test_it_runs_as_the_user_of_the_manifests() -> None:
    pod = find(load("install.yaml"), "Deployment")["spec"]["template"]["spec"]["securityContext"]
    assert rests("USER") == [f"{pod['runAsUser']}:{pod['runAsGroup']}"]
    words = [word for word, _ in instructions()]
    assert "RUN" not in words[words.index("USER") :]


def test_its_labels_say_what_it_was_built_from() -> None:
    (labels,) = rests("LABEL")
    assert 'image.revision="${GIT_COMMIT}"' in labels
    assert 'image.created="${BUILD_DATE}"' in labels
    words = instructions()
    stage = words[words.index(("FROM", "${BASE}")) :]
    declared = [rest.partition("=")[0] for word, rest in stage[: stage.index(("LABEL", labels))] if word == "ARG"]
    assert declared == ["GIT_COMMIT", "BUILD_DATE"], "an argument holds in its own stage only"


def test_it_starts_without_a_shell_and_below_an_init() -> None:
    assert json.loads(rests("ENTRYPOINT")[0]) == ["/usr/bin/tini", "--", "argocd-image-updater"]
    assert json.loads(rests("CMD")[0]) == ["run"]


def test_it_has_the_programs_that_the_updater_calls() -> None:
    (install,) = [rest for rest in rests("RUN") if "apt-get" in rest]
    for package in ("ca-certificates", "connect-proxy", "git", "gnupg", "gpgsm", "openssh-client", "tini"):
        assert f" {package} " in install


def test_what_it_copies_is_there_and_passes_the_list_of_exceptions() -> None:
    exceptions = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for name in copied():
        assert (ROOT / name).exists()
        assert any(Path(name).match(exception) for exception in exceptions), name
    assert len(exceptions) == len(copied()) - 1


@pytest.mark.parametrize("path", ["config/image/requirements.txt", "config/image/build-requirements.txt"])
def test_it_installs_the_versions_that_were_tested(path: str) -> None:
    tested = locked("requirements/dev.txt")
    installed = locked(path)
    assert installed
    for name, (version, hashes) in installed.items():
        assert hashes
        assert tested.get(name, (version, hashes)) == (version, hashes)


def test_it_installs_everything_that_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(text for extra in project["optional-dependencies"].values() for text in extra),
    ]
    names = [re.split(r"[<>=~]", text)[0] for text in wanted]
    assert len(names) > 15
    assert set(names) <= set(locked("config/image/requirements.txt"))


@pytest.mark.slow
def test_what_it_copies_becomes_a_program_that_knows_its_build(tmp_path: Path) -> None:
    source = tmp_path / "src"
    for name in copied():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name)
        else:
            shutil.copy(ROOT / name, source / name)
    wheel = _follow_the_build(source)
    program = _install(wheel, tmp_path / "installed")

    said = _run(program, "version")
    assert f"v{__version__}+{COMMIT[:7]}" in said
    assert DATE in said
    python = program.with_name("python")
    place = _run(python, "-c", "import updater, sidecar, generated; print(updater.__file__)")
    assert place.startswith(str(tmp_path / "installed"))
    assert "Usage" in _run(python, "-m", "sidecar", "--help")


def _run(*words: str | Path) -> str:
    """What a program writes, in an environment and a folder from which no other copy of the project can be found."""
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=100, env={"PATH": os.defpath}, cwd="/", check=True
    )
    return done.stdout


def _follow_the_build(source: Path) -> Path:
    """The wheel that the last step of the build stage makes, with its own commands."""
    (step,) = [rest for rest in rests("RUN") if rest.startswith("sed")]
    stamp, build, *_ = [part.strip() for part in step.split("&&")]
    environment = {"PATH": "/usr/bin:/bin", "GIT_COMMIT": COMMIT, "BUILD_DATE": DATE}
    subprocess.run(["sh", "-ec", stamp], cwd=source, env=environment, check=True, timeout=30)
    words = shlex.split(build)
    assert words[0] == "/opt/build/bin/python"
    subprocess.run([sys.executable, *words[1:]], cwd=source, check=True, capture_output=True, timeout=100)
    (wheel,) = (source / "dist").glob("*.whl")
    return wheel


def _install(wheel: Path, folder: Path) -> Path:
    """The program in an environment of its own, which borrows the installed libraries: nothing is fetched."""
    venv.create(folder, with_pip=False)
    (packages,) = folder.glob("lib/python*/site-packages")
    installer = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install"]
    words = [*installer, "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)]
    subprocess.run(words, check=True, capture_output=True, timeout=100)
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "argocd-image-updater"
