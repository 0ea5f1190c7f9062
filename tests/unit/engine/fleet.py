"""In-memory ports and Applications for tests of the engine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from updater.clock import Deadline, SystemClock
from updater.engine.engine import Engine, EngineOptions, Experience, Registry
from updater.engine.writing import GitWriting, Writers
from updater.errors import RegistryUnavailable
from updater.model.applications import (
    ANNOTATION_PREFIX,
    ApplicationKey,
    ApplicationSnapshot,
    HelmParameter,
    SourceLayout,
    SourceSnapshot,
)
from updater.model.changes import ChangeSet, WriteBackResult, WriteOutcome
from updater.model.images import Candidate, ImageLabels, Inspection, TagList
from updater.model.references import ImageReference, ImageRepository
from updater.model.report import Report
from updater.ports.log import EventLog, Field, NullLog
from updater.ports.progress import NoProgress, Progress
from updater.ports.writeback import WriteBack
from updater.writeback.git_intents import GitIntent

HOST = "registry.example.com"


@dataclass
class MemoryRegistry:
    """Tags by full name of the repository; a missing one is a registry that does not answer.

    ``metadata`` serves every repository; a tag without an entry is one that the registry does not have. ``labels`` are
    those of images by ``registry/name[:tag][@digest]``; an image without an entry cannot be read.
    """

    tags: Mapping[str, Sequence[str]]
    broken: frozenset[str] = frozenset()
    asked: list[tuple[str, str]] = field(default_factory=list)
    metadata: Mapping[str, Candidate] = field(default_factory=dict)
    inspected: list[tuple[str, tuple[str, ...], Inspection]] = field(default_factory=list)
    labels: Mapping[str, ImageLabels] = field(default_factory=dict)
    labelled: list[tuple[str, tuple[str, ...], str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fetch_tags(self, repository: ImageRepository, deadline: Deadline, *, pull_secret: str = "") -> TagList:
        assert not deadline.has_passed
        with self.lock:
            self.asked.append((repository.full_name, pull_secret))
        if repository.full_name in self.broken:
            raise RuntimeError("a bug in the adapter")
        if repository.full_name not in self.tags:
            raise RegistryUnavailable("HTTP status 503", where=repository.full_name)
        return TagList(repository, tuple(self.tags[repository.full_name]))

    def fetch_candidates(
        self,
        repository: ImageRepository,
        tags: Sequence[str],
        inspection: Inspection,
        deadline: Deadline,
        *,
        pull_secret: str = "",
    ) -> tuple[Candidate, ...]:
        assert not deadline.has_passed
        with self.lock:
            self.inspected.append((repository.full_name, tuple(tags), inspection))
        if repository.full_name not in self.tags:
            raise RegistryUnavailable("HTTP status 503", where=repository.full_name)
        return tuple(self.metadata[tag] for tag in tags if tag in self.metadata)

    def fetch_labels(
        self, image: ImageReference, platforms: Sequence[str], deadline: Deadline, *, pull_secret: str = ""
    ) -> ImageLabels:
        assert not deadline.has_passed
        with self.lock:
            self.labelled.append((image.full_reference, tuple(platforms), pull_secret))
        if image.full_reference not in self.labels:
            raise RegistryUnavailable("HTTP status 503", where=image.repository.full_name)
        return self.labels[image.full_reference]


@dataclass
class MemoryWriteBack:
    """Remembers the change sets; those of ``failing`` Applications fail, those of ``raising`` ones meet a bug."""

    failing: frozenset[str] = frozenset()
    raising: frozenset[str] = frozenset()
    applied: list[ChangeSet] = field(default_factory=list)

    def apply(self, change_set: ChangeSet, *, dry_run: bool, deadline: Deadline) -> WriteBackResult:
        assert not deadline.has_passed
        self.applied.append(change_set)
        if change_set.application.name in self.raising:
            raise RuntimeError("a bug in the writer")
        if change_set.application.name in self.failing:
            return WriteBackResult(change_set, WriteOutcome.FAILED, 1, error_code="update_denied", error="no")
        return WriteBackResult(change_set, WriteOutcome.DRY_RUN if dry_run else WriteOutcome.WRITTEN, 1)


@dataclass
class MemoryGit:
    """Remembers which intents came together; ``outcomes`` by name of the Application; may meet a bug."""

    outcomes: dict[str, tuple[WriteOutcome, str]] = field(default_factory=dict)
    is_buggy: bool = False
    intents: list[GitIntent] = field(default_factory=list)
    together: list[list[str]] = field(default_factory=list)
    alone: list[str] = field(default_factory=list)

    def write_all(
        self,
        intents: Sequence[GitIntent],
        *,
        dry_run: bool,
        deadline: Deadline,
        on_result: Callable[[WriteBackResult], None],
    ) -> tuple[WriteBackResult, ...]:
        assert not deadline.has_passed
        self.intents += intents
        self.together.append([intent.change_set.application.name for intent in intents])
        results = []
        for intent in intents:
            results.append(self._result(intent, dry_run=dry_run))
            on_result(results[-1])
            if self.is_buggy:
                raise RuntimeError("a bug in the writer")
        return tuple(results)

    def write(self, intent: GitIntent, *, dry_run: bool, deadline: Deadline) -> WriteBackResult:
        assert not deadline.has_passed
        self.intents.append(intent)
        self.alone.append(intent.change_set.application.name)
        return self._result(intent, dry_run=dry_run)

    def _result(self, intent: GitIntent, *, dry_run: bool) -> WriteBackResult:
        name = intent.change_set.application.name
        usual = WriteOutcome.DRY_RUN if dry_run else WriteOutcome.WRITTEN
        outcome, code = self.outcomes.get(name, (usual, ""))
        return WriteBackResult(
            intent.change_set, outcome, error_code=code, error=code and f"{intent.change_set.application}: {code}"
        )


@dataclass
class RecordingLog:
    """Keeps events with their level and fields."""

    records: list[tuple[str, str, dict[str, Field]]] = field(default_factory=list)
    bound: dict[str, Field] = field(default_factory=dict)

    def trace(self, event: str, /, **fields: Field) -> None:
        self._add("trace", event, fields)

    def debug(self, event: str, /, **fields: Field) -> None:
        self._add("debug", event, fields)

    def info(self, event: str, /, **fields: Field) -> None:
        self._add("info", event, fields)

    def warning(self, event: str, /, **fields: Field) -> None:
        self._add("warning", event, fields)

    def error(self, event: str, /, *, exception: BaseException | None = None, **fields: Field) -> None:
        self._add("error", event, {**fields, "exception": type(exception).__name__ if exception else None})

    def bind(self, **fields: Field) -> EventLog:
        return RecordingLog(self.records, {**self.bound, **fields})

    def events(self, level: str) -> list[str]:
        return [event for record_level, event, _ in self.records if record_level == level]

    def _add(self, level: str, event: str, fields: dict[str, Field]) -> None:
        self.records.append((level, event, {**self.bound, **fields}))


def helm_application(
    name: str, image_list: str, *, live: Sequence[str], annotations: Mapping[str, str] | None = None
) -> ApplicationSnapshot:
    """A single-source Helm Application; keys of ``annotations`` stand without their prefix."""
    own = {"image-list": image_list, **(annotations or {})}
    source = SourceSnapshot(
        repo_url="https://git.example.com/deploy.git",
        path="chart",
        helm_parameters=(HelmParameter("unrelated", "1", force_string=True),),
    )
    return ApplicationSnapshot(
        key=ApplicationKey("argocd", name),
        project="default",
        annotations={f"{ANNOTATION_PREFIX}{key}": value for key, value in own.items()},
        layout=SourceLayout.SINGLE,
        sources=(source,),
        source_type="Helm",
        live_images=tuple(live),
    )


def run_round(
    applications: Sequence[ApplicationSnapshot],
    registry: Registry,
    write_back: WriteBack | None = None,
    *,
    git: GitWriting | None = None,
    options: EngineOptions | None = None,
    log: EventLog | None = None,
    stopping: threading.Event | None = None,
    progress: Progress | None = None,
) -> Report:
    clock = SystemClock()
    engine = Engine(
        registry,
        Writers(write_back or MemoryWriteBack(), git),
        options or EngineOptions(workers=4),
        clock,
        Experience(log or NullLog()),
        stopping or threading.Event(),
    )
    return engine.process(applications, Deadline.after(clock, 30), progress or NoProgress())
