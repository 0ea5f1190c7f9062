from __future__ import annotations

import grpc
import pytest

from updater.argocd.trailers import CallStatus, decode_message, decode_value, parse_trailers

CODE = grpc.StatusCode

MESSAGES = {
    "nothing to decode": ("not found", "not found"),
    "quotes and blanks": ('"a" b', '"a" b'),
    "UTF-8": ("caf%C3%A9", "caf\u00e9"),
    "lower-case digits": ("%c3%a9", "\u00e9"),
    "an escape without digits": ("100% sure", "100% sure"),
    "an escape with one digit": ("50%2", "50%2"),
    "an escape with other letters": ("%zz%41", "%zzA"),
    "a lonely percent sign": ("%", "%"),
    "bytes that are no UTF-8": ("%ff", "\ufffd"),
    "a plus sign": ("1+1", "1+1"),
}


@pytest.mark.parametrize(("text", "expected"), MESSAGES.values(), ids=MESSAGES)
def test_a_message_is_decoded_leniently(text: str, expected: str) -> None:
    assert decode_message(text) == expected


TRAILERS = {
    "ok": (b"grpc-status: 0\r\n", CODE.OK, ""),
    "upper case": (b"GRPC-STATUS: 5\r\nGrpc-Message: gone\r\n", CODE.NOT_FOUND, "gone"),
    "no blank after the colon": (b"grpc-status:7\r\n", CODE.PERMISSION_DENIED, ""),
    "bare line feeds": (b"grpc-status: 7\ngrpc-message: no\n", CODE.PERMISSION_DENIED, "no"),
    "no end of line at the end": (b"grpc-status: 7", CODE.PERMISSION_DENIED, ""),
    "a blank line at the end": (b"grpc-status: 7\r\n\r\n", CODE.PERMISSION_DENIED, ""),
    "header names of an older server": (b"content-type: x\r\ngrpc-status: 0\r\n", CODE.OK, ""),
    "a colon in the message": (b"grpc-message: a: b\r\ngrpc-status: 2\r\n", CODE.UNKNOWN, "a: b"),
    "nothing": (b"", CODE.UNKNOWN, ""),
    "no status": (b"grpc-message: what\r\n", CODE.UNKNOWN, "what"),
    "an empty status": (b"grpc-status: \r\n", CODE.UNKNOWN, ""),
    "a status that is no number": (b"grpc-status: ok\r\n", CODE.UNKNOWN, ""),
    "a negative status": (b"grpc-status: -1\r\n", CODE.UNKNOWN, ""),
    "a status nobody knows": (b"grpc-status: 99\r\n", CODE.UNKNOWN, ""),
    "an endless status": (b"grpc-status: " + b"9" * 10_000 + b"\r\n", CODE.UNKNOWN, ""),
    "digits of another script": ("grpc-status: \u0660\r\n".encode(), CODE.UNKNOWN, ""),
    "a separator that is no end of line": ("grpc-message: a\u2028grpc-status: 0\r\n".encode(), CODE.UNKNOWN, None),
    "bytes that are no UTF-8": (b"grpc-message: \xff\r\ngrpc-status: 3\r\n", CODE.INVALID_ARGUMENT, "\ufffd"),
}


@pytest.mark.parametrize(("payload", "code", "message"), TRAILERS.values(), ids=TRAILERS)
def test_a_status_is_read_or_unknown(payload: bytes, code: grpc.StatusCode, message: str | None) -> None:
    status = parse_trailers(payload)
    assert status.code is code
    if message is not None:
        assert status.message == message


BINARY = {
    "padded": ("x-bin", "AAE=", b"\x00\x01"),
    "not padded": ("x-bin", "AAE", b"\x00\x01"),
    "empty": ("x-bin", "", b""),
    "not base64": ("x-bin", "?!", "?!"),
    "text": ("x-text", "AAE=", "AAE="),
}


@pytest.mark.parametrize(("name", "value", "expected"), BINARY.values(), ids=BINARY)
def test_binary_metadata_is_decoded_where_it_can_be(name: str, value: str, expected: str | bytes) -> None:
    assert decode_value(name, value) == expected


def test_metadata_of_a_status_is_kept_but_not_shown() -> None:
    status = parse_trailers(b"grpc-status: 0\r\nrenew-token: s3cret\r\n")
    assert status.metadata == (("renew-token", "s3cret"),)
    assert "s3cret" not in repr(CallStatus(CODE.OK, "", status.metadata))
