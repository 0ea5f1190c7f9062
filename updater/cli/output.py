"""The process's own streams, made safe to write to before anything else opens a file.

A closed descriptor would be handed to the next file or connection that is opened, and what we print would go there.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from types import TracebackType
from typing import Any, Self, TextIO

BROKEN_PIPE_STATUS = 128 + signal.SIGPIPE
"""What shells show of every program in front of ``head``; git and kubectl end with it, and as silently."""


class ResultLost(OSError):
    """Standard output cannot be written to: it was closed, its reader has gone, its disk is full."""

    def __init__(self, reason: str, *, is_reader_gone: bool = False) -> None:
        super().__init__(f"standard output cannot be written: {reason}")
        self.is_reader_gone = is_reader_gone


class _Guarded(io.TextIOBase):
    """Standard output whose failures are told from those of every other file.

    A failure is raised to whoever writes, and not once more at the end of the process: that somebody who can do
    without, such as the log, met it must not fail a command whose result is none of the output.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lost: ResultLost | None = None

    @property
    def is_lost(self) -> bool:
        """Whether nothing more can be written."""
        return self._lost is not None

    def write(self, text: str) -> int:
        if self._lost is not None:
            raise self._lost
        try:
            return self._stream.write(text)
        except (OSError, ValueError) as error:
            raise self._lose(error) from error

    def flush(self) -> None:
        if self._lost is not None:
            return
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            raise self._lose(error) from error

    def _lose(self, error: Exception) -> ResultLost:
        reason = error.strerror if isinstance(error, OSError) else None
        self._lost = ResultLost(reason or "it is closed", is_reader_gone=isinstance(error, BrokenPipeError))
        return self._lost

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
        self._output = _Guarded(output)
        sys.stdout = self._output
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._output.is_lost:
            _abandon(1)
        if _is_stuck(sys.stderr):
            _abandon(2)
        sys.stdout = self._before


def say_lost(error: ResultLost) -> int:
    """The exit status of a command whose result is lost; only a reader who has seen enough is not worth a word."""
    if error.is_reader_gone:
        return BROKEN_PIPE_STATUS
    print(f"Error: {error}", file=sys.stderr)  # noqa: T201 - this is the program's voice
    return 1


def _is_stuck(stream: TextIO | None) -> bool:
    """Whether something is left in the buffer of a stream that cannot be written."""
    try:
        if stream is not None:
            stream.flush()
    except (OSError, ValueError):
        return True
    return False


def _abandon(descriptor: int) -> None:
    """Let what is left in the buffer go nowhere: the end of the process would fail on it again, with status 120."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
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
