from __future__ import annotations

import pytest

from updater.errors import ConfigurationError, PlanError
from updater.manifests.branches import BranchContext, render_write_branch, resolve_base_branch
from updater.manifests.messages import (
    DEFAULT_TEMPLATE,
    MAX_MESSAGE,
    SAMPLE_APPLICATION,
    SAMPLE_CHANGES,
    batch_message,
    clean_message,
    parse_message_template,
    render_message,
)
from updater.manifests.template_data import TemplateChange, change_digest, target_key, template_changes
from updater.manifests.templates.functions import EXTENDED
from updater.model.applications import ApplicationKey
from updater.model.changes import ImageChange

_KEY = ApplicationKey("team", "shop")
_CHANGE = TemplateChange("acme/api", "api", "v1", "v2")


def test_changes_show_the_path_without_registry() -> None:
    images = [ImageChange("api", "ghcr.io/acme/api", "v1", "v2"), ImageChange("", "nginx", "", "1.25")]
    assert template_changes(images) == (_CHANGE, TemplateChange("nginx", "", "", "1.25"))


def test_the_digest_of_changes_depends_on_their_order() -> None:
    other = TemplateChange("nginx", "", "", "1.25")
    assert change_digest([_CHANGE, other]) != change_digest([other, _CHANGE])
    assert change_digest([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_target_key_is_eight_digits_that_tell_targets_apart() -> None:
    keys = {target_key("r", "main", "a"), target_key("r", "main", "b"), target_key("r", "dev", "a")}
    assert {len(key) for key in keys} == {8}
    assert len(keys) == 3


def test_extended_functions_reach_branch_names() -> None:
    context = BranchContext(ApplicationKey("team", "Shop"), "0a1b2c3d", [_CHANGE])
    assert render_write_branch("{{.AppName | lower}}", context, EXTENDED) == "shop"
    with pytest.raises(PlanError):
        render_write_branch("{{.AppName | lower}}", context)


def test_a_name_that_is_too_long_stays_unique() -> None:
    names = set()
    for new_tag in ("v2", "v3"):
        context = BranchContext(_KEY, "", [TemplateChange("a", "", "v1", new_tag)])
        names.add(render_write_branch("x" * 300, context))
    assert {len(name) for name in names} == {240}
    assert len(names) == 2


@pytest.mark.parametrize(
    ("revision", "outcome"),
    [
        ("refs/tags/v1", "revision_is_tag"),
        ("abcdef1", "revision_is_commit"),
        ("ABCDEF1" * 5, "revision_is_commit"),
        ("abc", "branch_not_found"),
        ("g" * 40, "branch_not_found"),
        ("refs/heads/main", "main"),
    ],
)
def test_a_revision_is_a_branch_or_says_what_it_is(revision: str, outcome: str) -> None:
    refs = {"refs/heads/main": "1" * 40, "refs/tags/v1": "2" * 40}
    try:
        found, hint = resolve_base_branch(revision, refs, "refs/heads/main"), "git-branch"
    except PlanError as error:
        found, hint = error.code, error.hint
    assert found == outcome
    assert "git-branch" in hint


def test_a_broken_message_template_is_the_operators_mistake() -> None:
    with pytest.raises(ConfigurationError, match="line 1, column 1") as caught:
        parse_message_template("{{ .AppName")
    assert caught.value.code == "template_parse"


def test_a_template_that_fails_gives_a_plain_message_and_its_reason() -> None:
    message = render_message(parse_message_template("{{ .Nope }}"), "shop", [_CHANGE])
    assert message.cleaned == "build: update of application shop\n"
    assert "Nope" in message.fallback_reason


def test_the_samples_fit_the_default_template() -> None:
    message = render_message(parse_message_template(DEFAULT_TEMPLATE), SAMPLE_APPLICATION, SAMPLE_CHANGES)
    assert message.fallback_reason == ""
    assert message.cleaned.count("\nupdates image example/") == 2


def test_a_batch_is_sorted_and_counts_its_applications() -> None:
    messages = [(ApplicationKey("b", "a"), "two\n"), (ApplicationKey("a", "z"), "one\n\nbody")]
    assert batch_message(messages, "bump {N}") == "bump 2\n\none\n\nbody\n\ntwo\n"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [("", ""), (" \n\t\n", ""), ("a", "a\n"), ("a \t\n\n\n\n b\n\n", "a\n\n b\n"), ("#a\r\nb\n", "#a\nb\n")],
)
def test_messages_are_cleaned_as_git_does(text: str, cleaned: str) -> None:
    assert clean_message(text) == cleaned


@pytest.mark.parametrize("count", [1, 2])
def test_a_very_long_message_is_cut(count: int) -> None:
    made = batch_message([(ApplicationKey("team", f"app{n}"), "word \n" * MAX_MESSAGE) for n in range(count)])
    assert len(made) <= MAX_MESSAGE
    assert made.endswith("\n\n(The rest of the message was cut off.)\n")


def test_blanks_inside_of_a_line_take_no_time() -> None:
    line = f"a{' ' * 500_000}b"
    assert clean_message(f"{line} \t\n\n\n\nc\n") == f"{line}\n\nc\n"
