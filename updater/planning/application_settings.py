"""What is asked for one Application: the same values whether its annotations or a rules document ask.

A document that matches counts alone, unless its rule hands over to the annotations (``runtime.md`` 9.1, 9.6 and 9.8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from updater.model.applications import ApplicationSnapshot
from updater.model.images import Strategy
from updater.model.report import Warned
from updater.planning import annotation_keys as keys
from updater.planning.annotations import RENAMED_STRATEGIES, STRATEGIES, ImageSettings, read_settings
from updater.planning.documents import HelmNames, KustomizeName, PluginNames, PullRequest, Rule, RuleImage, Verification
from updater.planning.documents_choice import Match, RuleBook
from updater.planning.eligibility import Skip, Skipped, skip_without_images
from updater.planning.image_list import IllegalEntry, ImageEntry, parse_image_list
from updater.planning.memory import PlanMemory

_UNVERIFIED = (
    "its images shall be verified, which this release cannot do; "
    "remove imagesVerification or set it to 'enabled: false' to update without verification"
)


@dataclass(frozen=True, slots=True)
class ApplicationSettings:
    """Entries with their settings, in their order, and how to write.

    ``write_back`` holds the texts of method, target, source and Git by the names of their annotations; ``git_settings``
    names what only the git method reads; ``allows_plugin`` says that variables of a plugin are named. What follows
    from these settings alone may be remembered under ``origin``, where there is one.
    """

    images: tuple[tuple[ImageEntry | IllegalEntry, ImageSettings], ...]
    write_back: Mapping[str, str]
    git_settings: tuple[str, ...] = ()
    warnings: tuple[Warned, ...] = ()
    allows_plugin: bool = False
    origin: frozenset[tuple[str, str]] | None = None


def find_settings(
    snapshot: ApplicationSnapshot, rules: RuleBook, memory: PlanMemory, *, follows_annotations: bool
) -> ApplicationSettings | Skipped:
    """The settings of an Application, or why it has none."""
    match = rules.find(snapshot)
    if match is not None:
        return _matched(snapshot, match)
    if not follows_annotations:
        return Skipped(Skip.NO_RULE, "no rule matches it, and annotations are switched off")
    origin = frozenset(snapshot.annotations.items())
    return memory.derive(origin, lambda: _annotated(snapshot, origin))


def _annotated(
    snapshot: ApplicationSnapshot, origin: frozenset[tuple[str, str]] | None = None
) -> ApplicationSettings | Skipped:
    own = keys.own_annotations(snapshot.annotations)
    entries = parse_image_list(own.get(keys.IMAGE_LIST, ""))
    skipped = skip_without_images(snapshot, has_entries=bool(entries))
    if skipped is not None:
        return skipped
    return ApplicationSettings(
        images=tuple((entry, read_settings(own, entry.alias)) for entry in entries),
        write_back=own,
        git_settings=tuple(key for key in sorted(own) if key in keys.GIT_KEYS),
        warnings=tuple(keys.unknown_key_warnings(own, [entry.alias for entry in entries])),
        origin=origin,
    )


def _matched(snapshot: ApplicationSnapshot, match: Match) -> ApplicationSettings | Skipped:
    """The first matching rule that can be followed; a rule that hands over to missing annotations cannot."""
    for rule in match.rules:
        found = _handed_over(snapshot, rule) if rule.uses_annotations else _ruled(rule)
        if isinstance(found, ApplicationSettings):
            return replace(found, warnings=(*_overlap(match), *found.warnings))
    text = f"the rules document {match.document.label} leaves it to its annotations, and it has no image-list"
    return Skipped(Skip.EMPTY_IMAGE_LIST, text)


def _overlap(match: Match) -> tuple[Warned, ...]:
    if match.overruled is None:
        return ()
    used, other = match.document.label, match.overruled.label
    return (Warned("rules_overlap", f"the rules documents {used} and {other} both match it; {used} is used"),)


def _handed_over(snapshot: ApplicationSnapshot, rule: Rule) -> ApplicationSettings | Skipped:
    found = _annotated(snapshot)
    refusal = _refusal(rule.verification)
    if isinstance(found, Skipped) or not refusal:
        return found
    return replace(found, images=tuple((entry, replace(own, refused=refusal)) for entry, own in found.images))


def _ruled(rule: Rule) -> ApplicationSettings:
    config = rule.write_back
    texts = {
        keys.WRITE_BACK_METHOD: config.method,
        keys.WRITE_BACK_TARGET: config.target,
        keys.GIT_REPOSITORY: config.repository,
        keys.GIT_BRANCH: config.branch,
        **_pull_request(config.pull_request),
    }
    return ApplicationSettings(
        images=tuple((image.entry, _image_settings(image)) for image in rule.images),
        write_back={key: text for key, text in texts.items() if text},
        git_settings=("writeBackConfig.gitConfig",) if config.has_git_settings else (),
        allows_plugin=rule.has_plugin_targets,
    )


def _pull_request(block: PullRequest | None) -> dict[str, str]:
    """The block under the names of the annotations; a label of a document may hold a comma, so each has its line."""
    if block is None:
        return {}
    return {
        keys.GIT_PULL_REQUEST: block.provider,
        keys.GIT_PULL_REQUEST_LABELS: "".join(f"{label}\n" for label in block.labels),
        keys.GIT_PULL_REQUEST_MODE: block.mode,
    }


def _image_settings(image: RuleImage) -> ImageSettings:
    chosen, target = image.settings, image.target
    strategy, warnings = _strategy(chosen.update_strategy or Strategy.SEMVER.value)
    helm = target if isinstance(target, HelmNames) else HelmNames()
    plugin = target if isinstance(target, PluginNames) else PluginNames()
    return ImageSettings(
        strategy=strategy,
        allow_tags=chosen.allow_tags or "",
        ignore_tags=chosen.ignore_tags or (),
        force_update=chosen.force_update or False,
        pull_secret=chosen.pull_secret or "",
        platforms=chosen.platforms or (),
        helm_name=helm.name,
        helm_tag=helm.tag,
        helm_spec=helm.spec,
        kustomize_name=target.name if isinstance(target, KustomizeName) else "",
        plugin_name=plugin.name,
        plugin_tag=plugin.tag,
        plugin_spec=plugin.spec,
        refused=_refusal(image.verification),
        warnings=warnings,
    )


def _strategy(name: str) -> tuple[Strategy, tuple[Warned, ...]]:
    if name not in RENAMED_STRATEGIES:
        return STRATEGIES[name], ()
    strategy = RENAMED_STRATEGIES[name]
    text = f"updateStrategy {name!r} is an old name; write {strategy.value!r}"
    return strategy, (Warned("deprecated_strategy", text),)


def _refusal(verification: Verification | None) -> str:
    return _UNVERIFIED if verification is not None and verification.is_on else ""
