"""The documents of the status API. Keys are stable under one schema version; ``docs/status.md`` describes them."""

from __future__ import annotations

from datetime import UTC, datetime

from updater.ports.status import (
    ApplicationDetail,
    ApplicationStatus,
    Candidates,
    Counts,
    CycleStatus,
    ImageStatus,
    StatusPage,
    StatusReader,
)

SCHEMA_VERSION = 1

Document = dict[str, object]


def applications_document(page: StatusPage, reader: StatusReader) -> Document:
    """``/api/v1/applications``."""
    return {
        **_frame(reader),
        "total": page.total,
        "matching": page.matching,
        "reasons": dict(page.by_reason),
        "items": [_item(status, reader) for status in page.items],
        "continue": page.next_after or None,
    }


def application_document(detail: ApplicationDetail, reader: StatusReader) -> Document:
    """``/api/v1/applications/{namespace}/{name}``."""
    status = detail.status
    images = [
        {**_image(image), **_explained(image), "candidates": _candidates(candidates)}
        for image, candidates in zip(status.images, detail.candidates, strict=True)
    ]
    return {
        **_frame(reader),
        **_item(status, reader),
        "images": images,
        "write": _write(status),
        "lastUpdate": _update(status),
        "warnings": list(status.warnings),
    }


def cycles_document(reader: StatusReader) -> Document:
    """``/api/v1/cycles``."""
    return {**_frame(reader), "items": [_cycle(cycle) for cycle in reader.cycles()]}


def _frame(reader: StatusReader) -> Document:
    rhythm, trouble = reader.rhythm, reader.trouble
    return {
        "schemaVersion": SCHEMA_VERSION,
        "mode": rhythm.mode,
        "intervalSeconds": rhythm.interval_s,
        "dryRun": rhythm.is_dry_run,
        "trouble": trouble and {"since": _moment(trouble.since), "code": trouble.code, "text": trouble.text},
    }


def _item(status: ApplicationStatus, reader: StatusReader) -> Document:
    return {
        "namespace": status.key.namespace,
        "name": status.key.name,
        "mode": reader.rhythm.mode,
        "lastAttempt": _moment(status.attempted_at),
        "lastSuccess": _moment(status.succeeded_at),
        "nextDue": _moment(reader.due_at(status)),
        "counters": _counters(status.counts),
        "reasons": list(status.reasons),
        "error": _problem(status.code, status.error),
        "images": [_image(image) for image in status.images],
    }


def _image(image: ImageStatus) -> Document:
    return {
        "alias": image.alias,
        "image": image.image,
        "current": image.current or None,
        "wanted": image.wanted or None,
        "reason": image.reason,
    }


def _explained(image: ImageStatus) -> Document:
    return {
        "strategy": image.strategy,
        "constraint": image.constraint or None,
        "tagsConsidered": image.tags,
        "problem": _problem(image.code, image.problem),
    }


def _candidates(candidates: Candidates) -> Document | None:
    """None when they are not held."""
    if not candidates.are_known:
        return None
    return {"rows": list(candidates.rows), "leftOut": candidates.left_out, "losses": dict(candidates.by_loss)}


def _write(status: ApplicationStatus) -> Document | None:
    write = status.write
    if write is None:
        return None
    return {
        "outcome": write.outcome,
        "commit": write.commit or None,
        "pullRequest": write.pull_request or None,
        "error": _problem(write.code, write.error),
        "warning": write.warning or None,
    }


def _update(status: ApplicationStatus) -> Document | None:
    update = status.last_update
    if update is None:
        return None
    return {
        "at": _moment(update.at),
        "images": [{"image": image, "from": before or None, "to": after} for image, before, after in update.images],
        "commit": update.commit or None,
        "pullRequest": update.pull_request or None,
    }


def _cycle(cycle: CycleStatus) -> Document:
    return {
        "ended": _moment(cycle.ended_at),
        "durationSeconds": round(cycle.seconds, 3),
        "applications": cycle.applications,
        "counters": _counters(cycle.counts),
        "reasons": dict(cycle.by_reason),
        "dryRun": cycle.is_dry_run,
    }


def _counters(counts: Counts) -> Document:
    return {
        "considered": counts.considered,
        "skipped": counts.skipped,
        "updated": counts.updated,
        "errors": counts.errors,
    }


def _problem(code: str, text: str) -> Document | None:
    return {"code": code, "text": text} if text else None


def _moment(seconds: float | None) -> str | None:
    """RFC 3339 in UTC."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
