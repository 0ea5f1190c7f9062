"""The program itself killed around each command of git, and started again, against real servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.test_program_git import PATIENCE_S, Site
from tests.git.deadly_git import DeadlyGit
from tests.git.http_server import HttpServer, serving_repositories
from tests.git.test_git_kills import KILLED, STEPS
from updater.playground.applications import helm_application

pytestmark = [pytest.mark.wire, pytest.mark.e2e, pytest.mark.slow]

NAMES = ("a", "b")
VALUES = "image:\n  name: shop/web\n  tag: 1.0.0\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    with serving_repositories(tmp_path_factory.mktemp("nginx")) as server:
        yield server


@pytest.fixture
def site(server: HttpServer, tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        made = Site(stack, server, tmp_path, tmp_path.name)
        made.remote.commit({f"apps/{name}/values.yaml": VALUES for name in NAMES})
        for name in NAMES:
            made.add(helm_application(name), f"apps/{name}", write_back_method="git", write_back_target="helmvalues")
        yield made


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_program_killed_at_a_step_loses_nothing_and_repeats_nothing(
    site: Site, tmp_path: Path, moment: str, step: str
) -> None:
    git, words = DeadlyGit(tmp_path / "deadly"), ("--git-cache-dir", str(tmp_path / "cache"))
    before = site.remote.count()
    git.kill_at(f"{moment} {step}")
    process = site.start("--once", *words, PATH=git.path)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == KILLED, (out, err)
    git.wait_for_orphans()
    out, _ = site.run(*words)
    assert "errors=0" in out
    assert site.remote.count() == before + 1
    assert all(site.remote.read(f"apps/{name}/values.yaml") == VALUES.replace("1.0.0", "1.0.1") for name in NAMES)
    assert [*(tmp_path / "cache").rglob("*.lock"), *site.remote.folder.rglob("*.lock")] == []
