"""Targets and trees made to do harm: they cost their own Application, and nobody else in the batch."""

from __future__ import annotations

import pytest

from tests.git.bench import Bench, intent_for
from updater.clock import Deadline, SystemClock
from updater.manifests.readings import Source, text_of
from updater.manifests.targets import FileEdit
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


class HastyClock(SystemClock):
    """Every edit takes two minutes."""

    later_s = 0.0

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.later_s

    def edit(self, source: Source | None, _where: str) -> FileEdit:
        self.later_s += 120
        return FileEdit((text_of(source) or "") + "edited: true\n", is_changed=True)


def test_files_that_take_too_long_are_left_and_the_small_ones_are_written(remote: BareRepository, bench: Bench) -> None:
    sizes = {"huge": 3000, "large": 2000, "usual": 1000, "small": 10}
    remote.commit({f"apps/{name}/values.yaml": "#" * size + "\n" for name, size in sizes.items()})
    clock = HastyClock()
    intents = [intent_for(remote.url, "1.1.0", app=name, edit=clock.edit) for name in sizes]
    results = bench.write_back.write_all(intents, dry_run=False, deadline=Deadline.after(clock, 1000))
    outcomes = {name: result.error_code or result.outcome.value for name, result in zip(sizes, results, strict=True)}
    assert outcomes == {"huge": "timeout", "large": "timeout", "usual": "written", "small": "written"}
    assert remote.read("apps/usual/values.yaml").endswith("edited: true\n")
    assert "edited" not in remote.read("apps/large/values.yaml")
