"""Editing one scalar in a values file of 5,000 lines, and in one of five megabytes."""

from __future__ import annotations

from benchmarks.measuring import costs_by_turns, show
from updater.manifests.values_file import ValueWrite, edit_values

ROUNDS = 15
LINES = 5_000
LARGE_BYTES = 5_000_000
TAG, WRITES = "1.0.0", (ValueWrite("workload-0250.image.tag", "2.0.0"),)


def values_file(lines: int) -> str:
    """Workloads of twenty lines each, with comments, lists and quoted texts, as charts have them."""
    blocks = (
        f"# Workload {number}, owned by team {number % 9}\n"
        f"workload-{number:04}:\n"
        f"  image:\n    repository: registry.example.com/team/service-{number}\n    tag: {TAG}  # by a machine\n"
        f"  replicas: {number % 5}\n  enabled: true\n  command: [serve, --port, '8080']\n"
        '  env:\n  - name: LOG_LEVEL\n    value: "info"\n  - {name: REGION, value: eu}\n'
        "  resources:\n    requests:\n      cpu: 100m\n      memory: 128Mi\n"
        f"  notes: |\n    first line\n    second line of {number}\n\n"
        for number in range(lines // 20)
    )
    return "replicas: 1\n" + "".join(blocks)


def main() -> None:
    text = f"{values_file(LINES)}{_last()}"
    large = text + "".join(f"setting{n:06}: a value of a usual length, {n}\n" for n in range(LARGE_BYTES // 46))
    usual, much = costs_by_turns(ROUNDS, lambda: _edit(text), lambda: _edit(large))
    print(f"git_edit: one scalar of a values file, {ROUNDS} turns")
    for content, costs in ((text, usual), (large, much)):
        size = f"{content.count(chr(10)):,} lines, {len(content) / 1e6:.1f} MB"
        show(f"{size}, CPU", [1000 * cost.cpu_s for cost in costs], "ms")
        show(f"{size}, wall", [1000 * cost.wall_s for cost in costs], "ms")


def _last() -> str:
    """The mapping that is edited, behind everything else."""
    return f"workload-0250:\n  image:\n    tag: {TAG}\n"


def _edit(text: str) -> None:
    edited = edit_values(text, WRITES, "values.yaml").text
    assert edited.count("2.0.0") == 1
    assert edited.replace("2.0.0", TAG) == text


if __name__ == "__main__":
    main()
