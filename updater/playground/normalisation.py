"""What the server makes of a spec before it stores it (``argocd-api.md`` 7.4, step 7).

An empty project becomes ``default``; a sync policy without content goes; in a single-source spec a ``helm``,
``kustomize`` or ``directory`` block that counts as empty goes. Works on the encoding, because most of what decides
about emptiness is not declared in our messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from generated.application_messages_pb2 import ApplicationSpec
from updater.playground.wire_fields import WireField, join_fields, split_fields

_SOURCE, _SYNC_POLICY = 1, 4


@dataclass(frozen=True, slots=True)
class _Block:
    """Fields of a block that are lists (any entry counts), and flags that do not count although set."""

    lists: frozenset[int] = frozenset()
    uncounted: frozenset[int] = frozenset()


# Field numbers of argocd-api.md 2.4; the uncounted flags of Kustomize are those of 7.4 ("blocks counted as empty").
_BLOCKS: Mapping[int, _Block] = MappingProxyType(
    {
        7: _Block(lists=frozenset({1, 2, 5, 13})),
        8: _Block(lists=frozenset({3, 4, 6, 11, 12, 13, 16}), uncounted=frozenset({7, 8, 10, 14, 18})),
        10: _Block(),
    }
)


def normalise_spec(spec: ApplicationSpec) -> ApplicationSpec:
    """The spec as the server stores it; the argument is not changed."""
    is_single = not spec.sources
    result = ApplicationSpec.FromString(join_fields(_kept_fields(spec.SerializeToString(), is_single=is_single)))
    if not result.project:
        result.project = "default"
    return result


def _kept_fields(encoded: bytes, *, is_single: bool) -> Iterator[WireField]:
    for each in split_fields(encoded):
        if each.number == _SYNC_POLICY and not each.payload:
            continue
        if each.number == _SOURCE and is_single:
            yield WireField(each.number, each.wire_type, _without_empty_blocks(each.payload))
        else:
            yield each


def _without_empty_blocks(source: bytes) -> bytes:
    kept = (each for each in split_fields(source) if each.number not in _BLOCKS or _has_content(each))
    return join_fields(kept)


def _has_content(block: WireField) -> bool:
    rules = _BLOCKS[block.number]
    return any(
        each.number in rules.lists or (each.number not in rules.uncounted and not each.is_zero)
        for each in split_fields(block.payload)
    )
