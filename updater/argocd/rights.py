"""Whether the account may do what a round does, by asking ``CanI`` (``argocd-api.md`` 5.6)."""

from __future__ import annotations

from collections.abc import Sequence

from updater.argocd.client import ArgoCDClient
from updater.clock import Clock, Deadline
from updater.errors import ArgoCDDenied
from updater.model.applications import ApplicationSnapshot
from updater.model.findings import Seen, Verdict

MAX_QUESTIONS = 50
"""Projects that are asked about, one Application of each: policies are written per project."""

_TIMEOUT_S = 20.0
_SHOWN = 5


def examine_rights(
    client: ArgoCDClient,
    visible: Sequence[ApplicationSnapshot],
    written: Sequence[ApplicationSnapshot],
    clock: Clock,
    *,
    wants_write: bool,
) -> Seen:
    """What the account sees and may write. Raises ``ArgoCDDenied`` when that is not enough."""
    if not visible:
        raise ArgoCDDenied(
            "the account sees no Application",
            where=client.server,
            hint="allow it 'applications, get, <project>/*' in argocd-rbac-cm; what it may not get is left out",
        )
    seen = f"sees {len(visible)} Applications"
    if not written:
        return Seen(f"{seen}, none of which is to be written through the API", Verdict.WARNED, _annotate_hint())
    asked = list({snapshot.project: snapshot for snapshot in reversed(written)}.values())[:MAX_QUESTIONS]
    denied = [name for name in map(rbac_object, asked) if not _may_update(client, name, clock)]
    if not denied:
        return Seen(f"{seen}, may update those of {len(asked)} project{'s' if len(asked) != 1 else ''}")
    text = f"may not update {', '.join(denied[:_SHOWN])}"
    hint = f"allow it 'applications, update, {denied[0].partition('/')[0]}/*' in argocd-rbac-cm"
    if not wants_write:
        return Seen(f"{seen}, {text}; a dry run needs no more", Verdict.NOTED, hint)
    raise ArgoCDDenied(f"the account {text}", where=client.server, hint=hint)


def rbac_object(snapshot: ApplicationSnapshot) -> str:
    """The name of an Application in policies: with its namespace when that is not Argo CD's own."""
    key = snapshot.key
    is_at_home = snapshot.controller_namespace in ("", key.namespace)
    return f"{snapshot.project}/{key.name}" if is_at_home else f"{snapshot.project}/{key.namespace}/{key.name}"


def _may_update(client: ArgoCDClient, name: str, clock: Clock) -> bool:
    return client.fetch_permission("update", name, Deadline.after(clock, _TIMEOUT_S))


def _annotate_hint() -> str:
    return "annotate Applications with argocd-image-updater.argoproj.io/image-list, or give --rules"
