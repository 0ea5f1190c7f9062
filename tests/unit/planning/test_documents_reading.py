"""Documents from plain values: what they mean, how settings merge, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.planning.documents import WEB, document, only_image, only_rule, problems_in, read, rule
from updater.model.references import ImageRepository
from updater.planning.documents import (
    HelmNames,
    KustomizeName,
    ManifestTarget,
    PluginNames,
    PullRequest,
    UpdateSettings,
    Verification,
    WriteBackConfig,
)
from updater.planning.documents_fields import Problems
from updater.planning.documents_reading import GROUP, read_documents
from updater.planning.image_list import ImageEntry
from updater.rules.label_selectors import Operator, Requirement

_KEY = {"secretName": "cosign", "key": "cosign.pub"}


def test_an_image_name_holds_repository_and_constraint() -> None:
    image = only_image(document(rule("shop", {"alias": "web", "imageName": "host:5000/acme/web:>=1, <2"})))
    repository = ImageRepository("host:5000", "acme/web")
    assert image.entry == ImageEntry("host:5000/acme/web:>=1, <2", "web", repository, ">=1, <2")


@pytest.mark.parametrize(
    ("spec", "of_rule", "of_image", "expected"),
    [
        pytest.param({}, {}, {}, UpdateSettings(), id="nothing set"),
        pytest.param({"allowTags": "any"}, {}, {}, UpdateSettings(allow_tags="any"), id="from the document"),
        pytest.param(
            {"allowTags": "any", "pullSecret": "env:A"},
            {"allowTags": "regexp:^v"},
            {"updateStrategy": "digest"},
            UpdateSettings("digest", allow_tags="regexp:^v", pull_secret="env:A"),
            id="field by field",
        ),
        pytest.param(
            {"ignoreTags": ["a", "b"], "platforms": ["linux/amd64"]},
            {"ignoreTags": ["c"]},
            {"platforms": []},
            UpdateSettings(ignore_tags=("c",), platforms=()),
            id="lists as a whole",
        ),
        pytest.param({"forceUpdate": True}, {}, {"forceUpdate": False}, UpdateSettings(force_update=False), id="false"),
        pytest.param({"allowTags": "any"}, {"allowTags": ""}, {}, UpdateSettings(allow_tags=""), id="empty is set"),
        pytest.param({"allowTags": "any"}, {"allowTags": None}, {}, UpdateSettings(allow_tags="any"), id="null is not"),
    ],
)
def test_settings_merge_from_document_to_image(
    spec: dict[str, Any], of_rule: dict[str, Any], of_image: dict[str, Any], expected: UpdateSettings
) -> None:
    image = {**WEB, "commonUpdateSettings": of_image}
    value = document(rule("shop", image, commonUpdateSettings=of_rule), commonUpdateSettings=spec)
    assert only_image(value).settings == expected


@pytest.mark.parametrize(
    ("spec", "of_rule", "expected"),
    [
        pytest.param({"method": "git"}, {}, WriteBackConfig("git"), id="inherited"),
        pytest.param({"method": "git"}, {"method": " "}, WriteBackConfig("git"), id="blank is not set"),
        pytest.param(
            {"method": "git:secret:ns/name", "gitConfig": {"branch": "main:x-{{ a:b }}", "repository": "https://a/b"}},
            {"gitConfig": {"branch": "next", "writeBackTarget": "helmvalues:a.yaml"}},
            WriteBackConfig("git:secret:ns/name", "https://a/b", "next", "helmvalues:a.yaml"),
            id="field by field",
        ),
        pytest.param(
            {"gitConfig": {"pullRequest": {"github": {}, "labels": ["a"]}}},
            {"gitConfig": {"pullRequest": {"gitlab": {}}}},
            WriteBackConfig(pull_request=PullRequest("gitlab")),
            id="pull requests as a whole",
        ),
        pytest.param(
            {"gitConfig": {"pullRequest": {"github": {}, "labels": [" a ", "b", "a", ""]}}},
            {},
            WriteBackConfig(pull_request=PullRequest("github", ("a", "b"))),
            id="labels are cleaned",
        ),
    ],
)
def test_write_back_merges_from_document_to_rule(
    spec: dict[str, Any], of_rule: dict[str, Any], expected: WriteBackConfig
) -> None:
    value = document(rule(writeBackConfig=of_rule), writeBackConfig=spec)
    assert only_rule(value).write_back == expected


@pytest.mark.parametrize(
    ("spec", "of_rule", "of_image", "expected"),
    [
        pytest.param(None, None, None, None, id="nowhere"),
        pytest.param({"cosignKey": _KEY}, None, None, Verification(None, "cosign", "cosign.pub"), id="inherited"),
        pytest.param(
            {"cosignKey": _KEY}, None, {"enabled": False}, Verification(False, "cosign", "cosign.pub"), id="off again"
        ),
        pytest.param(None, {"cosignKey": {"file": "/k"}}, {}, Verification(key_file="/k"), id="from the rule"),
    ],
)
def test_verification_merges_field_by_field(
    spec: object, of_rule: object, of_image: object, expected: Verification | None
) -> None:
    image = {**WEB, "imagesVerification": of_image}
    value = document(rule("shop", image, imagesVerification=of_rule), imagesVerification=spec)
    assert only_image(value).verification == expected


def test_a_rule_that_uses_annotations_keeps_only_its_own_verification() -> None:
    value = document(
        rule("a", useAnnotations=True, imagesVerification={"cosignKey": _KEY}),
        rule("b", useAnnotations=True, images=[WEB]),
        imagesVerification={"cosignKey": {"file": "/document"}},
    )
    first, second = read(value).rules
    assert (first.uses_annotations, first.images, second.images) == (True, (), ())
    assert first.verification == Verification(None, "cosign", "cosign.pub")
    assert second.verification is None


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        pytest.param(None, None, id="none"),
        pytest.param({"helm": {"name": "a", "tag": "b"}}, HelmNames("a", "b"), id="helm"),
        pytest.param({"helm": {}}, HelmNames(), id="helm with its defaults"),
        pytest.param({"kustomize": {"name": "a"}}, KustomizeName("a"), id="kustomize"),
        pytest.param({"plugin": {"spec": "IMAGE"}}, PluginNames(spec="IMAGE"), id="plugin"),
    ],
)
def test_targets_are_read(targets: object, expected: ManifestTarget | None) -> None:
    assert only_image(document(rule("shop", {**WEB, "manifestTargets": targets}))).target == expected


def test_label_selectors_become_requirements() -> None:
    expressions = [
        {"key": "tier", "operator": "In", "values": ["b", "a", "b"]},
        {"key": "old", "operator": "DoesNotExist"},
    ]
    labels = {"matchLabels": {"example.com/team": "red", "empty": ""}, "matchExpressions": expressions}
    selector = only_rule(document(rule(labelSelectors=labels))).selection.labels
    assert selector is not None
    assert selector.requirements == (
        Requirement("example.com/team", Operator.EQUALS, ("red",)),
        Requirement("empty", Operator.EQUALS, ("",)),
        Requirement("tier", Operator.IN, ("a", "b")),
        Requirement("old", Operator.ABSENT),
    )


def test_an_empty_selector_is_one() -> None:
    selection = only_rule(document(rule("*", labelSelectors={}))).selection
    assert selection.specificity == 10_000
    assert selection.matches("any", {})


@pytest.mark.parametrize("kind", [("v1", "List"), (f"{GROUP}/v1alpha1", "ImageUpdaterList")])
def test_lists_of_documents_are_read(kind: tuple[str, str]) -> None:
    problems = Problems()
    items = [document(name="a"), document(name="b", namespace="team")]
    value = {"apiVersion": kind[0], "kind": kind[1], "metadata": {"resourceVersion": ""}, "items": items}
    found = read_documents(value, "x.yaml", problems)
    assert [(item.name, item.namespace) for item in found] == [("a", ""), ("b", "team")]
    assert problems.found == []


def test_what_the_server_adds_is_accepted() -> None:
    value = document()
    value["metadata"] |= {"uid": "1", "generation": object(), "managedFields": [{"anything": {}}]}
    value["status"] = {"conditions": []}
    assert read(value).name == "rules"


def _image(**fields: Any) -> dict[str, Any]:
    return document(rule("shop", {**WEB, **fields}))


def _settings(**fields: Any) -> dict[str, Any]:
    return document(commonUpdateSettings=fields)


def _git(**fields: Any) -> dict[str, Any]:
    return document(writeBackConfig={"method": "git", "gitConfig": fields})


def _labelled(**labels: Any) -> dict[str, Any]:
    return document(rule(labelSelectors=labels))


_RULE = "spec.applicationRefs[0]"
_IMAGE = f"{_RULE}.images[0]"
_GIT = "spec.writeBackConfig.gitConfig"


@pytest.mark.parametrize(
    ("value", "start", "text"),
    [
        pytest.param("text", "expected a mapping, found a text", "", id="no mapping"),
        pytest.param({**document(), "kind": "ConfigMap", "data": {}}, "kind: ", "'ConfigMap'", id="other kind"),
        pytest.param({**document(), "kind": None}, "kind: ", "required", id="no kind"),
        pytest.param({"apiVersion": "v1", "kind": "List", "items": "x"}, "items: ", "expected a list", id="items"),
        pytest.param(
            {"apiVersion": "v1", "kind": "List", "items": [{"kind": "Pod"}]}, "items[0].kind: ", "'Pod'", id="item kind"
        ),
        pytest.param({**document(), "apiVersion": "v2"}, "apiVersion: ", "v1alpha1", id="other version"),
        pytest.param({**document(), "metadata": {}}, "metadata.name: ", "required", id="no name"),
        pytest.param(document(applicationRefs=[]), "spec.applicationRefs: ", "at least one rule", id="no rule"),
        pytest.param(document(rule(""), rule("x")), f"{_RULE}.namePattern: ", "empty", id="empty pattern"),
        pytest.param(document(rule("[a")), f"{_RULE}.namePattern: ", "not closed", id="bad pattern"),
        pytest.param(
            document(rule("a"), rule("a")), "spec.applicationRefs[1].namePattern: ", "twice", id="pattern twice"
        ),
        pytest.param(document(rule(images=[])), f"{_RULE}.images: ", "useAnnotations", id="no image"),
        pytest.param(document(rule("a", WEB, WEB)), f"{_RULE}.images[1].alias: ", "twice", id="alias twice"),
        pytest.param(document(rule(useAnnotation=True)), f"{_RULE}: ", "'useAnnotations'", id="nearest field"),
        pytest.param(_image(imagename="x"), f"{_IMAGE}: ", "did you mean 'imageName'", id="nearest field of an image"),
        pytest.param(_image(xyzzy="x"), f"{_IMAGE}: ", "expected alias, imageName", id="no near field"),
        pytest.param(_image(alias="-a"), f"{_IMAGE}.alias: ", "beginning with", id="alias"),
        pytest.param(_image(imageName="Acme/Web"), f"{_IMAGE}.imageName: ", "lower case", id="image"),
        pytest.param(_image(imageName="web=acme/web"), f"{_IMAGE}.imageName: ", "field of its own", id="alias in it"),
        pytest.param(_image(imageName="acme/web "), "", "", id="blanks are trimmed"),
        pytest.param(_image(manifestTargets={}), f"{_IMAGE}.manifestTargets: ", "exactly one", id="no target"),
        pytest.param(
            _image(manifestTargets={"helm": {}, "kustomize": {}}),
            f"{_IMAGE}.manifestTargets: ",
            "one",
            id="two targets",
        ),
        pytest.param(
            _image(manifestTargets={"plugin": {"tag": "T"}}),
            f"{_IMAGE}.manifestTargets.plugin: ",
            "'spec'",
            id="plugin",
        ),
        pytest.param(
            _image(manifestTargets={"plugin": {"name": "N" * 254}}),
            f"{_IMAGE}.manifestTargets.plugin.name: ",
            "253",
            id="long variable",
        ),
        pytest.param(
            _image(imagesVerification={"enabled": True}), f"{_IMAGE}.imagesVerification: ", "cosignKey", id="no key"
        ),
        pytest.param(
            document(imagesVerification={}), f"{_IMAGE}.imagesVerification: ", "cosignKey", id="no key from outside"
        ),
        pytest.param(
            document(rule(useAnnotations=True, imagesVerification={})), f"{_RULE}.imagesVerification: ", "", id="no k"
        ),
        pytest.param(
            document(
                rule(writeBackConfig={"gitConfig": {"branch": "a:b"}}),
                writeBackConfig={"gitConfig": {"pullRequest": {"github": {}}}},
            ),
            f"{_RULE}.writeBackConfig.gitConfig.branch: ",
            "base branch",
            id="write branch of a rule",
        ),
        pytest.param(_settings(updateStrategy="best"), "spec.commonUpdateSettings.updateStrategy: ", "semver", id="s"),
        pytest.param(_settings(forceUpdate="yes"), "spec.commonUpdateSettings.forceUpdate: ", "true or", id="boolean"),
        pytest.param(_settings(allowTags=True), "spec.commonUpdateSettings.allowTags: ", "in quotes", id="text"),
        pytest.param(_settings(ignoreTags="a"), "spec.commonUpdateSettings.ignoreTags: ", "a list", id="list"),
        pytest.param(_settings(platforms=[{}]), "spec.commonUpdateSettings.platforms[0]: ", "a mapping", id="item"),
        pytest.param(_settings(pullSecret="x"), "spec.commonUpdateSettings.pullSecret: ", "", id="pull secret"),
        pytest.param(
            document(writeBackConfig={"method": "Git"}), "spec.writeBackConfig.method: ", "unknown", id="meth"
        ),
        pytest.param(_git(branch="a:b:c"), f"{_GIT}.branch: ", "<write branch>", id="branch"),
        pytest.param(
            _git(writeBackTarget="a/kustomization.yaml"), f"{_GIT}.writeBackTarget: ", "kustomization:<", id="target"
        ),
        pytest.param(_git(pullRequest={}), f"{_GIT}.pullRequest: ", "exactly one", id="no provider"),
        pytest.param(
            _git(pullRequest={"github": {}, "labels": ["l"] * 101}), f"{_GIT}.pullRequest.labels: ", "100", id="labels"
        ),
        pytest.param(
            _git(pullRequest={"github": {}, "labels": ["l" * 256]}), f"{_GIT}.pullRequest.labels: ", "255", id="label"
        ),
        pytest.param(
            _git(pullRequest={"github": {}}, branch="main:x"), f"{_GIT}.branch: ", "base branch", id="write branch"
        ),
        pytest.param(_labelled(matchLabels={"a b": "c"}), f"{_RULE}.labelSelectors.matchLabels.a b: ", "", id="key"),
        pytest.param(_labelled(matchLabels={"a": "b,c"}), f"{_RULE}.labelSelectors.matchLabels.a: ", "", id="value"),
        pytest.param(_labelled(matchLabels={"a": 1}), f"{_RULE}.labelSelectors.matchLabels.a: ", "quotes", id="number"),
        pytest.param(
            _labelled(matchExpressions=[{"key": "a", "operator": "Is"}]),
            f"{_RULE}.labelSelectors.matchExpressions[0].operator: ",
            "NotIn",
            id="operator",
        ),
        pytest.param(
            _labelled(matchExpressions=[{"key": "a", "operator": "In"}]),
            f"{_RULE}.labelSelectors.matchExpressions[0].values: ",
            "at least one",
            id="no values",
        ),
        pytest.param(
            _labelled(matchExpressions=[{"key": "a", "operator": "Exists", "values": ["b"]}]),
            f"{_RULE}.labelSelectors.matchExpressions[0].values: ",
            "takes none",
            id="values",
        ),
        pytest.param(
            _labelled(matchExpressions=[{"key": "!a", "operator": "Exists"}]),
            f"{_RULE}.labelSelectors.matchExpressions[0].key: ",
            "",
            id="negation in a key",
        ),
    ],
)
def test_a_problem_names_its_field(value: object, start: str, text: str) -> None:
    found = problems_in(value)
    assert len(found) == (1 if start else 0), found
    assert all(problem.startswith(start) and text in problem for problem in found), found


def test_many_unknown_fields_are_counted() -> None:
    found = problems_in({**document(), **{f"field{number}": None for number in range(50)}})
    assert len(found) == 11
    assert found[-1] == "and 40 more unknown fields"


def test_every_problem_is_found() -> None:
    value = document(rule("[", {"alias": "?", "imageName": 7}), surplus=1)
    assert {problem.partition(": ")[0] for problem in problems_in(value)} == {
        "spec",
        f"{_RULE}.namePattern",
        f"{_IMAGE}.alias",
        f"{_IMAGE}.imageName",
    }


_NAMES = st.sampled_from(
    ["apiVersion", "kind", "metadata", "name", "spec", "applicationRefs", "images", "helm", "namePattern", "items", "x"]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5) | st.sampled_from(["ImageUpdater", "List", "v1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(_VALUES)
def test_any_value_is_read_or_refused(value: object) -> None:
    problems = Problems()
    documents = read_documents(value, "x", problems)
    assert problems.found or all(item.name and item.rules for item in documents)


@given(st.sampled_from(["writeBackConfig", "imagesVerification", "commonUpdateSettings", "applicationRefs"]), _VALUES)
def test_any_block_is_read_or_refused(field: str, value: object) -> None:
    problems = Problems()
    documents = read_documents(document(**{field: value}), "x", problems)
    assert problems.found or documents[0].rules
