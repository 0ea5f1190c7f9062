"""Templates and names of branches: any text is rendered or refused, never more."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from updater.errors import PlanError, UpdaterError
from updater.manifests.branches import BranchContext, render_write_branch
from updater.manifests.messages import clean_message, parse_message_template, render_message
from updater.manifests.template_data import TemplateChange
from updater.manifests.templates.evaluator import read_template, render_template
from updater.manifests.templates.functions import EXTENDED
from updater.manifests.templates.values import Record
from updater.manifests.tree_paths import TreeEntry, TreeKind, real_path
from updater.model.applications import ApplicationKey
from updater.rules.branch_names import NAME_LIMIT_BYTES, clean_branch_name, is_branch_name
from updater.rules.repository_paths import normalise_path

_PIECES = st.sampled_from(
    (
        *(
            "{{",
            "}}",
            "{{- ",
            " -}}",
            ".",
            ".AppName",
            ".Images",
            "$",
            "$x",
            "$x := ",
            "$x = ",
            "range ",
            "if ",
            "with ",
        ),
        *("else", "end", " ", '"a"', "`b`", "1", "-3", "0.5", "|", "(", ")", ",", "print ", "len ", "index ", "slice "),
        *(
            "eq ",
            "and ",
            "printf ",
            '"%5q"',
            '"%d"',
            "\n",
            "text",
            'define "q"',
            'template "q" ',
            "{{end}}",
            "{{else}}",
        ),
        *(
            "{{range .Images}}",
            "{{range $i, $e := .Images}}",
            "{{.Name}}",
            "{{if .}}",
            "{{break}}",
            "nil",
            "true",
            "/* */",
        ),
        *("lower ", "trunc ", "replace ", "default "),
    )
)
_TEMPLATES = st.one_of(st.lists(_PIECES, max_size=12).map("".join), st.text())
_CHANGES = st.lists(st.builds(TemplateChange, st.text(), st.text(), st.text(), st.text()), max_size=3)
_KEY = ApplicationKey("team", "shop")


@given(source=_TEMPLATES, changes=_CHANGES)
def test_any_template_is_rendered_or_refused(source: str, changes: list[TemplateChange]) -> None:
    data = Record({"AppName": "shop", "Images": tuple(change.for_branches() for change in changes)})
    with contextlib.suppress(PlanError):
        assert isinstance(render_template(read_template(source, EXTENDED), data, EXTENDED), str)


@given(text=st.text().filter(lambda text: "{{" not in text))
def test_text_without_braces_prints_itself(text: str) -> None:
    assert render_template(read_template(text), Record({})) == text


@given(source=_TEMPLATES, changes=_CHANGES)
def test_a_write_branch_is_a_name_that_git_takes(source: str, changes: list[TemplateChange]) -> None:
    with contextlib.suppress(PlanError):
        assert is_branch_name(render_write_branch(source, BranchContext(_KEY, "0a1b2c3d", changes)))


@given(text=st.one_of(st.text(), st.text(alphabet="a./-@{lock~ H", max_size=12), st.text(min_size=200)))
def test_cleaning_a_name_twice_changes_nothing(text: str) -> None:
    name = clean_branch_name(text, "0123456789abcdef")
    assert not name or is_branch_name(name)
    assert clean_branch_name(name, "0123456789abcdef") == name
    assert len(name.encode("utf-8", "surrogatepass")) <= NAME_LIMIT_BYTES


@given(changes=_CHANGES)
def test_a_message_is_never_empty(changes: list[TemplateChange]) -> None:
    message = render_message(parse_message_template("{{ range .AppChanges }}{{ .Image }}{{ end }}"), "shop", changes)
    assert message.cleaned.strip()


@given(text=st.text(alphabet="a# \t\n\r"))
def test_cleaning_a_message_twice_changes_nothing(text: str) -> None:
    assert clean_message(clean_message(text)) == clean_message(text)


_STEPS = st.sampled_from(("a", "b", "..", ".", "", ".git", "l"))
_PATHS = st.lists(_STEPS, min_size=1, max_size=6).map("/".join)


@given(path=_PATHS)
def test_a_normalised_path_is_inside_and_stays_as_it_is(path: str) -> None:
    with contextlib.suppress(PlanError):
        normal = normalise_path(path)
        assert normal == normalise_path(normal)
        assert not {"..", ".git", ""} & set(normal.split("/"))


@given(path=_PATHS, links=st.dictionaries(_PATHS, _PATHS, max_size=4))
def test_a_real_path_never_leaves_the_repository(path: str, links: dict[str, str]) -> None:
    tree = {link: TreeEntry(TreeKind.SYMLINK, target) for link, target in links.items()}
    with contextlib.suppress(UpdaterError):
        found = real_path(path, tree.get)
        assert found == normalise_path(found)
        assert found not in tree
