"""Targets and trees made to do harm: they cost their own Application, and nobody else in the batch."""

from __future__ import annotations

import pytest

from tests.git.bench import Bench, intent_for
from updater.model.changes import WriteOutcome
from updater.playground.git_remote import BareRepository


@pytest.mark.parametrize(
    ("paths", "codes"),
    [
        pytest.param(["d/" * 1500 + "values.yaml"], ["invalid_path"], id="deeper than any tree"),
        pytest.param(["x" * 300 + "/values.yaml"], ["invalid_path"], id="a name that no disk takes"),
        pytest.param(["link/values.yaml"], ["invalid_path"], id="a link of five thousand bytes"),
        pytest.param(["new", "new/values.yaml"], ["", "parent_not_directory"], id="a file and a folder in one place"),
        pytest.param(["new/values.yaml", "new"], ["", "target_is_directory"], id="a folder and a file in one place"),
        pytest.param(["\ud800/values.yaml"], ["invalid_path"], id="no characters at all"),
        pytest.param(["a\nb/values.yaml"], ["invalid_path"], id="a line end"),
    ],
)
def test_a_target_that_no_tree_holds_costs_its_application_alone(
    remote: BareRepository, bench: Bench, paths: list[str], codes: list[str]
) -> None:
    remote.commit({"apps/shop/values.yaml": "image:\n  tag: 1.0.0\n"}, links={"link": "x/" * 2500})
    attackers = [intent_for(remote.url, "1.1.0", app=f"bad{number}", path=path) for number, path in enumerate(paths)]
    *results, neighbour = bench.write(*attackers, intent_for(remote.url, "1.1.0"))
    assert (neighbour.error, neighbour.outcome) == ("", WriteOutcome.WRITTEN)
    assert [result.error_code for result in results] == codes
