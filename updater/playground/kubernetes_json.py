"""Messages as the JSON that Kubernetes would show, and back.

Zero values of fields that cannot be absent are left out (Go's ``omitempty``); nullable fields are shown whenever
they are set, sub-messages always. What our messages do not declare travels along under one reserved name, next to
the declared fields of the same object, so that it moves, stays or goes with that object.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from updater.playground.presence import declared_fields, is_nullable
from updater.playground.wire_fields import join_fields, split_fields

UNDECLARED = "\0undeclared"

M = TypeVar("M", bound=Message)
Json = dict[str, Any]


class UndeclaredName(Exception):
    """A patch speaks of a field that our protocol files do not declare; dropping it in silence would mislead."""


def to_json(message: Message) -> Json:
    """The JSON object of a message."""
    result: Json = {}
    fields = declared_fields(message)
    for field in fields:
        value = getattr(message, field.name)
        if field.is_repeated:
            if value:
                result[field.name] = _list_or_map(field, value)
        elif field.message_type is not None:
            if message.HasField(field.name):
                result[field.name] = _moment(value) if field.message_type.name == "Time" else to_json(value)
        elif value or (is_nullable(field) and message.HasField(field.name)):
            result[field.name] = value
    numbers = {each.number for each in fields}
    rest = join_fields(each for each in split_fields(message.SerializeToString()) if each.number not in numbers)
    if rest:
        result[UNDECLARED] = base64.b64encode(rest).decode()
    return result


def from_json(kind: type[M], document: Json) -> M:
    """The message of a JSON object; ``UndeclaredName`` for a name that is not declared,
    ``TypeError`` for a value of the wrong type.
    """
    message = kind.FromString(base64.b64decode(document.get(UNDECLARED, "")))
    fields = {field.name: field for field in declared_fields(message)}
    for name, value in document.items():
        if name == UNDECLARED:
            continue
        if name not in fields:
            raise UndeclaredName(f"{kind.DESCRIPTOR.name}.{name}")
        _set(message, fields[name], value)
    return message


def _set(message: Message, field: FieldDescriptor, value: Any) -> None:
    target = getattr(message, field.name)
    if field.message_type is None:
        if field.is_repeated:
            target.extend(value)
        else:
            setattr(message, field.name, value)
    elif field.message_type.GetOptions().map_entry:
        target.update(value)
    elif field.is_repeated:
        for each in value:
            entry = target.add()
            entry.CopyFrom(from_json(type(entry), each))
    elif field.message_type.name == "Time":
        target.seconds = int(datetime.fromisoformat(value).timestamp())
    else:
        target.CopyFrom(from_json(type(target), value))
        target.SetInParent()


def _list_or_map(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is None:
        return list(value)
    if field.message_type.GetOptions().map_entry:
        return dict(value)
    return [to_json(each) for each in value]


def _moment(value: Any) -> str:
    return datetime.fromtimestamp(value.seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
