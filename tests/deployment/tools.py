"""Programs that check manifests. Absent ones skip a test, or fail it where they have to be there.

``UPDATER_DEPLOYMENT_TOOLS`` names the folder that ``tests.deployment.install_tools`` filled; without it only the search
path is looked through. With ``UPDATER_REQUIRE_REAL=1`` absence is a failure: of Debian's packages always, of what Go
builds where Go is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest

FOLDER = os.environ.get("UPDATER_DEPLOYMENT_TOOLS", "")
LIMIT_S = 200


def need_built(name: str) -> str:
    """The path of a program that Go builds."""
    found = shutil.which(name, path=os.pathsep.join((FOLDER, os.environ.get("PATH", os.defpath))))
    return found or _miss_built(name)


def need_schemas() -> list[Path]:
    """The folders of schemas, one per release of Kubernetes."""
    folders = sorted((Path(FOLDER) / "schemas").iterdir()) if FOLDER and (Path(FOLDER) / "schemas").is_dir() else []
    return folders or _miss_built("schemas for kubeconform")


def need_packaged(name: str, package: str) -> str:
    """The path of a program of a Debian package."""
    found = shutil.which(name)
    if found is None:
        _miss(f"needs {name} of the Debian package {package}", is_expected=True)
    return found


def run_tool(words: Sequence[str], text: str = "", status: int = 0) -> str:
    """What a program writes, its complaints included; fails unless it ends with ``status``."""
    done = subprocess.run(
        words, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == status, done.stdout
    return done.stdout


def render(words: Sequence[str]) -> str:
    """The standard output of a program that makes manifests; fails unless it succeeds."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _miss_built(name: str) -> NoReturn:
    has_go = shutil.which("go") is not None
    _miss(f"needs {name}: python -m tests.deployment.install_tools FOLDER", is_expected=has_go)


def _miss(reason: str, *, is_expected: bool) -> NoReturn:
    if is_expected and os.environ.get("UPDATER_REQUIRE_REAL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
