"""Edits of YAML: only the target changes, every reader gets the intended value, and a second edit changes nothing."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from updater.errors import WriteBackError
from updater.manifests.edits import YamlFile
from updater.manifests.kustomization import edit_kustomization
from updater.manifests.nodes import Mapping as MappingNode
from updater.manifests.nodes import Scalar, walk
from updater.manifests.override_file import OverrideFile, edit_override_file
from updater.manifests.override_seed import OverrideSeed
from updater.manifests.scalars import render_string
from updater.manifests.values_file import ValueWrite, edit_values
from updater.model.applications import SourceKind
from updater.model.changes import HelmParameterEdit, KustomizeImageEdit

_WORDS = st.sampled_from(
    ("a", "image", "tag", "on", "1.20", "null", "x-y", "é", "app.example.com/v", "010", "2024-05-01")
)
_TEXTS = st.one_of(_WORDS, st.text(max_size=20))
_LEAVES = st.one_of(_TEXTS, st.integers(-9, 9), st.booleans(), st.none())
_KEYS = st.text(alphabet="abcdefgh", min_size=1, max_size=4)
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=4)),
    max_leaves=15,
)
_ROOTS = st.dictionaries(_KEYS, _TREES, min_size=1, max_size=4)

_PIECES = st.sampled_from(
    (
        *(
            "a",
            "b",
            "image",
            "tag",
            "images",
            "name",
            "newTag",
            "helm",
            "parameters",
            "value",
            "v1",
            "1.0",
            "é",
            "\u2028",
        ),
        *(
            ":",
            ": ",
            " ",
            "  ",
            "\n",
            "\r\n",
            "\t",
            "- ",
            "? ",
            "{",
            "}",
            "[",
            "]",
            ",",
            "'",
            '"',
            "#c",
            "&x ",
            "*x",
            "~",
        ),
        *("|\n", "|+\n", ">-\n", "!!str ", "---\n", "...\n", "%YAML 1.2\n", "<<: ", "\0", "\ufeff"),
    )
)
_HEADS = ("", "image:\n  tag: ", "images:\n- name: a\n  ", "helm:\n  parameters:\n  - name: a\n    ", "{image: {tag: ")
_SCRAPS = st.tuples(st.sampled_from(_HEADS), st.lists(_PIECES, max_size=14)).map(lambda two: two[0] + "".join(two[1]))


@st.composite
def _files(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A file as people have them: any layout, comments and blank lines in between, and what a reader gets from it."""
    root = draw(_ROOTS)
    line_break = draw(st.sampled_from(("\n", "\r\n")))
    text = yaml.safe_dump(
        root,
        default_flow_style=draw(st.sampled_from((False, None, True))),
        default_style=draw(st.sampled_from((None, "'", '"', "|"))),
        indent=draw(st.sampled_from((2, 4))),
        width=draw(st.sampled_from((20, 1000))),
        explicit_start=draw(st.booleans()),
        allow_unicode=draw(st.booleans()),
        line_break=line_break,
        sort_keys=False,
    )
    if draw(st.booleans()):
        text = f"# héader\n\n{text}\n\n# footer\n".replace("\r\n", "\n").replace("\n", line_break)
    return text, yaml.safe_load(text)


def _read_1_2(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(io.StringIO(text))


def _value_at(root: Any, path: tuple[int, ...]) -> Any:
    for step in path:
        root = list(root.values())[step] if isinstance(root, Mapping) else root[step]
    return root


@given(file=_files(), value=_TEXTS, data=st.data())
def test_setting_a_scalar_changes_that_scalar_only(
    file: tuple[str, dict[str, Any]], value: str, data: st.DataObject
) -> None:
    text, root = file
    opened = YamlFile(text, "f.yaml")
    scalars = [(path, node) for path, node in walk(opened.root) if isinstance(node, Scalar) and path]
    path, node = data.draw(st.sampled_from(scalars)) if scalars else ((), None)
    if node is None or node.tag:
        return
    opened.set_string(path, value)
    head, tail = text[: node.span.start], text[node.span.end :]
    assert opened.text.startswith(head)
    assert opened.text.endswith(tail)
    assert _value_at(yaml.safe_load(opened.text), path) == value
    once = opened.text
    opened.set_string(path, value)
    assert opened.text == once
    _assert_others_stay(root, yaml.safe_load(once), path)


def _assert_others_stay(before: Any, after: Any, path: tuple[int, ...]) -> None:
    """Both trees are equal everywhere but at the path."""
    if not path:
        return
    step, rest = path[0], path[1:]
    old, new = (list(tree.items()) if isinstance(tree, Mapping) else list(enumerate(tree)) for tree in (before, after))
    assert [item for index, item in enumerate(old) if index != step] == [
        item for index, item in enumerate(new) if index != step
    ]
    _assert_others_stay(old[step][1], new[step][1], rest)


@given(file=_files(), data=st.data())
def test_an_added_entry_is_read_back_and_removing_it_restores_the_text(
    file: tuple[str, dict[str, Any]], data: st.DataObject
) -> None:
    text, _ = file
    opened = YamlFile(text, "f.yaml")
    mappings = [(path, node) for path, node in walk(opened.root) if isinstance(node, MappingNode)]
    path, node = data.draw(st.sampled_from(mappings))
    value = data.draw(_TEXTS)
    opened.add_entry(path, "new key", {"v": value, "list": [value]})
    assert _value_at(yaml.safe_load(opened.text), path)["new key"] == {"v": value, "list": [value]}
    if node.entries:
        opened.remove_entry(path, len(node.entries))
        assert opened.text == text


@given(value=st.text(), style=st.sampled_from(("", "'", '"', "|")), in_flow=st.booleans())
def test_a_rendered_string_is_that_string_for_readers_of_both_versions(
    value: str, style: str, *, in_flow: bool
) -> None:
    rendered = render_string(value, style=style, in_flow=in_flow)
    text = f"[{rendered}]" if in_flow else f"- {rendered}\n"
    assert yaml.safe_load(text) == [value]
    assert _read_1_2(text) == [value]


@given(value=_TEXTS)
def test_a_tag_in_a_values_file_is_that_string_for_readers_of_both_versions(value: str) -> None:
    text = "# c\nimage:\n  name: x # y\n  tag: 1.2.3 # z\nother: [1, 2]\n"
    edited = edit_values(text, [ValueWrite("image.tag", value)], "v.yaml").text
    for read in (yaml.safe_load, _read_1_2):
        assert read(edited) == {"image": {"name": "x", "tag": value}, "other": [1, 2]}


@given(text=st.one_of(_SCRAPS, st.text()), value=_TEXTS)
def test_no_text_ends_in_anything_but_an_edit_or_a_refusal(text: str, value: str) -> None:
    """And what was edited once needs no second edit."""
    writes = [ValueWrite("image.tag", value), ValueWrite("images[0].name", value)]
    image = [KustomizeImageEdit("", "a:1.0")]
    parameters = [HelmParameterEdit("b", value)]
    target = OverrideFile("f.yaml", SourceKind.HELM)
    for edit in (
        lambda before: edit_values(before, writes, "f.yaml"),
        lambda before: edit_kustomization(before, image, "f.yaml"),
        lambda before: edit_override_file(before, parameters, OverrideSeed(), target),
    ):
        try:
            edited = edit(text)
        except WriteBackError:
            continue
        assert not edit(edited.text).is_changed
