"""From decisions to what is written: everything one write-back target gets in one go. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from updater.errors import PlanError
from updater.model.applications import ApplicationSnapshot
from updater.model.changes import ChangeSet, ImageChange
from updater.model.images import Decision, ImagePlan, Reason
from updater.model.references import ImageReference
from updater.planning.drift import settings_of
from updater.planning.git_settings import GitScope, read_git_settings
from updater.planning.overrides import batch_edits, written_names
from updater.planning.plans import ApplicationPlan
from updater.planning.sources import select_source
from updater.planning.write_back import Method, WriteBackMethod
from updater.writeback.git_intents import GitIntent
from updater.writeback.git_making import GitWish, IntentOptions, make_intent


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be written for one Application: fields of its spec, or with an ``intent`` a file in Git."""

    change_set: ChangeSet
    intent: GitIntent | None = None


def work_of(
    snapshot: ApplicationSnapshot,
    plan: ApplicationPlan,
    decisions: tuple[Decision, ...],
    *,
    scope: GitScope,
    intents: IntentOptions,
) -> Work | None:
    """What is to be written for one Application, None when no image is to be updated.

    Raises ``PlanError`` when there is something to write and no way to write it.
    """
    updates = [
        (decision.plan, decision.wanted)
        for decision in decisions
        if decision.reason is Reason.UPDATE and decision.wanted is not None
    ]
    if not updates:
        return None
    if plan.choice is None or plan.write_back is None:
        raise PlanError(plan.problem or "there is no source to write to", code=plan.problem_code or "no_source")
    change_set = ChangeSet(
        application=snapshot.key,
        project=snapshot.project,
        choice=plan.choice,
        edits=batch_edits(updates, snapshot, plan.choice),
        images=tuple(_change(decision) for decision in decisions if decision.reason is Reason.UPDATE),
        annotations=settings_of(snapshot),
    )
    if plan.write_back.method is Method.ARGOCD:
        return Work(change_set)
    intent = make_intent(_wish(change_set, plan.write_back, snapshot, plan, updates, scope), intents)
    return Work(intent.change_set, intent)


def _wish(
    change_set: ChangeSet,
    method: WriteBackMethod,
    snapshot: ApplicationSnapshot,
    plan: ApplicationPlan,
    updates: list[tuple[ImagePlan, ImageReference]],
    scope: GitScope,
) -> GitWish:
    """The source that the changed images belong to decides the repository, as it does for fields."""
    names = frozenset[str]().union(*(written_names(image) for image, _ in updates))
    index = select_source(snapshot, change_set.choice, names)
    return GitWish(
        change_set=change_set,
        settings=read_git_settings(snapshot, plan.write_back_texts, method, index, scope),
        source=snapshot.sources[index],
        updates=tuple((image.target, wanted) for image, wanted in updates),
        managed=frozenset[str]().union(*map(written_names, plan.images)),
    )


def _change(decision: Decision) -> ImageChange:
    plan = decision.plan
    return ImageChange(
        alias=plan.alias,
        image=plan.repository.full_name,
        old_tag=_tag_text(plan.live),
        new_tag=_tag_text(decision.wanted),
    )


def _tag_text(reference: ImageReference | None) -> str:
    """The digest if there is one, else the tag (``images-and-strategies.md`` 2.3)."""
    return (reference.digest or reference.tag) if reference is not None else ""
