"""Generated stubs, unchanged, on our channel and on gRPC's own: the same facts on both."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty

from generated.application_messages_pb2 import ApplicationQuery
from generated.application_service_pb2_grpc import ApplicationServiceStub
from generated.version_service_pb2_grpc import VersionServiceStub
from updater.playground.applications import helm_application
from updater.playground.world import World

pytestmark = pytest.mark.wire

CODE = grpc.StatusCode
WAIT_S = 20
NAMES = ["shop-all", "shop-api", "shop-web"]


@pytest.fixture
def applications(channel: grpc.Channel) -> Any:
    return ApplicationServiceStub(channel)


@pytest.fixture
def metadata(token: str) -> tuple[tuple[str, str], ...]:
    return (("token", token),)


@pytest.fixture
def endless(world: World) -> ApplicationQuery:
    """A Get that waits for a controller that does not run."""
    world.configure(answers_refresh=False)
    return ApplicationQuery(name="shop-web", refresh="normal")


def names(answer: Any) -> list[str]:
    return [item.metadata.name for item in answer.items]


def test_a_unary_call_returns_the_answer(applications: Any, metadata: Any) -> None:
    assert names(applications.List(ApplicationQuery(), metadata=metadata, timeout=WAIT_S)) == NAMES


def test_with_call_gives_the_answer_and_the_ended_call(applications: Any, metadata: Any) -> None:
    answer, call = applications.List.with_call(ApplicationQuery(), metadata=metadata, timeout=WAIT_S)
    assert names(answer) == NAMES
    assert call.code() is CODE.OK
    assert not call.is_active()
    assert not call.cancel()


def test_a_refused_call_raises_code_and_details(applications: Any) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        applications.List(ApplicationQuery(), timeout=WAIT_S)
    error: Any = caught.value
    assert error.code() is CODE.UNAUTHENTICATED
    assert error.details() == "no session information"
    assert error.trailing_metadata() is not None


@pytest.mark.parametrize("code", [code for code in CODE if code is not CODE.OK], ids=lambda code: code.name)
def test_every_status_arrives_with_its_message(
    code: grpc.StatusCode, world: World, applications: Any, metadata: Any
) -> None:
    world.reject_next("List", code, "because: 100% caf\u00e9\nand so on")
    with pytest.raises(grpc.RpcError) as caught:
        applications.List(ApplicationQuery(), metadata=metadata, timeout=WAIT_S)
    error: Any = caught.value
    assert error.code() is code
    assert error.details().replace("\n", " ") == "because: 100% caf\u00e9 and so on"


def test_a_future_has_a_result_and_tells_its_callbacks(applications: Any, metadata: Any) -> None:
    told = threading.Event()
    future = applications.List.future(ApplicationQuery(), metadata=metadata, timeout=WAIT_S)
    future.add_done_callback(lambda done: told.set() if done is future else None)
    assert names(future.result(WAIT_S)) == NAMES
    assert told.wait(WAIT_S)
    assert (future.done(), future.running(), future.cancelled()) == (True, False, False)
    assert future.exception() is None
    assert future.traceback() is None
    assert future.code() is CODE.OK


def test_a_callback_added_to_a_finished_future_is_told_too(applications: Any, metadata: Any) -> None:
    future = applications.List.future(ApplicationQuery(), metadata=metadata, timeout=WAIT_S)
    future.result(WAIT_S)
    told = threading.Event()
    future.add_done_callback(lambda _: told.set())
    assert told.wait(WAIT_S)


def test_a_failed_future_raises_and_shows_its_error(applications: Any) -> None:
    future = applications.List.future(ApplicationQuery(), timeout=WAIT_S)
    with pytest.raises(grpc.RpcError) as caught:
        future.result(WAIT_S)
    error: Any = caught.value
    assert error.code() is CODE.UNAUTHENTICATED
    assert future.exception(WAIT_S).code() is CODE.UNAUTHENTICATED
    assert future.traceback(WAIT_S) is not None
    assert not future.cancelled()


def test_waiting_for_a_future_has_its_own_timeout(
    world: World, endless: ApplicationQuery, applications: Any, metadata: Any
) -> None:
    future = applications.Get.future(endless, metadata=metadata, timeout=WAIT_S)
    with pytest.raises(grpc.FutureTimeoutError):
        future.result(0.05)
    assert future.running()
    future.cancel()


def test_a_cancelled_future_ends_at_once(
    world: World, endless: ApplicationQuery, applications: Any, metadata: Any
) -> None:
    future = applications.Get.future(endless, metadata=metadata, timeout=WAIT_S)
    assert world.wait_for_calls("Get", 1, WAIT_S)
    assert future.cancel()
    with pytest.raises(grpc.FutureCancelledError):
        future.result(WAIT_S)
    with pytest.raises(grpc.FutureCancelledError):
        future.exception(WAIT_S)
    assert future.cancelled()
    assert future.code() is CODE.CANCELLED


def test_a_deadline_ends_the_call_on_both_ends(
    world: World, endless: ApplicationQuery, applications: Any, metadata: Any
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        applications.Get(endless, metadata=metadata, timeout=0.2)
    error: Any = caught.value
    assert error.code() is CODE.DEADLINE_EXCEEDED


def test_a_stream_gives_what_is_there_and_then_what_changes(world: World, applications: Any, metadata: Any) -> None:
    stream = applications.Watch(ApplicationQuery(), metadata=metadata, timeout=WAIT_S)
    first = [next(stream).application.metadata.name for _ in NAMES]
    world.add_sample(helm_application("late"))
    event = next(stream)
    stream.cancel()
    assert first == NAMES
    assert (event.type, event.application.metadata.name) == ("ADDED", "late")


def test_a_stream_that_ends_well_stops(world: World, applications: Any, metadata: Any) -> None:
    stream = applications.Watch(ApplicationQuery(), metadata=metadata, timeout=WAIT_S)
    for _ in NAMES:
        next(stream)
    world.end_watches()
    assert list(stream) == []
    assert stream.code() is CODE.OK


def test_a_stream_that_fails_midway_raises_its_status_again_and_again(
    world: World, applications: Any, metadata: Any
) -> None:
    stream = applications.Watch(ApplicationQuery(), metadata=metadata, timeout=WAIT_S)
    for _ in NAMES:
        next(stream)
    world.end_watches(CODE.UNAVAILABLE, "going away")
    for _ in range(2):
        with pytest.raises(grpc.RpcError) as caught:
            next(stream)
        error: Any = caught.value
        assert (error.code(), error.details()) == (CODE.UNAVAILABLE, "going away")
    assert stream.code() is CODE.UNAVAILABLE


def test_a_stream_that_is_refused_raises_at_its_first_message(applications: Any) -> None:
    stream = applications.Watch(ApplicationQuery(), timeout=WAIT_S)
    with pytest.raises(grpc.RpcError) as caught:
        next(stream)
    error: Any = caught.value
    assert error.code() is CODE.UNAUTHENTICATED


SILENT_AT_FIRST = {"something has arrived": (ApplicationQuery(), 3), "nothing has": (ApplicationQuery(name="none"), 0)}


@pytest.mark.parametrize(("query", "count"), SILENT_AT_FIRST.values(), ids=SILENT_AT_FIRST)
def test_cancelling_a_running_stream_from_another_thread_ends_the_wait(
    query: ApplicationQuery, count: int, world: World, applications: Any, metadata: Any
) -> None:
    stream = applications.Watch(query, metadata=metadata)

    def cancel() -> None:
        assert world.wait_for_watchers(1, WAIT_S)
        stream.cancel()

    for _ in range(count):
        next(stream)
    canceller = threading.Thread(target=cancel)
    canceller.start()
    with pytest.raises(grpc.RpcError) as caught:
        next(stream)
    canceller.join()
    error: Any = caught.value
    assert error.code() is CODE.CANCELLED
    assert world.wait_for_watchers(0, WAIT_S)


def test_a_stream_cancelled_before_its_first_message_is_over(applications: Any, metadata: Any) -> None:
    stream = applications.Watch(ApplicationQuery(), metadata=metadata)
    assert stream.cancel()
    assert not stream.is_active()
    with pytest.raises(grpc.RpcError) as caught:
        next(stream)
    error: Any = caught.value
    assert error.code() is CODE.CANCELLED


def test_a_stream_that_nobody_holds_any_more_leaves_the_server(world: World, applications: Any, metadata: Any) -> None:
    stream = applications.Watch(ApplicationQuery(), metadata=metadata)
    next(stream)
    assert world.wait_for_watchers(1, WAIT_S)
    del stream
    assert world.wait_for_watchers(0, WAIT_S)


def test_a_deadline_ends_a_stream(world: World, applications: Any, metadata: Any) -> None:
    stream = applications.Watch(ApplicationQuery(name="none"), metadata=metadata, timeout=0.2)
    with pytest.raises(grpc.RpcError) as caught:
        next(stream)
    error: Any = caught.value
    assert error.code() is CODE.DEADLINE_EXCEEDED
    assert world.wait_for_watchers(0, WAIT_S)


def test_metadata_arrives_as_text_and_as_bytes(world: World, applications: Any, metadata: Any) -> None:
    more = (("x-text", "words, and more"), ("x-trace-bin", b"\x00\xff\x10"))
    applications.List(ApplicationQuery(), metadata=metadata + more, timeout=WAIT_S)
    (record,) = world.calls
    assert record.metadata["x-text"] == "words, and more"
    assert record.metadata["x-trace-bin"] == "00ff10"
    assert record.metadata["user-agent"].startswith("tests/1")


class Signing(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[type-arg]  # subscripting fails at run time
    grpc.UnaryStreamClientInterceptor,  # type: ignore[type-arg]
):
    """Adds metadata to every call, as users of stubs do with the token."""

    def __init__(self, extra: tuple[str, str]) -> None:
        self._extra = extra

    def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        return continuation(self._with_more(details), request)

    def intercept_unary_stream(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        return continuation(self._with_more(details), request)

    def _with_more(self, details: Any) -> Any:
        return details._replace(metadata=(*(details.metadata or ()), self._extra))


def test_interceptors_see_unary_calls_futures_and_streams(world: World, channel: grpc.Channel, token: str) -> None:
    stub: Any = ApplicationServiceStub(grpc.intercept_channel(channel, Signing(("token", token))))
    assert names(stub.List(ApplicationQuery(), timeout=WAIT_S)) == NAMES
    assert names(stub.List.future(ApplicationQuery(), timeout=WAIT_S).result(WAIT_S)) == NAMES
    stream = stub.Watch(ApplicationQuery(), timeout=WAIT_S)
    assert next(stream).application.metadata.name == NAMES[0]
    stream.cancel()


def test_an_intercepted_refusal_is_an_rpc_error(channel: grpc.Channel) -> None:
    stub: Any = ApplicationServiceStub(grpc.intercept_channel(channel, Signing(("token", "not.a.token"))))
    with pytest.raises(grpc.RpcError) as caught:
        stub.List(ApplicationQuery(), timeout=WAIT_S)
    error: Any = caught.value
    assert error.code() is CODE.UNAUTHENTICATED


def test_closing_the_channel_ends_what_runs(
    world: World, endless: ApplicationQuery, channel: grpc.Channel, metadata: Any
) -> None:
    stub: Any = ApplicationServiceStub(channel)
    unary = stub.Get.future(endless, metadata=metadata)
    stream = stub.Watch(ApplicationQuery(name="none"), metadata=metadata)
    codes: list[grpc.StatusCode] = []

    def read() -> None:
        try:
            next(stream)
        except grpc.RpcError as error:
            codes.append(error.code())  # type: ignore[attr-defined]  # both channels' errors are calls

    reader = threading.Thread(target=read)
    reader.start()
    assert world.wait_for_calls("Get", 1, WAIT_S)
    assert world.wait_for_watchers(1, WAIT_S)
    channel.close()
    reader.join(WAIT_S)
    assert codes == [CODE.CANCELLED]
    assert unary.code() is CODE.CANCELLED
    assert world.wait_for_watchers(0, WAIT_S)


def test_a_call_on_a_closed_channel_is_cancelled_and_no_bug(channel: grpc.Channel, metadata: Any) -> None:
    stub: Any = ApplicationServiceStub(channel)
    stub.List(ApplicationQuery(), metadata=metadata, timeout=WAIT_S)
    channel.close()
    calls: list[Callable[[], Any]] = [
        lambda: stub.List(ApplicationQuery(), metadata=metadata, timeout=WAIT_S),
        lambda: next(stub.Watch(ApplicationQuery(), metadata=metadata)),
        lambda: stub.List.future(ApplicationQuery(), metadata=metadata, timeout=WAIT_S).result(WAIT_S),
    ]
    for call in calls:
        with pytest.raises(grpc.RpcError) as caught:
            call()
        error: Any = caught.value
        assert error.code() is CODE.CANCELLED


def test_sixteen_threads_share_a_channel(world: World, applications: Any, metadata: Any) -> None:
    results: list[list[str]] = []

    def work() -> None:
        answers = [applications.List(ApplicationQuery(), metadata=metadata, timeout=WAIT_S) for _ in range(10)]
        results.extend(map(names, answers))

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [NAMES] * 160


def test_an_empty_request_and_answer_pass(channel: grpc.Channel, world: World) -> None:
    stub: Any = VersionServiceStub(channel)
    assert stub.Version(Empty(), timeout=WAIT_S).Version == world.environment.version
