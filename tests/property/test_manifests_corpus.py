"""Files that people wrote: every YAML file that comes with the installed packages is edited in many places."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from updater.errors import WriteBackError
from updater.manifests.edits import YamlFile
from updater.manifests.nodes import Mapping, Node, NodePath, Scalar, Sequence, walk

_FILES = 300
_SIZE_BYTES = 200_000
_SECONDS = 8.0
_EDITS = 4


def _corpus() -> Iterator[tuple[str, str]]:
    """Names and texts; at least those of this project."""
    roots = [Path(__file__).parents[2] / part for part in (".github", "config", "docs", ".pre-commit-config.yaml")]
    roots += [Path(part) for part in sys.path if part.endswith("site-packages")]
    found = (path for root in roots for path in ([root] if root.is_file() else sorted(root.rglob("*.y*ml"))))
    for path in list(found)[:_FILES]:
        content = path.read_bytes()
        if len(content) <= _SIZE_BYTES:
            yield str(path), content.decode("utf-8", "replace")


def test_files_of_installed_packages_are_edited_in_place() -> None:
    chooser = random.Random(4)  # noqa: S311 - the same places in every run
    ends = time.monotonic() + _SECONDS
    edited = 0
    for name, text in _corpus():
        if time.monotonic() > ends:
            break
        nodes = _nodes(name, text)
        for path, node in chooser.sample(nodes, min(_EDITS, len(nodes))):
            edited += _edit_one(YamlFile(text, name), path, node)
    assert edited, "no file was found to edit"


def _nodes(name: str, text: str) -> list[tuple[NodePath, Node]]:
    """Everything in the file; nothing when it is no YAML, as templates of YAML are not."""
    try:
        return list(walk(YamlFile(text, name).root))
    except WriteBackError:
        return []


def _edit_one(file: YamlFile, path: NodePath, node: Node) -> int:
    before = file.text
    match node:
        case Scalar() if path and not node.tag:
            file.set_string(path, "1.20")
            assert file.text.startswith(before[: node.span.start])
            assert file.text.endswith(before[node.span.end :])
        case Mapping():
            file.add_entry(path, "new.key", {"a": "1.0", "b": ["no"]})
            if node.entries:
                file.remove_entry(path, len(node.entries))
                assert file.text == before
        case Sequence():
            file.add_item(path, 0, {"a": "1.0"})
            file.add_item(path, len(node.items) + 1, "x")
        case _:
            return 0
    return 1


def test_the_projects_own_files_parse() -> None:
    names = [name for name, _ in _corpus() if "site-packages" not in name]
    if not names:
        pytest.skip("the project has no YAML files")
    for name in names:
        YamlFile(Path(name).read_text("utf-8"), name)
