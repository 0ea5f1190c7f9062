"""Every vector, by its id, against the project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conformance import adapters
from tests.conformance.exceptions import EXCEPTIONS, LATER_FILES
from tests.conformance.vectors import (
    OWN_FOLDER,
    Vector,
    answer,
    find_adapter,
    folder,
    load_all,
    load_file,
    vector_files,
)

_ROOT = folder()
_VECTORS = load_all(_ROOT)


@pytest.mark.parametrize("vector", [v for v in _VECTORS if v.name not in EXCEPTIONS], ids=lambda vector: vector.name)
def test_vector_holds(vector: Vector) -> None:
    actual, expected = answer(vector)
    assert actual == expected, vector.given


def test_exceptions_are_still_needed() -> None:
    held = [vector.name for vector in _VECTORS if vector.name in EXCEPTIONS and _holds(vector)]
    assert held == [], "these hold: remove them from the list"


def _holds(vector: Vector) -> bool:
    try:
        actual, expected = answer(vector)
    except Exception:  # noqa: BLE001 - not being able to answer at all is what the list is for
        return False
    return actual == expected


def test_every_file_is_read_or_listed_as_later() -> None:
    files = set(vector_files(_ROOT))
    assert files <= _adapted() | set(LATER_FILES)
    assert sorted(_adapted() & set(LATER_FILES)) == [], "files with an adapter are still listed in exceptions.py"


def test_our_own_folder_is_complete() -> None:
    files = set(vector_files(OWN_FOLDER))
    assert set(LATER_FILES) <= files, "the list names files that do not exist"
    assert _adapted() <= files, "an adapter has no file"
    assert set(EXCEPTIONS) <= {vector.name for vector in load_all(OWN_FOLDER)}


def test_every_exception_has_a_reason() -> None:
    assert all((*EXCEPTIONS.values(), *LATER_FILES.values()))


def _adapted() -> set[str]:
    return {path.stem for path in Path(adapters.__file__).parent.glob("*.py")} - {"__init__"}


def test_later_files_are_well_formed() -> None:
    assert all(load_file(OWN_FOLDER, name) for name in LATER_FILES)


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
