"""One Application, one registry or one disk that is no good: the others go on being served."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fault_site import BAD_HOST, MOST_THREADS, Site

import updater.assembly.rounds
import updater.engine.engine
from updater.model.applications import ANNOTATION_PREFIX, ApplicationSnapshot
from updater.planning.plans import plan_application
from updater.planning.watched import watched_repositories

pytestmark = [pytest.mark.wire, pytest.mark.e2e, pytest.mark.slow]

NAMES = [f"app-{number}" for number in range(6)]
MANY = [f"a-{number:02}" for number in range(30)]
"""Three for each worker; their keys come before those of the others."""


def fail_planning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant a bug that one Application sets off, wherever it is looked at."""

    def planted(work: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(snapshot: ApplicationSnapshot, *rest: Any) -> Any:
            if snapshot.key.name == "crash":
                raise RuntimeError("planted")
            return work(snapshot, *rest)

        return wrapped

    for module in (updater.assembly.rounds, updater.engine.engine):
        monkeypatch.setattr(module, "plan_application", planted(plan_application))
    monkeypatch.setattr(updater.assembly.rounds, "watched_repositories", planted(watched_repositories))


@pytest.mark.parametrize("mode", ["continuous", "cycle"])
def test_an_application_that_crashes_its_worker_costs_nobody_else_anything(
    site: Site, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    fail_planning(monkeypatch)
    site.add([*NAMES, "crash"])
    site.serve()
    site.start(mode=mode)
    site.wait_for_records("bug_found")
    for tag in ("1.0.1", "1.0.2", "1.0.3"):
        site.release(NAMES, tag)
        site.wait_for_tags(NAMES, tag)
    assert {each.fields.get("application") for each in site.log.complaints()} == {"argocd/crash"}
    assert site.most_in_a_minute() == 1
    assert len(site.threads()) <= MOST_THREADS, site.threads()


def test_a_registry_that_hangs_holds_no_worker_for_long(site: Site) -> None:
    site.add(MANY, BAD_HOST)
    site.add(NAMES)
    site.bad_registry.faults.never_answer()
    site.serve()
    site.start()
    site.wait_until(lambda: set(site.attempts()) >= set(NAMES), "the others were not attempted")
    for tag in ("1.0.1", "1.0.2", "1.0.3"):
        began_s = site.clock.elapsed_s
        site.release(NAMES, tag)
        site.wait_for_tags(NAMES, tag)
        # An interval, and the minute that the first requests without an answer may hold all workers.
        assert site.clock.elapsed_s - began_s < 120 + 90
    assert min(site.attempts()[name] for name in MANY) >= 2
    minutes = site.clock.elapsed_s / 60
    causes = {each.fields.get("code") for each in site.log.complaints()}
    assert {"registry_silent"} <= causes <= {"registry_timeout", "registry_silent"}
    assert len(site.log.complaints()) <= len(causes) * (minutes + 1), site.log.complaints()
    assert len(site.threads()) <= MOST_THREADS, site.threads()

    site.bad_registry.faults.clear()
    for name in MANY:
        site.bad_registry.push(f"shop/{name}", "1.0.1")
    site.wait_for_tags(MANY, "1.0.1")


def test_a_cycle_ends_although_a_registry_hangs(site: Site) -> None:
    site.add(MANY, BAD_HOST)
    site.add(NAMES)
    site.bad_registry.faults.never_answer()
    site.serve()
    site.start(mode="cycle")
    for tag in ("1.0.1", "1.0.2", "1.0.3"):
        began_s = site.clock.elapsed_s
        site.release(NAMES, tag)
        site.wait_for_tags(NAMES, tag)
        # What is left of a round, the pause, and a round: in each a minute for requests without an answer.
        assert site.clock.elapsed_s - began_s < 120 + 3 * 90
    assert site.count("cycle_finished") >= 2
    assert len(site.log.complaints()) <= 2 * (site.clock.elapsed_s / 60 + 1)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("no right to mount a small file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_cache_on_a_full_disk_is_done_without(site: Site, small_disk: Path) -> None:
    newest = {f"{ANNOTATION_PREFIX}web.update-strategy": "newest-build"}
    for name in NAMES:
        listed = {f"{ANNOTATION_PREFIX}image-list": f"web=registry.example.com/shop/{name}"}
        site.add([name], annotations=listed | newest)
    site.serve()
    site.start(registry={"cache_folder": str(small_disk)})
    site.wait_until(lambda: set(site.attempts()) == set(NAMES))
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(4096))
    assert shutil.disk_usage(small_disk).free == 0
    for number in range(1, 4):
        for name in NAMES:
            site.registry.push(f"shop/{name}", f"b{number}", created=f"2026-02-0{number}T00:00:00Z")
        site.wait_for_tags(NAMES, f"b{number}")
    assert {each.event for each in site.log.complaints()} <= {"registry_cache_failed"}
    assert site.most_in_a_minute() == 1
