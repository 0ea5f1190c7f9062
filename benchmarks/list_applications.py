"""A list of 5,000 Applications, decoded and mapped to snapshots: what the updater adds to protobuf's own work.

The reference is protobuf decoding the very bytes that the server sent. The listing is the whole of
``ArgoCDFleet.fetch_applications``: the check of the token, the call, the frames, the decoding, the snapshots.
"""

from __future__ import annotations

import multiprocessing
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing

from benchmarks.measuring import Cost, Memory, costs_by_turns, memory_of, show
from benchmarks.peers import Peers, running_peers
from generated.application_messages_pb2 import ApplicationList, ApplicationQuery
from updater.argocd.client import ArgoCDClient
from updater.argocd.fleet import ArgoCDFleet, FleetOptions
from updater.argocd.snapshots import snapshot_of
from updater.clock import Deadline, SystemClock
from updater.model.applications import ApplicationSnapshot

APPLICATIONS = 5_000
ROUNDS = 11
MEMORY_RUNS = 3
_TIMEOUT_S = 120.0


def main() -> None:
    with running_peers(APPLICATIONS) as peers:
        encoded = _encoded_list(peers)
        size = len(encoded) / APPLICATIONS
        print(f"list_applications: {APPLICATIONS} Applications, {size:.0f} bytes each, {len(encoded) / 2**20:.1f} MiB")
        _show_costs(peers, encoded)
        _show_memory(peers)
        print(f"  one snapshot, all its texts included: {_bytes_per_snapshot(encoded):.0f} bytes")


def _show_costs(peers: Peers, encoded: bytes) -> None:
    with closing(peers.client(over_grpc_web=True)) as web, closing(peers.client(over_grpc_web=False)) as native:
        decoded = ApplicationList.FromString(encoded)
        plain, mapping, over_web, over_native = costs_by_turns(
            ROUNDS,
            lambda: ApplicationList.FromString(encoded),
            lambda: [snapshot_of(item) for item in decoded.items],
            _listing(web),
            _listing(native),
        )
    _show_cpu("protobuf alone, decoding the same bytes", plain)
    _show_cpu("mapping to snapshots alone", mapping)
    for name, costs in (("gRPC-Web", over_web), ("native gRPC", over_native)):
        _show_cpu(f"listing over {name}", costs)
        beyond = [whole.cpu_s - alone.cpu_s for whole, alone in zip(costs, plain, strict=True)]
        show(f"listing over {name}, CPU beyond protobuf's decoding", [1000 * seconds for seconds in beyond], "ms")
        show(f"listing over {name}, wall", [1000 * cost.wall_s for cost in costs], "ms")


def _show_cpu(label: str, costs: tuple[Cost, ...]) -> None:
    show(f"{label}, CPU", [1000 * cost.cpu_s for cost in costs], "ms")


def _show_memory(peers: Peers) -> None:
    """Each run in a fresh process: memory that was freed stays with a process and would hide the next peak."""
    for name, over_grpc_web in (("gRPC-Web", True), ("native gRPC", False)):
        runs = [_in_fresh_process(peers, over_grpc_web=over_grpc_web) for _ in range(MEMORY_RUNS)]
        show(f"listing over {name}, memory at the peak", [run.peak_bytes / 2**20 for run in runs], "MiB")
        show(f"listing over {name}, memory afterwards", [run.kept_bytes / 2**20 for run in runs], "MiB")


def _in_fresh_process(peers: Peers, *, over_grpc_web: bool) -> Memory:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_memory_of_listing, peers, over_grpc_web=over_grpc_web).result()


def _memory_of_listing(peers: Peers, *, over_grpc_web: bool) -> Memory:
    with closing(peers.client(over_grpc_web=over_grpc_web)) as client:
        client.fetch_user(Deadline.after(SystemClock(), _TIMEOUT_S))
        return memory_of(_listing(client))


def _bytes_per_snapshot(encoded: bytes) -> float:
    """By Python's own count, which the allocator's reserves do not blur."""
    decoded = ApplicationList.FromString(encoded)
    tracemalloc.start()
    try:
        snapshots = [snapshot_of(item) for item in decoded.items]
        return tracemalloc.get_traced_memory()[0] / len(snapshots)
    finally:
        tracemalloc.stop()


def _listing(client: ArgoCDClient) -> Callable[[], tuple[ApplicationSnapshot, ...]]:
    fleet = ArgoCDFleet(client, FleetOptions())
    return lambda: fleet.fetch_applications(Deadline.after(SystemClock(), _TIMEOUT_S))


def _encoded_list(peers: Peers) -> bytes:
    """The list as the server encodes it: what is not declared in our messages is kept and encoded again."""
    with closing(peers.client(over_grpc_web=True)) as client:
        listed = client.fetch_list(ApplicationQuery(), Deadline.after(SystemClock(), _TIMEOUT_S))
        return listed.SerializeToString()


if __name__ == "__main__":
    main()
