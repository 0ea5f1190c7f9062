"""What people and programs are told of pull requests."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.cli.test_cli_summary import UPDATE, report
from updater.cli.summary import print_summary
from updater.model.changes import WriteBackResult, WriteOutcome
from updater.model.git_remotes import parse_git_remote
from updater.model.git_targets import GitTarget
from updater.model.report import Report
from updater.telemetry.redactor import Redactor

_URL = "https://github.com/acme/deploy/pull/7"
_TARGET = GitTarget(parse_git_remote("https://github.com/acme/deploy"), "values.yaml", write_branch="image-updater-1")


def _report(outcome: WriteOutcome, **more: str) -> Report:
    made = report(UPDATE, outcome=outcome)
    (application,) = made.applications
    assert application.result is not None
    change_set = replace(application.result.change_set, git=_TARGET)
    result = WriteBackResult(change_set, outcome, **more)
    return Report((replace(application, result=result),))


@pytest.mark.parametrize(
    ("outcome", "more", "text"),
    [
        (WriteOutcome.WRITTEN, {"pull_request": _URL}, f"updated, pull request {_URL}"),
        (WriteOutcome.UNCHANGED, {"pull_request": _URL}, f"already stored, pull request {_URL}"),
        (WriteOutcome.WRITTEN, {"warning": "pr_denied: no"}, "updated, without a pull request: pr_denied: no"),
    ],
)
def test_the_row_of_an_update_names_its_request(
    capsys: pytest.CaptureFixture[str], outcome: WriteOutcome, more: dict[str, str], text: str
) -> None:
    print_summary(_report(outcome, **more), "text", Redactor())
    assert capsys.readouterr().out.splitlines()[1].endswith(f"\t{text}")


def test_the_document_holds_the_request_and_what_went_wrong_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(_report(WriteOutcome.WRITTEN, pull_request=_URL, warning="pr_failed: later"), "json", Redactor())
    write = json.loads(capsys.readouterr().out)["applications"][0]["write"]
    assert (write["git"]["pullRequest"], write["warning"]) == (_URL, "pr_failed: later")
    print_summary(_report(WriteOutcome.WRITTEN), "json", Redactor())
    write = json.loads(capsys.readouterr().out)["applications"][0]["write"]
    assert (write["git"]["pullRequest"], write["warning"]) == (None, None)
