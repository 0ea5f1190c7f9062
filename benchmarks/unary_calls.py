"""A small unary call over warm gRPC-Web connections, beside the same POST through ``requests`` alone.

Ours is ``ArgoCDClient.fetch_version``: token, deadline under watch, framing, status, decoding, error mapping. Theirs
is ``requests.Session().post`` with the same headers and body, which reads the answer and looks at nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import requests

from benchmarks.measuring import Cost, cost_of, costs_by_turns, show
from benchmarks.peers import Peers, running_peers
from updater.argocd.frames import encode_message
from updater.argocd.webcalls import CONTENT_TYPE
from updater.assembly.connections import product
from updater.clock import Deadline, SystemClock

ROUNDS = 25
CALLS_PER_ROUND = 200
THREADS = 16
CALLS_AT_ONCE = 10_000
RUNS_AT_ONCE = 3
_PATH = "/version.VersionService/Version"
_TIMEOUT_S = 120.0


def main() -> None:
    with running_peers(1) as peers:
        print(f"unary_calls: {ROUNDS} rounds of {CALLS_PER_ROUND} calls, by turns")
        _show_overhead(peers)
        print(f"unary_calls: {CALLS_AT_ONCE} calls from {THREADS} threads, {RUNS_AT_ONCE} runs")
        _show_many(peers)


def _show_overhead(peers: Peers) -> None:
    with closing(peers.client(over_grpc_web=True)) as client, requests.Session() as session:
        ours, theirs = costs_by_turns(
            ROUNDS,
            _repeated(lambda: client.fetch_version(_deadline())),
            _repeated(_bare_post(session, peers)),
        )
    per_call_ms = 1000 / CALLS_PER_ROUND
    show("requests.Session().post, CPU per call", [cost.cpu_s * per_call_ms for cost in theirs], "ms")
    show("gRPC-Web call, CPU per call", [cost.cpu_s * per_call_ms for cost in ours], "ms")
    beyond = [(mine.cpu_s - other.cpu_s) * per_call_ms for mine, other in zip(ours, theirs, strict=True)]
    show("gRPC-Web call beyond requests, CPU per call", beyond, "ms")
    ratios = [mine.cpu_s / other.cpu_s for mine, other in zip(ours, theirs, strict=True)]
    show("gRPC-Web call to requests, CPU", ratios, "times")


def _show_many(peers: Peers) -> None:
    before = _open_files()
    runs = [_many(peers) for _ in range(RUNS_AT_ONCE)]
    show("calls per second", [CALLS_AT_ONCE / cost.wall_s for cost, _ in runs], "1/s")
    show("CPU per call", [1000 * cost.cpu_s / CALLS_AT_ONCE for cost, _ in runs], "ms")
    kept = max(files for _, files in runs)
    print(f"  open files: {before} before, {kept} with the connections kept, {_open_files()} after closing")


def _many(peers: Peers) -> tuple[Cost, int]:
    """The cost of all calls on a fresh client, and the open files while it still keeps its connections."""
    with closing(peers.client(over_grpc_web=True)) as client:
        cost = cost_of(lambda: _call_from_threads(lambda: client.fetch_version(_deadline())))
        return cost, _open_files()


def _call_from_threads(call: Callable[[], object]) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(call) for _ in range(CALLS_AT_ONCE)]:
            done.result()


def _bare_post(session: requests.Session, peers: Peers) -> Callable[[], object]:
    url, body = f"{peers.web_url}{_PATH}", encode_message(b"")
    headers = {
        "Content-Type": CONTENT_TYPE,
        "Accept": CONTENT_TYPE,
        "X-Grpc-Web": "1",
        "User-Agent": product(),
        "Grpc-Timeout": "15000m",
        "token": peers.token,
    }

    def post() -> None:
        answer = session.post(url, data=body, headers=headers, timeout=15)
        assert answer.status_code == 200
        assert answer.content

    return post


def _repeated(call: Callable[[], object]) -> Callable[[], None]:
    def calls() -> None:
        for _ in range(CALLS_PER_ROUND):
            call()

    return calls


def _deadline() -> Deadline:
    return Deadline.after(SystemClock(), _TIMEOUT_S)


def _open_files() -> int:
    """Descriptors of this process, the one for looking apart."""
    return len(list(Path("/proc/self/fd").iterdir())) - 1


if __name__ == "__main__":
    main()
