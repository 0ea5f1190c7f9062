"""From one Application and the operator's options to the plan for its images.

Nothing an owner writes raises out of here: a mistake in one annotation is recorded at the image or the Application it
belongs to and concerns no other.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from updater.errors import PlanError
from updater.model.applications import ApplicationKey, ApplicationSnapshot, SourceKind
from updater.model.changes import SourceChoice
from updater.model.images import ImagePlan
from updater.model.report import Warned
from updater.planning import annotation_keys as keys
from updater.planning.advice import git_warnings, missing_list_warnings
from updater.planning.annotations import ImageSettings
from updater.planning.application_settings import ApplicationSettings, find_settings
from updater.planning.collisions import collision_warnings, with_overridden
from updater.planning.documents_choice import RuleBook
from updater.planning.eligibility import Skip, Skipped, choose_target, skip_by_selection
from updater.planning.image_list import IllegalEntry, ImageEntry
from updater.planning.image_plans import illegal_plan, image_warnings, plan_image, spec_state, with_strict_pull_secret
from updater.planning.live_images import LiveImages, read_live_images
from updater.planning.write_back import Method, WriteBackMethod, parse_write_back_method
from updater.rules.label_selectors import LabelSelector
from updater.rules.name_patterns import NamePatterns
from updater.rules.selection import Selector

_EVERY_NAME = NamePatterns()
_EVERY_LABEL = LabelSelector()
_NO_RULES = RuleBook()


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the operator says of planning, compiled once. ``default_platform`` is that of the process, ``os/arch``.

    ``follows_annotations`` False leaves out Applications that no rules document matches. With
    ``are_pull_secrets_strict`` an Application only uses pull secrets of its own namespace.
    """

    name_patterns: NamePatterns = _EVERY_NAME
    label_selector: LabelSelector = _EVERY_LABEL
    default_platform: str = "linux/amd64"
    server_supports_hydrator: bool = True
    rules: RuleBook = _NO_RULES
    follows_annotations: bool = True
    are_pull_secrets_strict: bool = False


@dataclass(frozen=True, slots=True)
class ApplicationPlan:
    """What is to be done for one Application.

    ``skipped`` (with ``skip``) says why it is not processed, empty and None otherwise. ``problem`` with
    ``problem_code`` is an owner's mistake that stops its write-back: images may be judged, nothing may be written, and
    the Application counts one error. ``choice`` and ``write_back`` are None where that mistake leaves them unknown.
    """

    key: ApplicationKey
    images: tuple[ImagePlan, ...] = ()
    choice: SourceChoice | None = None
    write_back: WriteBackMethod | None = None
    warnings: tuple[Warned, ...] = ()
    skipped: str = ""
    skip: Skip | None = None
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


def plan_application(
    snapshot: ApplicationSnapshot, options: PlanOptions, selector: Selector | None = None
) -> ApplicationPlan:
    """The plan for one Application; never raises for anything in the snapshot.

    selector: the caller's memory of compiled rules, worth handing over when there are many Applications.
    """
    settings = find_settings(snapshot, options.rules, follows_annotations=options.follows_annotations)
    unselected = skip_by_selection(snapshot, options.name_patterns, options.label_selector)
    if isinstance(settings, Skipped):
        return _left_out(snapshot, settings, is_forgotten=unselected is None)
    draft = _Draft(snapshot, options, settings)
    skipped = _read_write_back(draft) or unselected
    if skipped is not None:
        return _left_out(snapshot, skipped)
    images = _plan_images(draft, selector or Selector())
    draft.warnings += [*collision_warnings(images), *git_warnings(settings.git_settings, draft.write_back)]
    draft.warnings += settings.warnings
    return ApplicationPlan(
        key=snapshot.key,
        images=images,
        choice=draft.choice,
        write_back=draft.write_back,
        warnings=tuple(dict.fromkeys(draft.warnings)),
        problem="" if draft.problem is None else str(draft.problem),
        problem_code="" if draft.problem is None else draft.problem.code,
    )


def _left_out(snapshot: ApplicationSnapshot, skipped: Skipped, *, is_forgotten: bool = False) -> ApplicationPlan:
    """``is_forgotten``: nothing but the missing list keeps it out, so its other annotations are worth a word."""
    has_no_list = is_forgotten and skipped.why is Skip.NO_IMAGE_LIST
    warnings = missing_list_warnings(keys.own_annotations(snapshot.annotations)) if has_no_list else ()
    return ApplicationPlan(snapshot.key, skipped=skipped.text, skip=skipped.why, warnings=warnings)


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


def _writes_files(draft: _Draft) -> bool:
    return draft.write_back is not None and draft.write_back.method is Method.GIT


def _plan_images(draft: _Draft, selector: Selector) -> tuple[ImagePlan, ...]:
    live = read_live_images(draft.snapshot.live_images)
    plans: list[ImagePlan] = []
    for entry, settings in draft.settings.images:
        if isinstance(entry, IllegalEntry):
            draft.warnings.append(Warned("image_invalid", entry.problem))
            plans.append(illegal_plan(draft.snapshot.key, entry))
        else:
            plans.append(_plan_entry(draft, (entry, settings), live, selector))
    return with_overridden(tuple(plans))


def _plan_entry(
    draft: _Draft, image: tuple[ImageEntry, ImageSettings], live: LiveImages, selector: Selector
) -> ImagePlan:
    entry, settings = image
    if draft.options.are_pull_secrets_strict:
        settings = with_strict_pull_secret(settings, draft.snapshot.key.namespace)
    plan = plan_image(
        draft.snapshot.key,
        entry,
        settings,
        kind=draft.choice.kind if draft.choice else SourceKind.HELM,
        live=live,
        default_platform=draft.options.default_platform,
    )
    name = entry.alias or entry.repository.full_name
    warnings = (*image_warnings(entry, settings, live, plan), *selector.compile(plan.rule).warnings)
    draft.warnings += [Warned(warned.kind, f"{name}: {warned.text}") for warned in warnings]
    if draft.choice is None or (plan.live is None and not plan.is_forced):
        return plan
    in_spec, problem = spec_state(plan, draft.snapshot, draft.choice)
    return replace(plan, in_spec=in_spec, spec_problem=problem)
