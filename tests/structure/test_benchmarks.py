"""Every measurement can be run and is explained."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS

ROOT = Path(__file__).resolve().parents[2]
SHARED = {"__init__", "__main__", "machine", "measuring", "peers"}


def test_every_module_that_measures_is_run_by_the_whole() -> None:
    modules = {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
    assert modules - SHARED == set(BENCHMARKS)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_has_a_main_and_its_place_in_the_page(name: str) -> None:
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert callable(import_module(f"benchmarks.{name}").main)
    assert f"python -m benchmarks.{name}`" in page
