from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from updater.errors import WriteBackError
from updater.manifests.edits import YamlFile
from updater.manifests.reading import EVENT_LIMIT, NESTING_LIMIT
from updater.manifests.values_file import ValueWrite, edit_values


def _edited(text: str, edit: Callable[[YamlFile], None]) -> str:
    file = YamlFile(text, "some.yaml")
    edit(file)
    return file.text


@pytest.mark.parametrize(
    ("before", "path", "after"),
    [
        pytest.param("a: # c\n", (0,), "a: v # c\n", id="nothing before a comment"),
        pytest.param("- \n- x\n", (0,), "- v \n- x\n", id="nothing behind a dash"),
        pytest.param("{a: , b: }", (1,), "{a: , b: v}", id="nothing in a flow mapping"),
        pytest.param("a: &x !!str 1 # c\n", (0,), "a: &x !!str v # c\n", id="anchor and tag"),
        pytest.param("a: &x # c\nb: 1\n", (0,), "a: &x v # c\nb: 1\n", id="an anchor of nothing"),
        pytest.param("a: !!str\n  1\n", (0,), "a: !!str\n  v\n", id="a tag on the line above"),
        pytest.param("a: !own 1\n", (0,), "a: !own v\n", id="somebody's own tag"),
        pytest.param("a: |+\n  x\n\nb: 1\n", (0,), "a: v\n\nb: 1\n", id="a block scalar that keeps lines"),
        pytest.param("a: >-\n  x\n  y\nb: 1\n", (0,), "a: v\nb: 1\n", id="a folded scalar"),
        pytest.param("a: x\n  y\nb: 1\n", (0,), "a: v\nb: 1\n", id="a plain scalar on two lines"),
        pytest.param('{"a": 1}', (0,), '{"a": "v"}', id="JSON stays JSON"),
        pytest.param("\ufeffa: 1\r\nb: 2\r\n", (0,), "\ufeffa: v\r\nb: 2\r\n", id="byte order mark and CRLF"),
        pytest.param("%YAML 1.1\n---\na: 1\n...\n", (0,), "%YAML 1.1\n---\na: v\n...\n", id="directive and markers"),
        pytest.param("# é\na: 'ü' # ☃\n", (0,), "# é\na: 'v' # ☃\n", id="characters of several bytes"),
    ],
)
def test_only_the_scalar_changes(before: str, path: tuple[int, ...], after: str) -> None:
    assert _edited(before, lambda file: file.set_string(path, "v")) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("a: 1 # c\n# end\n", 'a: 1 # c\nx: "on"\n# end\n', id="before comments at the end"),
        pytest.param("s: |+\n  a\n\n", 's: |+\n  a\n\nx: "on"\n', id="behind kept blank lines"),
        pytest.param(
            "s: |\n  a\n     \n# c", 's: |\n  a\n     \nx: "on"\n# c', id="behind blanks that belong to a value"
        ),
        pytest.param("s: |\n  a\n\n\n", 's: |\n  a\nx: "on"\n\n\n', id="before blank lines that mean nothing"),
        pytest.param("a: 1", 'a: 1\nx: "on"', id="no final newline"),
        pytest.param("? a\n? b\n: c\n", '? a\n? b\n: c\nx: "on"\n', id="explicit keys"),
        pytest.param("{}", '{x: "on"}', id="empty flow mapping"),
        pytest.param("{a}", '{a, x: "on"}', id="flow mapping with a bare key"),
        pytest.param("---", '---\nx: "on"', id="a marker alone"),
        pytest.param("---\n# c\n---\n", '---\n# c\nx: "on"\n---\n', id="an empty first document"),
        pytest.param("a: &m\n  b: 1\n", 'a: &m\n  b: 1\nx: "on"\n', id="behind a nested mapping"),
        pytest.param("a:\r\n- b\r\n", 'a:\r\n- b\r\nx: "on"\r\n', id="CRLF"),
    ],
)
def test_a_new_entry_goes_behind_the_last_one(before: str, after: str) -> None:
    assert _edited(before, lambda file: file.add_entry((), "x", "on")) == after


@pytest.mark.parametrize(
    ("before", "index", "after"),
    [
        pytest.param("a:\n# first\n- b\n- c\n", 0, "a:\n- v\n# first\n- b\n- c\n", id="comments stay with their item"),
        pytest.param("a:\n- b # c\n# d\n- c\n", 1, "a:\n- b # c\n- v\n# d\n- c\n", id="between two"),
        pytest.param("a:\n  - b\n", 1, "a:\n  - b\n  - v\n", id="indented list"),
        pytest.param("a: [] # c\n", 0, "a: # c\n- v\n", id="an empty list becomes a block"),
        pytest.param("a: [b]\n", 0, "a: [v, b]\n", id="flow list"),
        pytest.param("a:\n- - b # x\n  - c\n", 0, "a:\n- v\n- - b # x\n  - c\n", id="before a nested list"),
        pytest.param("a: # c\n", 0, "a: # c\n- v\n", id="null"),
    ],
)
def test_a_new_item_goes_to_its_place(before: str, index: int, after: str) -> None:
    assert _edited(before, lambda file: file.add_item((0,), index, "v")) == after


@pytest.mark.parametrize(
    ("before", "path", "index", "after"),
    [
        pytest.param("- d: x\n  n: app\n", (0,), 0, "- n: app\n", id="first behind a dash"),
        pytest.param("- d: x # o\n  # keep\n  n: app\n", (0,), 0, "-\n  # keep\n  n: app\n", id="comment below it"),
        pytest.param("n: x # o\n# keep\nd: app", (), 1, "n: x # o\n# keep", id="last line without newline"),
        pytest.param("d: |\n  a\n  b\nn: x\n", (), 0, "n: x\n", id="all its lines"),
        pytest.param("a: {b: 1 , c: 2}\n", (0,), 1, "a: {b: 1}\n", id="last in flow"),
        pytest.param("a: {b: 1 , c: 2}\n", (0,), 0, "a: {c: 2}\n", id="first in flow"),
    ],
)
def test_an_entry_is_removed_with_its_lines(before: str, path: tuple[int, ...], index: int, after: str) -> None:
    assert _edited(before, lambda file: file.remove_entry(path, index)) == after


@pytest.mark.parametrize(
    ("text", "edit", "code"),
    [
        pytest.param("a: !!int 5\n", lambda file: file.set_string((0,), "v"), "not_a_scalar", id="number by tag"),
        pytest.param("a: [1]\n", lambda file: file.set_string((0,), "v"), "not_a_scalar", id="list as a value"),
        pytest.param("? b\n", lambda file: file.set_string((0,), "v"), "internal_edit_error", id="key without colon"),
        pytest.param("[a: b]", lambda file: file.add_entry((0,), "x", "y"), "internal_edit_error", id="pair in a list"),
        pytest.param("a: 1\n", lambda file: file.remove_entry((), 0), "not_a_mapping", id="the only entry"),
        pytest.param("a: 1\n", lambda file: file.add_item((0,), 0, "x"), "not_a_list", id="item of a number"),
        pytest.param("a: &x {b: *x}\nc: *y\n", lambda file: file.follow((1,)), "not_a_scalar", id="unknown anchor"),
    ],
)
def test_what_does_not_fit_is_refused_and_the_text_stays(
    text: str, edit: Callable[[YamlFile], object], code: str
) -> None:
    file = YamlFile(text, "some.yaml")
    with pytest.raises(WriteBackError) as caught:
        edit(file)
    assert (caught.value.code, file.text) == (code, text)
    assert caught.value.where.startswith("some.yaml:1") or caught.value.where.startswith("some.yaml:2")


def test_a_parse_error_names_file_and_line() -> None:
    with pytest.raises(WriteBackError) as caught:
        YamlFile("a: 1\nb: [\nc: {{ x }}\n", "apps/values.yaml")
    assert caught.value.code == "parse_error"
    assert caught.value.where.startswith("apps/values.yaml:")


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_ends_at_once(opening: str) -> None:
    started = time.process_time()
    with pytest.raises(WriteBackError, match=str(NESTING_LIMIT)):
        YamlFile(opening * 100_000, "deep.yaml")
    assert time.process_time() - started < 5


@pytest.mark.slow
def test_a_file_of_too_many_values_is_refused() -> None:
    with pytest.raises(WriteBackError, match=str(EVENT_LIMIT)) as caught:
        YamlFile("a: [" + "a," * EVENT_LIMIT + "a]\n", "large.yaml")
    assert caught.value.code == "parse_error"


@pytest.mark.parametrize("text", ["\0", "a: \x07", "\ud800", "a: \ud800\n"])
def test_texts_that_are_no_yaml_are_parse_errors(text: str) -> None:
    with pytest.raises(WriteBackError) as caught:
        YamlFile(text, "bad.yaml")
    assert caught.value.code == "parse_error"


def test_five_thousand_lines_are_edited_in_a_moment() -> None:
    block = "svc{0}:\n  image:\n    repository: ghcr.io/acme/app{0}  # c\n    tag: v1.{0}\n  replicas: 3\n"
    text = "".join(block.format(number) for number in range(1000))
    writes = [ValueWrite("svc500.image.tag", "v2")]
    durations = []
    for _ in range(3):
        started = time.process_time()
        edited = edit_values(text, writes, "values.yaml")
        durations.append(time.process_time() - started)
    assert edited.text == text.replace("tag: v1.500\n", "tag: v2\n")
    assert min(durations) < 4.0  # seconds of CPU; measured: 0.08, and 0.2 on a busy machine
