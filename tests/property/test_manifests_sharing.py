"""Several edits of one file that are read together: byte for byte, and error for error, what they give one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.git.bench import intent_for
from updater.errors import UpdaterError
from updater.manifests.override_seed import OverrideSeed
from updater.manifests.readings import RefusedTogether, SharedText, text_of
from updater.manifests.values_file import ValueWrite
from updater.model.applications import SourceKind
from updater.model.changes import HelmParameterEdit, KustomizeImageEdit
from updater.model.git_targets import TargetFile
from updater.writeback.git_edits import Staged, edit_file, wants_more
from updater.writeback.git_intents import (
    FileEditor,
    GitIntent,
    kustomization_editor,
    override_editor,
    values_editor,
)

_WHERE = "shared.yaml"
_EXAMPLES = 60
"""Of each test, because each is many edits."""
_NAMES = ("a", "b", "c", "d", "on", "é")
_VALUES = st.sampled_from(
    (
        "v1",
        "v2",
        "1.20",
        "null",
        "on",
        "010",
        "a: b",
        "x#y",
        "x #y",
        "'",
        '"',
        "ü",
        "",
        "-",
        "{",
        "2.0\n",
        " v",
        "\u2028",
    )
)
_FORMS = st.sampled_from(
    (
        *("1.0", "v1", "'v1'", '"v1"', "", "~", "null", "!!str 1", "!own v", "!!int 5", "&x v1", "*x", "&y {tag: 1}"),
        *("|\n    v1\n", "|+\n    v1\n\n", ">-\n    v1\n    v2", "v1\n    v2", "'v1\n    v2'", "{tag: v1, d: }"),
        *('{"tag":"v1"}', "[v1, v2]", "[]", "{}", "[a: 1]", "\n    tag: v1  # c\n    d:", "\n    - v1\n    - tag: v2"),
        *("v1 # c", "- x", "v1\n? lost", "1.0\nb: 2.0", "*y", "\n  - v1", "\n    <<: *y\n    d: 1"),
    )
)
_HEADS = st.sampled_from(
    ("", "---\n", "# é\n\n", "%YAML 1.1\n---\n", "---\n---\n", "{}\n---\n", "\ufeff", "x: &x v0\n")
)
_TAILS = st.sampled_from(("", "...\n", "---\na: other\n", "# end", "\n\n", "z: [1"))


@st.composite
def _texts(draw: st.DrawFn) -> str:
    """A file with six keys and another six below ``n``, in any form that there is, sometimes in several documents."""
    line_break = draw(st.sampled_from(("\n", "\r\n", "\n", "\x85")))
    entries = [f"{name}: {draw(_FORMS)}\n" for name in _NAMES[: draw(st.integers(0, 6))]]
    nested = [f"  {name}: {draw(_FORMS)}\n" for name in _NAMES[: draw(st.integers(0, 6))]]
    below = "n:\n" + "".join(nested) if nested else ""
    text = f"{draw(_HEADS)}{''.join(entries)}{below}{draw(_TAILS)}"
    return text.replace("\n", line_break) if draw(st.booleans()) else text


_KEYS = st.one_of(
    st.tuples(
        st.sampled_from(("", "n.")), st.sampled_from(_NAMES), st.sampled_from(("", "", "", ".tag", ".d", "[1]"))
    ).map("".join),
    st.sampled_from(("lost", "n.lost", "new", "n.new.tag", "", "a[", "x", "z")),
)
_WRITES = st.builds(ValueWrite, _KEYS, _VALUES, st.sampled_from(("", ":1.0")), st.booleans())
_VALUES_EDITORS = st.lists(_WRITES, min_size=1, max_size=3).map(values_editor)

_IMAGES = st.builds(
    KustomizeImageEdit,
    st.sampled_from(("", "", "a", "web")),
    st.sampled_from(("a:v1", "a:1.20", "web:v2", "reg.io/a:v1", "a@sha256:" + "0" * 64, "web:v1@sha256:" + "1" * 64)),
)
_FIELDS = st.lists(
    st.sampled_from(
        ("newTag: v1", "newTag: 1.0 # c", "digest: 'x'", "newName: reg.io/a", "newTag: &x v1", "newTag: *x")
    ),
    max_size=3,
)


@st.composite
def _kustomizations(draw: st.DrawFn) -> str:
    entries = [
        "\n  ".join((f"- name: {draw(st.sampled_from(('a', 'web', 'docker.io/library/a', '~')))}", *draw(_FIELDS)))
        for _ in range(draw(st.integers(0, 4)))
    ]
    return "\n".join(("resources: [x.yaml]", "images:", *entries, "")) + draw(st.sampled_from(("", "# c\n", "b: [\n")))


_PARAMETERS = st.builds(HelmParameterEdit, st.sampled_from(("p", "q", "r")), _VALUES)


_PARAMETER_FORMS = st.sampled_from(("v1", "1.20", "~", "|\n      v1", "&x v2"))


@st.composite
def _overrides(draw: st.DrawFn) -> str:
    names = draw(st.lists(st.sampled_from(("p", "q", "on")), max_size=4))
    entries = [
        f"  - name: {name}\n    value: {draw(_PARAMETER_FORMS)}\n"
        + draw(st.sampled_from(("", "    forceString: true\n", "    forcestring: false\n")))
        for name in names
    ]
    return "helm:\n  parameters:\n" + "".join(entries) + draw(st.sampled_from(("", "plugin: {}\n", "---\nx: 1\n")))


def _override_editor(edit: HelmParameterEdit) -> FileEditor:
    return override_editor([edit], OverrideSeed(), SourceKind.HELM, TargetFile.PARAMETERS)


_GOOD_FORMS = st.sampled_from(("1.0", "v1  # c", "'v1'", '"v1"', "", "~", "&x v1", "|\n    v1\n", "{d: v1, tag: }"))


@st.composite
def _good_cases(draw: st.DrawFn) -> tuple[str, list[FileEditor]]:
    """Keys that are there, nearly all of them with values that may wait, and one that takes none (``? lost``)."""
    text = "".join(f"{name}: {draw(_GOOD_FORMS)}\n" for name in _NAMES)
    if draw(st.booleans()):
        text = f"? lost\n{text}" if draw(st.booleans()) else f"{text}? lost\n"
    keys = st.sampled_from((*_NAMES, *_NAMES, "lost", "a.tag", "b.d"))
    writes = draw(st.lists(st.tuples(keys, _VALUES), min_size=2, max_size=8))
    line_break = draw(st.sampled_from(("\n", "\r\n")))
    return text.replace("\n", line_break), [values_editor([ValueWrite(key, value)]) for key, value in writes]


_CASES = st.one_of(
    _good_cases(),
    st.tuples(st.one_of(_texts(), st.none()), st.lists(_VALUES_EDITORS, min_size=1, max_size=6)),
    st.tuples(
        _kustomizations(),
        st.lists(st.lists(_IMAGES, min_size=1, max_size=2).map(kustomization_editor), min_size=1, max_size=5),
    ),
    st.tuples(_overrides(), st.lists(_PARAMETERS.map(_override_editor), min_size=1, max_size=5)),
)


@dataclass(frozen=True)
class Lone:
    """What intents give one by one."""

    outcomes: list[object]
    text: str | None


def _one_by_one(text: str | None, editors: Sequence[FileEditor]) -> Lone:
    """Each edit starts from a text alone, so each of its scalars is read at once."""
    outcomes: list[object] = []
    for editor in editors:
        try:
            edit = editor(text, _WHERE)
        except UpdaterError as error:
            outcomes.append((error.code, str(error)))
            continue
        outcomes.append((edit.is_changed, edit.warnings))
        text = edit.text if edit.is_changed else text
    return Lone(outcomes, text)


def _intents(editors: Sequence[FileEditor]) -> list[GitIntent]:
    return [intent_for("https://h.test/a", "1", app=f"app{n}", edit=editor) for n, editor in enumerate(editors)]


def _shown(outcome: Staged | Exception) -> object:
    if isinstance(outcome, UpdaterError):
        return (outcome.code, str(outcome))
    assert isinstance(outcome, Staged), outcome
    return (outcome.is_changed, outcome.warnings)


@settings(max_examples=_EXAMPLES)
@given(case=_CASES)
def test_edits_that_are_read_together_give_what_they_give_one_by_one(
    case: tuple[str | None, list[FileEditor]],
) -> None:
    text, editors = case
    alone = _one_by_one(text, editors)
    together = edit_file(_WHERE, text, _intents(editors), lambda: False)
    assert text_of(together.source) == alone.text
    assert [_shown(outcome) for outcome in together.outcomes] == alone.outcomes


@settings(max_examples=_EXAMPLES)
@given(case=_CASES)
def test_what_is_kept_of_a_file_is_what_a_new_reading_gives(case: tuple[str | None, list[FileEditor]]) -> None:
    """Contents, and places: the next edit of it puts its bytes where it would put them into the file alone."""
    text, editors = case
    source = edit_file(_WHERE, text, _intents(editors), lambda: False).source
    if not isinstance(source, SharedText) or source.reading is None:
        return
    for editor in editors:
        alone = _one_by_one(source.text, [editor])
        after = edit_file(_WHERE, source, _intents([editor]), lambda: False)
        assert (text_of(after.source), [_shown(after.outcomes[0])]) == (alone.text, alone.outcomes)


@settings(max_examples=_EXAMPLES)
@given(case=_CASES)
def test_an_edit_that_was_overridden_is_found_without_another_reading(
    case: tuple[str | None, list[FileEditor]],
) -> None:
    text, editors = case
    source = edit_file(_WHERE, text, _intents(editors), lambda: False).source
    if not isinstance(source, SharedText):
        return
    for intent in _intents(editors):
        alone = _one_by_one(source.text, [intent.edit]).outcomes[0]
        found, source = wants_more(_WHERE, source, intent)
        assert isinstance(alone, tuple)
        assert found == (alone[0] is not False)


@settings(max_examples=_EXAMPLES)
@given(text=_texts(), editors=st.lists(_VALUES_EDITORS, min_size=1, max_size=4))
def test_a_shared_text_is_never_changed_by_what_is_made_of_it(text: str, editors: list[FileEditor]) -> None:
    shared = SharedText(text)
    first = [_result(editor, shared) for editor in editors]
    assert first == [_result(editor, shared) for editor in editors]


def _result(editor: FileEditor, source: SharedText) -> object:
    try:
        edit = editor(source, _WHERE)
    except (UpdaterError, RefusedTogether) as error:
        return type(error), str(error)
    again = _result(editor, edit.shared) if edit.is_changed and edit.shared else None
    return edit.text, edit.is_changed, again
