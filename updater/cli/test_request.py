"""What ``test`` is asked: from flags and one argument to an image, its current tag and a rule (``runtime.md`` 2.2).

The tag in the argument is the *current* one, never the constraint; only the digest strategy falls back on it.
"""

from __future__ import annotations

from dataclasses import dataclass

from updater.errors import ConfigurationError, PlanError
from updater.model.images import Strategy, TagRule
from updater.model.references import IllegalReference, ImageReference, parse_reference
from updater.model.report import Warned
from updater.planning.annotation_keys import STRATEGY
from updater.planning.annotations import read_settings
from updater.planning.image_list import parse_entry
from updater.rules.platforms import Platform, parse_platform
from updater.rules.selection import CompiledRule, compile_rule
from updater.rules.versions import parse_version
from updater.settings.parts import TagTestSettings

_SYSTEMS = frozenset({"linux", "windows"})
"""The operating systems that container images are made for."""

_READS_CONSTRAINT = (Strategy.SEMVER, Strategy.DIGEST)


@dataclass(frozen=True, slots=True)
class ImageArgument:
    """The argument: an image with its current tag and digest, if they were written, and an alias in front of it."""

    reference: ImageReference
    alias: str = ""


@dataclass(frozen=True, slots=True)
class TagRequest:
    """Which tag is wanted for which image. ``warnings`` are what did not stop it."""

    image: ImageArgument
    rule: CompiledRule
    warnings: tuple[Warned, ...] = ()


def parse_image(text: str) -> ImageArgument:
    """``[alias=][registry/]name[:tag][@digest]``; raises ``ConfigurationError`` (``invalid_reference``)."""
    try:
        entry = parse_entry(text)
        return ImageArgument(parse_reference(entry.reference.full_reference), entry.alias)
    except (PlanError, IllegalReference) as problem:
        cause = problem.__cause__ if isinstance(problem, PlanError) else problem
        what = cause.what if isinstance(cause, IllegalReference) else str(problem)
        raise ConfigurationError(
            f"could not parse the image {text[:120]!r}: {what}",
            hint=problem.hint if isinstance(problem, PlanError) else "",
            code="invalid_reference",
        ) from problem


def make_request(image: ImageArgument, asked: TagTestSettings, machine: str) -> TagRequest:
    """The request for an image; ``machine`` is the platform to look for when none is asked for.

    Raises ``ConfigurationError``: ``bad_platform``, ``invalid_constraint``, ``invalid_reference``.
    """
    own = read_settings({STRATEGY: asked.strategy}, "")
    platforms = asked.platforms or (machine,)
    rule = compile_rule(_rule(image.reference, asked, own.strategy, platforms))
    warnings = (*own.warnings, *_constraint_warnings(asked, own.strategy), *_platform_warnings(platforms))
    if rule.problem:
        raise ConfigurationError(rule.problem, where="--semver-constraint", code="invalid_constraint")
    _check_current(image.reference, own.strategy)
    return TagRequest(image, rule, (*warnings, *rule.warnings))


def _rule(reference: ImageReference, asked: TagTestSettings, strategy: Strategy, platforms: tuple[str, ...]) -> TagRule:
    constraint = asked.constraint
    if strategy is Strategy.DIGEST:
        constraint = constraint or reference.tag
        if not constraint:
            raise ConfigurationError(
                "the digest strategy needs the tag to follow",
                where="--semver-constraint",
                hint="write for example --semver-constraint latest, or the tag after the image",
                code="invalid_constraint",
            )
    return TagRule(
        strategy=strategy,
        constraint=constraint if strategy in _READS_CONSTRAINT else "",
        allow_tags=asked.allow_tags,
        ignore_tags=asked.ignore_tags,
        platforms=platforms,
    )


def _check_current(reference: ImageReference, strategy: Strategy) -> None:
    if strategy is not Strategy.SEMVER or not reference.tag or parse_version(reference.tag) is not None:
        return
    raise ConfigurationError(
        f"the current tag {reference.tag!r} is not a version",
        where=reference.full_reference,
        hint="leave the tag out, write a version, or choose another --update-strategy",
        code="invalid_reference",
    )


def _constraint_warnings(asked: TagTestSettings, strategy: Strategy) -> tuple[Warned, ...]:
    if not asked.constraint or strategy in _READS_CONSTRAINT:
        return ()
    text = f"the {strategy.value} strategy does not read --semver-constraint"
    return (Warned("constraint_ignored", text),)


def _platform_warnings(texts: tuple[str, ...]) -> tuple[Warned, ...]:
    return tuple(
        Warned("platform_unusual", f"there are no images for {platform}: name the wanted platform with --platforms")
        for platform in map(_parse_platform, texts)
        if platform.os not in _SYSTEMS
    )


def _parse_platform(text: str) -> Platform:
    platform = parse_platform(text)
    if platform is None:
        raise ConfigurationError(
            f"invalid platform {text!r}",
            where="--platforms",
            hint="write os/arch or os/arch/variant",
            code="bad_platform",
        )
    return platform
