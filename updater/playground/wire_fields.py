"""Protobuf messages as raw fields: reading and writing what the generated messages do not declare.

The world keeps Applications as encoded bytes and the declared subset is small, so rules about undeclared fields
(is this ``helm`` block empty? drop ``directory``) are applied to the encoding itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_VARINT, _LENGTH = 0, 2


@dataclass(frozen=True, slots=True)
class WireField:
    """One field as it stands in an encoding. ``payload`` is the content without tag and length."""

    number: int
    wire_type: int
    payload: bytes

    @property
    def is_zero(self) -> bool:
        """Whether a singular field of this content equals an absent one: no bytes, or a zero number."""
        return not self.payload.strip(b"\0")

    def encode(self) -> bytes:
        tag = encode_varint(self.number << 3 | self.wire_type)
        return tag + (length_prefixed(self.payload) if self.wire_type == _LENGTH else self.payload)


def split_fields(encoded: bytes) -> Iterator[WireField]:
    """The fields of one encoded message, in their order; ``ValueError`` when it is cut off or not protobuf."""
    position = 0
    while position < len(encoded):
        tag, position = _read_varint(encoded, position)
        start = position
        match tag & 7:
            case 0:
                _, position = _read_varint(encoded, position)
            case 1:
                position += 8
            case 2:
                size, start = _read_varint(encoded, position)
                position = start + size
            case 5:
                position += 4
            case other:
                raise ValueError(f"wire type {other} at byte {start} is not supported")
        if position > len(encoded):
            raise ValueError(f"field {tag >> 3} runs past the end of the message")
        yield WireField(tag >> 3, tag & 7, encoded[start:position])


def join_fields(fields: Iterable[WireField]) -> bytes:
    return b"".join(each.encode() for each in fields)


def text_field(number: int, text: str) -> bytes:
    """A string field, written also when it is empty, as the server does."""
    return bytes_field(number, text.encode())


def bytes_field(number: int, payload: bytes) -> bytes:
    return WireField(number, _LENGTH, payload).encode()


def number_field(number: int, value: int) -> bytes:
    """A varint field: bool, int32 or int64, not negative."""
    return WireField(number, _VARINT, encode_varint(value)).encode()


def length_prefixed(payload: bytes) -> bytes:
    return encode_varint(len(payload)) + payload


def encode_varint(value: int) -> bytes:
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def _read_varint(encoded: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(encoded):
            raise ValueError("the message ends inside a number")
        byte = encoded[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError(f"the number before byte {position} is longer than ten bytes")
