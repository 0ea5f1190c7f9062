"""The process's own streams, made safe to write to before anything else opens a file.

A closed descriptor would be handed to the next file or connection that is opened, and what we print would go there.
"""

from __future__ import annotations

import io
import os
import sys
from types import TracebackType
from typing import Any, Self, TextIO


class ResultLost(OSError):
    """Standard output cannot be written to: it was closed, its reader has gone, its disk is full."""


class _Guarded(io.TextIOBase):
    """Standard output whose failures are told from those of every other file."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except (OSError, ValueError) as error:
            raise _lost(error) from error

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            raise _lost(error) from error

    @property
    def encoding(self) -> str:  # type: ignore[override] # the base class has none
        return self._stream.encoding

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Streams:
    """Owns the standard streams between enter and exit."""

    def __enter__(self) -> Self:
        self._before = sys.stdout
        for descriptor in (0, 1, 2):
            _occupy(descriptor)
        # Only what was closed from the start has no stream of its own.
        output: TextIO = sys.stdout if sys.stdout is not None else open(1, "w", encoding="utf-8", closefd=False)
        if sys.stderr is None:
            sys.stderr = open(2, "w", encoding="utf-8", closefd=False)
        if isinstance(output, io.TextIOWrapper):
            # Names from outside may hold what a terminal's encoding does not.
            output.reconfigure(errors="backslashreplace")
        sys.stdout = _Guarded(output)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.stdout = self._before


def abandon_output() -> None:
    """Let what is left in the buffer go nowhere, so that the end of the process does not fail on it again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _occupy(descriptor: int) -> None:
    """Put something behind a closed descriptor; what is behind a closed standard output refuses every write."""
    try:
        os.fstat(descriptor)
    except OSError:
        found = os.open(os.devnull, os.O_WRONLY if descriptor == 2 else os.O_RDONLY)
        if found != descriptor:
            os.dup2(found, descriptor)
            os.close(found)


def _lost(error: Exception) -> ResultLost:
    reason = error.strerror if isinstance(error, OSError) else "it is closed"
    return ResultLost(f"standard output cannot be written: {reason}")
