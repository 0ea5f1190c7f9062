"""Connections that break or go silent in the middle of a write, over HTTPS and over SSH, with real servers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.git.bench import QUICK, Bench, BenchOptions, Connect, RecordingLog, intent_for
from tests.git.http_server import HttpServer
from tests.git.paced_clock import PacedClock
from tests.git.programs import has_ended
from tests.git.ssh_server import SshServer
from updater.clock import Backoff
from updater.git.processes import ProcessLimits
from updater.model.changes import WriteOutcome
from updater.playground.git_remote import BareRepository
from updater.writeback.git_options import GitWriteOptions

pytestmark = pytest.mark.wire

Far = tuple[str, dict[str, object], HttpServer | SshServer]
"""The address of the repository, an entry of the credential file for it, and its server."""


@pytest.fixture(params=["https", pytest.param("ssh", marks=pytest.mark.slow)])
def far(request: pytest.FixtureRequest, served: BareRepository) -> Iterator[Far]:
    """The repository behind one of the servers; a server that a test stopped is started again after it."""
    server: HttpServer | SshServer = request.getfixturevalue("http" if request.param == "https" else "ssh")
    url = server.url(served.folder.name) if isinstance(server, HttpServer) else server.url(served.folder)
    yield url, server.login(url), server
    if not server.server.is_running:
        server.start()


@pytest.mark.parametrize(
    ("hook", "script", "pushes"),
    [
        pytest.param("reference-transaction", '[ "$1" = committed ] && kill -9 $PPID', 1, id="after it was stored"),
        pytest.param("pre-receive", "mkdir once && kill -9 $PPID", 2, id="before it was stored"),
    ],
)
def test_a_push_that_breaks_off_is_looked_up_and_stored_once(
    far: Far, served: BareRepository, connect: Connect, hook: str, script: str, pushes: int
) -> None:
    url, entry, _ = far
    before, log = served.count(), RecordingLog()
    served.add_hook(hook, f"{script}; exit 0")
    options = BenchOptions(log=log, write=GitWriteOptions(backoff=QUICK))
    result = connect(entry, options=options).write_one(intent_for(url, "1.1.0"))
    assert (result.error, result.outcome, result.commit) == ("", WriteOutcome.WRITTEN, served.tip())
    assert log.events.count("git_push_ended") == pushes
    assert log.events.count("git_push_found") == 2 - pushes
    assert served.count() == before + 1


def test_a_server_that_goes_away_before_the_push_costs_this_round_only(
    far: Far, served: BareRepository, connect: Connect
) -> None:
    url, entry, server = far
    before, log = served.count(), RecordingLog(_once("git_commit_made", server.server.stop))
    options = BenchOptions(log=log, write=GitWriteOptions(backoff=QUICK))
    bench = connect(entry, options=options)
    result = bench.write_one(intent_for(url, "1.1.0"))
    assert (result.outcome, result.error_code) == (WriteOutcome.FAILED, "network")
    assert served.count() == before
    server.start()
    assert bench.write_one(intent_for(url, "1.1.0")).outcome is WriteOutcome.WRITTEN
    assert served.count() == before + 1


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ten_rivals_on_one_server_all_land_with_default_settings(
    far: Far, served: BareRepository, connect: Connect
) -> None:
    url, entry, _ = far
    names = [f"rival{number}" for number in range(10)]
    served.commit({f"apps/{name}/values.yaml": "image:\n  tag: 1.0.0\n" for name in names})
    before, start = served.count(), threading.Barrier(len(names))
    benches = [connect(entry, options=BenchOptions(write=GitWriteOptions())) for _ in names]

    def work(bench: Bench, name: str) -> str:
        start.wait()
        return bench.write_one(intent_for(url, "2.0.0", app=name), within_s=300).error

    with ThreadPoolExecutor(len(names)) as pool:
        assert list(pool.map(work, benches, names)) == [""] * len(names)
    assert served.count() == before + len(names)
    assert all("tag: 2.0.0" in served.read(f"apps/{name}/values.yaml") for name in names)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moment", "said"),
    [
        pytest.param("git_refs_listed", ("timeout", "git fetch did not end in time"), id="before the fetch"),
        pytest.param("git_commit_made", ("network", "whether it was stored is unknown"), id="before the push"),
    ],
)
def test_a_server_that_falls_silent_ends_at_the_deadline_with_every_process(
    far: Far,
    served: BareRepository,
    connect: Connect,
    paced_clock: PacedClock,
    moment: str,
    said: tuple[str, str],
) -> None:
    url, entry, server = far

    def fall_silent() -> None:
        server.server.freeze()
        paced_clock.set_pace(20.0)

    before, log = served.count(), RecordingLog(_once(moment, fall_silent))
    write = GitWriteOptions(backoff=Backoff(attempts=1, base_s=0.01, cap_s=0.01))
    limits = ProcessLimits(soft_s=20.0, fatal_s=6.0)
    bench = connect(entry, options=BenchOptions(log=log, write=write), limits=limits)
    try:
        result = bench.write_one(intent_for(url, "1.1.0"), within_s=10_000)
        assert [pid for pid in _speaking_to(str(server.port)) if not has_ended(pid)] == []
    finally:
        server.server.thaw()
        paced_clock.set_pace(1.0)
    code, text = said
    assert (result.outcome, result.error_code) == (WriteOutcome.FAILED, code)
    assert text in result.error
    assert bench.write_one(intent_for(url, "1.1.0")).outcome is WriteOutcome.WRITTEN
    assert served.count() == before + 1


def _once(awaited: str, act: Callable[[], None]) -> Callable[[str], None]:
    """Act at the first event of a name."""
    left = [act]

    def hear(event: str) -> None:
        if event == awaited and left:
            left.pop()()

    return hear


def _speaking_to(port: str) -> list[int]:
    """Programs of git and ssh with this port among their arguments."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if words[0].rpartition("/")[2].startswith(("git", "ssh")) and any(port in word for word in words[1:]):
            found.append(int(path.parent.name))
    return found
