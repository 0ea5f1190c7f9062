"""Labels of images in the texts of commits and pull requests, where a forge must neither obey nor draw them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.git.bench import intent_for
from updater.manifests.messages import parse_message_template
from updater.manifests.template_data import shows_labels
from updater.manifests.templates.evaluator import read_template
from updater.model.images import ImageLabels
from updater.model.pull_requests import ForgeProvider, PullRequestMode, PullRequestSettings
from updater.writeback.git_intents import GitIntent
from updater.writeback.git_making import IntentOptions, with_labels
from updater.writeback.git_messages import commit_message
from updater.writeback.git_requests_plain import plain_body, plain_title
from updater.writeback.git_requests_text import RequestTemplates, parse_request_template, request_text

_URL = "https://git.example.com/acme/deploy.git"
_MESSAGE = "{{ range .AppChanges }}{{ .Image }} {{ index .Labels `t` }}\n\n{{ index .Labels `t` }}{{ end }}"
_SHOWING = IntentOptions(parse_message_template(_MESSAGE))


def _intent(app: str = "shop") -> GitIntent:
    made = intent_for(_URL, "1.1.0", app=app)
    wanted = PullRequestSettings(ForgeProvider.GITLAB, PullRequestMode.PER_CHANGE)
    return replace(made, target=replace(made.target, write_branch="head", pull_request=wanted))


def _labelled(value: str, options: IntentOptions = _SHOWING, app: str = "shop") -> GitIntent:
    return with_labels(_intent(app), ((("t", value),),), options)


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        pytest.param("{{ range .AppChanges }}{{ index .Labels `a` }}{{ end }}", True, id="in a range"),
        pytest.param("{{ (index .AppChanges 0).Labels.a }}", True, id="of a group"),
        pytest.param("{{ range $c := .AppChanges }}{{ with $c.Labels }}x{{ end }}{{ end }}", True, id="of a variable"),
        pytest.param("{{ define `row` }}{{ .Labels }}{{ end }}{{ template `row` . }}", True, id="in a definition"),
        pytest.param("Labels .Labels {{ `.Labels` }} {{/* .Labels */}} {{ .AppName }}", False, id="as a mere word"),
        pytest.param("{{ $Labels := 1 }}{{ $Labels }}", False, id="as the name of a variable"),
        pytest.param("{{ .Labelsx }}{{ .labels }}", False, id="another name"),
    ],
)
def test_a_template_shows_labels_when_it_mentions_the_field(template: str, *, shown: bool) -> None:
    assert shows_labels(read_template(template)) is shown


def test_the_built_in_template_shows_none() -> None:
    assert not IntentOptions().show_labels(_intent().target)


def test_labels_reach_commit_title_and_body() -> None:
    made = _labelled("cafe")
    assert made.message == "example/shop cafe\n\ncafe"
    written = request_text([made], RequestTemplates()).text
    assert (written.title, written.body.splitlines()[0]) == ("example/shop cafe", "cafe")


def test_a_commit_gets_the_value_and_a_request_its_plain_form() -> None:
    made = _labelled("see #7, @all [x](http://h.test)")
    assert commit_message([made]) == "example/shop see #7, @all [x](http://h.test)\n\nsee #7, @all [x](http://h.test)\n"
    written = request_text([made], RequestTemplates()).text
    assert written.title == "example/shop see #\u200b7, @\u200ball [x](http://h.test)"
    assert written.body.splitlines()[0] == "see #\u200b7, @\u200ball \\[x\\](http://h.test)"


def test_several_applications_share_a_body_of_plain_values() -> None:
    written = request_text([_labelled("/merge", app="b"), _labelled("@all", app="a")], RequestTemplates()).text
    assert written.title == "build: automatic update of 2 applications"
    lines = written.body.splitlines()
    assert {"@\u200ball", "\\/merge"} <= set(lines)
    assert not [line for line in lines if line.startswith(("/", "@a"))]


def test_equal_changes_of_which_one_knows_its_labels_are_shown_with_them() -> None:
    templates = RequestTemplates(body=parse_request_template("{{ range .AppChanges }}{{ .Labels }}{{ end }}", "--b"))
    without = _intent()
    labelled = with_labels(_intent(), ((("t", "cafe"),),), _SHOWING)
    for intents in ([without, labelled], [labelled, without]):
        assert request_text(intents, templates).text.body.startswith("map[t:cafe]\n")


def test_templates_of_requests_see_plain_values_and_the_commit_does_not_change() -> None:
    templates = RequestTemplates(
        parse_request_template("{{ range .AppChanges }}{{ index .Labels `t` }}{{ end }}", "--t"),
        parse_request_template("{{ range .AppChanges }}{{ index .Labels `t` }}{{ end }}", "--b"),
    )
    assert templates.show_labels
    options = IntentOptions(requests_show_labels=templates.show_labels)
    assert options.show_labels(_intent().target)
    made = _labelled("`@all`", options)
    assert made.message.startswith("build: automatic update of shop")
    written = request_text([made], templates).text
    assert (written.title, written.body.splitlines()[0]) == ("`@\u200ball`", "\\`@\u200ball\\`")


@pytest.mark.parametrize(
    ("value", "body"),
    [
        ("1.2.3-rc.1+build_5", "1.2.3-rc.1+build_5"),
        ("4f9ac1b2d3e4f5061728394a5b6c7d8e9fa0b1c2", "4f9ac1b2d3e4f5061728394a5b6c7d8e9fa0b1c2"),
        ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"),
        ("Team Shop (web)", "Team Shop (web)"),
        ("shop@example.com", "shop@example.com"),
        ("https://h.test/a_b/@scope/c?d=1&e=~f#7", "https://h.test/a_b/@scope/c?d=1&e=~f#7"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("@team é@team", "@\u200bteam é@\u200bteam"),
        ("/merge", "\\/merge"),
        ("# big", "\\# big"),
        ("- item", "\\- item"),
        ("1. item", "1\\. item"),
        ("2) item", "2\\) item"),
        ("> quote", "\\> quote"),
        ("```sh", "\\`\\`\\`sh"),
        ("~~~", "\\~\\~\\~"),
        ("===", "\\==="),
        ("<!-- hide", "\\<!-- hide"),
        ("<img src=x>", "\\<img src=x\\>"),
        ("![x](http://t.test/p.png)", "\\!\\[x\\](http://t.test/p.png)"),
        ("a | b", "a \\| b"),
        ("_so_ and **so**", "\\_so\\_ and \\*\\*so\\*\\*"),
        ("snake_case", "snake_case"),
        ("&#64;all &amp; a&b", "&#\u200b64;all &\u200bamp; a&b"),
        ("a\\", "a\\\\"),
        (
            "acme/app#12 GH-7 !3 %4 ~bug $5 &6",
            "acme/app#\u200b12 GH-\u200b7 !\u200b3 %\u200b4 \\~\u200bbug \\$\u200b5 &\u200b6",
        ),
        ("acme/app!3 acme&6 Gh-7", "acme/app!\u200b3 acme&\u200b6 Gh-\u200b7"),
        ("[issue:7] [work_item:acme/app/7]", "\\[\u200bissue:7\\] \\[\u200bwork_item:acme/app/7\\]"),
        ("https://h.test/acme/app/issues/7", "https://h.test/acme/app/issues/\u200b7"),
        ("fixes https://h.test/acme/app/-/work_items/7", "fixes https://h.test/acme/app/-/work_items/\u200b7"),
        ("https://h.test/acme/app/commit/7", "https://h.test/acme/app/commit/7"),
        ("", ""),
    ],
)
def test_a_value_in_a_body_is_its_letters(value: str, body: str) -> None:
    assert plain_body(value) == body


_LETTERS = st.text(alphabet="aZ1 @#!&~%$^/\\`*_[]()<>|.;:=+-é\"'{}", max_size=40)


def _read(markdown: str) -> str:
    """The letters of a text without constructs, as a forge shows them (CommonMark 0.31, 2.4)."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown).replace("\u200b", "")


@settings(max_examples=60)
@given(_LETTERS)
def test_what_people_read_is_what_the_label_says(value: str) -> None:
    assert _read(plain_body(value)) in (value, _read(value))
    assert plain_title(value).replace("\u200b", "") == value


@settings(max_examples=60)
@given(_LETTERS)
def test_nothing_is_left_that_a_forge_would_obey_or_draw(value: str) -> None:
    body = plain_body(value)
    if body == value and value.startswith("http"):
        return
    assert not re.search(r"(?<![A-Za-z0-9_])@\w", body)
    assert not re.search(r"[#!&]\d", body)
    assert not re.match(r"[#/>=+`~|*-]", body)
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*\[\]<>|$]", body)


@pytest.mark.parametrize("labels", [(), (("other", "x"),)])
def test_a_label_that_is_missing_is_empty(labels: ImageLabels) -> None:
    assert with_labels(_intent(), (labels,), _SHOWING).message == "example/shop \n\n"
