from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.ports.log import Field, NullLog
from updater.registry.contents import ConfigFacts, Facts, IndexEntry, IndexFacts, ManifestFacts
from updater.registry.object_disk import FILE_NAME, ObjectDisk
from updater.registry.object_rows import parse_row, render_row
from updater.rules.platforms import Platform

CONFIG = ConfigFacts(Platform("linux", "arm", "v7"), 1_767_225_600_123_456_789, None)


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


class Warnings(NullLog):
    def __init__(self) -> None:
        self.fields: list[dict[str, Field]] = []

    def warning(self, event: str, /, **fields: Field) -> None:
        self.fields.append({"event": event, **fields})


Open = Callable[..., ObjectDisk]


@pytest.fixture
def log() -> Warnings:
    return Warnings()


@pytest.fixture
def open_disk(tmp_path: Path, clock: Any, log: Warnings) -> Iterator[Open]:
    made: list[ObjectDisk] = []

    def make(folder: Path = tmp_path / "cache", **fields: Any) -> ObjectDisk:
        made.append(ObjectDisk(str(folder), clock, log, **fields))
        return made[-1]

    yield make
    for disk in made:
        disk.close()


def path_of(tmp_path: Path) -> Path:
    return tmp_path / "cache" / FILE_NAME


digests = st.integers(0, 2**256 - 1).map(digest)
moments = st.none() | st.integers(-(2**62), 2**62)
names = st.text(min_size=1, max_size=8)
platforms = st.none() | st.builds(Platform, names, names, st.text(max_size=4))
any_facts = (
    st.builds(ManifestFacts, digests, st.integers(0, 2**40), moments)
    | st.builds(ConfigFacts, platforms, moments, moments)
    | st.builds(
        IndexFacts, st.lists(st.builds(IndexEntry, digests, platforms, st.booleans()), max_size=4).map(tuple), moments
    )
)


@given(any_facts)
def test_a_row_reads_as_it_was_written(facts: Facts) -> None:
    assert parse_row(render_row(facts)) == facts


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(
    st.text()
    | st.tuples(st.sampled_from("imcx"), json_values, json_values).map(json.dumps)
    | st.binary()
    | st.integers()
)
def test_no_text_breaks_the_reader(text: object) -> None:
    parse_row(text)


@pytest.mark.parametrize(
    "row",
    [
        '["m",null,"sha256:../../x",2]',
        '["m","soon","sha256:' + "0" * 64 + '",2]',
        '["c",true,null,"linux","amd64",""]',
        '["c",1,null,"linux",7,""]',
        '["i",1,[["sha256:' + "0" * 64 + '","linux","amd64","","yes"]]]',
        '["x",1]',
        "[]",
        "{}",
        "[" * 10_000,
    ],
)
def test_a_row_that_means_nothing_is_no_fact(row: str) -> None:
    assert parse_row(row) is None


def test_facts_outlive_a_restart(open_disk: Open) -> None:
    disk = open_disk()
    disk.remember(digest(1), CONFIG)
    disk.note_repository("https://r.test/v2/app/tags/list")
    assert disk.recall(digest(1)) == CONFIG, "also before it is written"
    disk.close()
    again = open_disk()
    assert again.recall(digest(1)) == CONFIG
    assert again.recall(digest(2)) is None
    assert again.knows_repository("https://r.test/v2/app/tags/list")
    assert not again.knows_repository("https://r.test/v2/other/tags/list")


def test_the_file_is_ours_alone(open_disk: Open, tmp_path: Path) -> None:
    disk = open_disk()
    disk.remember(digest(1), CONFIG)
    disk.flush()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "cache").iterdir()}
    assert modes
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize(
    "content", [b"this is no database", b"SQLite format 3\0" + b"\xff" * 5_000], ids=["text", "torn"]
)
def test_a_broken_file_is_set_aside(open_disk: Open, tmp_path: Path, log: Warnings, content: bytes) -> None:
    (tmp_path / "cache").mkdir()
    path_of(tmp_path).write_bytes(content)
    disk = open_disk()
    assert [fields["goes_on_in"] for fields in log.fields] == ["file"]
    assert path_of(tmp_path).with_suffix(".broken").read_bytes() == content
    disk.remember(digest(1), CONFIG)
    disk.close()
    assert open_disk().recall(digest(1)) == CONFIG


def test_a_file_that_breaks_while_it_is_used_is_set_aside(open_disk: Open, tmp_path: Path, log: Warnings) -> None:
    disk = open_disk()
    for number in range(400):
        disk.remember(digest(number), CONFIG)
    disk.close()
    disk = open_disk()
    with path_of(tmp_path).open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    assert [disk.recall(digest(number)) for number in range(400)].count(CONFIG) < 400
    disk.remember(digest(1), CONFIG)
    disk.flush()
    assert disk.recall(digest(1)) == CONFIG
    assert log.fields


def test_a_row_nobody_can_read_is_a_miss(open_disk: Open, tmp_path: Path) -> None:
    open_disk().close()
    with sqlite3.connect(path_of(tmp_path)) as file:
        file.execute("INSERT INTO objects VALUES (?, ?, 0)", (digest(1), "nonsense"))
    file.close()
    assert open_disk().recall(digest(1)) is None


def test_rows_of_another_format_are_dropped(open_disk: Open, tmp_path: Path) -> None:
    disk = open_disk()
    disk.remember(digest(1), CONFIG)
    disk.close()
    with sqlite3.connect(path_of(tmp_path)) as file:
        file.execute("PRAGMA user_version = 99")
    file.close()
    assert open_disk().recall(digest(1)) is None


def test_without_a_usable_folder_there_is_only_memory(open_disk: Open, tmp_path: Path, log: Warnings) -> None:
    (tmp_path / "file").write_text("in the way")
    disk = open_disk(tmp_path / "file")
    disk.remember(digest(1), CONFIG)
    disk.flush()
    assert disk.recall(digest(1)) is None
    assert not disk.knows_repository("x")
    assert [(fields["event"], fields["goes_on_in"]) for fields in log.fields] == [("registry_cache_failed", "memory")]
    assert log.fields[0]["error"] == "a file is where the folder should be"


def test_the_least_recently_used_rows_go_first(open_disk: Open, clock: Any) -> None:
    disk = open_disk(max_rows=10)
    for number in range(10):
        disk.remember(digest(number), CONFIG)
    disk.flush()
    clock.at_s += 86_400 * 2
    assert disk.recall(digest(0)) == CONFIG
    disk.remember(digest(99), CONFIG)
    disk.flush()
    left = [number for number in [*range(10), 99] if disk.recall(digest(number)) is not None]
    assert left == [0, *range(3, 10), 99]
