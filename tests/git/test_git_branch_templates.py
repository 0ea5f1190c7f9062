"""Templates of write branches that loop, explode or aim at git itself: from annotations to a real repository."""

from __future__ import annotations

import time

import pytest

from tests.git.bench import Bench
from tests.unit.engine.fleet import MemoryRegistry, helm_application, run_round
from updater.model.changes import WriteOutcome
from updater.model.report import ApplicationReport
from updater.playground.git_remote import BareRepository

IMAGE = "registry.example.com/shop"
_GROWN = '{{$x := "ab"}}{{range 100}}{{$x = print $x $x}}{{end}}'


def _round(remote: BareRepository, bench: Bench, branches: dict[str, str]) -> dict[str, ApplicationReport]:
    """One round over an Application per branch annotation; all of them edit one file."""
    fleet = [
        helm_application(
            name,
            f"shop={IMAGE}:1.x",
            live=[f"{IMAGE}:1.0.0"],
            annotations={
                "write-back-method": "git",
                "git-repository": remote.url,
                "git-branch": branch,
                "write-back-target": "helmvalues:/apps/shop/values.yaml",
                "shop.helm.image-tag": "image.tag",
            },
        )
        for name, branch in branches.items()
    ]
    report = run_round(fleet, MemoryRegistry({IMAGE: ["1.0.0", "1.1.0"]}), git=bench.write_back)
    return {each.key.name: each for each in report.applications}


@pytest.mark.parametrize(
    ("template", "code"),
    [
        pytest.param("{{range 100000}}x{{end}}", "template_exec", id="a long loop"),
        pytest.param("{{range 9000}}{{range 9000}}{{end}}{{end}}", "template_exec", id="a loop in a loop"),
        pytest.param('{{define "a"}}{{template "a"}}{{end}}{{template "a"}}', "template_exec", id="calls itself"),
        pytest.param(_GROWN, "template_exec", id="a text that doubles"),
        pytest.param('{{printf "%99999999d" 1}}', "template_exec", id="a wide column"),
        pytest.param("{{" + "(" * 5000 + "1" + ")" * 5000 + "}}", "template_exec", id="nested without end"),
        pytest.param("x" * 70_000, "template_exec", id="a template that is too long"),
        pytest.param("{{range .Images}}", "template_parse", id="not closed"),
        pytest.param("{{if false}}x{{end}}", "empty_branch_name", id="no name"),
        pytest.param("...", "empty_branch_name", id="nothing of it is a name"),
        pytest.param("{{range 5000}}" + "-." * 100 + "{{end}}", "empty_branch_name", id="a megabyte to strip"),
    ],
)
def test_a_template_that_does_not_end_well_fails_its_application_alone(
    remote: BareRepository, bench: Bench, template: str, code: str
) -> None:
    began_s = time.process_time()
    reports = _round(remote, bench, {"bad": f"main:{template}", "good": "main:updates/good"})
    assert time.process_time() - began_s < 10
    assert (reports["bad"].error_code, reports["bad"].result) == (code, None)
    written = reports["good"].result
    assert written is not None
    assert written.outcome is WriteOutcome.WRITTEN
    assert remote.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split() == ["main", "updates/good"]


@pytest.mark.parametrize(
    ("template", "branch"),
    [
        pytest.param("--receive-pack=touch", "receive-pack=touch", id="an option"),
        pytest.param("+refs/heads/x{{`:`}}refs/heads/main", "+refs/heads/x-refs/heads/main", id="a refspec"),
        pytest.param("../../config", "config", id="a path"),
        pytest.param("u/{{range .Images}}{{.NewTag}}{{end}}.lock", "u/1.1.0-lock", id="a lock"),
        pytest.param("u/{{range 300}}ä{{end}}", None, id="a name that is too long"),
    ],
)
def test_a_name_that_aims_at_git_is_a_branch_and_nothing_else(
    remote: BareRepository, bench: Bench, template: str, branch: str | None
) -> None:
    base = remote.tip()
    result = _round(remote, bench, {"shop": f"main:{template}"})["shop"].result
    assert result is not None
    assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)
    (made,) = set(remote.git("for-each-ref", "--format=%(refname)", "refs").split()) - {"refs/heads/main"}
    assert branch is None or made == f"refs/heads/{branch}"
    assert remote.tip() == base
