"""From one Application and the operator's options to the plan for its images.

Nothing an owner writes raises out of here: a mistake in one annotation is recorded at the image or the Application it
belongs to and concerns no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from updater.errors import PlanError
from updater.model.applications import ApplicationKey, ApplicationSnapshot, SourceKind
from updater.model.changes import SourceChoice
from updater.model.images import ImagePlan
from updater.model.report import Warned
from updater.planning import annotation_keys as keys
from updater.planning.advice import git_warnings, missing_list_warnings
from updater.planning.application_settings import ApplicationSettings, find_settings
from updater.planning.collisions import collision_warnings, may_collide, with_overridden
from updater.planning.documents_choice import RuleBook
from updater.planning.eligibility import Skip, Skipped, choose_target, skip_by_selection
from updater.planning.git_settings import GitScope, read_git_settings
from updater.planning.image_list import IllegalEntry
from updater.planning.image_plans import (
    ImageTemplate,
    illegal_plan,
    make_template,
    plan_image,
    spelling_warning,
    with_strict_pull_secret,
)
from updater.planning.live_images import read_live_images
from updater.planning.memory import PlanMemory
from updater.planning.overrides import written_names
from updater.planning.sources import select_source
from updater.planning.write_back import Method, WriteBackMethod, parse_write_back_method
from updater.rules.label_selectors import LabelSelector
from updater.rules.name_patterns import NamePatterns

_EVERY_NAME = NamePatterns()
_EVERY_LABEL = LabelSelector()
_NO_RULES = RuleBook()
_OWN_NAMESPACES = GitScope()
_NO_TEXTS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the operator says of planning, compiled once. ``default_platform`` is that of the process, ``os/arch``.

    ``follows_annotations`` False leaves out Applications that no rules document matches. With
    ``are_pull_secrets_strict`` an Application only uses pull secrets of its own namespace. ``git`` is what it allows
    the git method.
    """

    name_patterns: NamePatterns = _EVERY_NAME
    label_selector: LabelSelector = _EVERY_LABEL
    default_platform: str = "linux/amd64"
    server_supports_hydrator: bool = True
    rules: RuleBook = _NO_RULES
    follows_annotations: bool = True
    are_pull_secrets_strict: bool = False
    git: GitScope = _OWN_NAMESPACES


@dataclass(frozen=True, slots=True)
class ApplicationPlan:
    """What is to be done for one Application.

    ``skipped`` (with ``skip``) says why it is not processed, empty and None otherwise. ``problem`` with
    ``problem_code`` is an owner's mistake that stops its write-back: images may be judged, nothing may be written, and
    the Application counts one error. ``choice`` and ``write_back`` are None where that mistake leaves them unknown.
    ``is_selected``: the operator's filters do not keep the Application out, so that its mistakes are worth a word.
    ``write_back_texts`` are the settings of the write-back by the names of their annotations.
    """

    key: ApplicationKey
    images: tuple[ImagePlan, ...] = ()
    choice: SourceChoice | None = None
    write_back: WriteBackMethod | None = None
    write_back_texts: Mapping[str, str] = field(default_factory=lambda: _NO_TEXTS, repr=False, compare=False)
    warnings: tuple[Warned, ...] = ()
    skipped: str = ""
    skip: Skip | None = None
    is_selected: bool = True
    problem: str = ""
    problem_code: str = ""


@dataclass(slots=True)
class _Draft:
    """What is found out on the way to a plan."""

    snapshot: ApplicationSnapshot
    options: PlanOptions
    settings: ApplicationSettings
    write_back: WriteBackMethod | None = None
    choice: SourceChoice | None = None
    problem: PlanError | None = None
    warnings: list[Warned] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _TemplateSet:
    """The entries of one image list, and what follows from their being together."""

    templates: tuple[ImageTemplate | IllegalEntry, ...]
    warnings: tuple[Warned, ...] = ()
    may_collide: bool = False


def plan_application(
    snapshot: ApplicationSnapshot, options: PlanOptions, memory: PlanMemory | None = None
) -> ApplicationPlan:
    """The plan for one Application; never raises for anything in the snapshot.

    memory: the caller's, worth handing over when there are many Applications.
    """
    memory = memory or PlanMemory()
    settings = find_settings(snapshot, options.rules, memory, follows_annotations=options.follows_annotations)
    unselected = skip_by_selection(snapshot, options.name_patterns, options.label_selector)
    if isinstance(settings, Skipped):
        return _left_out(snapshot, settings, is_selected=unselected is None)
    draft = _Draft(snapshot, options, settings)
    skipped = _read_write_back(draft) or unselected
    if skipped is not None:
        return _left_out(snapshot, skipped, is_selected=unselected is None)
    images = _plan_images(draft, memory)
    _check_git(draft, images)
    draft.warnings += git_warnings(settings.git_settings, draft.write_back)
    draft.warnings += settings.warnings
    return ApplicationPlan(
        key=snapshot.key,
        images=images,
        choice=draft.choice,
        write_back=draft.write_back,
        write_back_texts=settings.write_back,
        warnings=tuple(dict.fromkeys(draft.warnings)),
        problem="" if draft.problem is None else str(draft.problem),
        problem_code="" if draft.problem is None else draft.problem.code,
    )


def _left_out(snapshot: ApplicationSnapshot, skipped: Skipped, *, is_selected: bool) -> ApplicationPlan:
    """Where nothing but the missing list keeps it out, its other annotations are worth a word."""
    is_forgotten = is_selected and skipped.why is Skip.NO_IMAGE_LIST
    warnings = missing_list_warnings(keys.own_annotations(snapshot.annotations)) if is_forgotten else ()
    return ApplicationPlan(
        snapshot.key, skipped=skipped.text, skip=skipped.why, is_selected=is_selected, warnings=warnings
    )


def _read_write_back(draft: _Draft) -> Skipped | None:
    """Method, type and source. A type without overrides leaves the Application out; other mistakes are its problem."""
    try:
        draft.write_back = parse_write_back_method(draft.settings.write_back.get(keys.WRITE_BACK_METHOD, ""))
    except PlanError as problem:
        draft.problem = problem
    try:
        draft.choice = choose_target(
            draft.snapshot,
            draft.settings.write_back,
            draft.write_back or WriteBackMethod(),
            server_supports_hydrator=draft.options.server_supports_hydrator,
            allows_plugin=draft.settings.allows_plugin and not _writes_files(draft),
        )
    except PlanError as problem:
        if problem.code == "unsupported_source_type":
            return Skipped(Skip.UNSUPPORTED_TYPE, str(problem))
        draft.problem = draft.problem or problem
    return None


def _check_git(draft: _Draft, images: tuple[ImagePlan, ...]) -> None:
    """An owner hears of a mistake in the Git settings in the first round, not with the first new tag."""
    if not _writes_files(draft) or draft.write_back is None or draft.choice is None or draft.problem is not None:
        return
    snapshot, texts = draft.snapshot, draft.settings.write_back
    try:
        index = select_source(snapshot, draft.choice, frozenset[str]().union(*map(written_names, images)))
    except PlanError:
        return  # every image says so itself, with the names it would write
    try:
        read_git_settings(snapshot, texts, draft.write_back, index, draft.options.git)
    except PlanError as problem:
        draft.problem = problem


def _writes_files(draft: _Draft) -> bool:
    return draft.write_back is not None and draft.write_back.method is Method.GIT


def _plan_images(draft: _Draft, memory: PlanMemory) -> tuple[ImagePlan, ...]:
    template_set = _template_set(draft, memory)
    live = read_live_images(draft.snapshot.live_images, memory)
    plans: list[ImagePlan] = []
    for template in template_set.templates:
        if isinstance(template, IllegalEntry):
            draft.warnings.append(Warned("image_invalid", template.problem))
            plans.append(illegal_plan(draft.snapshot.key, template))
            continue
        plan = plan_image(template, live, draft.snapshot, draft.choice)
        spelling = spelling_warning(plan, live, template.entry)
        draft.warnings += template.warnings if spelling is None else (*template.warnings, spelling)
        plans.append(plan)
    draft.warnings += template_set.warnings
    return with_overridden(tuple(plans)) if template_set.may_collide else tuple(plans)


def _template_set(draft: _Draft, memory: PlanMemory) -> _TemplateSet:
    """Remembered where it follows from the settings alone."""
    options, settings = draft.options, draft.settings
    kind = draft.choice.kind if draft.choice else SourceKind.HELM
    if settings.origin is None or options.are_pull_secrets_strict:
        return _make_template_set(draft, kind, memory)
    key = (settings.origin, kind, options.default_platform)
    return memory.derive(key, lambda: _make_template_set(draft, kind, memory))


def _make_template_set(draft: _Draft, kind: SourceKind, memory: PlanMemory) -> _TemplateSet:
    options = draft.options
    namespace = draft.snapshot.key.namespace
    templates: list[ImageTemplate | IllegalEntry] = []
    for entry, written in draft.settings.images:
        if isinstance(entry, IllegalEntry):
            templates.append(entry)
            continue
        settings = with_strict_pull_secret(written, namespace) if options.are_pull_secrets_strict else written
        templates.append(make_template(entry, settings, kind, options.default_platform, memory.selector))
    legal = [template for template in templates if isinstance(template, ImageTemplate)]
    return _TemplateSet(tuple(templates), tuple(collision_warnings(legal)), may_collide(legal))
