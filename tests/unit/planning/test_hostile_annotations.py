"""Hostile annotations: one problem per cause, attached to its alias, the other images go on, and in bounded time."""

from __future__ import annotations

import pytest

from updater.model.applications import (
    ANNOTATION_PREFIX,
    ApplicationKey,
    ApplicationSnapshot,
    HelmParameter,
    SourceLayout,
    SourceSnapshot,
)
from updater.model.images import Candidate, Choice, Reason
from updater.planning.plans import ApplicationPlan, PlanOptions, plan_application
from updater.rules.decisions import decide, needs_facts
from updater.rules.selection import Selector

GOOD = "good=ghcr.io/acme/good:~1.0"
MEGABYTE = 1_000_000


def plan(own: dict[str, str]) -> ApplicationPlan:
    snapshot = ApplicationSnapshot(
        key=ApplicationKey("argocd", "shop"),
        annotations={f"{ANNOTATION_PREFIX}{key}": value for key, value in own.items()},
        layout=SourceLayout.SINGLE,
        sources=(SourceSnapshot(helm_parameters=(HelmParameter("image.tag", "1.0.0", force_string=True),)),),
        source_type="Helm",
        live_images=("ghcr.io/acme/good:1.0.0", "ghcr.io/acme/bad:1.0.0"),
    )
    return plan_application(snapshot, PlanOptions())


def reasons(planned: ApplicationPlan) -> dict[str, Reason]:
    """What each alias ends in when its registry offers 1.0.0 and 1.0.1."""
    selector = Selector()
    outcomes: dict[str, Reason] = {}
    for image in planned.images:
        outcome: Choice | None = None
        if needs_facts(image):
            outcome = selector.choose(image.rule, [Candidate("1.0.0"), Candidate("1.0.1")])
        outcomes[image.alias or image.entry] = decide(image, outcome).reason
    return outcomes


@pytest.mark.parametrize(
    ("own", "reason", "fragment"),
    [
        pytest.param(
            {"image-list": f"{GOOD}, bad=ghcr.io/Acme/Bad:1"}, Reason.INVALID_REFERENCE, "Acme/Bad", id="entry"
        ),
        pytest.param(
            {"image-list": f"{GOOD}, bad=ghcr.io/acme/bad:~one"}, Reason.INVALID_CONSTRAINT, "~one", id="constraint"
        ),
        pytest.param(
            {"image-list": f"{GOOD}, bad=ghcr.io/acme/bad:~1.0", "bad.allow-tags": "regexp:("},
            Reason.NOTHING_FITS,
            "bad: ",
            id="expression",
        ),
        pytest.param(
            {"image-list": f"{GOOD}, bad=ghcr.io/acme/bad:~1.0", "bad.allow-tags": "(?=x)"},
            Reason.NOTHING_FITS,
            "bad: ",
            id="allow-tags without its function",
        ),
        pytest.param(
            {"image-list": f"{GOOD}, bad=ghcr.io/acme/bad:~1.0", "bad.ignore-tags": "[a"},
            Reason.UPDATE,
            "bad: ",
            id="glob",
        ),
        pytest.param(
            {"image-list": f"{GOOD}, bad=ghcr.io/acme/bad:~1.0", "bad.platforms": "linux"},
            Reason.UPDATE,
            "",
            id="platform that semver does not read",
        ),
        pytest.param(
            {"image-list": f"{GOOD}, bad=ghcr.io/acme/bad:~1.0", "bad.force-update": "perhaps"},
            Reason.UPDATE,
            "bad: ",
            id="boolean",
        ),
        pytest.param(
            {"image-list": f"{GOOD}, bad=ghcr.io/acme/bad:~1.0", "bad.update-strategy": "newest"},
            Reason.UPDATE,
            "bad: ",
            id="strategy",
        ),
        pytest.param(
            {"image-list": f"{GOOD}, bad=ghcr.io/acme/bad:\x00\x1b[31m"},
            Reason.INVALID_CONSTRAINT,
            "",
            id="control characters",
        ),
        pytest.param(
            {"image-list": f"{GOOD}, bad=ghcr.io/acmé/bad:1"}, Reason.INVALID_REFERENCE, "acmé", id="non-ASCII"
        ),
    ],
)
def test_one_mistake_is_one_problem_at_its_image_and_the_other_goes_on(
    own: dict[str, str], reason: Reason, fragment: str
) -> None:
    own = {**own, "good.helm.image-name": "good.name", "good.helm.image-tag": "good.tag"}
    planned = plan(own)

    assert reasons(planned) == {"good": Reason.UPDATE, "bad": reason}
    said = [warned.text for warned in planned.warnings] + [image.invalid for image in planned.images if image.invalid]
    if fragment:
        assert any(fragment in text for text in said) or reason is Reason.INVALID_CONSTRAINT
    assert not any("good:" in text for text in said)
    assert all(len(text) < 2_000 for text in said)


def test_an_image_list_of_a_megabyte_is_one_problem() -> None:
    planned = plan({"image-list": f"{GOOD}, bad=ghcr.io/acme/{'x' * MEGABYTE}:~1"})

    assert reasons(planned) == {"good": Reason.UPDATE, "bad": Reason.INVALID_REFERENCE}
    assert len(planned.warnings) == 1
    assert len(planned.warnings[0].text) < 2_000


@pytest.mark.parametrize(
    "key", ["bad.allow-tags", "bad.ignore-tags", "bad.update-strategy", "bad.helm.image-tag", "typo"]
)
def test_a_value_of_a_megabyte_stops_nothing(key: str) -> None:
    own = {"image-list": f"{GOOD}, bad=ghcr.io/acme/bad:~1.0", key: "regexp:" + "(a|b)*" * (MEGABYTE // 6)}
    own |= {"good.helm.image-name": "good.name", "good.helm.image-tag": "good.tag"}
    planned = plan(own)

    assert reasons(planned)["good"] is Reason.UPDATE
    assert sum(len(warned.text) for warned in planned.warnings) < 10_000


def test_ten_thousand_entries_are_all_accounted_for() -> None:
    entries = [f"a{number}=ghcr.io/acme/app-{number}:~1.0" for number in range(10_000)]
    planned = plan({"image-list": ", ".join([GOOD, *entries])})

    outcomes = reasons(planned)
    assert len(outcomes) == 10_001
    assert outcomes["good"] in (Reason.UPDATE, Reason.OVERRIDDEN)
    assert sum(reason is Reason.NOT_LIVE for reason in outcomes.values()) == 10_000
    assert sum(len(warned.text) for warned in planned.warnings) < 10_000


def test_more_entries_than_anybody_writes_are_left_out_with_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("updater.planning.image_list.MAX_ENTRIES", 100)
    planned = plan({"image-list": f"{GOOD}," + "a," * (MEGABYTE // 2)})

    assert len(planned.images) == 101
    assert reasons(planned)["good"] is Reason.UPDATE
    assert any("more than 100 entries" in warned.text for warned in planned.warnings)


@pytest.mark.parametrize(
    ("entries", "together"),
    [
        pytest.param("good=ghcr.io/acme/good:>=1.0, <2", ">=1.0 <2", id="an upper bound"),
        pytest.param("good=ghcr.io/acme/good:>=1.0,<2,!=1.5", ">=1.0 <2", id="several"),
        pytest.param("good=ghcr.io/acme/good:>=1.0, , <2", ">=1.0 <2", id="behind an empty element"),
        pytest.param("good=ghcr.io/acme/good, ~1.2", "~1.2", id="no constraint of its own"),
        pytest.param("good=ghcr.io/acme/good:>=1.0, =1.2.0", ">=1.0 =1.2.0", id="an equals sign"),
        pytest.param("good=ghcr.io/acme/good:>=1.0, =< 2", ">=1.0 =< 2", id="an operator with an equals sign"),
    ],
)
def test_a_constraint_that_a_comma_cut_is_not_followed_without_its_rest(entries: str, together: str) -> None:
    planned = plan({"image-list": f"{entries}, bad=ghcr.io/acme/bad:~1.0", "bad.helm.image-tag": "bad.tag"})

    assert reasons(planned)["good"] is Reason.INVALID_CONSTRAINT
    assert reasons(planned)["bad"] is Reason.UPDATE
    problem = planned.images[0].invalid
    assert "'good=ghcr.io/acme/good" in problem
    assert f"join comparisons with a blank, {together!r}, or write it with its comma" in problem
    assert "good.semver-constraint" in problem


@pytest.mark.parametrize(
    "own",
    [
        pytest.param({"image-list": f"{GOOD}, =ghcr.io/acme/bad"}, id="an entry with an empty alias"),
        pytest.param({"image-list": f"<2, {GOOD}"}, id="nothing before it"),
        pytest.param({"image-list": f"{GOOD}, bad=ghcr.io/acme/bad:1, <2"}, id="another entry between"),
        pytest.param({"image-list": f"{GOOD}, <2", "update-strategy": "newest-build"}, id="a strategy without bounds"),
    ],
)
def test_an_entry_whose_constraint_nothing_cut_is_followed(own: dict[str, str]) -> None:
    own = {**own, "good.helm.image-name": "good.name", "good.helm.image-tag": "good.tag"}
    assert reasons(plan(own))["good"] is Reason.UPDATE


def test_a_name_for_another_kind_of_source_is_warned_about() -> None:
    planned = plan({"image-list": GOOD, "good.kustomize.image-name": "good"})

    assert [warned.kind for warned in planned.warnings] == ["target_unused"]
