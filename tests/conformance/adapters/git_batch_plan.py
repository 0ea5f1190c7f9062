"""Intents in any order give batches in the order of their first one."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.manifests.readings import Source, text_of
from updater.manifests.targets import FileEdit
from updater.model.applications import ApplicationKey, SourceKind
from updater.model.changes import ChangeSet, SourceChoice
from updater.model.git_remotes import parse_git_remote
from updater.model.git_targets import REPOSITORY_CREDENTIALS, GitTarget
from updater.writeback.git_intents import GitIntent
from updater.writeback.git_plan import Batch, plan_batches


def _git_batch_plan(vector: Vector) -> Any:
    rows = sorted(vector.given["intents"], key=lambda row: row["seq"])
    batches = plan_batches([_intent(row) for row in rows], 1000)
    names_credentials = any("credentials" in row for row in rows)
    return {"batches": [_shown(batch, with_credentials=names_credentials) for batch in batches]}


def _intent(row: dict[str, Any]) -> GitIntent:
    target = GitTarget(
        parse_git_remote(row["repo"]),
        row["target"],
        credentials=row.get("credentials", REPOSITORY_CREDENTIALS),
        revision=row["base"],
        write_branch=row["write_branch"] or "",
    )
    key = ApplicationKey(row["namespace"], row["app"])
    change_set = ChangeSet(key, "", SourceChoice(SourceKind.HELM), (), (), git=target)
    return GitIntent(change_set, target, row.get("payload", ""), _unchanged)


def _unchanged(source: Source | None, _where: str) -> FileEdit:
    return FileEdit(text_of(source) or "", is_changed=False)


def _shown(batch: Batch, *, with_credentials: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "repo_key": batch.target.remote.key,
        "base": batch.target.revision,
        "push": batch.target.write_branch or batch.target.revision,
        "apps": [str(intent.change_set.application) for intent in batch.intents],
    }
    return {**shown, "credentials": batch.target.credentials} if with_credentials else shown


ADAPTERS = {"git_batch_plan": _git_batch_plan}
