from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.git.bench import intent_for
from updater.errors import ConfigurationError
from updater.model.applications import ApplicationKey
from updater.model.pull_requests import ForgeProvider, PullRequestMode, PullRequestSettings
from updater.ports.forge import RequestText
from updater.writeback.git_intents import GitIntent
from updater.writeback.git_plan import plan_batches
from updater.writeback.git_requests_text import (
    RequestTemplates,
    Written,
    named_applications,
    parse_request_template,
    request_text,
)

_URL = "https://git.example.com/acme/deploy.git"
_OPENED = "Opened by Argo CD Image Updater for"
_PLAIN = RequestTemplates()


def _intent(app: str = "shop", *, namespace: str = "argocd", message: str | None = None) -> GitIntent:
    made = intent_for(_URL, "1.1.0", app=app)
    key = ApplicationKey(namespace, app)
    text = made.message if message is None else message
    return replace(made, change_set=replace(made.change_set, application=key), message=text)


def _templates(title: str = "", body: str = "") -> RequestTemplates:
    return RequestTemplates(parse_request_template(title, "--t"), parse_request_template(body, "--b"))


@pytest.mark.parametrize(
    ("message", "title", "body"),
    [
        pytest.param("one line\n", "one line", f"{_OPENED} argocd/shop.", id="one line"),
        pytest.param(
            "first\n\n\nsecond \nthird\n", "first", f"second\nthird\n\n{_OPENED} argocd/shop.", id="two parts"
        ),
        pytest.param(
            " \n",
            "chore: update images for argocd/shop",
            f"Argo CD Image Updater found newer images for argocd/shop.\n\n{_OPENED} argocd/shop.",
            id="no message",
        ),
    ],
)
def test_the_first_line_of_the_message_is_the_title(message: str, title: str, body: str) -> None:
    assert request_text([_intent(message=message)], _PLAIN) == Written(RequestText(title, body))


def test_several_applications_share_the_subject_of_their_batch() -> None:
    written = request_text([_intent("shop"), _intent("cart")], _PLAIN).text
    assert written.title == "build: automatic update of 2 applications"
    assert written.body.splitlines()[0] == "build: automatic update of cart"
    assert written.body.endswith(f"{_OPENED} argocd/cart, argocd/shop.")


def test_templates_know_the_variables_of_branches_and_messages() -> None:
    templates = _templates(
        "{{ .AppNamespace }}/{{ .AppName }} {{ len .TargetKey }} {{ len .SHA256 }}",
        "{{ range .Images }}{{ .Alias }}={{ .NewTag }};{{ end }}{{ range .AppChanges }}{{ .OldTag }}{{ end }}",
    )
    written = request_text([_intent("shop"), _intent("cart"), _intent("shop")], templates)
    assert written.text.title == "argocd/shop 8 64"
    assert written.text.body.startswith("shop=1.1.0;cart=1.1.0;1.0.01.0.0\n\n")
    assert written.fallback_reason == ""


@pytest.mark.parametrize(
    ("title", "reason"), [("{{ .Nothing }}", "Nothing"), ("{{ if false }}x{{ end }}", "printed nothing")]
)
def test_a_template_that_gives_no_text_is_replaced_and_says_why(title: str, reason: str) -> None:
    written = request_text([_intent()], _templates(title, "fine"))
    assert written.text.title == "build: automatic update of shop"
    assert written.text.body.startswith("fine\n")
    assert reason in written.fallback_reason


def test_a_template_that_cannot_be_parsed_names_its_flag() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_request_template("{{ range }", "--pull-request-body-template")
    assert caught.value.code == "template_parse"
    assert "--pull-request-body-template" in caught.value.where


_NAMES = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True)


@settings(max_examples=25)
@given(st.lists(st.tuples(_NAMES, _NAMES), min_size=1, max_size=30, unique=True))
def test_the_applications_of_a_text_are_read_back_or_not_told(names: list[tuple[str, str]]) -> None:
    intents = [_intent(name, namespace=namespace) for namespace, name in names]
    found = named_applications(request_text(intents, _PLAIN).text.body)
    assert found == (frozenset(f"{namespace}/{name}" for namespace, name in names) if len(names) <= 20 else frozenset())


@given(st.text())
def test_no_text_breaks_the_search_for_applications(text: str) -> None:
    found = named_applications(f"{text}\n\n{_OPENED} a/b.\n{text}")
    assert found == {"a/b"} or _OPENED in text


def _wanting(app: str, mode: PullRequestMode, *labels: str) -> GitIntent:
    made = _intent(app)
    wanted = PullRequestSettings(ForgeProvider.GITEA, mode, labels)
    return replace(made, target=replace(made.target, write_branch="head", pull_request=wanted))


def test_a_rolling_branch_is_made_from_one_batch_whatever_its_size() -> None:
    rolling = [_wanting(f"a{number}", PullRequestMode.ROLLING, str(number)) for number in range(5)]
    others = [_wanting(f"b{number}", PullRequestMode.PER_CHANGE) for number in range(5)]
    plain = replace(rolling[0], target=replace(rolling[0].target, pull_request=None))
    sizes = [len(batch.intents) for batch in plan_batches([*rolling, *others, plain], 2)]
    assert sizes == [5, 2, 2, 1, 1]
