"""semver: the highest version inside the constraints; equal versions are ordered by their text.

Tags that are no versions are left out before the constraints are looked at, so a broken constraint goes unnoticed
while no tag is a version. Without a constraint pre-releases do not compete (``images-and-strategies.md`` 4.2).
"""

from __future__ import annotations

from collections.abc import Callable

from updater.model.images import Candidate, Loss, Reason
from updater.rules.constraints import Constraint
from updater.rules.strategies.verdict import Verdict, nothing_fits
from updater.rules.versions import Version


def choose_highest(
    tags: list[str], constraints: tuple[Constraint, ...], problem: str, parse: Callable[[str], Version | None]
) -> Verdict:
    """The highest version that every constraint allows; ``problem`` says that a constraint could not be parsed."""
    versions: dict[str, Version] = {}
    losses: list[tuple[str, Loss]] = []
    for tag in tags:
        version = parse(tag)
        if version is None:
            losses.append((tag, Loss.NOT_A_VERSION))
        else:
            versions[tag] = version
    if not versions:
        return nothing_fits(losses)
    if problem:
        losses += [(tag, Loss.CONSTRAINT_UNREADABLE) for tag in versions]
        return Verdict(None, losses, Reason.INVALID_CONSTRAINT, problem)
    return _highest_inside(versions, constraints, losses)


def _highest_inside(
    versions: dict[str, Version], constraints: tuple[Constraint, ...], losses: list[tuple[str, Loss]]
) -> Verdict:
    inside = versions
    for constraint in constraints:
        allows = constraint.allows
        inside = {tag: version for tag, version in inside.items() if allows(version)}
    if len(inside) < len(versions):
        losses += [(tag, _loss(version, constraints)) for tag, version in versions.items() if tag not in inside]
    if not inside:
        return Verdict(None, losses, Reason.OUTSIDE_CONSTRAINT, _outside(losses))
    highest = max(inside.values())
    winner = max(tag for tag, version in inside.items() if version == highest)
    losses += [(tag, Loss.OLDER) for tag in inside if tag != winner]
    return Verdict(Candidate(winner), losses)


def _loss(version: Version, constraints: tuple[Constraint, ...]) -> Loss:
    if not version.is_prerelease:
        return Loss.OUTSIDE_CONSTRAINT
    is_inside = all(constraint.allows_but_for_prerelease(version) for constraint in constraints)
    return Loss.PRERELEASE if is_inside else Loss.OUTSIDE_CONSTRAINT


def _outside(losses: list[tuple[str, Loss]]) -> str:
    excluded = sum(loss is Loss.PRERELEASE for _, loss in losses)
    if not excluded:
        return "no tag satisfies the constraint"
    return (
        f"no tag satisfies the constraint; {excluded} were excluded only for being pre-releases, "
        "add -0 to the constraint to admit them, for example 1.x-0"
    )
