"""A writer with everything below it, and intents in one line."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from updater.clock import Backoff, Deadline, SystemClock
from updater.errors import UpdaterError
from updater.git.access import AccessSource, RemoteAccess
from updater.git.options import Admission, GitOptions
from updater.git.remotes import MirroredRemotes
from updater.manifests.readings import Source
from updater.manifests.targets import FileEdit
from updater.manifests.values_file import ValueWrite
from updater.model.applications import ApplicationKey, SourceKind
from updater.model.changes import ChangeSet, ImageChange, SourceChoice, WriteBackResult
from updater.model.git_remotes import parse_git_remote
from updater.model.git_targets import GitTarget, TargetFile
from updater.model.images import HelmTarget
from updater.ports.log import EventLog, NullLog
from updater.writeback.git import GitWriteBack
from updater.writeback.git_intents import FileEditor, GitIntent, values_editor
from updater.writeback.git_options import GitWriteOptions

QUICK = Backoff(attempts=3, base_s=0.01, cap_s=0.05)


class OpenAccess:
    """Access to remotes that ask nobody."""

    @contextmanager
    def open(self, target: GitTarget, namespace: str, deadline: Deadline) -> Iterator[RemoteAccess]:
        yield RemoteAccess()

    def reject(self, target: GitTarget, namespace: str) -> bool:
        return False


@dataclass(frozen=True)
class BenchOptions:
    git: GitOptions = field(
        default_factory=lambda: GitOptions(admission=Admission(allows_http=True, allows_local=True))
    )
    write: GitWriteOptions = field(default_factory=lambda: GitWriteOptions(backoff=QUICK, idle_s=0.05))
    access: AccessSource = field(default_factory=OpenAccess)
    log: EventLog = field(default_factory=NullLog)
    environment: Mapping[str, str] = field(default_factory=dict)


class Bench:
    """The write-back of one updater process."""

    def __init__(self, options: BenchOptions, stopping: threading.Event) -> None:
        self.clock = SystemClock()
        inherited = {**os.environ, **options.environment}
        self.remotes = MirroredRemotes(options.git, options.access, inherited, self.clock, options.log)
        self.write_back = GitWriteBack(self.remotes, options.write, self.clock, options.log, stopping)

    def write(self, *intents: GitIntent, dry_run: bool = False, within_s: float = 50.0) -> list[WriteBackResult]:
        deadline = Deadline.after(self.clock, within_s)
        return list(self.write_back.write_all(intents, dry_run=dry_run, deadline=deadline))

    def write_one(self, intent: GitIntent, *, dry_run: bool = False, within_s: float = 50.0) -> WriteBackResult:
        return self.write(intent, dry_run=dry_run, within_s=within_s)[0]

    def close(self) -> None:
        self.remotes.close()


Make = Callable[..., Bench]
"""The fixture ``make_bench``: from ``BenchOptions`` to a writer."""
Connect = Callable[..., Bench]
"""The fixture ``connect``: from an entry of the credential file to a writer."""


def intent_for(
    url: str,
    tag: str,
    *,
    app: str = "shop",
    path: str | None = None,
    edit: FileEditor | None = None,
    **target: str,
) -> GitIntent:
    """Set ``image.tag`` of ``apps/<app>/values.yaml``."""
    key = ApplicationKey("argocd", app)
    change = ImageChange(app, f"example/{app}", "1.0.0", tag)
    where = GitTarget(
        parse_git_remote(url), f"apps/{app}/values.yaml" if path is None else path, TargetFile.HELM_VALUES, **target
    )
    change_set = ChangeSet(key, "default", SourceChoice(SourceKind.HELM), (), (change,), git=where)
    message = f"build: automatic update of {app}\n\nupdates image example/{app} tag '1.0.0' to '{tag}'\n"
    return GitIntent(change_set, where, message, edit or values_editor([ValueWrite(HelmTarget().tag, tag)]))


def failing_edit(error: UpdaterError | Exception) -> FileEditor:
    """An edit that fails."""

    def edit(_source: Source | None, _where: str) -> FileEdit:
        raise error

    return edit


class RecordingLog(NullLog):
    """Remembers events with their fields; calls ``hook`` at each."""

    def __init__(self, hook: Callable[[str], None] | None = None) -> None:
        self.events: list[str] = []
        self.records: list[tuple[str, dict[str, object]]] = []
        self._hook = hook

    def _note(self, event: str, fields: dict[str, object]) -> None:
        self.events.append(event)
        self.records.append((event, fields))
        if self._hook is not None:
            self._hook(event)

    def debug(self, event: str, /, **fields: object) -> None:
        self._note(event, fields)

    def info(self, event: str, /, **fields: object) -> None:
        self._note(event, fields)

    def warning(self, event: str, /, **fields: object) -> None:
        self._note(event, fields)

    def error(self, event: str, /, *, exception: BaseException | None = None, **fields: object) -> None:
        self._note(event, fields)
