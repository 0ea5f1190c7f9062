"""All measurements, one after the other, with the machine they ran on."""

from __future__ import annotations

from importlib import import_module

from benchmarks.machine import describe_machine

BENCHMARKS = (
    "start_up",
    "choose_tags",
    "plan_images",
    "unary_calls",
    "list_applications",
    "whole_round",
    "scheduling",
    "registry_polls",
    "webhook_latency",
    "tag_latency",
    "git_edit",
    "git_batch",
    "git_shared_file",
    "git_round",
    "git_transfers",
    "continuous_steady",
    "large_cycle",
    "status_queries",
)


def main() -> None:
    print(describe_machine())
    for name in BENCHMARKS:
        print()
        import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
