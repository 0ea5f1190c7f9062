"""``plan``: what would change, why, and that nothing does."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Command
from updater.cli.plan_report import PlanReport
from updater.model.applications import ApplicationKey
from updater.model.report import Report
from updater.playground.showcase import Showcase
from updater.telemetry.redactor import Redactor

pytestmark = [pytest.mark.wire]


@pytest.fixture(scope="module", autouse=True)
def _release(shop: Showcase) -> None:
    shop.push_release("web", "1.0.1")


def test_a_plan_says_what_would_change_with_reason_and_diff(shop: Showcase, command: Command) -> None:
    before = shop.live_images()

    done = command("plan", "argocd/shop-web")

    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "argocd/shop-web"
    assert lines[1] == "  registry.example.com/shop/web: 1.0.0 -> 1.0.1"
    assert "would be updated; strategy semver, constraint ~1.0" in lines[2]
    assert "      1.0.1         chosen" in lines
    assert "      1.0.0         older" in lines
    assert "      1.1.0         outside the constraint" in lines
    assert any(line.startswith("    + ") and "1.0.1" in line for line in lines)
    assert lines[-1] == "Plan: 1 of 1 image would be updated, 0 errors, in 1 Application"
    assert shop.live_images() == before
    assert not any(call.path.endswith(("UpdateSpec", "Patch")) for call in shop.world.calls)


def test_a_plan_of_all_leaves_out_what_stays_and_ends_with_1_for_an_error(command: Command) -> None:
    done = command("plan")

    assert done.status == 1
    assert "argocd/shop-web" in done.out
    assert "argocd/shop-api" not in done.out
    assert "argocd/shop-typo" in done.out
    assert "invalid constraint" in done.out
    assert "chosen" not in done.out


def test_very_many_that_are_left_out_are_counted_by_their_reason(capsys: pytest.CaptureFixture[str]) -> None:
    skipped = [(ApplicationKey("argocd", f"app-{number}"), "its name matches no name pattern") for number in range(50)]
    report = Report((), skipped=(*skipped, (ApplicationKey("argocd", "other"), "it has no image list")))
    PlanReport(report, Redactor(), is_detailed=True).print("text")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "argocd/app-0: left out: its name matches no name pattern"
    assert lines[20:22] == [
        "30 more: left out: its name matches no name pattern",
        "argocd/other: left out: it has no image list",
    ]
    assert len(lines) == 23


def test_a_listing_is_one_record_of_level_debug(shop: Showcase, command: Command) -> None:
    done = command("plan", "shop-web", "--loglevel", "debug")

    (line,) = [line for line in done.err.splitlines() if 'msg="tags listed"' in line]
    assert f"{shop.registry.address.removeprefix('http://')}/shop/web" in line
    assert 'msg="tags known"' in command("plan", "shop-web", "--loglevel", "trace").err


def test_verbose_shows_every_image(command: Command) -> None:
    assert "argocd/shop-api" in command("plan", "--verbose").out


@pytest.mark.parametrize(
    ("words", "status"),
    [
        pytest.param(("shop-web", "--check"), 10, id="something would change"),
        pytest.param(("shop-api", "--check"), 0, id="nothing would change"),
        pytest.param(("shop-web",), 0, id="not asked to check"),
        pytest.param(("shop-typo", "--check"), 1, id="an error weighs more"),
    ],
)
def test_the_status_says_whether_something_would_change(command: Command, words: tuple[str, ...], status: int) -> None:
    assert command("plan", *words).status == status


def test_the_document_has_candidates_where_details_are_asked_for(command: Command) -> None:
    document = command("plan", "shop-web", "--output", "json").document

    assert (document["command"], document["dryRun"], document["wouldChange"]) == ("plan", True, True)
    assert document["interrupted"] is False
    (application,) = document["applications"]
    (image,) = application["images"]
    assert (image["from"], image["to"], image["reason"]) == ("1.0.0", "1.0.1", "update")
    assert {entry["tag"]: entry["loss"] for entry in image["candidates"]} == {
        "1.0.1": None,
        "1.0.0": "older",
        "0.9.5": "outside_constraint",
        "1.1.0": "outside_constraint",
        "2.0.0-rc.1": "outside_constraint",
        "latest": "not_a_version",
        "main-4f1d2c7": "not_a_version",
    }
    assert application["write"]["outcome"] == "dry_run"
    assert "candidates" not in command("plan", "--output", "json").out


@pytest.mark.parametrize(
    ("words", "fragments"),
    [
        pytest.param(
            ("argocd/shop-web", "argocd/shopp-web"), ("sees no Application named argocd/shopp-web;",), id="one"
        ),
        pytest.param(("nosuch",), ("named nosuch (in any namespace); check the spelling",), id="of any namespace"),
        pytest.param(("nosuch",), ("may not read looks the same", "'applications, get'"), id="or out of sight"),
        pytest.param(
            ("argocd/shop-web", "--argocd-projects=a,b", "--match-application-label=x=y"),
            ("named argocd/shop-web; ", "and --argocd-projects a,b and --match-application-label x=y"),
            id="the settings that may hide it",
        ),
    ],
)
def test_an_application_that_is_not_there_is_one_line_that_names_it_and_where_it_was_looked_for(
    shop: Showcase, command: Command, words: tuple[str, ...], fragments: tuple[str, ...]
) -> None:
    done = command("plan", *words)

    assert (done.status, done.out) == (1, "")
    (line,) = done.err.splitlines()
    for fragment in (shop.web.address, *fragments):
        assert fragment in line


@pytest.mark.parametrize("word", ["a/b/c", "/web", "argocd/", ""])
def test_a_word_that_names_no_application_is_refused(command: Command, word: str) -> None:
    done = command("plan", word)

    assert (done.status, done.out) == (1, "")
    assert "names no Application" in done.err


def test_an_application_that_a_filter_leaves_out_says_so(command: Command) -> None:
    done = command("plan", "shop-web", "--match-application-name", "other-*")

    assert done.status == 0
    assert "argocd/shop-web: left out: its name matches no name pattern" in done.out


def test_a_plan_ignores_what_makes_rounds_repeat_and_what_listens(command: Command) -> None:
    done = command("plan", "shop-api", "--mode=continuous", "--interval=5m", "--health-port=0")

    assert done.status == 0, done.err
    assert "0 of 1 image would be updated" in done.out


def test_the_help_of_plan_has_its_own_flags_and_those_of_run(command: Command) -> None:
    page = command("plan", "--help").out
    for word in ("--check", "--verbose", "--argocd-server-addr", "--match-application-label"):
        assert word in page
