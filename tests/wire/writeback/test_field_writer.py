"""The careful writer against a real server on both transports and in both modes, with rivals and faults on purpose."""

from __future__ import annotations

from collections.abc import Callable

import grpc
import pytest
from conftest import API, WEB, Bench, add_parameter, helm_edit, kustomize_edit, set_parameter

from generated.application_messages_pb2 import Application
from updater.model.applications import ANNOTATION_PREFIX, SourceKind
from updater.model.changes import HelmParameterEdit, WriteOutcome

pytestmark = pytest.mark.wire

Make = Callable[[str], Bench]


def test_a_helm_parameter_is_written_and_everything_else_stays(make_bench: Make) -> None:
    bench = make_bench("helm")
    before = bench.world.application(bench.key)

    result = bench.write(bench.change_set(helm_edit()))

    assert result.outcome is WriteOutcome.WRITTEN
    assert result.attempts == 1
    assert result.diff == ("- helm.parameters: image.tag=1.0.0", "+ helm.parameters: image.tag=1.0.1")
    assert bench.parameters() == {"image.name": WEB, "image.tag": "1.0.1"}
    after = bench.world.application(bench.key)
    before.spec.source.helm.parameters[1].value = "1.0.1"
    assert after.spec == before.spec


def test_a_kustomize_image_is_written(make_bench: Make) -> None:
    bench = make_bench("kustomize")

    result = bench.write(bench.change_set(kustomize_edit(), kind=SourceKind.KUSTOMIZE))

    assert result.outcome is WriteOutcome.WRITTEN
    assert bench.images() == [f"{API}:1.0.1"]


def test_only_the_chosen_source_of_several_is_written(make_bench: Make) -> None:
    bench = make_bench("multi")

    result = bench.write(bench.change_set(helm_edit()))

    sources = bench.world.application(bench.key).spec.sources
    assert result.outcome is WriteOutcome.WRITTEN
    assert [entry.value for entry in sources[0].helm.parameters] == [WEB, "1.0.1"]
    assert list(sources[1].kustomize.images) == [f"{API}:1.0.0"]
    assert not sources[1].HasField("helm")
    assert not sources[2].HasField("helm")


def test_a_missing_block_is_made(make_bench: Make) -> None:
    bench = make_bench("helm")
    bench.world.edit_application(bench.key, lambda application: application.spec.source.ClearField("helm"))

    result = bench.write(bench.change_set(helm_edit(seen=None)))

    assert result.outcome is WriteOutcome.WRITTEN
    assert bench.parameters() == {"image.tag": "1.0.1"}


def test_a_parameter_without_force_string_is_mended(make_bench: Make) -> None:
    bench = make_bench("helm")

    def loosen(application: Application) -> None:
        application.spec.source.helm.parameters[1].forceString = False

    bench.world.edit_application(bench.key, loosen)

    result = bench.write(bench.change_set(helm_edit("1.0.0")))

    assert result.outcome is WriteOutcome.WRITTEN
    assert bench.world.application(bench.key).spec.source.helm.parameters[1].forceString is True


def test_nothing_is_sent_when_the_fresh_copy_holds_the_wanted_value(make_bench: Make) -> None:
    bench = make_bench("helm")
    change_set = bench.change_set(helm_edit())
    bench.world.edit_application(bench.key, set_parameter("image.tag", "1.0.1"))

    result = bench.write(change_set)

    assert result.outcome is WriteOutcome.UNCHANGED
    assert bench.writes() == 0


def test_a_dry_run_shows_the_diff_and_sends_nothing(make_bench: Make) -> None:
    bench = make_bench("helm")

    result = bench.write(bench.change_set(helm_edit()), dry_run=True)

    assert result.outcome is WriteOutcome.DRY_RUN
    assert result.diff == ("- helm.parameters: image.tag=1.0.0", "+ helm.parameters: image.tag=1.0.1")
    assert bench.writes() == 0
    assert bench.parameters()["image.tag"] == "1.0.0"


def test_an_edit_made_between_listing_and_writing_survives(make_bench: Make) -> None:
    bench = make_bench("helm")
    change_set = bench.change_set(helm_edit())
    bench.world.edit_application(bench.key, add_parameter("replicas", "3"))

    result = bench.write(change_set)

    assert result.outcome is WriteOutcome.WRITTEN
    assert bench.parameters() == {"image.name": WEB, "image.tag": "1.0.1", "replicas": "3"}


def test_edits_made_before_every_attempt_survive(make_bench: Make) -> None:
    bench = make_bench("helm")
    change_set = bench.change_set(helm_edit())
    for number in range(3):
        rival = add_parameter(f"rival{number}", "yes")
        bench.world.before_next("Get", lambda rival=rival: bench.world.edit_application(bench.key, rival))
        bench.world.reject_next(bench.method, grpc.StatusCode.ABORTED, "the object has been modified")

    result = bench.write(change_set)

    assert result.outcome is WriteOutcome.WRITTEN
    assert result.attempts == 4
    assert bench.parameters() == {
        "image.name": WEB,
        "image.tag": "1.0.1",
        "rival0": "yes",
        "rival1": "yes",
        "rival2": "yes",
    }


def test_an_edit_between_our_read_and_our_write_survives_in_patch_mode(make_bench: Make, transport: str) -> None:
    """UpdateSpec cannot notice it, which is the documented window of one round trip."""
    bench = make_bench("helm")
    change_set = bench.change_set(helm_edit())
    bench.world.before_next(
        bench.method, lambda: bench.world.edit_application(bench.key, add_parameter("replicas", "3"))
    )

    result = bench.write(change_set)

    assert result.outcome is WriteOutcome.WRITTEN
    survives = "replicas" in bench.parameters()
    assert survives is transport.startswith("patch")


def test_the_same_override_set_by_somebody_else_is_left_alone(make_bench: Make) -> None:
    bench = make_bench("helm")
    change_set = bench.change_set(helm_edit())
    bench.world.edit_application(bench.key, set_parameter("image.tag", "0.9.9-hotfix"))

    result = bench.write(change_set)

    assert result.outcome is WriteOutcome.SUPERSEDED
    assert "somebody else set the same override" in result.error
    assert bench.parameters()["image.tag"] == "0.9.9-hotfix"
    assert bench.writes() == 0


def test_the_same_override_set_during_a_retry_is_left_alone(make_bench: Make) -> None:
    bench = make_bench("helm")
    change_set = bench.change_set(helm_edit())
    bench.world.reject_next(bench.method, grpc.StatusCode.UNAVAILABLE, "try again")
    bench.world.after_next(
        "Get", lambda: bench.world.edit_application(bench.key, set_parameter("image.tag", "0.9.9-hotfix"))
    )

    result = bench.write(change_set)

    assert result.outcome is WriteOutcome.SUPERSEDED
    assert bench.parameters()["image.tag"] == "0.9.9-hotfix"


def test_changed_annotations_stop_the_write(make_bench: Make) -> None:
    bench = make_bench("helm")
    change_set = bench.change_set(helm_edit())

    def pause(application: Application) -> None:
        application.metadata.annotations[f"{ANNOTATION_PREFIX}web.ignore-tags"] = "*"

    bench.world.edit_application(bench.key, pause)

    result = bench.write(change_set)

    assert result.outcome is WriteOutcome.SUPERSEDED
    assert "annotations were changed" in result.error
    assert bench.writes() == 0


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.ABORTED, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED]
)
def test_a_write_that_failed_for_a_while_is_repeated(make_bench: Make, code: grpc.StatusCode) -> None:
    bench = make_bench("helm")
    change_set = bench.change_set(helm_edit())
    for _ in range(2):
        bench.world.reject_next(bench.method, code, "later")

    result = bench.write(change_set)

    assert result.outcome is WriteOutcome.WRITTEN
    assert result.attempts == 3


def test_too_many_conflicts_on_the_server_are_repeated_too(make_bench: Make) -> None:
    bench = make_bench("helm")
    change_set = bench.change_set(helm_edit())
    bench.world.conflict_next(bench.method, 10)

    result = bench.write(change_set)

    assert result.outcome is WriteOutcome.WRITTEN
    assert result.attempts == 2


def test_conflicts_without_end_are_given_up_with_their_code(make_bench: Make) -> None:
    bench = make_bench("helm")
    change_set = bench.change_set(helm_edit())
    for _ in range(3):
        bench.world.reject_next(bench.method, grpc.StatusCode.ABORTED, "the object has been modified")

    result = bench.write(change_set, attempts=3)

    assert result.outcome is WriteOutcome.FAILED
    assert result.error_code == "update_conflict"
    assert result.attempts == 3
    assert bench.parameters()["image.tag"] == "1.0.0"


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, "update_invalid"),
        (grpc.StatusCode.UNAUTHENTICATED, "update_failed"),
        (grpc.StatusCode.FAILED_PRECONDITION, "update_invalid"),
        (grpc.StatusCode.NOT_FOUND, "update_failed"),
    ],
)
def test_a_refusal_is_not_repeated(make_bench: Make, code: grpc.StatusCode, wanted: str) -> None:
    bench = make_bench("helm")
    change_set = bench.change_set(helm_edit())
    bench.world.reject_next(bench.method, code, "no")

    result = bench.write(change_set)

    assert result.outcome is WriteOutcome.FAILED
    assert result.error_code == wanted
    assert result.attempts == 1
    assert bench.parameters()["image.tag"] == "1.0.0"


def test_a_lost_answer_is_looked_up_and_not_written_twice(make_bench: Make) -> None:
    bench = make_bench("helm")
    change_set = bench.change_set(helm_edit())
    bench.world.lose_next_answer(bench.method)

    result = bench.write(change_set)

    assert result.outcome is WriteOutcome.WRITTEN
    assert result.attempts == 1
    assert bench.writes() == 1
    assert bench.parameters()["image.tag"] == "1.0.1"


def test_an_unknown_outcome_is_looked_up_even_when_no_attempt_is_left(make_bench: Make) -> None:
    bench = make_bench("helm")
    change_set = bench.change_set(helm_edit())
    bench.world.lose_next_answer(bench.method)

    result = bench.write(change_set, attempts=1)

    assert result.outcome is WriteOutcome.WRITTEN
    assert bench.writes() == 1


def test_an_answer_over_our_limit_leaves_the_outcome_to_be_looked_up(make_bench: Make) -> None:
    bench = make_bench("helm")
    change_set = bench.change_set(helm_edit())

    def store() -> None:
        bench.world.edit_application(bench.key, set_parameter("image.tag", "1.0.1"))

    bench.world.after_next("Get", store)
    bench.world.reject_next(bench.method, grpc.StatusCode.RESOURCE_EXHAUSTED, "received message larger than max")

    assert bench.write(change_set).outcome is WriteOutcome.WRITTEN


def test_an_outcome_that_cannot_be_looked_up_is_said_to_be_unknown(make_bench: Make) -> None:
    bench = make_bench("helm")
    change_set = bench.change_set(helm_edit())

    def refuse_reads() -> None:
        for _ in range(2):
            bench.world.reject_next("Get", grpc.StatusCode.INVALID_ARGUMENT, "not now")

    bench.world.after_next(bench.method, refuse_reads)
    bench.world.lose_next_answer(bench.method)

    result = bench.write(change_set)

    assert result.outcome is WriteOutcome.FAILED
    assert "whether it was stored is unknown" in result.error


def test_a_missing_right_is_told_apart_from_a_failed_read(make_bench: Make) -> None:
    bench = make_bench("helm")
    change_set = bench.change_set(helm_edit())
    bench.world.clear_policies()
    bench.world.allow("updater", "applications", "get", "*")

    result = bench.write(change_set)

    assert result.outcome is WriteOutcome.FAILED
    assert result.error_code == "update_denied"
    assert "grant the account 'applications, update, default/*'" in result.error
    assert result.attempts == 1


def test_a_refusal_despite_the_right_is_repeated(make_bench: Make) -> None:
    bench = make_bench("helm")
    change_set = bench.change_set(helm_edit())
    bench.world.reject_next(bench.method, grpc.StatusCode.PERMISSION_DENIED, "permission denied")

    result = bench.write(change_set)

    assert result.outcome is WriteOutcome.WRITTEN
    assert result.attempts == 2


def test_an_application_that_is_gone_fails_clearly(make_bench: Make) -> None:
    bench = make_bench("helm")
    change_set = bench.change_set(helm_edit())
    bench.world.delete(bench.key)

    result = bench.write(change_set)

    assert result.outcome is WriteOutcome.FAILED
    assert "argocd/shop-web" in result.error
    assert bench.writes() == 0


def test_a_source_that_is_gone_fails_with_the_owners_code(make_bench: Make) -> None:
    bench = make_bench("multi")
    change_set = bench.change_set(helm_edit())

    def turn_into_kustomize(application: Application) -> None:
        for source in application.spec.sources:
            source.ClearField("helm")
            source.kustomize.images.append("x=y:1")
        application.status.sourceTypes[:] = ["Kustomize"] * 3

    bench.world.edit_application(bench.key, turn_into_kustomize)

    result = bench.write(change_set)

    assert result.outcome is WriteOutcome.FAILED
    assert result.error_code == "no_matching_source"
    assert bench.writes() == 0


def test_edits_of_two_images_go_in_one_write(make_bench: Make) -> None:
    bench = make_bench("helm")
    change_set = bench.change_set(helm_edit(), HelmParameterEdit("sidecar.tag", "2.0.0"))

    result = bench.write(change_set)

    assert result.outcome is WriteOutcome.WRITTEN
    assert bench.writes() == 1
    assert bench.parameters() == {"image.name": WEB, "image.tag": "1.0.1", "sidecar.tag": "2.0.0"}


def test_a_stopped_clock_ends_the_attempts(make_bench: Make) -> None:
    bench = make_bench("helm")
    change_set = bench.change_set(helm_edit())
    for _ in range(5):
        bench.world.reject_next(bench.method, grpc.StatusCode.ABORTED, "conflict")
    bench.clock.stop()

    result = bench.write(change_set)

    assert result.outcome is WriteOutcome.FAILED
    assert result.attempts == 1
