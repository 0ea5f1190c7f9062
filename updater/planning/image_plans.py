"""The plan for one entry of the image list: its rule, its target, and what is known of it on this Application."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

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
from updater.planning.advice import cut_off_problem, filter_warnings
from updater.planning.annotations import ImageSettings
from updater.planning.image_list import IllegalEntry, ImageEntry
from updater.planning.live_images import LiveImages
from updater.planning.overrides import current_in_spec, target_names
from updater.planning.pull_secrets import parse_pull_secret
from updater.planning.sources import select_source
from updater.rules.selection import Selector
from updater.rules.strategies.digest import NEEDS_TAG

_NEEDS_PLATFORMS = (Strategy.NEWEST_BUILD, Strategy.DIGEST)
_NO_VARIABLES = "its source is a plugin, and the rule names no variables for it in manifestTargets.plugin"
_READS_CONSTRAINT = (Strategy.SEMVER, Strategy.DIGEST)


@dataclass(frozen=True, slots=True)
class ImageTemplate:
    """What an entry and its settings say by themselves, the same for every Application that writes them.

    ``names`` identify its overrides; ``invalid`` and ``invalid_reason`` say why the image cannot be handled;
    ``warnings`` name the image.
    """

    entry: ImageEntry
    rule: TagRule
    target: OverrideTarget
    names: frozenset[str]
    is_forced: bool = False
    pull_secret: str = ""
    invalid: str = ""
    invalid_reason: Reason | None = None
    warnings: tuple[Warned, ...] = ()

    @property
    def original_name(self) -> str:
        """The name in the manifests, where it is another than the image's own."""
        return self.target.image_name if isinstance(self.target, KustomizeTarget) else ""


def make_template(
    entry: ImageEntry, settings: ImageSettings, kind: SourceKind, default_platform: str, selector: Selector
) -> ImageTemplate:
    """The template of a legal entry on an Application of that kind."""
    target = image_target(settings, kind)
    rule = tag_rule(entry, settings, default_platform)
    invalid, reason = _invalid(entry, settings, target)
    warnings = (*_static_warnings(entry, settings, target), *selector.compile(rule).warnings)
    return ImageTemplate(
        entry=entry,
        rule=rule,
        target=target,
        names=target_names(target, entry.repository),
        is_forced=settings.force_update,
        pull_secret=settings.pull_secret,
        invalid=invalid,
        invalid_reason=reason,
        warnings=tuple(named(entry, warned) for warned in warnings),
    )


def plan_image(
    template: ImageTemplate, live: LiveImages, snapshot: ApplicationSnapshot, choice: SourceChoice | None
) -> ImagePlan:
    """The plan for one entry on one Application."""
    entry = template.entry
    index = live.find(entry.repository, template.original_name)
    in_spec, problem = "", ""
    if choice is not None and (index is not None or template.is_forced):
        in_spec, problem = spec_state(template, snapshot, choice)
    return ImagePlan(
        application=snapshot.key,
        entry=entry.text,
        alias=entry.alias,
        repository=entry.repository,
        rule=template.rule,
        target=template.target,
        live=None if index is None else live.references[index],
        running=() if index is None else live.running_like(index),
        in_spec=in_spec,
        spec_problem=problem,
        is_forced=template.is_forced,
        pull_secret=template.pull_secret,
        invalid=template.invalid,
        invalid_reason=template.invalid_reason,
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
    if settings.strategy is Strategy.SEMVER and entry.cut_off:
        text = cut_off_problem(entry.text, entry.alias, entry.constraint, entry.cut_off)
        return text, Reason.INVALID_CONSTRAINT
    return "", None


def spec_state(template: ImageTemplate, snapshot: ApplicationSnapshot, choice: SourceChoice) -> tuple[str, str]:
    """The reference that the spec sets now, and why it cannot be told; the one or the other is empty."""
    repository = template.entry.repository
    try:
        index = select_source(snapshot, choice, template.names)
    except PlanError as problem:
        return "", str(problem)
    return current_in_spec(template.target, repository, snapshot.sources[index]), ""


def named(entry: ImageEntry, warned: Warned) -> Warned:
    """The warning with the image it is about."""
    return Warned(warned.kind, f"{entry.alias or entry.repository.full_name}: {warned.text}")


def spelling_warning(plan: ImagePlan, live: LiveImages, entry: ImageEntry) -> Warned | None:
    """A hint at a running image that differs only in how Docker Hub is spelled."""
    if plan.live is not None or plan.is_forced:
        return None
    near = live.near_miss(entry.repository)
    if near is None:
        return None
    text = f"not running here, but {near.original!r} is; write the image as it runs"
    return named(entry, Warned("docker_hub_spelling", text))


def _unread_targets(settings: ImageSettings, target: OverrideTarget) -> Iterator[Warned]:
    """Names in the manifests that belong to another kind of source than the one that is written to."""
    if settings.kustomize_name and not isinstance(target, KustomizeTarget):
        yield Warned("target_unused", "kustomize.image-name is only read for Kustomize, and the source is another kind")
    if isinstance(target, KustomizeTarget) and (settings.helm_name or settings.helm_tag or settings.helm_spec):
        yield Warned("target_unused", "helm.image-name, -tag and -spec are only read for Helm; the source is Kustomize")


def _static_warnings(entry: ImageEntry, settings: ImageSettings, target: OverrideTarget) -> Iterator[Warned]:
    """What an owner should mend at one image that did not stop it, whatever runs."""
    yield from settings.warnings
    yield from filter_warnings(settings.allow_tags, settings.ignore_tags)
    if ":" in settings.kustomize_name.rpartition("/")[2]:
        text = f"kustomize.image-name {settings.kustomize_name[:80]!r} holds a tag"
        yield Warned("kustomize_name_tagged", f"{text}; write the name alone, or nothing matches it")
    else:
        yield from _unread_targets(settings, target)
    if isinstance(target, PluginTarget) and target.name and not (target.tag or target.spec):
        yield Warned("plugin_tag_missing", "manifestTargets.plugin names no variable for the tag, so no tag is written")
    strategy = settings.strategy.value
    if entry.constraint and settings.strategy not in _READS_CONSTRAINT:
        yield Warned("constraint_ignored", f"the {strategy} strategy does not read the constraint {entry.constraint!r}")
    if settings.semver_constraint and settings.strategy is not Strategy.SEMVER:
        yield Warned("constraint_ignored", f"the {strategy} strategy does not read semver-constraint")
