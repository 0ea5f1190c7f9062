"""What requests leave in the metrics: every call as an operation (``write-back.md`` 7.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from updater.errors import ForgeError
from updater.ports.forge import NewRequest, OpenRequest, RequestForge, RequestText
from updater.writeback.git_measures import GitMeasures

_OPERATION = "pull_request"
T = TypeVar("T")


class MeasuredForge:
    """A ``RequestForge`` whose calls are measured."""

    def __init__(self, forge: RequestForge, measures: GitMeasures) -> None:
        self._forge = forge
        self._measures = measures

    def find_open(self, head: str, base: str) -> OpenRequest | None:
        return self._measured(lambda: self._forge.find_open(head, base))

    def list_open(self, base: str, prefix: str) -> tuple[OpenRequest, ...]:
        return self._measured(lambda: self._forge.list_open(base, prefix))

    def create(self, new: NewRequest) -> OpenRequest | None:
        return self._measured(lambda: self._forge.create(new))

    def update(self, request: OpenRequest, text: RequestText) -> OpenRequest:
        return self._measured(lambda: self._forge.update(request, text))

    def label(self, request: OpenRequest, labels: Sequence[str]) -> tuple[str, ...]:
        return self._measured(lambda: self._forge.label(request, labels))

    def close(self, request: OpenRequest, comment: str) -> None:
        self._measured(lambda: self._forge.close(request, comment))

    def _measured(self, call: Callable[[], T]) -> T:
        with self._measures.operation(_OPERATION) as outcome:
            try:
                return call()
            except ForgeError as error:
                if error.code == "pr_denied":
                    outcome.tell("denied")
                raise
