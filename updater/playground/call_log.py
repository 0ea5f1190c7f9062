"""What was asked of the servers, in the order of arrival."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

from google.protobuf.message import Message

# Values of these never enter a log: a failing test prints what it compares.
_SECRET_NAMES = frozenset({"token", "authorization", "cookie", "grpcgateway-cookie"})

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call that was decoded, also when it was refused afterwards. ``request`` keeps presence as it arrived.

    ``metadata`` has every name that came, in lower case; values of secret ones are replaced. ``transport`` is
    ``grpc-web`` or ``grpc``.
    """

    path: str
    request: Message
    metadata: Mapping[str, str]
    transport: str

    @property
    def method(self) -> str:
        """The last part of the path: ``UpdateSpec``."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One HTTP request that was read whole, whatever became of it; headers as in ``CallRecord.metadata``."""

    verb: str
    path: str
    headers: Mapping[str, str]


class Log(Generic[Entry]):
    """A growing list with its own lock."""

    def __init__(self) -> None:
        self._grown = threading.Condition()
        self._entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        with self._grown:
            self._entries.append(entry)
            self._grown.notify_all()

    def snapshot(self) -> tuple[Entry, ...]:
        with self._grown:
            return tuple(self._entries)

    def wait_for(self, matches: Callable[[Entry], bool], count: int, timeout_s: float) -> bool:
        """Wait until at least ``count`` entries match; False when that did not happen in time."""
        with self._grown:
            return self._grown.wait_for(lambda: sum(map(matches, self._entries)) >= count, timeout_s)

    def clear(self) -> None:
        with self._grown:
            self._entries.clear()


def shown(pairs: Iterable[tuple[str, str | bytes]]) -> Mapping[str, str]:
    """Metadata or headers as a log may keep them; of a repeated name the last value, bytes as hexadecimal text."""
    return MappingProxyType({name.lower(): _shown_value(name.lower(), value) for name, value in pairs})


def _shown_value(name: str, value: str | bytes) -> str:
    if name in _SECRET_NAMES:
        return "<secret>"
    return value if isinstance(value, str) else value.hex()
