"""Choosing one of 5,000 tags by semver: cold, with one RE2 filter, and for a list that was seen with the same rule."""

from __future__ import annotations

from dataclasses import replace

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
FILTERED = replace(RULE, allow_tags=r"regexp:^v?\d+\.\d+\.\d+")


def main() -> None:
    seen = Selector()
    plain, filtered, again = costs_by_turns(
        ROUNDS,
        lambda: Selector().choose_by_name(RULE, TAGS),
        lambda: Selector().choose_by_name(FILTERED, TAGS),
        lambda: seen.choose_by_name(RULE, TAGS),
    )
    winner = seen.choose_by_name(RULE, TAGS).winner
    print(f"choose_tags: {len(TAGS)} tags, semver {RULE.constraint}, winner {winner.tag if winner else None}")
    show("cold, CPU", [1000 * cost.cpu_s for cost in plain], "ms")
    show("cold with one RE2 filter, CPU", [1000 * cost.cpu_s for cost in filtered], "ms")
    show("the same list and rule again, CPU", [1000 * cost.cpu_s for cost in again], "ms")


if __name__ == "__main__":
    main()
