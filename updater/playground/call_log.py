"""What was asked of the server, in the order of arrival."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from google.protobuf.message import Message

# Values of these never enter the log: a failing test prints what it compares.
_SECRET_NAMES = frozenset({"token", "authorization", "cookie", "grpcgateway-cookie"})


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


class CallLog:
    """A growing list with its own lock."""

    def __init__(self) -> None:
        self._grown = threading.Condition()
        self._records: list[CallRecord] = []

    def add(self, path: str, request: Message, metadata: Iterable[tuple[str, str | bytes]], transport: str) -> None:
        shown = {name: "<secret>" if name in _SECRET_NAMES else _text(value) for name, value in metadata}
        with self._grown:
            self._records.append(CallRecord(path, request, MappingProxyType(shown), transport))
            self._grown.notify_all()

    def snapshot(self) -> tuple[CallRecord, ...]:
        with self._grown:
            return tuple(self._records)

    def wait_for(self, path: str, count: int, timeout_s: float) -> bool:
        """Wait until a method has been asked for at least ``count`` times; False when that did not happen."""
        with self._grown:
            return self._grown.wait_for(lambda: sum(each.path == path for each in self._records) >= count, timeout_s)

    def clear(self) -> None:
        with self._grown:
            self._records.clear()


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.hex()
