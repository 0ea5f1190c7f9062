"""Files that people and programs wrote: every YAML file of the project and of all installed packages is edited.

Packages bring few YAML files and a thousand of JSON, which is YAML in flow style; those are edited in the slow run.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import yaml

from updater.errors import WriteBackError
from updater.manifests.edits import YamlFile
from updater.manifests.nodes import Mapping, Node, NodePath, Scalar, Sequence, walk

PROJECT = Path(__file__).parents[2]
PLACES = [Path(part) for part in sys.path if part.endswith("site-packages")]
_OURS = (".ci", ".github", "config", "deploy", "docs", "examples", "tests", ".pre-commit-config.yaml")
_EDITS = 4
"""In one file; a file with fewer nodes is edited at each."""
_EDITS_OF_MANY = 2
_LARGE_BYTES = 100_000


def _files(roots: list[Path], *suffixes: str) -> Iterator[tuple[str, str]]:
    """Names and texts of all files below the roots with one of the suffixes."""
    for root in roots:
        found = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.suffix in suffixes)
        for path in found:
            yield str(path), path.read_bytes().decode("utf-8", "replace")


def _own_files() -> list[tuple[str, str]]:
    return list(_files([PROJECT / name for name in _OURS], ".yaml", ".yml"))


def test_every_yaml_file_of_the_project_and_of_packages_is_edited_in_place() -> None:
    assert _edited([*_own_files(), *_files(PLACES, ".yaml", ".yml")], _EDITS) > 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_json_file_of_packages_is_edited_in_place() -> None:
    assert _edited(_files(PLACES, ".json"), _EDITS_OF_MANY) > 0


def _edited(files: Iterable[tuple[str, str]], edits: int) -> int:
    """Edit each file in several places, each time from its first state; how many files that were."""
    chooser = random.Random(4)  # noqa: S311 - the same places in every run
    count = 0
    for name, text in files:
        nodes = _nodes(name, text)
        most = min(edits if len(text) <= _LARGE_BYTES else 1, len(nodes))
        for path, node in chooser.sample(nodes, most):
            _edit_one(YamlFile(text, name), path, node)
        count += bool(nodes)
    return count


def _nodes(name: str, text: str) -> list[tuple[NodePath, Node]]:
    """Everything in the file; nothing when it is no YAML for PyYAML either, as templates of YAML are not."""
    try:
        return list(walk(YamlFile(text, name).root))
    except WriteBackError:
        with pytest.raises(yaml.YAMLError):
            _events(text)
        return []


def _edit_one(file: YamlFile, path: NodePath, node: Node) -> None:
    before = file.text
    match node:
        case Scalar() if path and not node.tag:
            file.set_string(path, "1.20")
            head, tail = before[: node.span.start], before[node.span.end :]
            assert file.text.startswith(head)
            assert file.text.endswith(tail)
            _assert_one_value_differs(before, file.text)
        case Mapping():
            file.add_entry(path, "new.key", {"a": "1.0", "b": ["no"]})
            if node.entries:
                file.remove_entry(path, len(node.entries))
                assert file.text == before
        case Sequence():
            file.add_item(path, 0, {"a": "1.0"})
            file.add_item(path, len(node.items) + 1, "x")
        case _:
            return


def _assert_one_value_differs(before: str, after: str) -> None:
    """As PyYAML reads it."""
    differing = [(old, new) for old, new in zip(_events(before), _events(after), strict=True) if old != new]
    assert [new[1] for _, new in differing] in ([], ["1.20"])


def _events(text: str) -> list[tuple[type, object, object]]:
    """What is in a text: kinds of events with their values and anchors."""
    return [
        (type(event), getattr(event, "value", None), getattr(event, "anchor", None))
        for event in yaml.parse(text, Loader=yaml.CSafeLoader)
    ]


def test_the_projects_own_files_parse() -> None:
    names = [name for name, _ in _own_files() if "/templates/" not in name]
    assert names
    for name in names:
        YamlFile(Path(name).read_text("utf-8"), name)
