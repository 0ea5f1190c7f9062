from __future__ import annotations

import time

import pytest

from updater.errors import WriteBackError
from updater.manifests import edits
from updater.manifests.kustomization import choose_kustomization_file, edit_kustomization
from updater.model.changes import KustomizeImageEdit

_DIGEST = f"sha256:{'1' * 64}"


def _text(before: str, image: str, left: str = "") -> str:
    return edit_kustomization(before, [KustomizeImageEdit(left, image)], "kustomization.yaml").text


@pytest.mark.parametrize(
    ("before", "image", "left", "after"),
    [
        pytest.param("- name: a\n", "a:v2", "", "- name: a\n  newTag: v2\n", id="tag behind the name"),
        pytest.param(
            "- name: a\n  newName: b\n  x: 1\n",
            f"b:v2@{_DIGEST}",
            "a",
            f"- name: a\n  newName: b\n  newTag: v2\n  digest: {_DIGEST}\n  x: 1\n",
            id="tag and digest behind the new name",
        ),
        pytest.param("- newName: b/c\n  name: a\n", "b/c:v2", "", "- newName: b/c\n  newTag: v2\n  name: a\n"),
        pytest.param(
            "- name: a\n  newName: b\n",
            "b:v2",
            "web",
            "- name: a\n  newName: b\n- name: web\n  newName: b\n  newTag: v2\n",
            id="a wanted name is not found by a new name",
        ),
        pytest.param("- name: a\n  newTag:\n", "a:v2", "", "- name: a\n  newTag: v2\n", id="empty tag"),
        pytest.param(
            "- name: a\n  newName: docker.io/library/b\n",
            "b:v2",
            "a",
            "- name: a\n  newName: docker.io/library/b\n  newTag: v2\n",
            id="equal names are spelled as they are",
        ),
        pytest.param("- name: a\n  newTag: v1\n  newTag: v1\n", f"a@{_DIGEST}", "", None, id="tag twice"),
        pytest.param("- name: nginx\n", "nginx", "", "- name: nginx\n", id="neither tag nor digest"),
    ],
)
def test_fields_go_to_their_places(before: str, image: str, left: str, after: str | None) -> None:
    after = after or f"- name: a\n  digest: {_DIGEST}\n"
    assert _text(f"images:\n{before}", image, left) == f"images:\n{after}"


def test_the_literal_name_comes_before_other_spellings() -> None:
    before = "images:\n- name: docker.io/library/nginx\n  newTag: v1\n- name: nginx\n  newTag: v1\n"
    assert _text(before, "nginx:v2").count("v2") == 1
    assert _text(before, "nginx:v2").endswith("- name: nginx\n  newTag: v2\n")


def test_an_anchored_entry_is_edited_where_it_stands() -> None:
    before = "x-app: &app\n  name: app\n  newTag: v1\nimages:\n- *app\n"
    assert _text(before, "app:v2") == before.replace("v1", "v2")


def test_a_flow_root_gets_a_flow_list() -> None:
    assert _text('{"resources": []}', "a:1.0") == '{"resources": [], "images": [{"name": "a", "newTag": "1.0"}]}'


def test_a_list_of_many_aliases_is_walked_once() -> None:
    before = f"x: &a {{name: y}}\nimages: [{'*a, ' * 20_000}{{name: nginx, newTag: '1'}}]\n"
    began_s = time.process_time()
    edited = edit_kustomization(before, [KustomizeImageEdit("", "nginx:2")], "k.yaml").text
    assert time.process_time() - began_s < 10
    assert edited == before.replace("'1'", "'2'")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("images:\n- name: nginx\n" + "  digest: a\n" * 50, id="one key again and again"),
        pytest.param("images:\n" + "- {name: nginx, newTag: '1'}\n" * 50, id="one image again and again"),
    ],
)
def test_a_file_that_takes_too_many_edits_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(edits, "MAX_READ", 20 * len(text))
    with pytest.raises(WriteBackError) as refused:
        edit_kustomization(text, [KustomizeImageEdit("", "nginx:2")], "k.yaml")
    assert refused.value.code == "target_too_large"


def test_nothing_to_say_is_no_change() -> None:
    text = "images:\n- name: a # c\n  newTag: 'v2'\n"
    assert not edit_kustomization(text, [KustomizeImageEdit("", "a:v2")], "k.yaml").is_changed


@pytest.mark.parametrize(
    ("names", "outcome"),
    [
        (("a.yaml", "kustomization.yml"), "kustomization.yml"),
        (("Kustomization",), "Kustomization"),
        (("KUSTOMIZATION",), "kustomization_not_found"),
        (("Kustomization", "kustomization.yaml"), "multiple_kustomization_files"),
    ],
)
def test_a_directory_has_one_kustomization(names: tuple[str, ...], outcome: str) -> None:
    try:
        found = choose_kustomization_file(names, "apps/shop")
    except WriteBackError as error:
        found = error.code
    assert found == outcome
