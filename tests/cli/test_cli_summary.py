"""What a round prints: table, lines, document; and what a round answers with."""

from __future__ import annotations

import io
import json
import signal
import sys
from dataclasses import replace

import pytest

from updater.cli.progress import ProgressBar
from updater.cli.run import Runtime, make_round, wants_result
from updater.cli.signals import Shutdown
from updater.cli.summary import print_summary
from updater.errors import ArgoCDUnauthenticated, UpdaterError
from updater.model.applications import ApplicationKey, SourceKind
from updater.model.changes import ChangeSet, SourceChoice, WriteBackResult, WriteOutcome
from updater.model.images import Counter, Decision, HelmTarget, ImagePlan, Reason, TagRule
from updater.model.references import ImageReference, ImageRepository
from updater.model.report import ApplicationReport, Report, Warned
from updater.ports.progress import Progress
from updater.settings.model import Platform, Settings
from updater.settings.resolution import resolve_command_line
from updater.telemetry.log import Logging
from updater.telemetry.redactor import Redactor

SHOP = ApplicationKey("argocd", "shop")
SECRET = "s3cr3t-planted"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def decision(name: str, reason: Reason, *, wanted: str = "", problem: str = "", code: str = "") -> Decision:
    repository = ImageRepository("ghcr.io", f"acme/{name}")
    plan = ImagePlan(
        SHOP, name, name, repository, TagRule(), HelmTarget(), live=ImageReference(repository, tag="1.2.3")
    )
    return Decision(
        plan,
        reason,
        wanted=ImageReference(repository, tag=wanted) if wanted else None,
        problem=problem,
        error_code=code,
        counts=frozenset({Counter.CONSIDERED, *([Counter.UPDATED] if wanted else [])}),
    )


DIFF = ("- image.tag: 1.2.3", "+ image.tag: 1.2.4")


def report(
    *decisions: Decision,
    outcome: WriteOutcome = WriteOutcome.WRITTEN,
    dry: bool = False,
    diff: tuple[str, ...] = DIFF,
) -> Report:
    changes = ChangeSet(SHOP, "default", SourceChoice(SourceKind.HELM), edits=(), images=())
    result = WriteBackResult(changes, outcome, attempts=1, diff=diff)
    application = ApplicationReport(SHOP, decisions, result, warnings=(Warned("unknown_key", "mend it"),))
    return Report((application,), skipped=((ApplicationKey("argocd", "off"), "no image list"),), is_dry_run=dry)


UPDATE = decision("shop", Reason.UPDATE, wanted="1.2.4")
LONG_NAME = "shop-" * 12 + "end"
LONG = decision(LONG_NAME, Reason.UPDATE, wanted="1.2.4")
QUIET = decision("cache", Reason.UP_TO_DATE)
BROKEN = decision("db", Reason.TAGS_UNAVAILABLE, problem=f"no answer\nfor {SECRET} [red]", code="registry_unreachable")


def test_a_pipe_gets_tab_separated_lines(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(report(UPDATE, QUIET, BROKEN), "text", Redactor([SECRET]))
    assert capsys.readouterr().out.splitlines() == [
        "application\timage\tfrom\tto\treason",
        "argocd/shop\tghcr.io/acme/shop\t1.2.3\t1.2.4\tupdated",
        "argocd/shop\tghcr.io/acme/cache\t1.2.3\t\tup to date",
        "argocd/shop\tghcr.io/acme/db\t1.2.3\t\ttags unavailable: no answer for *** [red]",
    ]


def test_a_terminal_gets_a_table_with_the_totals(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", "200")
    print_summary(report(UPDATE, BROKEN), "text", Redactor([SECRET]))
    assert "1 application, 2 images considered" in terminal.getvalue()
    assert "[red]" in terminal.getvalue()
    assert "planted" not in terminal.getvalue()


def test_a_long_table_leaves_out_what_is_up_to_date_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", "200")
    print_summary(report(UPDATE, *[QUIET] * 300), "text", Redactor())
    assert "300 images up to date not shown" in terminal.getvalue()
    assert "acme/cache" not in terminal.getvalue()
    assert "acme/shop" in terminal.getvalue()


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (WriteOutcome.WRITTEN, "updated"),
        (WriteOutcome.DRY_RUN, "would be updated"),
        (WriteOutcome.UNCHANGED, "already stored"),
        (WriteOutcome.FAILED, "update failed"),
    ],
)
def test_the_reason_of_an_update_says_what_came_of_it(
    capsys: pytest.CaptureFixture[str], outcome: WriteOutcome, text: str
) -> None:
    print_summary(report(UPDATE, outcome=outcome), "text", Redactor())
    assert capsys.readouterr().out.splitlines()[1].endswith(f"\t{text}")


def test_a_dry_run_prints_the_diff(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(report(UPDATE, outcome=WriteOutcome.DRY_RUN, dry=True), "text", Redactor())
    assert "argocd/shop:\n  - image.tag: 1.2.3\n  + image.tag: 1.2.4\n" in capsys.readouterr().out


def test_a_value_in_the_diff_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = ("- helm.parameters: tag=\x1b]0;owned\x07\x9b2J\n+ forged", "+ helm.parameters: tag=1.2.4")
    print_summary(report(UPDATE, outcome=WriteOutcome.DRY_RUN, dry=True, diff=hostile), "text", Redactor())
    shown = capsys.readouterr().out
    assert all(line.replace("\t", "").isprintable() for line in shown.splitlines())
    assert "\n+ forged" not in shown
    assert "tag=\\x1b]0;owned" in shown


def test_an_application_that_failed_as_a_whole_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    failed = ApplicationReport(SHOP, error="gone", error_code="argocd_not_found")
    print_summary(Report((failed,)), "text", Redactor())
    assert capsys.readouterr().out.splitlines()[1] == "argocd/shop\t\t\t\targocd_not_found: gone"


def test_the_document_has_stable_keys(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(report(UPDATE, BROKEN), "json", Redactor([SECRET]))
    text = capsys.readouterr().out
    found = json.loads(text)
    assert "planted" not in text
    assert (found["schemaVersion"], found["command"], found["dryRun"]) == (1, "run", False)
    assert found["totals"]["images_updated"] == 1
    assert found["skipped"] == [{"namespace": "argocd", "name": "off", "reason": "no image list"}]
    (application,) = found["applications"]
    assert set(application) == {"namespace", "name", "error", "warnings", "images", "write"}
    update, broken = application["images"]
    assert (update["from"], update["to"], update["reason"], update["problem"]) == ("1.2.3", "1.2.4", "update", None)
    assert broken["problem"]["code"] == "registry_unreachable"
    assert application["write"]["outcome"] == "written"


class OneRound:
    """A runtime whose round is given."""

    def __init__(self, result: Report | UpdaterError) -> None:
        self.result = result

    def run_once(self) -> Report:
        if isinstance(self.result, UpdaterError):
            raise self.result
        return self.result

    def run(self) -> bool:
        return True

    def stop(self) -> None: ...

    def close(self) -> None: ...


def settings(*words: str) -> Settings:
    base = ["run", "--applications-api", "argocd", "--disable-kubernetes", "--once"]
    return resolve_command_line([*base, *words], {}, Platform()).settings


def status(runtime: Runtime, *words: str, shutdown: Shutdown | None = None) -> int:
    redactor = Redactor([SECRET])
    wanted = settings(*words)
    logs = Logging("info", "text", redactor=redactor, has_result=wants_result(wanted))
    try:
        return make_round(runtime, wanted, logs.log, shutdown=shutdown or Shutdown(), redactor=redactor)
    finally:
        logs.close()


def test_errors_of_applications_end_with_status_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(OneRound(report(BROKEN)), "--output", "json") == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["applications"]
    assert "msg=Finished." in captured.err


@pytest.mark.parametrize(
    ("decided", "expected"),
    [
        pytest.param(replace(BROKEN, counts=frozenset({Counter.ERRORS})), 1, id="an error"),
        pytest.param(UPDATE, 0, id="an update"),
    ],
)
def test_errors_end_with_status_1_where_that_is_asked_for(decided: Decision, expected: int) -> None:
    assert status(OneRound(report(decided)), "--fail-on-error") == expected


def test_without_output_a_pipe_gets_records_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(OneRound(report(UPDATE))) == 0
    assert "tag" not in capsys.readouterr().out


@pytest.mark.parametrize("words", [("--once=false",), ("--once=false", "--interval=0", "--mode=continuous")])
def test_an_output_that_nobody_will_see_is_warned_about(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert status(OneRound(report(UPDATE)), "--output=json", *words) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "--output shows the result of a single round" in captured.err
    assert status(OneRound(report(UPDATE)), *words) == 0
    assert "--output" not in "".join(capsys.readouterr())


def test_a_fleet_that_cannot_be_listed_is_one_record_and_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    error = ArgoCDUnauthenticated(f"token {SECRET} expired", where="cd.example.org", hint="create a new one")
    assert status(OneRound(error)) == 1
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert "level=error" in line
    assert 'msg="Error: cd.example.org: token *** expired; create a new one"' in line
    assert "argocd_server=argocd-server.argocd code=argocd_unauthenticated grpc_web=false" in line


def test_a_signal_during_the_listing_ends_with_status_0_and_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    with Shutdown() as shutdown:
        signal.raise_signal(signal.SIGTERM)
        assert status(OneRound(ArgoCDUnauthenticated("cancelled")), "--output=json", shutdown=shutdown) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["interrupted"], document["applications"]) == (True, [])


def test_a_round_that_a_signal_cut_short_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    cut = replace(report(UPDATE), is_interrupted=True)
    assert status(OneRound(cut), "--output=json") == 0
    assert json.loads(capsys.readouterr().out)["interrupted"] is True


def test_a_very_narrow_terminal_gets_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    print_summary(report(UPDATE, BROKEN), "text", Redactor([SECRET]))
    lines = [line.rstrip() for line in terminal.getvalue().splitlines()]
    assert lines[:4] == ["argocd/shop", "  ghcr.io/acme/shop", "  1.2.3 -> 1.2.4", "  updated"]
    assert "  ghcr.io/acme/db" in lines
    assert lines[-2].startswith("1 application, 2 images considered")
    assert "planted" not in terminal.getvalue()


def test_a_narrow_terminal_folds_names_and_cuts_none(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    print_summary(report(LONG), "text", Redactor())
    assert "…" not in terminal.getvalue()
    rows = [line.split("│") for line in terminal.getvalue().splitlines() if line.startswith("│")]
    assert "".join(row[2].strip() for row in rows) == f"ghcr.io/acme/{LONG_NAME}"


def test_the_progress_bar_fits_the_port_and_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    bar: Progress = ProgressBar()
    bar.started(2)
    bar.advanced("argocd/shop")
    bar.finished()
    assert "1/2" in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[2K")


def test_a_record_above_the_progress_bar_stays_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "40")
    record = "a record of [many] words, " * 10
    bar = ProgressBar()
    bar.started(2)
    sys.stderr.write(f"{record}\n")
    bar.finished()
    assert record in terminal.getvalue()
