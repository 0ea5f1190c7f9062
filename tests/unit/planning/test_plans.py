"""Plans of whole Applications, from annotations to images."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.planning.builders import KEY, helm_application, prefixed, sourced
from updater.model.applications import ApplicationKey, HelmParameter, SourceKind, SourceLayout, SourceSnapshot
from updater.model.changes import SourceChoice
from updater.model.images import HelmTarget, KustomizeTarget, Reason, Severity, Strategy, TagRule
from updater.model.references import ImageReference, parse_reference
from updater.planning.eligibility import Skip
from updater.planning.memory import PlanMemory
from updater.planning.plans import ApplicationPlan, PlanOptions, plan_application
from updater.planning.write_back import Method, WriteBackMethod
from updater.rules.label_selectors import parse_label_selector
from updater.rules.name_patterns import compile_name_patterns

_OPTIONS = PlanOptions()


def _kinds(plan: ApplicationPlan) -> list[str]:
    return [warned.kind for warned in plan.warnings]


def test_image_plan_holds_everything_that_is_known() -> None:
    own = {
        "image-list": "web=quay.io/acme/web:~1.2",
        "web.allow-tags": "regexp:^v",
        "ignore-tags": "latest",
        "web.helm.image-name": "web.name",
        "web.pull-secret": "env:CREDENTIALS",
        "semver-constraint": ">=1, <2",
    }
    parameters = (HelmParameter("web.name", "quay.io/acme/web", True), HelmParameter("image.tag", "1.2.0", True))
    source = SourceSnapshot(helm_parameters=parameters)
    plan = plan_application(helm_application(own, "quay.io/acme/web:1.1", source=source), _OPTIONS)
    (image,) = plan.images
    assert image.rule == TagRule(Strategy.SEMVER, "~1.2", ">=1, <2", "regexp:^v", ("latest",))
    assert image.target == HelmTarget("web.name", "image.tag")
    assert image.live == parse_reference("quay.io/acme/web:1.1")
    assert (image.alias, image.pull_secret) == ("web", "env:CREDENTIALS")
    assert image.in_spec == "quay.io/acme/web:1.2.0"
    assert plan == ApplicationPlan(KEY, (image,), SourceChoice(SourceKind.HELM), WriteBackMethod())


@pytest.mark.parametrize(
    ("own", "options", "skip"),
    [
        pytest.param({}, _OPTIONS, Skip.NO_IMAGE_LIST, id="no annotation"),
        pytest.param({"image-list": " , "}, _OPTIONS, Skip.EMPTY_IMAGE_LIST, id="no entry"),
        pytest.param({"image-list": "web"}, PlanOptions(compile_name_patterns(["x"])), Skip.NAME, id="name"),
        pytest.param(
            {"image-list": "web"}, PlanOptions(label_selector=parse_label_selector("team=a")), Skip.LABEL, id="label"
        ),
    ],
)
def test_application_is_skipped(own: dict[str, str], options: PlanOptions, skip: Skip) -> None:
    plan = plan_application(helm_application(own, "web:1"), options)
    assert plan.skip is skip
    assert plan.skipped
    assert plan.images == ()


def test_unsupported_type_comes_before_the_name() -> None:
    snapshot = replace(helm_application({"image-list": "web"}), source_type="Directory")
    plan = plan_application(snapshot, PlanOptions(compile_name_patterns(["x"])))
    assert plan.skip is Skip.UNSUPPORTED_TYPE
    assert "Directory" in plan.skipped


def test_a_commit_for_a_hydrated_application_needs_no_server_that_supports_it() -> None:
    own = {"image-list": "web", "write-back-method": "git"}
    snapshot = replace(helm_application(own), layout=SourceLayout.HYDRATED)
    assert plan_application(snapshot, PlanOptions(server_supports_hydrator=False)).skip is None


def test_hydrator_needs_a_server_that_supports_it() -> None:
    snapshot = replace(helm_application({"image-list": "web"}), layout=SourceLayout.HYDRATED)
    assert plan_application(snapshot, PlanOptions(server_supports_hydrator=False)).skip is Skip.UNSUPPORTED_TYPE
    assert plan_application(snapshot, _OPTIONS).skip is None


def test_only_what_an_owner_should_mend_is_skipped_with_a_warning() -> None:
    loud = {skip for skip in Skip if skip.severity is Severity.WARNING}
    assert loud == {Skip.EMPTY_IMAGE_LIST, Skip.UNSUPPORTED_TYPE}


def test_annotations_without_an_image_list_are_reported() -> None:
    plan = plan_application(helm_application({"web.update-strategy": "semver"}), _OPTIONS)
    assert plan.skip is Skip.NO_IMAGE_LIST
    assert _kinds(plan) == ["image_list_missing"]


def test_applications_that_were_not_chosen_are_left_in_peace() -> None:
    snapshot = helm_application({"web.update-strategy": "semver"})
    plan = plan_application(snapshot, PlanOptions(compile_name_patterns(["other"])))
    assert (plan.skip, plan.warnings) == (Skip.NO_IMAGE_LIST, ())


def test_illegal_entry_keeps_its_place_and_harms_no_other() -> None:
    own = {"image-list": "a=Bad,b=web", "a.update-strategy": "digest"}
    plan = plan_application(helm_application(own, "web:1"), _OPTIONS)
    assert [image.invalid_reason for image in plan.images] == [Reason.INVALID_REFERENCE, None]
    assert plan.images[0].entry == "a=Bad"
    assert _kinds(plan) == ["image_invalid"]


@pytest.mark.parametrize(
    ("own", "reason", "text"),
    [
        pytest.param({"pull-secret": "nonsense"}, Reason.INVALID_SETTINGS, "pull-secret", id="pull secret"),
        pytest.param({"update-strategy": "digest"}, Reason.INVALID_CONSTRAINT, "':latest'", id="digest without tag"),
    ],
)
def test_mistake_of_one_image_is_recorded_in_its_plan(own: dict[str, str], reason: Reason, text: str) -> None:
    (image,) = plan_application(helm_application({"image-list": "web", **own}, "web:1"), _OPTIONS).images
    assert image.invalid_reason is reason
    assert text in image.invalid


@pytest.mark.parametrize(
    ("own", "code", "write_back"),
    [
        pytest.param({"write-back-method": "svn"}, "invalid_method", None, id="unknown method"),
        pytest.param({"write-back-method": "argocd:x"}, "invalid_method", None, id="credentials of argocd"),
        pytest.param({"write-back-method": "git:"}, "invalid_credentials", None, id="empty credentials"),
        pytest.param({"write-back-method": "git:secret:a/b/c"}, "invalid_credentials", None, id="three parts"),
        pytest.param({"write-back-method": "git:secret:"}, "invalid_credentials", None, id="no name"),
        pytest.param(
            {"write-back-method": "git", "write-back-target": "helmvaluesfile"},
            "invalid_target",
            WriteBackMethod(Method.GIT),
            id="word that begins like a prefix",
        ),
        pytest.param(
            {"write-back-method": "git", "write-back-target": "helmvalue:a.yaml"},
            "invalid_target",
            WriteBackMethod(Method.GIT),
            id="misspelt prefix",
        ),
        pytest.param(
            {"write-back-method": "git", "write-back-target": "kustomize"},
            "invalid_target",
            WriteBackMethod(Method.GIT),
            id="misspelt word",
        ),
        pytest.param(
            {"write-back-method": "git", "write-back-target": "a/kustomization.yml"},
            "kustomization_without_prefix",
            WriteBackMethod(Method.GIT),
            id="kustomization file",
        ),
    ],
)
def test_write_back_mistake_stops_writing_only(
    own: dict[str, str], code: str, write_back: WriteBackMethod | None
) -> None:
    plan = plan_application(helm_application({"image-list": "web", **own}, "web:1"), _OPTIONS)
    assert plan.problem_code == code
    assert plan.problem
    assert plan.write_back == write_back
    assert len(plan.images) == 1


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("argocd", WriteBackMethod()),
        (" git : repocreds ", WriteBackMethod(Method.GIT)),
        ("git:secret:ns/name", WriteBackMethod(Method.GIT, ("ns", "name"))),
        ("git:secret:name", WriteBackMethod(Method.GIT, ("", "name"))),
    ],
)
def test_write_back_method(text: str, method: WriteBackMethod) -> None:
    own = {"image-list": "web", "write-back-method": text}
    assert plan_application(helm_application(own), _OPTIONS).write_back == method


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("kustomization", SourceKind.KUSTOMIZE),
        ("kustomization:../base", SourceKind.KUSTOMIZE),
        ("helmvalues:/a.yaml", SourceKind.HELM),
        ("helmvalues", SourceKind.HELM),
        ("deploy/params.yaml", SourceKind.HELM),
        ("kustomize/params.yaml", SourceKind.HELM),
        ("kustomize.yaml", SourceKind.HELM),
    ],
)
def test_target_prefix_decides_the_type_for_git(target: str, kind: SourceKind) -> None:
    own = {"image-list": "web", "write-back-method": "git", "write-back-target": target}
    choice = plan_application(helm_application(own), _OPTIONS).choice
    assert choice == SourceChoice(kind)


def test_named_source_decides_the_type() -> None:
    sources = (SourceSnapshot(helm_parameters=()), SourceSnapshot(kustomize_images=("web:1",)))
    own = prefixed({"image-list": "web", "write-back-source": "1"})
    snapshot = replace(sourced(*sources, source_types=("Helm", "Kustomize")), annotations=own, live_images=("web:0",))
    plan = plan_application(snapshot, _OPTIONS)
    assert plan.choice == SourceChoice(SourceKind.KUSTOMIZE, "1")
    assert (plan.images[0].target, plan.images[0].in_spec) == (KustomizeTarget(), "web:1")


def test_unknown_named_source_is_a_problem_of_the_application() -> None:
    own = prefixed({"image-list": "web", "write-back-source": "nope"})
    two = (SourceSnapshot(helm_parameters=()),) * 2
    plan = plan_application(replace(sourced(*two, source_types=("Helm",) * 2), annotations=own), _OPTIONS)
    assert plan.problem_code == "source_not_found"
    assert plan.choice is None


def test_source_that_cannot_be_told_is_a_problem_of_the_image() -> None:
    own = prefixed({"image-list": "web"})
    sources = (SourceSnapshot(), SourceSnapshot())
    snapshot = replace(sourced(*sources, source_types=("Helm",)), annotations=own, live_images=("web:1",))
    (image,) = plan_application(snapshot, _OPTIONS).images
    assert "none of the 2 sources is a Helm source" in image.spec_problem


def test_kustomize_name_is_looked_up_first_and_keeps_all_running_references() -> None:
    own = {"image-list": "web=r.io/web", "web.kustomize.image-name": "web"}
    live = ("r.io/web:2", "web:1", "web:0")
    snapshot = replace(helm_application(own, *live), source_type="Kustomize")
    (image,) = plan_application(snapshot, _OPTIONS).images
    assert image.live == parse_reference("web:1")
    assert image.running == (parse_reference("web:1"), parse_reference("web:0"))


def test_placeholder_as_kustomize_name_is_written_but_never_live() -> None:
    own = {"image-list": "web=r.io/web", "web.kustomize.image-name": "WEB_IMAGE"}
    snapshot = replace(helm_application(own, "r.io/web:2"), source_type="Kustomize")
    (image,) = plan_application(snapshot, _OPTIONS).images
    assert image.live == parse_reference("r.io/web:2")
    assert image.target == KustomizeTarget("WEB_IMAGE")


def test_forced_image_is_planned_without_running() -> None:
    own = {"image-list": "a=web", "a.force-update": "true"}
    (image,) = plan_application(helm_application(own), _OPTIONS).images
    assert image.live is None
    assert image.is_forced


@pytest.mark.parametrize(
    ("force", "in_spec"),
    [pytest.param("true", "web:1", id="forced"), pytest.param("false", "", id="left alone")],
)
def test_spec_is_read_for_what_may_be_written(force: str, in_spec: str) -> None:
    source = SourceSnapshot(helm_parameters=(HelmParameter("i", "web:1", True),))
    own = {"image-list": "a=web", "a.force-update": force, "a.helm.image-spec": "i"}
    (image,) = plan_application(helm_application(own, source=source), _OPTIONS).images
    assert image.in_spec == in_spec


@pytest.mark.parametrize(("entry", "name"), [("a=r.io/web", "a: "), ("r.io/web", "r.io/web: ")])
def test_warning_begins_with_alias_or_name(entry: str, name: str) -> None:
    plan = plan_application(helm_application({"image-list": entry, "force-update": "maybe"}), _OPTIONS)
    assert plan.warnings[0].text.startswith(name)


def test_live_texts_that_name_no_image_are_passed_over() -> None:
    (image,) = plan_application(helm_application({"image-list": "web"}, "Bad Image", "web:1"), _OPTIONS).images
    assert image.live == ImageReference(image.repository, "1", "", "web:1")


@pytest.mark.parametrize(
    ("strategy", "platforms", "expected"),
    [
        pytest.param("digest", "", ("linux/s390x",), id="platform of the process"),
        pytest.param("newest-build", "linux/amd64, linux/arm64", ("linux/amd64", "linux/arm64"), id="as written"),
        pytest.param("semver", "linux/amd64", (), id="not read by semver"),
    ],
)
def test_platforms_are_in_the_rule_where_they_are_read(
    strategy: str, platforms: str, expected: tuple[str, ...]
) -> None:
    own = {"image-list": "a=web:1", "a.update-strategy": strategy, "a.platforms": platforms}
    (image,) = plan_application(helm_application(own), PlanOptions(default_platform="linux/s390x")).images
    assert image.rule.platforms == expected


@pytest.mark.parametrize(
    ("own", "live", "kind", "text"),
    [
        pytest.param({"a.update-strategy": "latest"}, "", "deprecated_strategy", "'newest-build'", id="old strategy"),
        pytest.param({"a.update-strategy": "best"}, "", "strategy_unknown", "is none of", id="unknown strategy"),
        pytest.param({"update-strategy": "semver:1"}, "", "strategy_unknown", "holds more", id="constraint in it"),
        pytest.param({"a.tag-match": "any"}, "", "deprecated_key", "it still works", id="old key"),
        pytest.param(
            {"a.tag-match": "x", "allow-tags": "any"}, "", "deprecated_key", "not read", id="old key beside new"
        ),
        pytest.param({"force-update": "yes"}, "", "boolean_invalid", "'yes'", id="boolean"),
        pytest.param({"allow-tags": "v1"}, "", "allow_tags_invalid", "write 'regexp:v1'", id="allow-tags"),
        pytest.param({"allow-tags": "regexp:main"}, "", "allow_tags_unanchored", "anchor it", id="unanchored"),
        pytest.param({"ignore-tags": "["}, "", "ignore_tags_invalid", "malformed", id="malformed glob"),
        pytest.param({"ignore-tags": "regexp:^v"}, "", "ignore_tags_expression", "read as a glob", id="expression"),
        pytest.param(
            {"a.update-strategy": "alphabetical", "semver-constraint": "1"},
            "",
            "constraint_ignored",
            "semver-constraint",
            id="annotation not read",
        ),
        pytest.param({}, "docker.io/acme/web:1", "docker_hub_spelling", "'docker.io/acme/web:1'", id="Docker Hub"),
        pytest.param({"git-branch": "main"}, "", "git_settings_unused", "git-branch", id="git settings"),
        pytest.param({"a.kustomize.image-name": "x:1"}, "", "kustomize_name_tagged", "holds a tag", id="tag in a name"),
        pytest.param(
            {"a.update-strategy": "newest-build", "a.platforms": "amd64"},
            "",
            "platform_invalid",
            "'amd64'",
            id="platform",
        ),
    ],
)
def test_owner_is_warned_once(own: dict[str, str], live: str, kind: str, text: str) -> None:
    plan = plan_application(helm_application({"image-list": "a=acme/web", **own}, *filter(None, [live])), _OPTIONS)
    assert _kinds(plan) == [kind]
    assert text in plan.warnings[0].text


def test_constraint_that_is_not_read_is_reported() -> None:
    own = {"image-list": "web:dev-*", "update-strategy": "newest-build"}
    plan = plan_application(helm_application(own), _OPTIONS)
    assert _kinds(plan) == ["constraint_ignored"]
    assert plan.images[0].rule.constraint == ""


def test_images_that_overwrite_each_other_are_reported_together() -> None:
    own = {"image-list": "a=web,b=api,c=db,d=web", "c.helm.image-spec": "db.image"}
    (warned,) = plan_application(helm_application(own), _OPTIONS).warnings
    assert warned.kind == "override_shared"
    text = "2 images write the same override (image.name, image.tag), and the last one wins: a=web, b=api;"
    assert text in warned.text


@pytest.mark.parametrize(
    ("own", "source_type", "overridden"),
    [
        pytest.param({"image-list": "a=web,b=api"}, "Helm", ["b=api", ""], id="one tag parameter"),
        pytest.param({"image-list": "web:1,web:2"}, "Helm", ["web:2", ""], id="two constraints"),
        pytest.param({"image-list": "web,web"}, "Helm", ["", ""], id="repeat"),
        pytest.param({"image-list": "a=web,b=api", "a.helm.image-tag": "t"}, "Helm", ["", ""], id="own tag parameter"),
        pytest.param({"image-list": "a=web,b=api", "a.helm.image-spec": "i"}, "Helm", ["", ""], id="own image-spec"),
        pytest.param({"image-list": "a=web,b=db"}, "Helm", ["", ""], id="later one does not run"),
        pytest.param({"image-list": "a=web,b=Api"}, "Helm", ["", ""], id="later one is illegal"),
        pytest.param({"image-list": "a=web,b=api"}, "Kustomize", ["", ""], id="two items"),
        pytest.param({"image-list": "a=web:1,b=web:2"}, "Kustomize", ["b=web:2", ""], id="one item"),
        pytest.param(
            {"image-list": "a=web:1,b=web:2", "b.kustomize.image-name": "x"}, "Kustomize", ["", ""], id="own item"
        ),
    ],
)
def test_later_entry_wins_where_two_write_one_override(
    own: dict[str, str], source_type: str, overridden: list[str]
) -> None:
    snapshot = replace(helm_application(own, "web:0", "api:0"), source_type=source_type)
    plan = plan_application(snapshot, _OPTIONS)
    assert [image.overridden_by for image in plan.images] == overridden


@pytest.mark.parametrize(
    ("key", "advice"),
    [
        pytest.param("web.update-strategi", "did you mean web.update-strategy?", id="misspelled"),
        pytest.param("wbe.update-strategy", "did you mean web.update-strategy?", id="misspelled alias"),
        pytest.param("other.update-strategy", "no entry of image-list has the alias 'other'", id="unknown alias"),
        pytest.param("platforms", "<alias>.platforms", id="needs an alias"),
        pytest.param("web.image-name", "it is now web.helm.image-name", id="very old key"),
        pytest.param("web.write-back-method", "the whole Application: write-back-method", id="belongs to all"),
        pytest.param("zzz", "remove it", id="nothing near"),
        pytest.param("a.b.helm.image-tag", "alias 'a.b'", id="dotted alias"),
    ],
)
def test_unknown_key_gets_advice(key: str, advice: str) -> None:
    (warned,) = plan_application(helm_application({"image-list": "web=acme/web", key: "x"}), _OPTIONS).warnings
    assert warned.kind == "unknown_annotation"
    assert advice in warned.text


def test_many_unknown_keys_are_summed_up() -> None:
    own = {"image-list": "web=acme/web", **{f"zz{number:02}": "x" for number in range(15)}}
    warnings = plan_application(helm_application(own), _OPTIONS).warnings
    assert len(warnings) == 11
    assert "5 more" in warnings[-1].text


@pytest.mark.parametrize(
    ("entry", "hint"),
    [
        pytest.param("a=web\n b=api", "a new line does not", id="newline"),
        pytest.param("web api", "a blank does not", id="blank"),
        pytest.param("<2", "join the comparisons of a constraint with a blank", id="constraint cut by a comma"),
        pytest.param("a={{ .Values.image }}", "a template was left in", id="template"),
        pytest.param("a=r.io/<owner>/web", "a placeholder was left in", id="placeholder"),
        pytest.param("a=Web", "write [alias=]", id="anything else"),
    ],
)
def test_illegal_entry_gets_a_hint(entry: str, hint: str) -> None:
    (image,) = plan_application(helm_application({"image-list": entry}), _OPTIONS).images
    assert hint in image.invalid


def test_alias_with_a_slash_reads_underscore_keys() -> None:
    own = {"image-list": "team/web=acme/web", "team_web.update-strategy": "alphabetical"}
    plan = plan_application(helm_application(own), _OPTIONS)
    assert plan.images[0].rule.strategy is Strategy.ALPHABETICAL
    assert plan.warnings == ()


def test_rules_are_compiled_once_for_many_applications() -> None:
    memory = PlanMemory()
    first = plan_application(helm_application({"image-list": "web:1"}), _OPTIONS, memory)
    other = replace(helm_application({"image-list": "web:1"}), key=ApplicationKey("argocd", "other"))
    second = plan_application(other, _OPTIONS, memory)
    assert memory.selector.compile(first.images[0].rule) is memory.selector.compile(second.images[0].rule)
