"""The wire examples of argocd-api.md section 10, byte for byte: requests, answers, presence, preservation."""

from __future__ import annotations

from collections.abc import Callable

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message

from generated.account_messages_pb2 import CanIRequest
from generated.application_messages_pb2 import (
    ApplicationList,
    ApplicationQuery,
    ApplicationSource,
    ApplicationSpec,
    ApplicationUpdateSpecRequest,
    ApplicationWatchEvent,
    HelmParameter,
    SyncPolicyAutomated,
)
from generated.session_messages_pb2 import GetUserInfoResponse, SessionCreateRequest
from generated.version_messages_pb2 import VersionMessage
from updater.argocd.frames import Frame, FrameError, encode_message, read_frames
from updater.argocd.trailers import parse_trailers, status_of
from updater.playground.wire_fields import bytes_field, split_fields, text_field

CAP = 1 << 20


def hexed(text: str) -> bytes:
    return bytes.fromhex(text)


def destination() -> bytes:
    """Field 2 of a spec, which our messages do not declare."""
    return bytes_field(2, text_field(1, "https://kubernetes.default.svc") + text_field(2, "web"))


def helm_request() -> ApplicationUpdateSpecRequest:
    request = ApplicationUpdateSpecRequest(name="guestbook", validate=False, appNamespace="team-a", project="default")
    source = request.spec.source
    source.repoURL, source.path, source.targetRevision = "https://example.com/r.git", "chart", "main"
    source.helm.parameters.add(name="image.tag", value="1.2.3", forceString=True)
    request.spec.project = "default"
    request.spec.MergeFromString(destination())
    return request


def kustomize_request() -> ApplicationUpdateSpecRequest:
    request = ApplicationUpdateSpecRequest(name="g")
    request.spec.source.kustomize.images.append("nginx=reg.example.com/nginx:1.27")
    request.spec.project = "default"
    return request


REQUESTS: dict[str, tuple[Callable[[], Message], str]] = {
    "A, a query by name": (
        lambda: ApplicationQuery(name="guestbook"),
        "00 00 00 00 0b 0a 09 67 75 65 73 74 62 6f 6f 6b",
    ),
    "B, an empty message": (Empty, "00 00 00 00 00"),
    "C, a query by name, project and namespace": (
        lambda: ApplicationQuery(name="guestbook", projects=["default"], appNamespace="team-a"),
        "00 00 00 00 1c 0a 09 67 75 65 73 74 62 6f 6f 6b 1a 07 64 65 66 61 75 6c 74 3a 06 74 65 61 6d 2d 61",
    ),
    "D, the trap of a present refresh": (
        lambda: ApplicationQuery(name="guestbook", refresh=""),
        "00 00 00 00 0d 0a 09 67 75 65 73 74 62 6f 6f 6b 12 00",
    ),
    "E, a query by version and selector": (
        lambda: ApplicationQuery(resourceVersion="48213", selector="team=a"),
        "00 00 00 00 0f 22 05 34 38 32 31 33 2a 06 74 65 61 6d 3d 61",
    ),
    "G, UpdateSpec for Kustomize": (
        kustomize_request,
        (
            "00 00 00 00 34 0a 01 67 12 2f 0a 24 42 22 1a 20 6e 67 69 6e 78 3d 72 65 67 2e 65 78 61 6d 70 6c"
            "65 2e 63 6f 6d 2f 6e 67 69 6e 78 3a 31 2e 32 37 1a 07 64 65 66 61 75 6c 74"
        ),
    ),
    "H, CanI": (
        lambda: CanIRequest(resource="applications", action="update", subresource="default/guestbook"),
        (
            "00 00 00 00 29 0a 0c 61 70 70 6c 69 63 61 74 69 6f 6e 73 12 06 75 70 64 61 74 65 1a 11 64 65 66"
            "61 75 6c 74 2f 67 75 65 73 74 62 6f 6f 6b"
        ),
    ),
    "I, a login": (
        lambda: SessionCreateRequest(username="updater", password="s3cret"),
        "00 00 00 00 11 0a 07 75 70 64 61 74 65 72 12 06 73 33 63 72 65 74",
    ),
}


@pytest.mark.parametrize(("build", "expected"), REQUESTS.values(), ids=REQUESTS)
def test_a_request_has_the_bytes_of_the_example(build: Callable[[], Message], expected: str) -> None:
    assert encode_message(build().SerializeToString()) == hexed(expected)


HELM_REQUEST = hexed(
    "00 00 00 00 92 0a 09 67 75 65 73 74 62 6f 6f 6b 12 72 0a 40 0a 19 68 74 74 70 73 3a 2f 2f 65 78"
    "61 6d 70 6c 65 2e 63 6f 6d 2f 72 2e 67 69 74 12 05 63 68 61 72 74 22 04 6d 61 69 6e 3a 16 12 14"
    "0a 09 69 6d 61 67 65 2e 74 61 67 12 05 31 2e 32 2e 33 18 01 12 25 0a 1e 68 74 74 70 73 3a 2f 2f"
    "6b 75 62 65 72 6e 65 74 65 73 2e 64 65 66 61 75 6c 74 2e 73 76 63 12 03 77 65 62 1a 07 64 65 66"
    "61 75 6c 74 18 00 22 06 74 65 61 6d 2d 61 2a 07 64 65 66 61 75 6c 74"
)


def test_example_f_update_spec_for_helm_has_the_same_fields_and_size() -> None:
    """Byte for byte but for the order inside the spec: what we do not declare is written last."""
    ours = encode_message(helm_request().SerializeToString())
    assert len(ours) == len(HELM_REQUEST)
    assert ours[:18] == HELM_REQUEST[:18]
    assert ours.endswith(hexed("18 00 22 06 74 65 61 6d 2d 61 2a 07 64 65 66 61 75 6c 74"))
    assert sorted_spec(ours[5:]) == sorted_spec(HELM_REQUEST[5:])


def sorted_spec(request: bytes) -> list[bytes]:
    spec = next(field for field in split_fields(request) if field.number == 2)
    return sorted(field.encode() for field in split_fields(spec.payload))


JAY = hexed("00 00 00 00 08 0a 06 76 33 2e 35 2e 31 80 00 00 00 10 67 72 70 63 2d 73 74 61 74 75 73 3a 20 30 0d 0a")
ELL = hexed(
    "80 00 00 00 4e 67 72 70 63 2d 6d 65 73 73 61 67 65 3a 20 61 70 70 6c 69 63 61 74 69 6f 6e 73 2e"
    "61 72 67 6f 70 72 6f 6a 2e 69 6f 20 22 67 75 65 73 74 62 6f 6f 6b 22 20 6e 6f 74 20 66 6f 75 6e"
    "64 0d 0a 67 72 70 63 2d 73 74 61 74 75 73 3a 20 35 0d 0a"
)


def frames_of(*chunks: bytes) -> list[Frame]:
    return list(read_frames(chunks, cap_bytes=CAP))


def test_example_j_is_one_message_and_status_ok() -> None:
    data, trailers = frames_of(JAY)
    assert VersionMessage.FromString(data.payload).Version == "v3.5.1"
    assert parse_trailers(trailers.payload).code is grpc.StatusCode.OK


TRAILERS = {
    "K, a status alone": (
        hexed("80 00 00 00 10 67 72 70 63 2d 73 74 61 74 75 73 3a 20 35 0d 0a"),
        grpc.StatusCode.NOT_FOUND,
        "",
    ),
    "L and R, a message too": (
        ELL,
        grpc.StatusCode.NOT_FOUND,
        'applications.argoproj.io "guestbook" not found',
    ),
    "M, percent-encoded": (
        hexed(
            "80 00 00 00 39 67 72 70 63 2d 6d 65 73 73 61 67 65 3a 20 6c 69 6e 65 31 25 30 41 31 30 30 25 32"
            "35 20 63 61 66 25 43 33 25 41 39 0d 0a 67 72 70 63 2d 73 74 61 74 75 73 3a 20 31 33 0d 0a"
        ),
        grpc.StatusCode.INTERNAL,
        "line1\n100% caf\u00e9",
    ),
}


@pytest.mark.parametrize(("body", "code", "message"), TRAILERS.values(), ids=TRAILERS)
def test_a_trailers_frame_of_the_examples_is_read(body: bytes, code: grpc.StatusCode, message: str) -> None:
    (frame,) = frames_of(body)
    assert frame.is_trailers
    assert parse_trailers(frame.payload) == status_of([("grpc-status", str(code.value[0])), ("grpc-message", message)])
    assert parse_trailers(frame.payload).message == message


def test_example_n_is_a_list_of_one_application() -> None:
    body = hexed(
        "00 00 00 00 41 0a 07 12 05 34 38 32 31 33 12 36 0a 13 0a 09 67 75 65 73 74 62 6f 6f 6b 1a 06 61"
        "72 67 6f 63 64 12 09 1a 07 64 65 66 61 75 6c 74 1a 14 4a 04 48 65 6c 6d 52 0c 12 0a 6e 67 69 6e"
        "78 3a 31 2e 32 37"
    )
    (frame,) = frames_of(body)
    listed = ApplicationList.FromString(frame.payload)
    (item,) = listed.items
    assert listed.metadata.resourceVersion == "48213"
    assert (item.metadata.namespace, item.metadata.name, item.spec.project) == ("argocd", "guestbook", "default")
    assert (item.status.sourceType, list(item.status.summary.images)) == ("Helm", ["nginx:1.27"])


def test_example_o_is_a_watch_event() -> None:
    body = hexed(
        "00 00 00 00 25 0a 05 41 44 44 45 44 12 1c 0a 1a 0a 09 67 75 65 73 74 62 6f 6f 6b 1a 06 61 72 67"
        "6f 63 64 32 05 34 38 32 31 34"
    )
    (frame,) = frames_of(body)
    event = ApplicationWatchEvent.FromString(frame.payload)
    assert (event.type, event.application.metadata.resourceVersion) == ("ADDED", "48214")


def test_example_p_is_a_user() -> None:
    (frame,) = frames_of(hexed("00 00 00 00 13 08 01 12 07 75 70 64 61 74 65 72 1a 06 61 72 67 6f 63 64"))
    user = GetUserInfoResponse.FromString(frame.payload)
    assert (user.loggedIn, user.username, user.iss) == (True, "updater", "argocd")


def test_example_q_takes_its_status_from_headers() -> None:
    status = status_of([("content-type", "application/grpc-web+proto"), ("grpc-status", "16"), ("grpc-message", "no")])
    assert (status.code, status.message) == (grpc.StatusCode.UNAUTHENTICATED, "no")


@pytest.mark.parametrize("size", [1, 7])
def test_example_t_is_read_however_it_is_delivered(size: int) -> None:
    assert frames_of(*[JAY[at : at + size] for at in range(0, len(JAY), size)]) == frames_of(JAY)


@pytest.mark.parametrize("length", [cut for cut in range(1, len(JAY)) if cut != 13])
def test_example_t_cut_anywhere_within_a_frame_is_a_truncation(length: int) -> None:
    with pytest.raises(FrameError) as caught:
        frames_of(JAY[:length])
    assert caught.value.is_truncated


def test_example_t_cut_between_its_frames_has_no_trailers() -> None:
    assert [frame.is_trailers for frame in frames_of(JAY[:13])] == [False]


ENCODINGS = {
    "enabled: false, explicit": (SyncPolicyAutomated, "20 00"),
    "prune, self-heal, not enabled": (SyncPolicyAutomated, "08 01 10 01 20 00"),
    "a source with a field of a newer server": (ApplicationSource, "0a 01 72 72 04 6d 61 69 6e 7a 01 76"),
    "a history limit of zero": (ApplicationSpec, "38 00"),
    "a Helm parameter": (HelmParameter, "0a 09 69 6d 61 67 65 2e 74 61 67 12 05 31 2e 32 2e 33 18 01"),
    "an empty hydrator": (ApplicationSpec, "4a 00"),
}


@pytest.mark.parametrize(("kind", "text"), ENCODINGS.values(), ids=ENCODINGS)
def test_presence_survives_a_round_trip(kind: type[Message], text: str) -> None:
    assert kind.FromString(hexed(text)).SerializeToString() == hexed(text)


UNDECLARED = {
    "values as an object of a Helm block": (
        "helm",
        "52 17 0a 15 7b 22 69 6d 61 67 65 22 3a 7b 22 74 61 67 22 3a 22 31 22 7d 7d",
    ),
    "an empty string": ("helm", "22 00"),
    "a time with both fields": ("helm", "f2 07 08 08 80 e2 cf aa 06 10 00"),
    "a number or text": ("helm", "fa 07 06 08 00 10 03 1a 00"),
}


@pytest.mark.parametrize(("block", "text"), UNDECLARED.values(), ids=UNDECLARED)
def test_what_is_not_declared_survives_a_round_trip(block: str, text: str) -> None:
    source = ApplicationSource()
    getattr(source, block).MergeFromString(hexed(text))
    again = ApplicationSource.FromString(source.SerializeToString())
    assert getattr(again, block).SerializeToString() == hexed(text)


def test_example_s_keeps_everything_beside_the_image_that_was_added() -> None:
    spec = ApplicationSpec.FromString(
        hexed("0a 0c 0a 01 72 72 04 6d 61 69 6e 7a 01 76 1a 07 64 65 66 61 75 6c 74 4a 00")
    )
    spec.source.kustomize.images.append("nginx:1.27")
    fields = {field.number: field.payload for field in split_fields(spec.SerializeToString())}
    assert fields[3] == b"default"
    assert fields[9] == b""
    assert {field.number: field.payload for field in split_fields(fields[1])} == {
        1: b"r",
        8: bytes_field(3, b"nginx:1.27"),
        14: b"main",
        15: b"v",
    }
