"""The status store: what is kept of reports, and what queries find."""

from __future__ import annotations

import gc
import threading
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.clock import SystemClock
from updater.model.applications import ApplicationKey, SourceKind
from updater.model.changes import ChangeSet, ImageChange, SourceChoice, WriteBackResult, WriteOutcome
from updater.model.images import (
    Candidate,
    Choice,
    Counter,
    Decision,
    HelmTarget,
    ImagePlan,
    Loss,
    Reason,
    Strategy,
    TagRule,
)
from updater.model.references import ImageReference, ImageRepository
from updater.model.report import ApplicationReport, Report, Warned
from updater.ports.status import Rhythm, StatusQuery, StatusReader, Trouble
from updater.telemetry.choice_shelf import ChoiceShelf
from updater.telemetry.redactor import Redactor
from updater.telemetry.status_store import MAX_CYCLES, StatusStore

REPOSITORY = ImageRepository("registry.example.com", "shop/web")
LIVE = ImageReference(REPOSITORY, "1.0.0")
CHOICE = Choice(
    Candidate("1.0.1"), 4, (("1.0.0", Loss.OLDER), ("2.0.0", Loss.OUTSIDE_CONSTRAINT), ("x", Loss.NOT_A_VERSION))
)
COUNTS = {
    Reason.UPDATE: frozenset((Counter.CONSIDERED, Counter.UPDATED)),
    Reason.TAGS_UNAVAILABLE: frozenset((Counter.CONSIDERED, Counter.ERRORS)),
}


def key(name: str) -> ApplicationKey:
    return ApplicationKey("argocd", name)


def decision(
    name: str, reason: Reason = Reason.UP_TO_DATE, choice: Choice | None = CHOICE, problem: str = ""
) -> Decision:
    rule = TagRule(Strategy.SEMVER, "~1.0")
    plan = ImagePlan(key(name), "web", "web", REPOSITORY, rule, HelmTarget(), LIVE)
    wanted = ImageReference(REPOSITORY, "1.0.1") if reason is Reason.UPDATE else None
    return Decision(plan, reason, choice, wanted, problem, counts=COUNTS.get(reason, frozenset((Counter.CONSIDERED,))))


def report(*names: str, reason: Reason = Reason.UP_TO_DATE, seconds: float = 2.0) -> Report:
    return Report(tuple(ApplicationReport(key(name), (decision(name, reason),)) for name in names), seconds=seconds)


@pytest.fixture
def store() -> StatusStore:
    return StatusStore(Rhythm("cycle", 120.0), SystemClock(), Redactor(["s3cret-token"]).clean)


def know(store: StatusStore, *names: str) -> None:
    for name in names:
        store.note_known(f"argocd/{name}")


def names(store: StatusStore, **query: object) -> list[str]:
    return [status.key.name for status in store.list_applications(StatusQuery(**query)).items]


def test_the_store_is_what_the_page_reads(store: StatusStore) -> None:
    reader: StatusReader = store
    assert reader.rhythm.interval_s == 120.0


def test_an_application_is_pending_until_its_first_report(store: StatusStore) -> None:
    know(store, "web")
    (before,) = store.list_applications(StatusQuery()).items
    assert (before.reasons, before.attempted_at, store.due_at(before)) == (("pending",), None, None)
    store.note_cycle(report("web"))
    (after,) = store.list_applications(StatusQuery()).items
    assert after.reasons == ("up_to_date",)
    assert after.succeeded_at is not None
    assert after.attempted_at == pytest.approx(after.succeeded_at - 2.0)
    assert store.due_at(after) == pytest.approx(after.succeeded_at + 120.0)


def test_a_failed_attempt_keeps_the_last_success(store: StatusStore) -> None:
    know(store, "web")
    store.note_cycle(report("web"))
    (good,) = store.list_applications(StatusQuery()).items
    store.note_cycle(report("web", reason=Reason.TAGS_UNAVAILABLE))
    (bad,) = store.list_applications(StatusQuery()).items
    assert (bad.reasons, bad.counts.errors, bad.succeeded_at) == (("tags_unavailable",), 1, good.succeeded_at)
    store.note_failure("argocd/web", "no server with s3cret-token", "argocd_unreachable")
    (failed,) = store.list_applications(StatusQuery()).items
    assert (failed.reasons, failed.code, failed.succeeded_at) == (
        ("application_failed",),
        "argocd_unreachable",
        good.succeeded_at,
    )
    assert "s3cret" not in failed.error


def test_what_left_is_gone_even_when_a_worker_reports_it_late(store: StatusStore) -> None:
    know(store, "web", "api")
    store.note_cycle(report("web", "api"))
    store.note_gone("argocd/web")
    store.note_cycle(report("web", "api"))
    page = store.list_applications(StatusQuery())
    assert ([status.key.name for status in page.items], page.total) == (["api"], 1)
    assert page.by_reason == (("up_to_date", 1),)
    assert store.find_application(key("web")) is None


def test_queries_filter_search_and_page_in_order(store: StatusStore) -> None:
    know(store, "d", "a", "c", "b")
    store.note_cycle(report("a", "b", "c"))
    store.note_attempts(report("b", reason=Reason.TAGS_UNAVAILABLE))
    assert names(store) == ["a", "b", "c", "d"]
    assert names(store, reason="up_to_date") == ["a", "c"]
    assert names(store, reason="pending") == ["d"]
    assert names(store, search="shop/web") == ["a", "b", "c"]
    assert names(store, search="argocd/d") == ["d"]
    first = store.list_applications(StatusQuery(limit=2))
    assert (first.next_after, first.matching, first.total) == ("argocd/b", 4, 4)
    second = store.list_applications(StatusQuery(limit=2, after=first.next_after))
    assert ([status.key.name for status in second.items], second.next_after, second.matching) == (["c", "d"], "", 4)
    assert dict(first.by_reason) == {"up_to_date": 2, "tags_unavailable": 1, "pending": 1}


@given(st.lists(st.sampled_from(["known", "gone", "report", "failure"]), max_size=30), st.data())
def test_counts_by_reason_always_add_up(steps: list[str], data: st.DataObject) -> None:
    store = StatusStore(Rhythm(), SystemClock(), str)
    for step in steps:
        name = data.draw(st.sampled_from("abc"))
        match step:
            case "known":
                store.note_known(f"argocd/{name}")
            case "gone":
                store.note_gone(f"argocd/{name}")
            case "report":
                store.note_attempts(report(name, reason=data.draw(st.sampled_from([Reason.UPDATE, Reason.NO_TAGS]))))
            case "failure":
                store.note_failure(f"argocd/{name}", "text", "code")
    page = store.list_applications(StatusQuery())
    assert sum(count for _, count in page.by_reason) == page.total == len(page.items)


@given(
    st.sets(st.text(st.sampled_from("ab-"), min_size=1, max_size=4), max_size=12),
    st.integers(1, 5),
    st.sampled_from(["", "a", "b-"]),
    st.sampled_from(["", "pending", "no_tags"]),
)
def test_pages_together_hold_everybody_who_fits_once_and_in_order(
    apps: set[str], limit: int, search: str, reason: str
) -> None:
    store = StatusStore(Rhythm(), SystemClock(), str)
    know(store, *apps)
    for app in sorted(apps)[::2]:
        store.note_attempts(report(app, reason=Reason.NO_TAGS))
    reasons = {app: "no_tags" if app in sorted(apps)[::2] else "pending" for app in apps}
    image = REPOSITORY.full_name
    fitting = [
        app
        for app in sorted(apps)
        if search in f"argocd/{app} {image if reasons[app] == 'no_tags' else ''}" and reason in ("", reasons[app])
    ]
    found, after, is_over = [], "", False
    while not is_over:
        page = store.list_applications(StatusQuery(reason, search, after, limit))
        assert (page.matching, page.total) == (len(fitting), len(apps))
        found += [status.key.name for status in page.items]
        after = page.next_after
        is_over = not after
    assert found == fitting


def test_the_winner_and_every_loss_is_explained_on_demand(store: StatusStore) -> None:
    know(store, "web")
    store.note_cycle(report("web"))
    detail = store.find_application(key("web"))
    assert detail is not None
    (candidates,) = detail.candidates
    assert [(row["tag"], row["isChosen"], row["loss"]) for row in candidates.rows] == [
        ("1.0.1", True, None),
        ("1.0.0", False, "older"),
        ("2.0.0", False, "outside_constraint"),
        ("x", False, "not_a_version"),
    ]
    assert dict(candidates.by_loss) == {"older": 1, "outside the constraint": 1, "not a version": 1}


def test_candidates_are_bounded_and_the_rest_is_counted(store: StatusStore) -> None:
    know(store, "web")
    losses = tuple((f"1.0.{number}", Loss.OLDER) for number in range(500))
    many = decision("web", choice=Choice(Candidate("2.0.0"), 501, losses))
    store.note_cycle(Report((ApplicationReport(key("web"), (many,)),)))
    detail = store.find_application(key("web"))
    assert detail is not None
    assert (len(detail.candidates[0].rows), detail.candidates[0].left_out) == (200, 301)


def test_an_image_without_a_choice_has_no_candidates(store: StatusStore) -> None:
    know(store, "web")
    unknown = decision("web", Reason.TAGS_UNAVAILABLE, None, "the registry at https://u:p4ssw0rd@r/ is away")
    store.note_cycle(Report((ApplicationReport(key("web"), (unknown,)),)))
    detail = store.find_application(key("web"))
    assert detail is not None
    assert not detail.candidates[0].are_known
    assert "p4ssw0rd" not in detail.status.images[0].problem


def test_a_failed_write_and_remarks_are_told(store: StatusStore) -> None:
    know(store, "web")
    change_set = ChangeSet(key("web"), "default", SourceChoice(SourceKind.HELM), (), ())
    result = WriteBackResult(change_set, WriteOutcome.FAILED, error_code="argocd_denied", error="no")
    each = ApplicationReport(key("web"), (decision("web", Reason.UPDATE),), result, (Warned("kind", "mend this"),))
    store.note_cycle(Report((each,)))
    (status,) = store.list_applications(StatusQuery(reason="write_failed")).items
    assert status.write is not None
    assert (status.write.outcome, status.write.code, status.warnings) == ("failed", "argocd_denied", ("mend this",))
    assert status.counts.updated == 0


def test_the_latest_update_outlives_the_reports_after_it(store: StatusStore) -> None:
    know(store, "web")
    change_set = ChangeSet(
        key("web"), "default", SourceChoice(SourceKind.HELM), (), (ImageChange("web", "shop/web", "1.0.0", "1.0.1"),)
    )
    result = WriteBackResult(change_set, WriteOutcome.WRITTEN, commit="c0ffee")
    store.note_cycle(Report((ApplicationReport(key("web"), (decision("web", Reason.UPDATE),), result),)))
    store.note_cycle(report("web"))
    store.note_failure("argocd/web", "text", "code")
    (status,) = store.list_applications(StatusQuery()).items
    assert status.write is None
    assert status.last_update is not None
    assert (status.last_update.images, status.last_update.commit) == ((("shop/web", "1.0.0", "1.0.1"),), "c0ffee")


def test_the_latest_cycles_come_first_and_are_bounded(store: StatusStore) -> None:
    know(store, "web", "api")
    for number in range(MAX_CYCLES + 3):
        store.note_cycle(report("web", "api", seconds=float(number)))
    cycles = store.cycles()
    assert (len(cycles), cycles[0].seconds, cycles[0].applications) == (MAX_CYCLES, MAX_CYCLES + 2.0, 2)
    assert cycles[0].by_reason == (("up_to_date", 2),)


def test_attempts_between_cycles_make_no_cycle(store: StatusStore) -> None:
    know(store, "web")
    store.note_attempts(report("web"))
    assert store.cycles() == ()


def test_continuous_mode_sums_intervals_and_is_due_by_attempt() -> None:
    store = StatusStore(Rhythm("continuous", 0.0), SystemClock(), str)
    know(store, "web")
    store.note_attempts(report("web"))
    store.note_failure("argocd/web", "text", "code")
    assert [(cycle.applications, cycle.counts.errors) for cycle in store.cycles()] == [(1, 1), (1, 0)]
    paced = StatusStore(Rhythm("continuous", 60.0), SystemClock(), str)
    know(paced, "web")
    paced.note_attempts(report("web"))
    (status,) = paced.list_applications(StatusQuery()).items
    assert status.attempted_at is not None
    assert (paced.due_at(status), paced.cycles()) == (status.attempted_at + 60.0, ())


def test_every_change_makes_a_new_version_and_reading_makes_none(store: StatusStore) -> None:
    versions = [store.version]
    for change in (
        lambda: know(store, "web"),
        lambda: store.note_cycle(report("web")),
        lambda: store.note_attempts(report("web")),
        lambda: store.note_failure("argocd/web", "text", "code"),
        lambda: store.note_gone("argocd/web"),
        lambda: store.note_unlisted("text", "code"),
        store.note_listed,
    ):
        change()
        versions.append(store.version)
    assert sorted(set(versions)) == versions
    names(store)
    store.note_listed()
    assert store.version == versions[-1]


def test_trouble_is_told_since_its_first_failure_until_a_good_list(store: StatusStore) -> None:
    store.note_unlisted("refused with s3cret-token", "argocd_unreachable")
    first = store.trouble
    assert first is not None
    assert "s3cret-token" not in first.text
    store.note_unlisted("another text", "argocd_unauthenticated")
    assert store.trouble == Trouble(first.since, "argocd_unauthenticated", "another text")
    store.note_listed()
    assert store.trouble is None


def test_readers_and_writers_do_not_disturb_each_other(store: StatusStore) -> None:
    know(store, *map(str, range(50)))
    is_over, problems = threading.Event(), []

    def write(number: int) -> None:
        while not is_over.is_set():
            store.note_gone(f"argocd/{number}")
            know(store, str(number))
            store.note_attempts(report(str(number)))

    writers = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for writer in writers:
        writer.start()
    for _ in range(200):
        page = store.list_applications(StatusQuery(limit=500))
        if not 48 <= len(page.items) <= 50:
            problems.append(len(page.items))
    is_over.set()
    for writer in writers:
        writer.join()
    assert problems == []


def test_a_record_takes_less_than_two_kilobytes() -> None:
    """A fleet of 50,000 fits beside everything else (``runtime.md`` 6.1)."""
    store = StatusStore(Rhythm("continuous", 60.0), SystemClock(), str)
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(500):
            know(store, f"service-{number}")
            store.note_attempts(report(f"service-{number}", reason=Reason.UPDATE))
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held / 500 < 2_000


def test_one_choice_is_held_once_and_the_oldest_are_let_go() -> None:
    shelf = ChoiceShelf(max_tags=5)
    other = Choice(None, 2, (("a", Loss.OLDER), ("b", Loss.OLDER)))
    for name in ("one", "two", "three"):
        shelf.put(name, (CHOICE, None))
    shelf.put("four", (other,))
    assert [shelf.get(name) is not None for name in ("one", "two", "three", "four")] == [True] * 4
    shelf.put("five", (Choice(None, 1, (("c", Loss.OLDER),)),))
    # The shared choice goes with the last of its users, who reported before all others.
    assert [shelf.get(name) is not None for name in ("one", "two", "three", "four", "five")] == [False] * 3 + [True] * 2
    shelf.put("big", (Choice(None, 9, tuple((str(number), Loss.OLDER) for number in range(9))),))
    assert shelf.get("big") is None
    shelf.drop("five")
    shelf.drop("five")
