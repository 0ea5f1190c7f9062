"""The updater killed at every step, and started again: nothing is lost, nothing is committed twice, nothing stays."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from tests.git.bench import Make
from tests.git.victim import APPLICATIONS, Scaffold, options, write
from updater.git.workplaces import PREFIX, secret_root
from updater.playground.git_remote import BareRepository

STEPS = (
    "version",
    "ls-remote",
    "show-ref",
    "fetch",
    "rev-parse",
    "fetch files",
    "commit-tree",
    "push",
    "update-ref",
)
"""What git is asked for on the way of one batch, in this order."""
KILLED = -9


@pytest.fixture
def fleet(remote: BareRepository) -> BareRepository:
    remote.commit({f"apps/{name}/values.yaml": "image:\n  tag: 1.0.0\n" for name in APPLICATIONS})
    return remote


@pytest.fixture
def scaffold(fleet: BareRepository, tmp_path: Path) -> Scaffold:
    return Scaffold(tmp_path / "scaffold", fleet.url)


def _assert_written_once(fleet: BareRepository, scaffold: Scaffold, make_bench: Make, before: int) -> None:
    """Start again, and see that every change is there once and that the killed process left nothing behind."""
    ended = write(make_bench(options(scaffold.cache)), fleet.url)
    assert set(ended) in ({"written"}, {"unchanged"})
    assert fleet.count() == before + 1
    assert all("tag: 2.0.0" in fleet.read(f"apps/{name}/values.yaml") for name in APPLICATIONS)
    assert [*scaffold.cache.rglob("*.lock"), *fleet.folder.rglob("*.lock")] == []
    pid = int(scaffold.pid_file.read_text())
    roots = {Path(tempfile.gettempdir()), secret_root() or Path(tempfile.gettempdir())}
    assert [folder for root in roots for folder in root.glob(f"{PREFIX}{pid}-*")] == []
    fleet.git("fsck", "--strict")


@pytest.mark.slow
def test_the_steps_are_all_there_are(fleet: BareRepository, scaffold: Scaffold) -> None:
    assert scaffold.run("never") == 0
    assert tuple(scaffold.git.asked) == STEPS


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_process_killed_at_a_step_loses_nothing_and_repeats_nothing(
    fleet: BareRepository, scaffold: Scaffold, make_bench: Make, moment: str, step: str
) -> None:
    before = fleet.count()
    assert scaffold.run(f"{moment} {step}") == KILLED
    assert scaffold.git.asked == list(STEPS[: STEPS.index(step) + 1])
    scaffold.git.wait_for_orphans()
    _assert_written_once(fleet, scaffold, make_bench, before)


@pytest.mark.parametrize(
    ("hook", "is_stored"),
    [
        pytest.param("pre-receive", False, id="before it is stored"),
        pytest.param("post-receive", True, id="after it is stored"),
    ],
)
def test_a_machine_that_stops_during_a_push_loses_nothing_and_repeats_nothing(
    fleet: BareRepository, scaffold: Scaffold, make_bench: Make, hook: str, *, is_stored: bool
) -> None:
    before = fleet.count()
    fleet.add_hook(hook, f"kill -9 $(cat {scaffold.pid_file}); kill -9 0")
    assert scaffold.run("never") == KILLED
    scaffold.git.wait_for_orphans()
    assert fleet.count() == before + is_stored
    fleet.remove_hook(hook)
    _assert_written_once(fleet, scaffold, make_bench, before)


def test_a_push_that_outlives_its_updater_does_not_get_in_the_way_of_the_next(
    fleet: BareRepository, scaffold: Scaffold, make_bench: Make, tmp_path: Path
) -> None:
    before, gate, first = fleet.count(), tmp_path / "gate", tmp_path / "first"
    os.mkfifo(gate)
    hold = f"if mkdir {first} 2>/dev/null; then kill -9 $(cat {scaffold.pid_file}); read line <{gate}; fi"
    fleet.add_hook("pre-receive", hold)
    assert scaffold.run("never") == KILLED
    assert set(write(make_bench(options(scaffold.cache)), fleet.url)) == {"written"}
    gate.write_text("go on\n")
    scaffold.git.wait_for_orphans()
    _assert_written_once(fleet, scaffold, make_bench, before)
