"""Real repositories, real servers, the real adapter, the real writer: what the tests of method git stand on."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.git.bench import Bench, BenchOptions
from tests.git.http_server import HttpServer
from tests.git.paced_clock import PacedClock
from tests.git.ssh_server import SshServer
from updater.clock import SystemClock
from updater.git.authentication import CredentialedAccess
from updater.git.credentials import CredentialBook, CredentialPlaces
from updater.git.options import GitOptions
from updater.playground.git_remote import BareRepository


@pytest.fixture
def remote(tmp_path: Path) -> BareRepository:
    """A repository with one values file."""
    repository = BareRepository(tmp_path / "remote.git")
    repository.commit({"apps/shop/values.yaml": "image:\n  name: shop  # ours\n  tag: 1.0.0\n"}, message="begin")
    return repository


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Makes writers, each with mirrors of its own; all are closed after the test."""
    made: list[Bench] = []

    def make(options: BenchOptions | None = None) -> Bench:
        bench = Bench(options or BenchOptions(), threading.Event())
        made.append(bench)
        return bench

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def paced_clock(monkeypatch: pytest.MonkeyPatch) -> PacedClock:
    """That of every writer which is made from now on."""
    clock = PacedClock()
    monkeypatch.setattr("tests.git.bench.SystemClock", lambda: clock)
    return clock


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    """A writer with default settings that may write local repositories."""
    return make_bench()


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder whose repositories are served."""
    return tmp_path_factory.mktemp("served")


@pytest.fixture
def served(root: Path, request: pytest.FixtureRequest) -> BareRepository:
    """A repository with one values file, at its place on the servers."""
    folder = root / f"{abs(hash(request.node.name))}.git"
    shutil.rmtree(folder, ignore_errors=True)
    repository = BareRepository(folder)
    repository.commit({"apps/shop/values.yaml": "image:\n  tag: 1.0.0\n"})
    return repository


@pytest.fixture(scope="session")
def http(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    server = HttpServer(tmp_path_factory.mktemp("nginx"), root, is_root=os.getuid() == 0)
    yield server
    server.close()


@pytest.fixture(scope="session")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    server = SshServer(tmp_path_factory.mktemp("sshd"))
    yield server
    server.close()


@pytest.fixture
def connect(make_bench: Callable[..., Bench], tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """A writer whose credential file has one entry with these fields."""
    opened: list[CredentialedAccess] = []

    def make(
        entry: dict[str, object] | None = None,
        *,
        options: BenchOptions | None = None,
        environment: dict[str, str] | None = None,
        **more: object,
    ) -> Bench:
        path = tmp_path / "credentials.yaml"
        path.write_text(yaml.safe_dump({"credentials": [entry] if entry else []}))
        path.chmod(0o600)
        git = GitOptions(ssh_folder=tmp_path / "ssh", tls_folder=tmp_path / "tls", **more)  # type: ignore[arg-type]  # as given
        places = CredentialPlaces(environment=environment or {}, file=path)
        options = options or BenchOptions()
        access = CredentialedAccess(CredentialBook(places), git, environment or {}, SystemClock(), options.log)
        opened.append(access)
        return make_bench(replace(options, git=git, access=access))

    yield make
    for access in opened:
        access.close()
