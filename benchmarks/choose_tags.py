"""Choosing one of 5,000 tags by semver: cold, and with the versions of an earlier choice remembered."""

from __future__ import annotations

from benchmarks.measuring import costs_by_turns, show
from updater.model.images import Strategy, TagRule
from updater.rules.selection import Selector

ROUNDS = 31
TAGS = (
    *(f"1.{minor}.{patch}" for minor in range(40) for patch in range(100)),
    *(f"v2.0.{patch}-rc.{number}" for patch in range(50) for number in range(10)),
    *(f"main-{number * 7919:08x}" for number in range(500)),
)
RULE = TagRule(Strategy.SEMVER, constraint="^1.10")


def main() -> None:
    warm_selector = Selector()
    cold, warm = costs_by_turns(
        ROUNDS,
        lambda: Selector().choose_by_name(RULE, TAGS),
        lambda: warm_selector.choose_by_name(RULE, TAGS),
    )
    winner = warm_selector.choose_by_name(RULE, TAGS).winner
    print(f"choose_tags: {len(TAGS)} tags, semver {RULE.constraint}, winner {winner.tag if winner else None}")
    show("cold, CPU", [1000 * cost.cpu_s for cost in cold], "ms")
    show("versions remembered, CPU", [1000 * cost.cpu_s for cost in warm], "ms")


if __name__ == "__main__":
    main()
