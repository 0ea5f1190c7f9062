"""Grouping intents into batches: one batch is one fetch, one push (``write-back.md`` 5.2). Pure."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from updater.model.git_targets import REPOSITORY_CREDENTIALS, GitTarget
from updater.writeback.git_intents import GitIntent

WriterKey = tuple[str, str, str, str]
"""Place of the remote, credential reference, project, push branch: never two writers at a time for one of these."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Intents that share remote, credentials, base and push branch, in the order of their arrival.

    ``target`` is that of the first, which stands for all in what they share; ``superseded`` are those that a newer
    intent of the same Application and file replaced.
    """

    intents: tuple[GitIntent, ...]
    superseded: tuple[GitIntent, ...] = ()

    @property
    def target(self) -> GitTarget:
        return self.intents[0].target


def writer_key(target: GitTarget) -> WriterKey:
    """What must not be written by two at a time."""
    return target.remote.place, target.credentials, target.project, target.write_branch or target.revision


def plan_batches(intents: Sequence[GitIntent], max_size: int) -> tuple[Batch, ...]:
    """The batches in the order of their first intent; a newer intent takes the place of the one it replaces."""
    groups: dict[object, dict[object, GitIntent]] = {}
    superseded: dict[object, list[GitIntent]] = {}
    for intent in intents:
        target = intent.target
        group = (writer_key(target), target.revision, _wish(target), _secret_user(intent))
        same = (intent.change_set.application, target.file, target.path)
        kept = groups.setdefault(group, {})
        if same in kept:
            superseded.setdefault(group, []).append(kept[same])
        kept[same] = intent
    return tuple(
        batch
        for group, kept in groups.items()
        for batch in _cut(tuple(kept.values()), tuple(superseded.get(group, ())), _most(kept.values(), max_size))
    )


def _secret_user(intent: GitIntent) -> str:
    """The namespace that a named secret is used from: whether it may be is decided for each on its own."""
    is_secret = intent.target.credentials != REPOSITORY_CREDENTIALS
    return intent.change_set.application.namespace if is_secret else ""


def _wish(target: GitTarget) -> object:
    """What is wanted of a pull request, its labels apart: those of a batch are put together."""
    wanted = target.pull_request
    return wanted and (wanted.provider, wanted.mode, wanted.names_own_branches)


def _most(intents: Iterable[GitIntent], max_size: int) -> int:
    """A branch that is made anew from one batch has to be made from all that belongs there."""
    is_rolling = any(each.target.pull_request and each.target.pull_request.is_rolling for each in intents)
    return sys.maxsize if is_rolling else max_size


def _cut(intents: tuple[GitIntent, ...], superseded: tuple[GitIntent, ...], max_size: int) -> list[Batch]:
    pieces = [intents[start : start + max_size] for start in range(0, len(intents), max_size)]
    return [Batch(piece, superseded if number == 0 else ()) for number, piece in enumerate(pieces)]
