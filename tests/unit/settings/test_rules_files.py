"""Rules from files and folders: what is read, every problem named, hostile text bounded."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.errors import ConfigurationError
from updater.planning.documents_choice import RuleBook
from updater.settings.rules_files import MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES, RuleFiles, load_rules
from updater.settings.rules_yaml import MAX_DEPTH, MAX_VALUES, Unread, YamlProblem, read_yaml

_ROOT = Path(__file__).parents[3]

_DOCUMENT = """\
apiVersion: argocd-image-updater.argoproj.io/v1alpha1
kind: ImageUpdater
metadata:
  name: {name}
spec:
  applicationRefs:
  - namePattern: shop
    images:
    - alias: web
      imageName: acme/web:{constraint}
"""


def _text(name: str = "rules", constraint: str = "1.x") -> str:
    return _DOCUMENT.format(name=name, constraint=constraint)


def _names(rules: RuleBook) -> list[str]:
    return [document.name for document in rules.documents]


def _refusal(*paths: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_rules(map(str, paths))
    assert caught.value.code == "rules_invalid"
    return str(caught.value)


def test_no_path_means_no_rules() -> None:
    assert load_rules(()).documents == ()


def test_a_file_holds_several_documents(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(f"---\n{_text('a')}---\n# nothing\n---\n{_text('b')}...\n")
    rules = load_rules([str(file)])
    assert _names(rules) == ["a", "b"]
    assert rules.documents[1].origin == f"{file} document 3 (line 15)"


def test_of_a_folder_the_files_by_their_suffix_are_read(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "c.json", "d.txt", ".e.yaml"):
        (tmp_path / name).write_text(_text(f"from-{name[0]}"))
    (tmp_path / "folder.yaml").mkdir()
    assert _names(load_rules([str(tmp_path)])) == ["from-a", "from-b", "from-c"]


def test_a_mounted_config_map_is_read_through_its_links(tmp_path: Path) -> None:
    version = tmp_path / "..2026_11_20"
    version.mkdir()
    (version / "rules.yaml").write_text(_text())
    (tmp_path / "..data").symlink_to(version)
    (tmp_path / "rules.yaml").symlink_to(Path("..data/rules.yaml"))
    assert _names(load_rules([str(tmp_path)])) == ["rules"]


def test_json_is_read(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    file.write_text(
        '{\n\t"apiVersion": "argocd-image-updater.argoproj.io\\/v1alpha1", "kind": "ImageUpdater",\n'
        '\t"metadata": {"name": "j"}, "spec": {"applicationRefs": [{"namePattern": "*", "useAnnotations": true}]}\n}'
    )
    assert _names(load_rules([str(file)])) == ["j"]


def test_a_path_named_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(_text())
    assert _names(load_rules([str(tmp_path), str(tmp_path)])) == ["rules"]


def test_every_problem_is_named_by_file_document_and_field(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"{_text('a')}---\n{_text('b').replace('alias', 'alais')}")
    (tmp_path / "b.yaml").write_text("kind: [\n")
    (tmp_path / "c.yaml").write_text("# empty")
    refusal = _refusal(tmp_path)
    assert (
        f"{tmp_path}/a.yaml document 2 (line 12): spec.applicationRefs[0].images[0]: unknown field 'alais'" in refusal
    )
    assert "did you mean 'alias'?" in refusal
    assert f"{tmp_path}/b.yaml: line 2: did not find" in refusal
    assert f"{tmp_path}/c.yaml: it holds no document" in refusal


def test_many_problems_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("---\n".join(_text(f"d{number}").replace("ImageUpdater", "Image") for number in range(50)))
    refusal = _refusal(file)
    assert refusal.count("expected 'ImageUpdater'") == 20
    assert refusal.endswith("and 30 more")


def test_two_documents_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(_text("same"))
    assert f"'same' is also the name of {tmp_path}/a.yaml document 1" in _refusal(tmp_path)


def test_paths_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    names = ("latin.yaml", "pipe", "folder", "missing")
    refusal = _refusal(*(tmp_path / name for name in names))
    for name, text in zip(names, ("not UTF-8", "neither", "holds no file", "No such file"), strict=True):
        assert re.search(rf"/{name}: [^;]*{text}", refusal), refusal


def test_the_files_together_are_bounded(tmp_path: Path) -> None:
    for number in range(MAX_TOTAL_BYTES // MAX_FILE_BYTES + 2):
        (tmp_path / f"{number}.yaml").write_text("#" * MAX_FILE_BYTES)
    assert f"{MAX_TOTAL_BYTES} bytes in all" in _refusal(tmp_path)


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    for number in range(MAX_FILES + 1):
        (tmp_path / f"{number}.yaml").touch()
    assert f"more than {MAX_FILES} files" in _refusal(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("#" * (MAX_FILE_BYTES + 1), f"larger than {MAX_FILE_BYTES} bytes", id="large"),
        pytest.param("[" * 500_000, f"deeper than {MAX_DEPTH} levels", id="deep list"),
        pytest.param("{a: " * 200_000, f"deeper than {MAX_DEPTH} levels", id="deep mapping"),
        pytest.param(
            "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}' if n else 'x'] * 10)}]\n" for n in range(9)),
            f"more than {MAX_VALUES} values",
            id="aliases that unfold",
        ),
        pytest.param("a: &a [*a]", "names nothing that ends before it", id="alias of itself"),
        pytest.param("a: 1\nb: {c: 1, c: 2}", "line 2: the key 'c' stands there twice", id="repeated key"),
        pytest.param("a: &a {b: c}\nd:\n  <<: *a", "line 3: merge keys are not supported", id="merge key"),
        pytest.param("? [a]\n: b", "a key is a mapping or list", id="key that is a list"),
        pytest.param("a: &a b\n*a : c", "a key is an alias", id="key that is an alias"),
        pytest.param("a: \0", "characters that no text file has", id="control character"),
        pytest.param("!!python/object/apply:os.system [id]", "found a list", id="object"),
        pytest.param("a: " + "1" * 1_000_000, "unknown field 'a'", id="long number"),
    ],
)
def test_hostile_text_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(text)
    refusal = _refusal(file)
    assert expected in refusal
    assert len(refusal) < 2000


@pytest.mark.slow
def test_ten_thousand_documents_are_read(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("---\n".join(_text(f"d{number:05}") for number in range(10_000)))
    assert len(load_rules([str(file)]).documents) == 10_000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True),
        ("False", False),
        ("~", None),
        ('"yes"', "yes"),
        ("!!str yes", "yes"),
        ("1.0", Unread("float")),
        ("007", Unread("int")),
        ("2026-11-20", Unread("timestamp")),
        ("!secret x", Unread("!secret")),
        ("1.x", "1.x"),
        ("[a, {b: }]", ["a", {"b": None}]),
        ("a: &x [b]\nc: *x", {"a": ["b"], "c": ["b"]}),
    ],
)
def test_scalars_are_what_yaml_takes_them_for(text: str, value: object) -> None:
    (document,) = read_yaml(text)
    assert document.value == value


@given(st.text(alphabet="ab:-[]{}&*!|>'\"?# \n\t,<~1\x00", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(YamlProblem):
        assert all(document.line >= 1 for document in read_yaml(text))


def test_a_change_is_followed(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(_text("a"))
    files = RuleFiles([str(tmp_path)])
    assert not files.refresh()
    file.write_text(_text("b"))
    assert files.refresh()
    assert _names(files.current) == ["b"]


def test_a_bad_change_keeps_the_rules_and_is_reported_once(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(_text("a"))
    files = RuleFiles([str(tmp_path)])
    file.write_text("kind: [\n")
    with pytest.raises(ConfigurationError, match=r"rules\.yaml: line 2: did not find"):
        files.refresh()
    assert not files.refresh()
    assert _names(files.current) == ["a"]


def test_a_file_that_is_gone_keeps_the_rules(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(_text("a"))
    files = RuleFiles([str(file)])
    file.unlink()
    with pytest.raises(ConfigurationError, match="No such file"):
        files.refresh()
    assert _names(files.current) == ["a"]


def test_the_first_reading_must_succeed(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        RuleFiles([str(tmp_path / "missing.yaml")])


def test_the_example_loads() -> None:
    assert _names(load_rules([str(_ROOT / "config" / "rules-example.yaml")])) == ["tools", "shop"]


def test_the_examples_of_the_page_load(tmp_path: Path) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", (_ROOT / "docs" / "rules.md").read_text("utf-8"), re.DOTALL)
    assert len(examples) >= 2
    for number, example in enumerate(examples):
        (tmp_path / f"{number}.yaml").write_text(example)
    assert len(load_rules([str(tmp_path)]).documents) == len(examples)
