"""Which rule an Application falls under, and what planning makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.planning.builders import KEY, helm_application
from tests.unit.planning.documents import WEB, book, document, rule
from updater.model.applications import ApplicationKey, ApplicationSnapshot
from updater.model.images import HelmTarget, KustomizeTarget, Reason, Severity, Strategy, TagRule
from updater.planning.documents_choice import RuleBook
from updater.planning.eligibility import Skip
from updater.planning.plans import ApplicationPlan, PlanOptions, plan_application
from updater.planning.write_back import Method
from updater.rules.label_selectors import parse_label_selector
from updater.rules.name_patterns import compile_name_patterns

_KEY = {"cosignKey": {"secretName": "cosign", "key": "cosign.pub"}}
_EMPTY: dict[str, str] = {}


def _plan(*documents: object, application: ApplicationSnapshot | None = None, **options: Any) -> ApplicationPlan:
    snapshot = helm_application(_EMPTY, "acme/web:1.2.0") if application is None else application
    return plan_application(snapshot, PlanOptions(rules=book(*documents), **options))


def _kinds(plan: ApplicationPlan) -> list[str]:
    return [warned.kind for warned in plan.warnings]


def test_a_rule_gives_what_annotations_give() -> None:
    own = {
        "image-list": "web=acme/web:~1.2",
        "web.update-strategy": "digest",
        "web.allow-tags": "regexp:^v[0-9]$",
        "web.ignore-tags": "a,b",
        "web.force-update": "true",
        "web.pull-secret": "env:LOGIN",
        "web.platforms": "linux/arm64",
        "web.helm.image-name": "n",
        "web.helm.image-tag": "t",
        "web.kustomize.image-name": "k",
    }
    settings = {
        "updateStrategy": "digest",
        "allowTags": "regexp:^v[0-9]$",
        "ignoreTags": ["a", "b"],
        "forceUpdate": True,
        "pullSecret": "env:LOGIN",
        "platforms": ["linux/arm64"],
    }
    image = {**WEB, "commonUpdateSettings": settings, "manifestTargets": {"helm": {"name": "n", "tag": "t"}}}
    annotated = plan_application(helm_application(own, "acme/web:1.2.0"), PlanOptions())
    ruled = _plan(document(rule("shop", image)))
    assert replace(ruled.images[0], entry=annotated.images[0].entry) == annotated.images[0]
    assert (ruled.choice, ruled.write_back) == (annotated.choice, annotated.write_back)


def test_defaults_of_a_rule_are_those_of_annotations() -> None:
    (image,) = _plan(document()).images
    assert image.rule == TagRule(Strategy.SEMVER, "~1.2")
    assert image.target == HelmTarget()
    assert (image.alias, image.entry, image.application) == ("web", "acme/web:~1.2", KEY)


def test_a_kustomize_name_of_a_rule_is_used() -> None:
    image = {**WEB, "manifestTargets": {"kustomize": {"name": "base"}}}
    application = replace(helm_application(_EMPTY), source_type="Kustomize")
    (planned,) = _plan(document(rule("shop", image)), application=application).images
    assert planned.target == KustomizeTarget("base")


def test_a_matched_application_ignores_its_annotations() -> None:
    own = {"image-list": "api=acme/api", "typo": "x", "write-back-method": "git"}
    plan = _plan(document(), application=helm_application(own, "acme/web:1"))
    assert [image.alias for image in plan.images] == ["web"]
    assert plan.write_back is not None
    assert plan.write_back.method is Method.ARGOCD
    assert plan.warnings == ()


def test_an_unmatched_application_follows_its_annotations() -> None:
    application = helm_application({"image-list": "api=acme/api"}, "acme/api:1")
    assert [image.alias for image in _plan(document(rule("other")), application=application).images] == ["api"]


def test_without_annotations_only_rules_count() -> None:
    application = helm_application({"image-list": "api=acme/api"}, "acme/api:1")
    plan = _plan(document(rule("other")), application=application, follows_annotations=False)
    assert plan.skip is Skip.NO_RULE
    assert plan.skip.severity is Severity.DEBUG
    assert plan.warnings == ()


@pytest.mark.parametrize("follows_annotations", [True, False])
def test_a_rule_can_hand_over_to_annotations(follows_annotations: bool) -> None:  # noqa: FBT001 - a parameter
    application = helm_application({"image-list": "api=acme/api", "typo": "x"}, "acme/api:1")
    value = document(rule("shop", useAnnotations=True))
    plan = _plan(value, application=application, follows_annotations=follows_annotations)
    assert [image.alias for image in plan.images] == ["api"]
    assert _kinds(plan) == ["unknown_annotation"]


def test_a_rule_without_annotations_to_follow_gives_way_to_the_next() -> None:
    value = document(rule("shop", useAnnotations=True), rule("*", {"alias": "any", "imageName": "acme/web"}))
    assert [image.alias for image in _plan(value).images] == ["any"]


def test_an_application_left_to_missing_annotations_is_a_warning() -> None:
    plan = _plan(document(rule("shop", useAnnotations=True), name="mine"))
    assert plan.skip is Skip.EMPTY_IMAGE_LIST
    assert plan.skip.severity is Severity.WARNING
    assert "document mine leaves it to its annotations" in plan.skipped


def test_the_most_specific_rule_is_used() -> None:
    labels = {"matchLabels": {"team": "red"}}
    value = document(
        rule("*", {**WEB, "alias": "any"}),
        rule("sh*", {**WEB, "alias": "team"}, labelSelectors=labels),
        rule("sho*", {**WEB, "alias": "prefix"}),
    )
    red = helm_application(_EMPTY, "acme/web:1", labels={"team": "red"})
    other = replace(red, key=ApplicationKey("argocd", "blog"))
    aliases = [_plan(value, application=one).images[0].alias for one in (red, replace(red, labels={}), other)]
    assert aliases == ["team", "prefix", "any"]


def test_an_exact_name_beats_every_selector() -> None:
    labels = {"matchLabels": {"a": "", "b": "", "c": ""}}
    value = document(rule("*", {**WEB, "alias": "any"}, labelSelectors=labels), rule("shop"))
    labelled = helm_application(_EMPTY, "acme/web:1", labels=labels["matchLabels"])
    assert [image.alias for image in _plan(value, application=labelled).images] == ["web"]


def test_of_two_documents_the_first_by_name_is_used_with_a_warning() -> None:
    second = document(rule("shop", {**WEB, "alias": "second"}), name="b")
    first = document(rule("*", {**WEB, "alias": "first"}), name="a", namespace="argocd")
    plan = _plan(first, second)
    assert [image.alias for image in plan.images] == ["second"]
    assert _kinds(plan) == ["rules_overlap"]
    assert "b and argocd/a both match it; b is used" in plan.warnings[0].text


def test_a_namespace_restricts_a_document() -> None:
    rules = book(document(namespace="team"))
    assert rules.find(helm_application(_EMPTY)) is None
    assert rules.find(replace(helm_application(_EMPTY), key=ApplicationKey("team", "shop"))) is not None


def test_names_and_labels_of_the_operator_restrict_rules_as_well() -> None:
    assert _plan(document(), name_patterns=compile_name_patterns(["blog"])).skip is Skip.NAME
    assert _plan(document(), label_selector=parse_label_selector("team")).skip is Skip.LABEL


def test_a_type_without_overrides_is_skipped_with_a_warning() -> None:
    plan = _plan(document(), application=replace(helm_application(_EMPTY), source_type="Directory"))
    assert plan.skip is Skip.UNSUPPORTED_TYPE
    assert plan.skip.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("of_rule", "kinds"),
    [
        pytest.param({"commonUpdateSettings": {"updateStrategy": "latest"}}, ["deprecated_strategy"], id="old name"),
        pytest.param({"commonUpdateSettings": {"allowTags": "v1"}}, ["allow_tags_invalid"], id="filter"),
        pytest.param({"writeBackConfig": {"gitConfig": {"branch": "main"}}}, ["git_settings_unused"], id="git"),
    ],
)
def test_owners_of_rules_are_warned_as_those_of_annotations(of_rule: dict[str, Any], kinds: list[str]) -> None:
    image = {"alias": "web", "imageName": "acme/web"}
    assert _kinds(_plan(document(rule("shop", image, **of_rule)))) == kinds


def test_a_rule_may_ask_for_git() -> None:
    config = {"method": "git:secret:ns/name", "gitConfig": {"writeBackTarget": "kustomization:base"}}
    plan = _plan(document(rule(writeBackConfig=config)))
    assert plan.write_back is not None
    assert (plan.write_back.method, plan.write_back.secret) == (Method.GIT, ("ns", "name"))
    assert isinstance(plan.images[0].target, KustomizeTarget)


@pytest.mark.parametrize(
    ("value", "is_refused"),
    [
        pytest.param(document(imagesVerification=_KEY), True, id="asked for"),
        pytest.param(document(imagesVerification={**_KEY, "enabled": False}), False, id="off"),
        pytest.param(document(rule(useAnnotations=True, imagesVerification=_KEY)), True, id="with annotations"),
        pytest.param(
            document(rule(useAnnotations=True), imagesVerification=_KEY), False, id="not inherited with annotations"
        ),
    ],
)
def test_nothing_is_updated_unverified_that_shall_be_verified(value: object, is_refused: bool) -> None:  # noqa: FBT001
    application = helm_application({"image-list": "web=acme/web"}, "acme/web:1")
    (image,) = _plan(value, application=application).images
    assert image.invalid_reason is (Reason.INVALID_SETTINGS if is_refused else None)
    assert ("this release cannot do" in image.invalid) is is_refused


_PATTERNS = st.lists(st.sampled_from(["shop", "blog", "s*", "*", "?hop"]), min_size=1, max_size=4, unique=True)


@given(st.lists(_PATTERNS, max_size=5), st.sampled_from(["shop", "blog", "ship", "x"]), st.randoms())
def test_the_lookup_finds_what_trying_every_document_finds(patterns: list[list[str]], name: str, random: Any) -> None:
    documents = list(
        book(*(document(*map(rule, row), name=str(index)) for index, row in enumerate(patterns))).documents
    )
    expected = [found for found in documents if any(one.selection.matches(name, {}) for one in found.rules)]
    random.shuffle(documents)
    match = RuleBook(documents).find(replace(helm_application(_EMPTY), key=ApplicationKey("argocd", name)))
    assert (match and match.document) == (expected[0] if expected else None)
    assert (match and match.overruled) == (expected[1] if len(expected) > 1 else None)
