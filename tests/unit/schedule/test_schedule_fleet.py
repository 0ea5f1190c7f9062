"""The known fleet: Lists, events, and what each of them may not undo."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from schedule_fleet import admit_all, application

from updater.model.applications import ApplicationSnapshot, SourceSnapshot
from updater.ports.fleet import FleetEvent
from updater.schedule.fleet import FleetChange, KnownFleet
from updater.schedule.repositories import cap_repository

A, B, C = (application(name) for name in "abc")


@pytest.fixture
def fleet() -> KnownFleet:
    made = KnownFleet(admit_all)
    made.begin_listing()
    made.take_listing([A, B])
    return made


def test_a_list_tells_who_came_and_who_left(fleet: KnownFleet) -> None:
    fleet.begin_listing()
    assert fleet.take_listing([B, C]) == FleetChange(added=("ns/c",), removed=("ns/a",))
    assert {str(each.key) for each in fleet.snapshots()} == {"ns/b", "ns/c"}


def test_an_event_adds_edits_and_removes(fleet: KnownFleet) -> None:
    assert fleet.take_event(FleetEvent(C)) == FleetChange(added=("ns/c",))
    edited = application("c", 2, labels={"team": "blue"})
    assert fleet.take_event(FleetEvent(edited)) == FleetChange(edited=("ns/c",))
    assert fleet.take_event(FleetEvent(edited, is_deleted=True)) == FleetChange(removed=("ns/c",))
    assert fleet.take_event(FleetEvent(edited, is_deleted=True)).is_empty


@pytest.mark.parametrize(
    ("fields", "is_edited"),
    [
        pytest.param({"annotations": {"x": "y"}}, True, id="annotations"),
        pytest.param({"labels": {"x": "y"}}, True, id="labels"),
        pytest.param({"live_images": ("nginx:1",)}, True, id="live images"),
        pytest.param({"sources": (SourceSnapshot(path="other"),)}, True, id="sources"),
        pytest.param({"source_type": "Helm"}, False, id="the rest of the status"),
        pytest.param({"controller_namespace": "argocd"}, False, id="controller"),
        pytest.param({}, False, id="nothing but a newer version"),
    ],
)
def test_only_what_matters_to_an_update_is_an_edit(
    fleet: KnownFleet, fields: dict[str, object], *, is_edited: bool
) -> None:
    after = replace(A, resource_version="7", **fields)  # type: ignore[arg-type]  # fields by name
    assert fleet.take_event(FleetEvent(after)) == (FleetChange(edited=("ns/a",)) if is_edited else FleetChange())
    assert fleet.find("ns/a") == after


def test_who_is_not_admitted_any_more_leaves() -> None:
    fleet = KnownFleet(lambda snapshot: "off" not in snapshot.labels)
    fleet.take_listing([A])
    gone = application("a", 2, labels={"off": ""})
    assert fleet.take_event(FleetEvent(gone)) == FleetChange(removed=("ns/a",))
    fleet.begin_listing()
    assert fleet.take_listing([gone]).is_empty
    assert fleet.newest_version == "2"


def test_an_event_during_a_list_is_newer_than_the_list(fleet: KnownFleet) -> None:
    fleet.begin_listing()
    fleet.take_event(FleetEvent(C))
    fleet.take_event(FleetEvent(application("a", 2), is_deleted=True))
    assert fleet.take_listing([A, B]).is_empty
    assert fleet.find("ns/a") is None
    assert fleet.find("ns/c") is C
    fleet.begin_listing()
    assert fleet.take_listing([A, B]) == FleetChange(added=("ns/a",), removed=("ns/c",))


def test_an_older_copy_replaces_nothing(fleet: KnownFleet) -> None:
    newer = application("a", 5, labels={"x": "new"})
    fleet.take_event(FleetEvent(newer))
    assert fleet.take_event(FleetEvent(application("a", 4, labels={"x": "old"}))).is_empty
    fleet.begin_listing()
    assert fleet.take_listing([application("a", 3), B]).is_empty
    assert fleet.find("ns/a") is newer
    assert fleet.newest_version == "5"


def test_a_failed_list_changes_nothing(fleet: KnownFleet) -> None:
    fleet.begin_listing()
    fleet.drop_listing()
    assert len(fleet) == 2


@given(st.lists(st.sampled_from("abcd"), unique=True), st.lists(st.sampled_from("abcd"), unique=True))
def test_two_lists_differ_by_what_the_second_one_tells(first: list[str], second: list[str]) -> None:
    fleet = KnownFleet(admit_all)
    fleet.take_listing([application(name) for name in first])
    fleet.begin_listing()
    change = fleet.take_listing([application(name) for name in second])
    assert {*change.added} == {f"ns/{name}" for name in {*second} - {*first}}
    assert {*change.removed} == {f"ns/{name}" for name in {*first} - {*second}}
    assert {str(each.key) for each in fleet.snapshots()} == {f"ns/{name}" for name in second}


@pytest.mark.parametrize(
    ("snapshot", "repository"),
    [
        pytest.param(application("a", repo_url="one"), "one", id="the only source"),
        pytest.param(replace(A, sources=()), "", id="no source"),
        pytest.param(
            replace(
                A,
                sources=(SourceSnapshot(repo_url="values", ref="v"), SourceSnapshot(repo_url="chart")),
                source_types=("Directory", "Helm"),
            ),
            "chart",
            id="the first that takes overrides",
        ),
        pytest.param(
            replace(A, sources=(SourceSnapshot(repo_url="one"), SourceSnapshot(repo_url="two"))),
            "one",
            id="none that is known to",
        ),
        pytest.param(
            replace(A, sources=(SourceSnapshot(repo_url="one"), SourceSnapshot(repo_url="two", kustomize_images=()))),
            "two",
            id="a block tells without a status",
        ),
    ],
)
def test_the_cap_counts_the_source_that_would_be_changed(snapshot: ApplicationSnapshot, repository: str) -> None:
    assert cap_repository(snapshot) == repository
