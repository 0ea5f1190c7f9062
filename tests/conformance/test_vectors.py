"""Every vector, by its id, against the project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conformance import adapters
from tests.conformance.exceptions import EXCEPTIONS, LATER_FILES
from tests.conformance.vectors import Vector, answer, find_adapter, folder, load_all, load_file, vector_files

_ROOT = folder()
_VECTORS = load_all(_ROOT)


@pytest.mark.parametrize("vector", [v for v in _VECTORS if v.name not in EXCEPTIONS], ids=lambda vector: vector.name)
def test_vector_holds(vector: Vector) -> None:
    actual, expected = answer(vector)
    assert actual == expected, vector.given


@pytest.mark.parametrize("vector", [v for v in _VECTORS if v.name in EXCEPTIONS], ids=lambda vector: vector.name)
def test_exception_is_still_needed(vector: Vector) -> None:
    try:
        actual, expected = answer(vector)
    except Exception:  # noqa: BLE001 - not being able to answer at all is what the list is for
        return
    assert actual != expected, f"{vector.name} holds: remove it from the list"


def test_every_file_is_read_or_listed_as_later() -> None:
    files = set(vector_files(_ROOT))
    adapted = {path.stem for path in Path(adapters.__file__).parent.glob("*.py")} - {"__init__"}
    assert set(LATER_FILES) <= files, "the list names files that do not exist"
    assert adapted <= files, "an adapter has no file"
    assert sorted(adapted & set(LATER_FILES)) == [], "files with an adapter are still listed in exceptions.py"
    assert files == adapted | set(LATER_FILES)


def test_every_exception_names_a_vector_and_a_reason() -> None:
    assert set(EXCEPTIONS) <= {vector.name for vector in _VECTORS}
    assert all((*EXCEPTIONS.values(), *LATER_FILES.values()))


@pytest.mark.parametrize("name", sorted(LATER_FILES))
def test_later_files_are_well_formed(name: str) -> None:
    assert load_file(_ROOT, name)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param({"surprise": 1}, "unknown fields", id="unknown field"),
        pytest.param({"id": "first"}, "repeated ids", id="repeated id"),
        pytest.param({"fn": None}, "missing", id="missing field"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path: Path, change: dict[str, object], complaint: str) -> None:
    row: dict[str, object] = {"id": "first", "fn": "f", "in": 1, "expect": 1}
    second = {key: value for key, value in {**row, "id": "second", **change}.items() if value is not None}
    (tmp_path / "sample.json").write_text(json.dumps({"vectors": [row, second]}))
    with pytest.raises(ValueError, match=complaint):
        load_file(tmp_path, "sample")


def test_a_file_without_adapter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "unheard_of.json").write_text(json.dumps({"vectors": []}))
    with pytest.raises(ValueError, match="unheard_of"):
        load_all(tmp_path)


def test_an_unknown_function_is_refused() -> None:
    assert find_adapter("duration") is not None
    with pytest.raises(LookupError, match="sing"):
        answer(Vector("duration", "x", "sing", "1s", {}))
