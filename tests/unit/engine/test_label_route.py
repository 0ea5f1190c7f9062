"""Labels of new images: for whom they are fetched, once, and what it costs when they cannot be told."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.engine.fleet import HOST, MemoryGit, MemoryRegistry, RecordingLog, helm_application, run_round
from tests.unit.engine.test_git_route import GIT, LateClock
from updater.clock import Deadline
from updater.engine import engine as engine_module
from updater.engine.engine import Engine, EngineOptions, Experience
from updater.engine.writing import Writers
from updater.manifests.messages import parse_message_template
from updater.model.applications import ApplicationSnapshot
from updater.model.changes import WriteOutcome
from updater.model.images import Candidate
from updater.ports.progress import NoProgress
from updater.writeback.git_making import IntentOptions

WEB, API = f"{HOST}/shop/web", f"{HOST}/shop/api"
TAGS = {WEB: ["1.0.0", "1.0.1"], API: ["1.0.0", "1.0.1"]}
KEY = "org.opencontainers.image.revision"
LABELS = {f"{WEB}:1.0.1": ((KEY, "cafe"),), f"{API}:1.0.1": ((KEY, "beef"),)}
SHOWING = IntentOptions(
    parse_message_template('{{ range .AppChanges }}{{ .Image }} {{ index .Labels "' + KEY + '" }}\n{{ end }}')
)
OPTIONS = EngineOptions(workers=4, intents=SHOWING)


def _application(name: str, image: str = WEB, *, live: str = "1.0.0", **own: str) -> ApplicationSnapshot:
    return helm_application(name, f"web={image}:~1.0", live=[f"{image}:{live}"], annotations={**GIT, **own})


def _messages(git: MemoryGit) -> list[str]:
    return [intent.message for intent in git.intents]


@pytest.mark.parametrize("is_cycle", [True, False], ids=["cycle", "continuous"])
@pytest.mark.parametrize("is_dry_run", [True, False], ids=["dry", "wet"])
def test_a_message_says_the_labels_of_the_new_image(*, is_cycle: bool, is_dry_run: bool) -> None:
    git, registry = MemoryGit(), MemoryRegistry(TAGS, labels=LABELS)
    options = replace(OPTIONS, is_cycle=is_cycle, is_dry_run=is_dry_run)
    run_round([_application("a")], registry, git=git, options=options)
    assert _messages(git) == ["shop/web cafe\n"]
    assert registry.labelled == [(f"{WEB}:1.0.1", (), "")]


def test_many_applications_of_one_image_are_one_question() -> None:
    git, registry = MemoryGit(), MemoryRegistry(TAGS, labels=LABELS)
    applications = [_application(f"a{number}") for number in range(50)] + [_application("b", API)]
    run_round(applications, registry, git=git, options=OPTIONS)
    assert sorted(registry.labelled) == [(f"{API}:1.0.1", (), ""), (f"{WEB}:1.0.1", (), "")]
    assert sorted(_messages(git)) == ["shop/api beef\n", *["shop/web cafe\n"] * 50]


def test_each_pull_secret_asks_for_itself() -> None:
    registry = MemoryRegistry(TAGS, labels=LABELS)
    applications = [_application("a"), _application("b", **{"web.pull-secret": "env:OTHER"})]
    run_round(applications, registry, git=MemoryGit(), options=OPTIONS)
    assert sorted(registry.labelled) == [(f"{WEB}:1.0.1", (), ""), (f"{WEB}:1.0.1", (), "env:OTHER")]


@pytest.mark.parametrize(
    ("application", "options"),
    [
        pytest.param(_application("a"), EngineOptions(), id="the built-in template"),
        pytest.param(_application("a", live="1.0.1"), OPTIONS, id="nothing to change"),
        pytest.param(_application("a", **{"write-back-method": "argocd"}), OPTIONS, id="another method"),
        pytest.param(_application("a", **{"git-branch": "a:b:c"}), OPTIONS, id="no way to write it"),
        pytest.param(_application("a"), replace(OPTIONS, is_rehearsal=True, is_dry_run=True), id="a rehearsal"),
        pytest.param(
            _application("a"),
            replace(OPTIONS, intents=IntentOptions(requests_show_labels=True)),
            id="a template of requests, and no request",
        ),
    ],
)
def test_nothing_is_asked_when_nobody_would_read_it(application: ApplicationSnapshot, options: EngineOptions) -> None:
    registry = MemoryRegistry(TAGS, labels=LABELS)
    run_round([application], registry, git=MemoryGit(), options=options)
    assert registry.labelled == []


def test_labels_are_fetched_for_the_text_of_a_request_alone() -> None:
    git, registry = MemoryGit(), MemoryRegistry(TAGS, labels=LABELS)
    application = _application("a", **{"git-pull-request": "github"})
    options = replace(OPTIONS, intents=IntentOptions(requests_show_labels=True))
    run_round([application], registry, git=git, options=options)
    assert [image.labels for image in git.intents[0].change_set.images] == [((KEY, "cafe"),)]


_DIGEST = f"sha256:{'7' * 64}"


@pytest.mark.parametrize(
    ("strategy", "entry", "asked"),
    [
        pytest.param("newest-build", f"web={WEB}", f"{WEB}:1.0.1", id="newest-build"),
        pytest.param("digest", f"web={WEB}:1.0.1", f"{WEB}:1.0.1@{_DIGEST}", id="digest"),
    ],
)
def test_the_wanted_image_is_asked_for_with_the_platforms_of_its_metadata(
    strategy: str, entry: str, asked: str
) -> None:
    registry = MemoryRegistry(TAGS, metadata={"1.0.0": Candidate("1.0.0", 1), "1.0.1": Candidate("1.0.1", 2, _DIGEST)})
    own = {"web.update-strategy": strategy, "web.platforms": "linux/arm64,linux/amd64"}
    application = helm_application("a", entry, live=[f"{WEB}:1.0.0"], annotations={**GIT, **own})
    run_round([application], registry, git=MemoryGit(), options=OPTIONS)
    assert registry.labelled == [(asked, ("linux/arm64", "linux/amd64"), "")]


def test_a_change_is_written_without_labels_that_cannot_be_told_and_that_is_said_once() -> None:
    git, log, registry = MemoryGit(), RecordingLog(), MemoryRegistry(TAGS, labels={f"{API}:1.0.1": ()})
    applications = [_application("a"), _application("b"), _application("c", API)]
    report = run_round(applications, registry, git=git, options=OPTIONS, log=log)
    assert _messages(git) == ["shop/web \n", "shop/web \n", "shop/api \n"]
    assert {each.result.outcome for each in report.applications if each.result} == {WriteOutcome.WRITTEN}
    assert (report.totals["images_updated"], report.totals["errors"]) == (3, 0)
    (said,) = [fields for level, event, fields in log.records if (level, event) == ("warning", "labels_unknown")]
    assert (said["image"], said["images"], said["applications"]) == (f"{WEB}:1.0.1", 2, 2)
    assert "HTTP status 503" in str(said["error"])


class _Rounds:
    """Rounds of one process, with time between them."""

    def __init__(self, registry: MemoryRegistry) -> None:
        self.log, self.clock = RecordingLog(), LateClock()
        experience = Experience(self.log, clock=self.clock)
        writers = Writers(None, MemoryGit())  # type: ignore[arg-type]  # nobody writes fields here
        self.engine = Engine(registry, writers, OPTIONS, self.clock, experience, threading.Event())

    def run(self, *applications: ApplicationSnapshot, apart_s: float = 61.0) -> list[str]:
        """The levels at which labels were remarked."""
        self.clock.late_s += apart_s
        before = len(self.log.records)
        self.engine.process(applications, Deadline.after(self.clock, 30), NoProgress())
        return [level for level, event, _ in self.log.records[before:] if event == "labels_unknown"]


def test_the_same_image_is_remarked_once_and_another_one_after_a_minute() -> None:
    rounds = _Rounds(MemoryRegistry(TAGS))
    assert rounds.run(_application("a")) == ["warning"]
    assert rounds.run(_application("a")) == ["debug"]
    assert rounds.run(_application("b", API)) == ["warning"]
    other = _Rounds(MemoryRegistry(TAGS))
    assert other.run(_application("a"), _application("b", API)) == ["warning", "debug"]
    assert other.run(_application("a"), _application("b", API)) == ["debug", "debug"]


def test_an_image_that_was_not_named_for_being_too_many_is_named_later() -> None:
    rounds = _Rounds(MemoryRegistry(TAGS))
    assert rounds.run(_application("a")) == ["warning"]
    assert rounds.run(_application("b", API), apart_s=1.0) == ["debug"]
    assert rounds.run(_application("b", API)) == ["warning"]


def test_nothing_is_said_of_labels_that_a_shutdown_kept_from_being_read() -> None:
    log, stopping, registry = RecordingLog(), threading.Event(), MemoryRegistry(TAGS)
    fetch = registry.fetch_tags

    def fetch_and_stop(*words: Any, **more: Any) -> Any:
        found = fetch(*words, **more)
        stopping.set()
        return found

    registry.fetch_tags = fetch_and_stop  # type: ignore[method-assign]  # the signal comes after the answer
    run_round([_application("a")], registry, git=MemoryGit(), options=OPTIONS, log=log, stopping=stopping)
    assert registry.labelled == []
    assert "labels_unknown" not in log.events("warning")


@pytest.mark.parametrize("place", ["registry", "texts"])
def test_a_bug_costs_the_labels_and_not_the_change(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    registry, git, log = MemoryRegistry(TAGS, labels=LABELS), MemoryGit(), RecordingLog()
    if place == "registry":
        monkeypatch.setattr(registry, "fetch_labels", fail)
    else:
        monkeypatch.setattr(engine_module, "with_labels", fail)
    report = run_round([_application("a")], registry, git=git, options=OPTIONS, log=log)
    assert (_messages(git), report.totals["images_updated"]) == (["shop/web \n"], 1)
    assert "bug_found" in log.events("error")


def test_a_template_that_needs_labels_is_replaced_only_when_they_are_missing() -> None:
    template = '{{ range .AppChanges }}{{ slice (index .Labels "' + KEY + '") 0 4 }}{{ end }}'
    options = replace(OPTIONS, intents=IntentOptions(parse_message_template(template)))
    for labels, message, kinds in (
        (LABELS, "cafe", []),
        ({}, "build: update of application a", ["commit_message_replaced"]),
    ):
        git, registry = MemoryGit(), MemoryRegistry(TAGS, labels=labels)
        report = run_round([_application("a")], registry, git=git, options=options)
        assert _messages(git) == [message]
        warned = [each.kind for each in report.applications[0].warnings]
        assert [kind for kind in warned if kind == "commit_message_replaced"] == kinds


class _Polls(NoProgress):
    """Counts what registries were asked."""

    def __init__(self) -> None:
        self.count = 0

    def polled(self) -> None:
        self.count += 1


def test_each_image_that_was_asked_for_is_progress() -> None:
    progress = _Polls()
    applications = [_application("a"), _application("b"), _application("c", API)]
    run_round(applications, MemoryRegistry(TAGS, labels=LABELS), git=MemoryGit(), options=OPTIONS, progress=progress)
    assert progress.count == 2 + 2
