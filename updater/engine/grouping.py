"""From decisions to change sets: everything one write-back target gets in one go. Pure."""

from __future__ import annotations

from updater.errors import PlanError
from updater.model.applications import ApplicationSnapshot
from updater.model.changes import ChangeSet, ImageChange
from updater.model.images import Decision, Reason
from updater.model.references import ImageReference
from updater.planning.drift import settings_of
from updater.planning.overrides import batch_edits
from updater.planning.plans import ApplicationPlan
from updater.planning.write_back import Method


def change_set_of(
    snapshot: ApplicationSnapshot, plan: ApplicationPlan, decisions: tuple[Decision, ...]
) -> ChangeSet | None:
    """The change set for one Application, None when no image is to be updated.

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
    if plan.write_back.method is Method.GIT:
        raise PlanError(
            "write-back method git is not part of this release",
            where=str(snapshot.key),
            hint="use write-back-method argocd, or keep this Application on the other updater",
            code="write_back_unavailable",
        )
    return ChangeSet(
        application=snapshot.key,
        project=snapshot.project,
        choice=plan.choice,
        edits=batch_edits(updates, snapshot, plan.choice),
        images=tuple(_change(decision) for decision in decisions if decision.reason is Reason.UPDATE),
        annotations=settings_of(snapshot),
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
