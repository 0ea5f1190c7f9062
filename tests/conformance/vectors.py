"""Reads the vector files: closed sets of fields and functions, unique ids, every file accounted for."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.conformance.exceptions import LATER_FILES

_ADAPTERS = "tests.conformance.adapters"
_FILE_FIELDS = {"about", "fields", "meta", "vectors"}
_REQUIRED = {"id", "fn", "in", "expect"}
_OPTIONAL = {"title", "note", "basis", "confidence", "decision", "upstream", "deviation"}


@dataclass(frozen=True, slots=True)
class Vector:
    """One behaviour: ``given`` is the field ``in`` of the file."""

    file: str
    id: str
    fn: str
    given: Any
    expect: Any
    title: str = ""

    @property
    def name(self) -> str:
        return f"{self.file}:{self.id}"


OWN_FOLDER = Path(__file__).parent.parent / "vectors"


def folder() -> Path:
    """The folder of the vectors: the project's own, or the one that ``UPDATER_VECTORS_DIR`` names."""
    return Path(os.environ.get("UPDATER_VECTORS_DIR") or OWN_FOLDER)


def vector_files(root: Path) -> list[str]:
    """Names of the vector files, without their suffix."""
    return sorted(path.stem for path in root.glob("*.json"))


def load_file(root: Path, name: str) -> list[Vector]:
    """The vectors of one file; raises ``ValueError`` for an unknown or missing field and for a repeated id."""
    document = json.loads((root / f"{name}.json").read_text("utf-8"))
    _check_fields(name, set(document), required={"vectors"}, known=_FILE_FIELDS)
    for row in document["vectors"]:
        _check_fields(f"{name}:{row.get('id')}", set(row), required=_REQUIRED, known=_REQUIRED | _OPTIONAL)
    repeated = [key for key, count in Counter(row["id"] for row in document["vectors"]).items() if count > 1]
    if repeated:
        raise ValueError(f"{name}: repeated ids {repeated}")
    return [
        Vector(name, row["id"], row["fn"], row["in"], row["expect"], row.get("title", ""))
        for row in document["vectors"]
    ]


def _check_fields(where: str, found: set[str], *, required: set[str], known: set[str]) -> None:
    if found - known or required - found:
        raise ValueError(f"{where}: unknown fields {sorted(found - known)}, missing {sorted(required - found)}")


def load_all(root: Path) -> list[Vector]:
    """Every vector whose file has an adapter; a file with neither adapter nor exception raises ``ValueError``."""
    adapted = [name for name in vector_files(root) if name not in LATER_FILES]
    missing = [name for name in adapted if find_adapter(name) is None]
    if missing:
        raise ValueError(f"vector files without adapter or exception: {missing}")
    return [vector for name in adapted for vector in load_file(root, name)]


def find_adapter(name: str) -> ModuleType | None:
    """The module that answers for one file, None when there is none."""
    if importlib.util.find_spec(f"{_ADAPTERS}.{name}") is None:
        return None
    return importlib.import_module(f"{_ADAPTERS}.{name}")


def answer(vector: Vector) -> tuple[Any, Any]:
    """What the project answers and what is expected, both reduced to what is compared."""
    adapter = find_adapter(vector.file)
    functions: Mapping[str, Callable[[Vector], Any]] = adapter.ADAPTERS if adapter else {}
    if vector.fn not in functions:
        raise LookupError(f"{vector.name}: no adapter for fn {vector.fn!r}")
    comparable = getattr(adapter, "comparable", lambda value: value)
    return comparable(functions[vector.fn](vector)), comparable(vector.expect)
