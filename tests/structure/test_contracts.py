"""Each import contract has to fail on a planted violation before it is trusted."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("updater", "sidecar", "generated")

VIOLATIONS = {
    "floors": ("updater/model/references.py", "from updater.rules import selection"),
    "pure": ("updater/rules/globs.py", "import socket"),
    "protobuf": ("updater/engine/facts.py", "import google.protobuf"),
    "people": ("updater/assembly/runtime.py", "import rich"),
    "ports": ("updater/writeback/fields.py", "from updater.argocd import client"),
    "sidecar": ("sidecar/__init__.py", "from updater.registry import client"),
    "git": ("updater/engine/facts.py", "import gitdb"),
    "metrics": ("updater/registry/client.py", "import prometheus_client"),
    "jobs": ("updater/engine/engine.py", "import apscheduler"),
}


def run_contracts(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    linter = Path(sys.executable).with_name("lint-imports")
    command = [str(linter), "--no-cache", "--config", str(folder / "pyproject.toml"), *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=50, check=False)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_every_contract_has_a_planted_violation() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    contracts = {line.split('"')[1] for line in text.splitlines() if line.startswith("id = ")}

    assert contracts == set(VIOLATIONS)


def test_every_contract_holds(house: Path) -> None:
    kept = run_contracts(house)
    assert kept.returncode == 0, kept.stdout


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_a_contract_fails_on_its_planted_violation(house: Path, contract: str) -> None:
    name, line = VIOLATIONS[contract]
    planted = house / name
    original = planted.read_text()
    planted.write_text(f"{original}\n{line}\n")
    try:
        broken = run_contracts(house, "--contract", contract)
    finally:
        planted.write_text(original)

    assert broken.returncode == 1
    assert "BROKEN" in broken.stdout
