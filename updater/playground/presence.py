"""The server's way of writing messages: every field that cannot be absent is written, also when it is empty.

Source: ``argocd-api.md`` 2.2 (conventions) and the *nullable* columns of 2.3 to 2.5, for the declared fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

# Fields the server keeps as pointers: absent and zero differ, so absence is preserved.
NULLABLE: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "ObjectMeta": frozenset({"deletionTimestamp"}),
        "OwnerReference": frozenset({"controller"}),
        "ApplicationSpec": frozenset({"source", "syncPolicy", "revisionHistoryLimit", "sourceHydrator"}),
        "ApplicationSource": frozenset({"helm", "kustomize", "plugin"}),
        "DrySource": frozenset({"helm", "kustomize", "plugin"}),
        "SyncPolicy": frozenset({"automated"}),
        "SyncPolicyAutomated": frozenset({"prune", "selfHeal", "allowEmpty", "enabled"}),
    }
)


def is_nullable(field: FieldDescriptor) -> bool:
    """Whether the server tells an absent field from a zero one."""
    owner = field.containing_type
    return owner is not None and field.name in NULLABLE.get(owner.name, frozenset())


def declared_fields(message: Message) -> Sequence[FieldDescriptor]:
    """The fields our protocol files declare for this message, in the order of the file."""
    # The stubs mix the two spellings of one class, the pure one and that of the C extension.
    return cast("Sequence[FieldDescriptor]", message.DESCRIPTOR.fields)


def fill_as_server(message: Message) -> None:
    """Set every declared field that the server never leaves out, at every depth; undeclared fields stay."""
    for field in declared_fields(message):
        if field.is_repeated:
            if field.message_type is not None and not field.message_type.GetOptions().map_entry:
                for each in getattr(message, field.name):
                    fill_as_server(each)
        elif field.has_presence and (message.HasField(field.name) or not is_nullable(field)):
            _fill_field(message, field)


def _fill_field(message: Message, field: FieldDescriptor) -> None:
    if field.message_type is None:
        setattr(message, field.name, getattr(message, field.name))
        return
    child = getattr(message, field.name)
    child.SetInParent()
    fill_as_server(child)
