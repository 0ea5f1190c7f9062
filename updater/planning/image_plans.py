"""The plan for one entry of the image list: its rule, its target, and what is known of it on this Application."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from updater.errors import PlanError
from updater.model.applications import ApplicationKey, ApplicationSnapshot, SourceKind
from updater.model.changes import SourceChoice
from updater.model.images import (
    HelmTarget,
    ImagePlan,
    KustomizeTarget,
    OverrideTarget,
    PluginTarget,
    Reason,
    Strategy,
    TagRule,
)
from updater.model.references import ImageRepository
from updater.model.report import Warned
from updater.planning.advice import filter_warnings
from updater.planning.annotations import ImageSettings
from updater.planning.image_list import IllegalEntry, ImageEntry
from updater.planning.live_images import LiveImages
from updater.planning.overrides import current_in_spec, target_names
from updater.planning.pull_secrets import parse_pull_secret
from updater.planning.sources import select_source
from updater.rules.strategies.digest import NEEDS_TAG

_NEEDS_PLATFORMS = (Strategy.NEWEST_BUILD, Strategy.DIGEST)
_NO_VARIABLES = "its source is a plugin, and the rule names no variables for it in manifestTargets.plugin"
_READS_CONSTRAINT = (Strategy.SEMVER, Strategy.DIGEST)


def plan_image(
    key: ApplicationKey,
    entry: ImageEntry,
    settings: ImageSettings,
    *,
    kind: SourceKind,
    live: LiveImages,
    default_platform: str,
) -> ImagePlan:
    """The plan for a legal entry, before its current reference in the spec is looked up (``with_spec``)."""
    target = image_target(settings, kind)
    index = live.find(entry.repository, target.image_name if isinstance(target, KustomizeTarget) else "")
    invalid, reason = _invalid(entry, settings, target)
    return ImagePlan(
        application=key,
        entry=entry.text,
        alias=entry.alias,
        repository=entry.repository,
        rule=tag_rule(entry, settings, default_platform),
        target=target,
        live=None if index is None else live.references[index],
        running=() if index is None else live.running_like(index),
        is_forced=settings.force_update,
        pull_secret=settings.pull_secret,
        invalid=invalid,
        invalid_reason=reason,
    )


def illegal_plan(key: ApplicationKey, entry: IllegalEntry) -> ImagePlan:
    """The plan for an entry that names no image: it is counted as skipped and keeps its place in the list."""
    return ImagePlan(
        application=key,
        entry=entry.text,
        alias=entry.alias,
        repository=ImageRepository("", entry.text),
        rule=TagRule(),
        target=HelmTarget(),
        live=None,
        invalid=entry.problem,
        invalid_reason=Reason.INVALID_REFERENCE,
    )


def tag_rule(entry: ImageEntry, settings: ImageSettings, default_platform: str) -> TagRule:
    """The rule in its smallest form: what a strategy does not read is left out, so that equal rules are shared."""
    strategy = settings.strategy
    platforms = settings.platforms or (default_platform,)
    return TagRule(
        strategy=strategy,
        constraint=entry.constraint if strategy in _READS_CONSTRAINT else "",
        semver_constraint=settings.semver_constraint if strategy is Strategy.SEMVER else "",
        allow_tags=settings.allow_tags,
        ignore_tags=settings.ignore_tags,
        platforms=platforms if strategy in _NEEDS_PLATFORMS else (),
    )


def image_target(settings: ImageSettings, kind: SourceKind) -> OverrideTarget:
    """Where the image is written; names of the other kinds are not read."""
    if kind is SourceKind.PLUGIN:
        return PluginTarget(settings.plugin_name, settings.plugin_tag, settings.plugin_spec)
    if kind is SourceKind.KUSTOMIZE:
        return KustomizeTarget(settings.kustomize_name)
    default = HelmTarget()
    return HelmTarget(settings.helm_name or default.name, settings.helm_tag or default.tag, settings.helm_spec)


def with_strict_pull_secret(settings: ImageSettings, namespace: str) -> ImageSettings:
    """The settings, refused when their pull secret is no Secret of this namespace (``registries.md`` D11)."""
    if settings.refused or not settings.pull_secret:
        return settings
    try:
        parse_pull_secret(settings.pull_secret, only_namespace=namespace)
    except PlanError as problem:
        return replace(settings, refused=str(problem))
    return settings


def _invalid(entry: ImageEntry, settings: ImageSettings, target: OverrideTarget) -> tuple[str, Reason | None]:
    if settings.refused:
        return settings.refused, Reason.INVALID_SETTINGS
    if target == PluginTarget():
        return _NO_VARIABLES, Reason.INVALID_SETTINGS
    if settings.pull_secret:
        try:
            parse_pull_secret(settings.pull_secret)
        except PlanError as problem:
            return str(problem), Reason.INVALID_SETTINGS
    if settings.strategy is Strategy.DIGEST and not entry.constraint:
        return NEEDS_TAG, Reason.INVALID_CONSTRAINT
    return "", None


def spec_state(plan: ImagePlan, snapshot: ApplicationSnapshot, choice: SourceChoice) -> tuple[str, str]:
    """The reference that the spec sets now, and why it cannot be told; the one or the other is empty."""
    try:
        index = select_source(snapshot, choice, target_names(plan.target, plan.repository))
    except PlanError as problem:
        return "", str(problem)
    return current_in_spec(plan.target, plan.repository, snapshot.sources[index]), ""


def image_warnings(entry: ImageEntry, settings: ImageSettings, live: LiveImages, plan: ImagePlan) -> Iterator[Warned]:
    """What an owner should mend at one image that did not stop it."""
    yield from settings.warnings
    yield from filter_warnings(settings.allow_tags, settings.ignore_tags)
    if ":" in settings.kustomize_name.rpartition("/")[2]:
        text = f"kustomize.image-name {settings.kustomize_name[:80]!r} holds a tag"
        yield Warned("kustomize_name_tagged", f"{text}; write the name alone, or nothing matches it")
    if isinstance(plan.target, PluginTarget) and plan.target.name and not (plan.target.tag or plan.target.spec):
        yield Warned("plugin_tag_missing", "manifestTargets.plugin names no variable for the tag, so no tag is written")
    strategy = settings.strategy.value
    if entry.constraint and settings.strategy not in _READS_CONSTRAINT:
        yield Warned("constraint_ignored", f"the {strategy} strategy does not read the constraint {entry.constraint!r}")
    if settings.semver_constraint and settings.strategy is not Strategy.SEMVER:
        yield Warned("constraint_ignored", f"the {strategy} strategy does not read semver-constraint")
    if plan.live is None and not plan.is_forced:
        near = live.near_miss(entry.repository)
        if near is not None:
            text = f"not running here, but {near.original!r} is; write the image as it runs"
            yield Warned("docker_hub_spelling", text)
