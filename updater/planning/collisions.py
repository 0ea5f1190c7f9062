"""Entries of one image list that write the same override.

The later entry wins, as in the older updater (``images-and-strategies.md`` 3.3). There an up-to-date image is written
again in every round, which keeps the result stable; here it is not, so the earlier entry has to stand back, or the two
would replace each other's value round by round.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from updater.model.images import ImagePlan, KustomizeTarget, OverrideTarget
from updater.model.references import ImageRepository
from updater.model.report import Warned
from updater.planning.image_plans import ImageTemplate
from updater.rules.kustomize_items import identity_of


def may_collide(templates: Iterable[ImageTemplate]) -> bool:
    """Whether two of the entries could write the tag to the same place: without that there is nothing to settle."""
    addresses = [_tag_address(template.target, template.entry.repository) for template in templates]
    return len(set(addresses)) < len(addresses)


def with_overridden(plans: tuple[ImagePlan, ...]) -> tuple[ImagePlan, ...]:
    """The plans, with ``overridden_by`` set where a later one writes another tag to the same place."""
    last: dict[str, ImagePlan] = {}
    marked: list[ImagePlan] = []
    for plan in reversed(plans):
        if plan.invalid_reason is not None or (plan.live is None and not plan.is_forced):
            marked.append(plan)
            continue
        winner = last.setdefault(_tag_address(plan.target, plan.repository), plan)
        is_same = (winner.repository, winner.rule) == (plan.repository, plan.rule)
        marked.append(plan if is_same else replace(plan, overridden_by=winner.entry))
    return tuple(reversed(marked))


def _tag_address(target: OverrideTarget, repository: ImageRepository) -> str:
    """The parameter, variable or item that the tag goes to."""
    if isinstance(target, KustomizeTarget):
        return identity_of(target.image_name or repository.full_name)
    return target.spec or target.tag or target.name


def collision_warnings(templates: Iterable[ImageTemplate]) -> list[Warned]:
    """One warning for each group of different images that write the same parameters or the same item."""
    writers: dict[str, dict[ImageRepository, str]] = {}
    for template in templates:
        if template.invalid_reason is None:
            for name in sorted(template.names):
                writers.setdefault(name, {}).setdefault(template.entry.repository, template.entry.text)
    shared = {name: tuple(entries.values()) for name, entries in writers.items() if len(entries) > 1}
    return [_warning(shared, entries) for entries in dict.fromkeys(shared.values())]


def _warning(shared: Mapping[str, tuple[str, ...]], entries: tuple[str, ...]) -> Warned:
    names = ", ".join(name for name in shared if shared[name] == entries)
    text = f"{len(entries)} images write the same override ({names}), and the last one wins: {', '.join(entries)[:300]}"
    hint = "give each its own <alias>.helm.image-name and image-tag, image-spec or kustomize.image-name"
    return Warned("override_shared", f"{text}; {hint}")
