"""The one path: a unit's failure is data for its siblings, and nothing is skipped silently."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.engine.fleet import (
    HOST,
    MemoryGit,
    MemoryRegistry,
    MemoryWriteBack,
    RecordingLog,
    helm_application,
    run_round,
)
from updater.engine.engine import EngineOptions
from updater.errors import RegistryUnavailable
from updater.model.applications import ApplicationKey, ApplicationSnapshot
from updater.model.changes import HelmParameterEdit, WriteOutcome
from updater.model.images import Candidate, Inspection, Loss, Reason
from updater.planning.plans import PlanOptions
from updater.rules.name_patterns import compile_name_patterns

WEB = f"{HOST}/shop/web"
API = f"{HOST}/shop/api"
TAGS = {WEB: ["1.0.0", "1.0.1", "2.0.0"], API: ["1.0.0"]}


def test_a_newer_tag_becomes_one_change_set() -> None:
    write_back = MemoryWriteBack()
    report = run_round(
        [helm_application("shop", f"web={WEB}:~1.0", live=[f"{WEB}:1.0.0"])], MemoryRegistry(TAGS), write_back
    )

    assert report.totals == {
        "applications": 1,
        "images_considered": 1,
        "images_skipped": 0,
        "images_updated": 1,
        "errors": 0,
    }
    (change_set,) = write_back.applied
    assert change_set.edits == (
        HelmParameterEdit("image.name", WEB, None),
        HelmParameterEdit("image.tag", "1.0.1", None),
    )
    (change,) = change_set.images
    assert (change.old_tag, change.new_tag) == ("1.0.0", "1.0.1")


def test_an_image_that_is_up_to_date_writes_nothing() -> None:
    write_back = MemoryWriteBack()
    report = run_round(
        [helm_application("shop", f"web={WEB}:~1.0", live=[f"{WEB}:1.0.1"])], MemoryRegistry(TAGS), write_back
    )

    assert report.applications[0].decisions[0].reason is Reason.UP_TO_DATE
    assert write_back.applied == []


def test_a_shared_repository_is_asked_once() -> None:
    registry = MemoryRegistry(TAGS)
    applications = [
        helm_application(f"shop-{number}", f"web={WEB}:~{number % 2 + 1}", live=[f"{WEB}:1.0.0"])
        for number in range(50)
    ]

    run_round(applications, registry)

    assert registry.asked == [(WEB, "")]


def test_other_credentials_are_another_poll() -> None:
    registry = MemoryRegistry(TAGS)
    own = {"web.pull-secret": "env:OTHER"}
    applications = [
        helm_application("a", f"web={WEB}:~1", live=[f"{WEB}:1.0.0"]),
        helm_application("b", f"web={WEB}:~1", live=[f"{WEB}:1.0.0"], annotations=own),
    ]

    run_round(applications, registry)

    assert sorted(registry.asked) == [(WEB, ""), (WEB, "env:OTHER")]


def test_a_registry_that_does_not_answer_costs_only_its_own_images() -> None:
    log = RecordingLog()
    down = f"{HOST}/down/app"
    report = run_round(
        [
            helm_application("bad", f"x={down}:~1", live=[f"{down}:1.0.0"]),
            helm_application("good", f"web={WEB}:~1.0", live=[f"{WEB}:1.0.0"]),
        ],
        MemoryRegistry(TAGS),
        log=log,
    )

    assert [report.decisions[0].reason for report in report.applications] == [Reason.TAGS_UNAVAILABLE, Reason.UPDATE]
    assert report.totals["errors"] == 1
    assert report.totals["images_updated"] == 1
    assert log.events("error") == ["image_failed"]


def test_a_bug_in_the_registry_adapter_is_reported_and_costs_only_its_own_images() -> None:
    log = RecordingLog()
    broken = f"{HOST}/broken/app"
    report = run_round(
        [
            helm_application("bad", f"x={broken}:~1", live=[f"{broken}:1.0.0"]),
            helm_application("good", f"web={WEB}:~1.0", live=[f"{WEB}:1.0.0"]),
        ],
        MemoryRegistry(TAGS, broken=frozenset({broken})),
        log=log,
    )

    assert report.applications[0].decisions[0].error_code == "internal_error"
    assert report.totals["images_updated"] == 1
    assert "bug_found" in log.events("error")


def test_a_bug_met_while_choosing_costs_only_the_images_of_its_repository() -> None:
    log = RecordingLog()
    odd = f"{HOST}/odd/app"
    no_tag: Any = None
    report = run_round(
        [
            helm_application("bad", f"x={odd}:~1", live=[f"{odd}:1.0.0"]),
            helm_application("good", f"web={WEB}:~1.0", live=[f"{WEB}:1.0.0"]),
        ],
        MemoryRegistry({**TAGS, odd: (no_tag,)}),
        log=log,
    )

    assert report.applications[0].decisions[0].error_code == "internal_error"
    assert report.totals["images_updated"] == 1
    assert "bug_found" in log.events("error")


def test_a_failed_write_takes_its_updates_back_and_counts_one_error() -> None:
    applications = [
        helm_application(name, f"web={WEB}:~1.0", live=[f"{WEB}:1.0.0"]) for name in ("denied", "buggy", "good")
    ]
    write_back = MemoryWriteBack(failing=frozenset({"denied"}), raising=frozenset({"buggy"}))

    report = run_round(applications, MemoryRegistry(TAGS), write_back)

    outcomes = {str(each.key): each.result.outcome for each in report.applications if each.result}
    assert outcomes == {
        "argocd/denied": WriteOutcome.FAILED,
        "argocd/buggy": WriteOutcome.FAILED,
        "argocd/good": WriteOutcome.WRITTEN,
    }
    assert report.totals["images_updated"] == 1
    assert report.totals["errors"] == 2


@pytest.mark.parametrize(
    ("annotations", "code"),
    [
        ({"write-back-method": "carrier-pigeon"}, "invalid_method"),
        ({"write-back-method": "git", "git-branch": "a:b:c"}, "invalid_git_branch"),
        ({"write-back-method": "git", "write-back-target": "helmvalues:../../../x"}, "path_escapes_repo"),
        ({"write-back-method": "git", "git-branch": "main:{{ .Nope"}, "template_parse"),
    ],
)
def test_an_application_that_cannot_be_written_is_an_error_and_no_other_suffers(
    annotations: dict[str, str], code: str
) -> None:
    write_back = MemoryWriteBack()
    report = run_round(
        [
            helm_application("odd", f"web={WEB}:~1.0", live=[f"{WEB}:1.0.0"], annotations=annotations),
            helm_application("good", f"web={WEB}:~1.0", live=[f"{WEB}:1.0.0"]),
        ],
        MemoryRegistry(TAGS),
        write_back,
    )

    odd, good = report.applications
    assert odd.error_code == code
    assert odd.error
    assert odd.result is None
    assert good.result is not None
    assert report.totals["errors"] == 1
    assert report.totals["images_updated"] == 1
    assert [change.application.name for change in write_back.applied] == ["good"]


def test_an_application_without_image_list_is_listed_as_skipped() -> None:
    plain = helm_application("plain", "", live=[])
    bare = ApplicationSnapshot(ApplicationKey("argocd", "bare"), source_type="Helm")

    report = run_round([plain, bare], MemoryRegistry(TAGS))

    assert dict(report.skipped) == {
        plain.key: "its image-list annotation has no entry",
        bare.key: "it has no image-list annotation",
    }
    assert report.applications == ()


def test_name_patterns_leave_applications_out() -> None:
    options = EngineOptions(plan=PlanOptions(name_patterns=compile_name_patterns(["shop-*"])))
    applications = [
        helm_application("shop-a", f"web={WEB}:~1.0", live=[f"{WEB}:1.0.0"]),
        helm_application("other", f"web={WEB}:~1.0", live=[f"{WEB}:1.0.0"]),
    ]

    report = run_round(applications, MemoryRegistry(TAGS), options=options)

    assert [str(each.key) for each in report.applications] == ["argocd/shop-a"]
    assert [str(key) for key, _ in report.skipped] == ["argocd/other"]


def test_a_dry_run_counts_what_it_would_do() -> None:
    report = run_round(
        [helm_application("shop", f"web={WEB}:~1.0", live=[f"{WEB}:1.0.0"])],
        MemoryRegistry(TAGS),
        options=EngineOptions(is_dry_run=True),
    )

    assert report.is_dry_run
    assert report.totals["images_updated"] == 1
    assert report.applications[0].result is not None
    assert report.applications[0].result.outcome is WriteOutcome.DRY_RUN


def test_newest_build_inspects_only_the_shortlist_once_for_all_applications() -> None:
    registry = MemoryRegistry(
        {WEB: ["b1", "b2", "b3", "cache"]},
        metadata={tag: Candidate(tag, created_ns=when) for tag, when in (("b1", 30), ("b2", 50), ("b3", 10))},
    )
    own = {"web.update-strategy": "newest-build", "web.allow-tags": "regexp:^b", "web.platforms": "linux/arm64"}
    applications = [
        helm_application(f"shop-{number}", f"web={WEB}", live=[f"{WEB}:b1"], annotations=own) for number in range(5)
    ]

    report = run_round(applications, registry)

    assert [each.decisions[0].wanted.tag for each in report.applications if each.decisions[0].wanted] == ["b2"] * 5
    assert registry.inspected == [(WEB, ("b1", "b2", "b3"), Inspection(("linux/arm64",), wants_created=True))]
    choice = report.applications[0].decisions[0].choice
    assert choice is not None
    assert dict(choice.losses) == {"b1": Loss.OLDER, "b3": Loss.OLDER, "cache": Loss.NOT_ALLOWED}


def test_digest_looks_at_its_tag_without_a_listing() -> None:
    digest = f"sha256:{'a' * 64}"
    registry = MemoryRegistry({WEB: ["1.0.0"]}, metadata={"prod": Candidate("prod", digest=digest)})
    own = {"web.update-strategy": "digest"}

    report = run_round([helm_application("shop", f"web={WEB}:prod", live=[f"{WEB}:prod"], annotations=own)], registry)

    (decision,) = report.applications[0].decisions
    assert decision.wanted is not None
    assert decision.wanted.full_reference == f"{WEB}:prod@{digest}"
    assert registry.asked == []
    assert [tags for _, tags, _ in registry.inspected] == [("prod",)]


def test_a_tag_to_follow_that_is_gone_is_skipped() -> None:
    registry = MemoryRegistry({WEB: ["1.0.0"]})
    own = {"web.update-strategy": "digest"}

    report = run_round([helm_application("shop", f"web={WEB}:prod", live=[f"{WEB}:prod"], annotations=own)], registry)

    assert report.applications[0].decisions[0].reason is Reason.NO_TAGS
    assert report.totals["images_skipped"] == 1
    assert report.totals["errors"] == 0


@pytest.mark.parametrize("strategy", ["newest-build", "digest"])
def test_metadata_that_cannot_be_had_is_unknown_and_changes_nothing(strategy: str) -> None:
    class Failing(MemoryRegistry):
        def fetch_candidates(self, *args: object, **kwargs: object) -> tuple[Candidate, ...]:  # type: ignore[override]
            raise RegistryUnavailable("HTTP status 503", where=WEB)

    own = {"web.update-strategy": strategy}
    report = run_round(
        [helm_application("shop", f"web={WEB}:1.0.0", live=[f"{WEB}:1.0.0"], annotations=own)], Failing(TAGS)
    )

    (decision,) = report.applications[0].decisions
    assert decision.reason is Reason.METADATA_UNKNOWN
    assert report.totals["errors"] == 1


def test_the_running_tag_with_unreadable_metadata_is_unknown() -> None:
    registry = MemoryRegistry(
        {WEB: ["b1", "b2"]},
        metadata={"b1": Candidate("b1", loss=Loss.METADATA_UNREADABLE), "b2": Candidate("b2", created_ns=5)},
    )
    own = {"web.update-strategy": "newest-build"}

    report = run_round([helm_application("shop", f"web={WEB}", live=[f"{WEB}:b1"], annotations=own)], registry)

    assert report.applications[0].decisions[0].reason is Reason.METADATA_UNKNOWN


def test_once_stopping_nothing_begins_and_everything_says_so() -> None:
    stopping = threading.Event()
    stopping.set()
    registry, write_back = MemoryRegistry(TAGS), MemoryWriteBack()

    report = run_round(
        [helm_application("shop", f"web={WEB}:~1.0", live=[f"{WEB}:1.0.0"])], registry, write_back, stopping=stopping
    )

    (decision,) = report.applications[0].decisions
    assert decision.error_code == "shutting_down"
    assert registry.asked == []
    assert write_back.applied == []


def test_a_stop_between_deciding_and_writing_leaves_the_write_out() -> None:
    stopping = threading.Event()
    write_back = MemoryWriteBack()

    @dataclass
    class StoppingProgress:
        keys: list[str] = field(default_factory=list)

        def started(self, total: int) -> None:
            assert total == 1

        def polled(self) -> None:
            self.keys.append("polled")

        def advanced(self, key: str) -> None:
            self.keys.append(key)

        def finished(self) -> None:
            self.keys.append("finished")

    class StoppingRegistry(MemoryRegistry):
        def fetch_tags(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]
            listed = super().fetch_tags(*args, **kwargs)  # type: ignore[arg-type]
            stopping.set()
            return listed

    progress = StoppingProgress()
    report = run_round(
        [helm_application("shop", f"web={WEB}:~1.0", live=[f"{WEB}:1.0.0"])],
        StoppingRegistry(TAGS),
        write_back,
        stopping=stopping,
        progress=progress,
    )

    result = report.applications[0].result
    assert result is not None
    assert result.error_code == "shutting_down"
    assert write_back.applied == []
    assert progress.keys == ["polled", "argocd/shop", "finished"]


def test_a_warning_is_said_once_per_application() -> None:
    log = RecordingLog()
    own = {"web.update-stratgy": "semver"}
    application = helm_application("shop", f"web={WEB}:~1.0", live=[f"{WEB}:1.0.1"], annotations=own)
    registry = MemoryRegistry(TAGS)

    run_round([application, application], registry, log=log)

    assert log.events("warning") == ["annotation_remarked"]


def test_an_application_of_another_type_is_warned_about_once() -> None:
    log = RecordingLog()
    application = replace(helm_application("shop", f"web={WEB}:~1.0", live=[]), source_type="Directory")

    run_round([application, application], MemoryRegistry(TAGS), log=log)

    (record,) = [fields for level, event, fields in log.records if event == "application_type_unsupported"]
    assert record["application"] == "argocd/shop"
    assert record["type"] == "Directory"


ENTRIES = st.sampled_from(
    [
        f"web={WEB}:~1.0",
        f"web={WEB}",
        f"api={API}:^1",
        f"api={API}:nonsense",
        f"x={HOST}/down/app:1.x",
        "UPPER CASE",
        "redis:~7",
    ]
)
ANNOTATIONS = st.dictionaries(
    st.sampled_from(["update-strategy", "web.allow-tags", "ignore-tags", "write-back-method", "force-update", "typo"]),
    st.sampled_from(["semver", "alphabetical", "digest", "regexp:^1", "regexp:(", "*", "git", "true", "", "argocd"]),
)
APPLICATIONS = st.lists(
    st.tuples(
        st.lists(ENTRIES, max_size=4),
        ANNOTATIONS,
        st.lists(st.sampled_from([f"{WEB}:1.0.0", f"{API}:1.0.0", f"{HOST}/down/app:1.0", "redis:7"]), max_size=4),
    ),
    max_size=6,
)


@given(APPLICATIONS)
def test_the_books_balance(described: list[tuple[list[str], dict[str, str], list[str]]]) -> None:
    applications = [
        helm_application(f"app-{index}", ",".join(entries), live=live, annotations=annotations)
        for index, (entries, annotations, live) in enumerate(described)
    ]
    write_back, git = MemoryWriteBack(), MemoryGit()

    report = run_round(applications, MemoryRegistry(TAGS), write_back, git=git)

    assert len(report.applications) + len(report.skipped) == len(applications)
    for application, (entries, _, _) in zip(report.applications, [d for d in described if d[0]], strict=True):
        assert len(application.decisions) == len(entries)
        wanted = [decision for decision in application.decisions if decision.reason is Reason.UPDATE]
        assert all((decision.wanted is not None) == (decision in wanted) for decision in application.decisions)
        if wanted and not application.error_code:
            assert application.result is not None
            assert len(application.result.change_set.images) == len(wanted)
        else:
            assert application.result is None
    written = len(write_back.applied) + sum(map(len, git.together))
    assert written == sum(each.result is not None for each in report.applications)
    by_application = [each.decisions for each in report.applications]
    assert report.totals["images_considered"] + sum(
        decision.reason in (Reason.NOT_LIVE, Reason.INVALID_REFERENCE)
        for decisions in by_application
        for decision in decisions
    ) == sum(map(len, by_application))
