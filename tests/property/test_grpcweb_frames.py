"""Frames in any number of pieces of any size: the same frames, and never success for a part of them."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.argocd.frames import Frame, FrameError, encode_message, read_frames
from updater.argocd.trailers import parse_trailers

CAP = 4096
PAYLOADS = st.lists(st.binary(max_size=300), max_size=6)


def body_of(payloads: list[bytes], trailers: bytes = b"grpc-status: 0\r\n") -> bytes:
    return b"".join(map(encode_message, payloads)) + struct.pack(">BI", 0x80, len(trailers)) + trailers


def pieces(body: bytes, cuts: list[int]) -> list[bytes]:
    """The body, cut at these places; some pieces may be empty."""
    places = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    return [body[start:end] for start, end in itertools.pairwise(places)]


def read(chunks: list[bytes]) -> list[Frame]:
    return list(read_frames(chunks, cap_bytes=CAP))


def read_or_error(chunks: list[bytes]) -> list[Frame] | FrameError:
    try:
        return read(chunks)
    except FrameError as error:
        return error


@given(PAYLOADS, st.lists(st.integers(0, 5000), max_size=30))
def test_what_is_encoded_is_read_whatever_the_pieces(payloads: list[bytes], cuts: list[int]) -> None:
    frames = read(pieces(body_of(payloads), cuts))
    assert [frame.payload for frame in frames[:-1]] == payloads
    assert [frame.is_trailers for frame in frames] == [False] * len(payloads) + [True]


@given(PAYLOADS, st.integers(0, 5000), st.lists(st.integers(0, 5000), max_size=10))
def test_a_part_of_an_answer_never_has_its_end(payloads: list[bytes], length: int, cuts: list[int]) -> None:
    body = body_of(payloads)
    part = body[: length % len(body)]
    outcome = read_or_error(pieces(part, cuts))
    if isinstance(outcome, FrameError):
        assert outcome.is_truncated
    else:
        assert not any(frame.is_trailers for frame in outcome)


@given(PAYLOADS, st.binary(max_size=50))
def test_what_follows_the_trailers_is_ignored(payloads: list[bytes], rest: bytes) -> None:
    body = body_of(payloads)
    assert read([body, rest]) == read([body])
    assert read([body + rest]) == read([body])


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_any_bytes_are_frames_or_a_frame_error(chunks: list[bytes]) -> None:
    outcome = read_or_error(chunks)
    assert str(outcome) if isinstance(outcome, FrameError) else outcome is not None


@given(st.binary(max_size=200))
def test_any_trailers_are_a_status(payload: bytes) -> None:
    assert parse_trailers(payload).code is not None


@pytest.mark.parametrize("flags", [0x02, 0x40, 0x7F, 0x82, 0xFF])
def test_unknown_flags_are_refused(flags: int) -> None:
    with pytest.raises(FrameError, match=f"0x{flags:02x}"):
        read([struct.pack(">BI", flags, 0)])


@pytest.mark.parametrize("flags", [0x01, 0x81])
def test_compressed_frames_are_refused(flags: int) -> None:
    with pytest.raises(FrameError, match="compressed"):
        read([struct.pack(">BI", flags, 0)])


@pytest.mark.parametrize("size", [CAP + 1, 0xFFFFFFFF])
def test_a_length_over_the_cap_is_refused_before_the_payload_is_asked_for(size: int) -> None:
    asked: list[int] = []

    def chunks() -> Iterator[bytes]:
        yield struct.pack(">BI", 0, size)
        asked.append(1)
        yield b"x" * 100

    with pytest.raises(FrameError) as caught:
        list(read_frames(chunks(), cap_bytes=CAP))
    assert caught.value.is_too_large
    assert asked == []


def test_a_payload_of_exactly_the_cap_is_read() -> None:
    assert read([body_of([b"x" * CAP])])[0].payload == b"x" * CAP


def test_several_frames_in_one_piece_are_read_one_by_one() -> None:
    assert [frame.payload for frame in read([body_of([b"a", b"", b"c"])])] == [b"a", b"", b"c", b"grpc-status: 0\r\n"]


def test_a_frame_is_handed_out_before_the_next_one_has_arrived() -> None:
    def chunks() -> Iterator[bytes]:
        yield encode_message(b"first")
        raise AssertionError("the next piece was asked for too early")

    assert next(read_frames(chunks(), cap_bytes=CAP)).payload == b"first"
