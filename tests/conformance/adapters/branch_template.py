"""Write branches from templates, and the branch that a revision means."""

from __future__ import annotations

from typing import Any

from tests.conformance.adapters.commit_message import template_change
from tests.conformance.vectors import Vector
from updater.errors import PlanError
from updater.manifests.branches import BranchContext, render_branch_text, render_write_branch, resolve_base_branch
from updater.model.applications import ApplicationKey


def _write_branch(vector: Vector) -> Any:
    given = vector.given
    key = ApplicationKey(given["app_namespace"], given["app_name"])
    changes = [template_change(raw) for raw in given["changes"]]
    context = BranchContext(key, given["target_key"], changes)
    answer: dict[str, str] = {}
    try:
        answer["rendered"] = render_branch_text(given["template"], context)
        answer["branch"] = render_write_branch(given["template"], context)
    except PlanError as error:
        answer["error"] = error.code
    return answer


def _base_branch(vector: Vector) -> Any:
    given = vector.given
    try:
        return {"branch": resolve_base_branch(given["revision"] or "", given["refs"], given["head"])}
    except PlanError as error:
        return {"error": error.code}


ADAPTERS = {"render_write_branch": _write_branch, "resolve_base_branch": _base_branch}
