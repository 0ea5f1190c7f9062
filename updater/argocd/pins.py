"""The one native channel of a connection: made when it is needed, made anew when what it trusts has changed.

A channel keeps what it was made with. With verification these are our files, without it the certificate that the server
showed. A server that was away, and may come back with another certificate, makes calls fail before they are sent; then
the next call looks afresh. Channels that are left behind close when the last of their calls has ended: a Watch may live
on where the server still ends its old connections in peace.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc

from updater.argocd.failures import CallFailure, GrpcWebError, transport_failure
from updater.argocd.trusts import FETCH_TIMEOUT_S, ChannelTrust
from updater.clock import Clock, Deadline
from updater.errors import ConfigurationError
from updater.ports.log import EventLog
from updater.transport.errors import TransportError

LEAST_GAP_S = 2.0
"""Between two looks: a server that is away is not asked by every call of a busy fleet."""

_UNSENT_MARKS = ("failed to connect to all addresses", "errors resolving", "dns resolution failed")
"""How the library's texts begin for calls that no connection could be made for."""

Look = Callable[[], ChannelTrust]
"""Raises ``TransportError`` or ``ConfigurationError``."""

Make = Callable[[ChannelTrust], grpc.Channel]


@dataclass(frozen=True, slots=True)
class PinHabit:
    """``event`` is the warning that tells of another trust. ``server`` is for texts.

    ``replaces_same``: a look that finds the same has seen the server, so a channel that pauses between attempts to
    connect is replaced too.
    """

    server: str
    event: str
    replaces_same: bool = False


def was_never_sent(error: grpc.RpcError) -> bool:
    """Whether a call failed for want of a connection, so that the server knows nothing of it."""
    code = error.code() if hasattr(error, "code") else None
    said = str(error.details() or "").lower() if hasattr(error, "details") else ""
    return code is grpc.StatusCode.UNAVAILABLE and said.startswith(_UNSENT_MARKS)


@dataclass(eq=False, slots=True)
class PinnedChannel:
    """One channel and what it was made with; ``users`` are calls that have not ended."""

    channel: grpc.Channel
    trust: ChannelTrust
    users: int = 0
    is_retired: bool = False


@dataclass(slots=True)
class _LatestLook:
    """One at a time, in a thread of its own."""

    is_running: bool = False
    ended_s: float | None = None
    failure: TransportError | ConfigurationError | None = field(default=None)


class PinnedChannels:
    """Owns the channels, and looks in a thread of its own.

    Thread-safe; nothing is asked of a server, and no channel closed, while the lock is held.
    """

    def __init__(self, look: Look, make: Make, habit: PinHabit, clock: Clock, log: EventLog) -> None:
        self._look = look
        self._make = make
        self._habit = habit
        self._clock = clock
        self._log = log
        self._changed = threading.Condition()
        # All below belongs to the condition's lock.
        self._current: PinnedChannel | None = None
        self._is_suspect = False
        self._latest = _LatestLook()
        self._all: set[PinnedChannel] = set()
        self._is_closed = False

    def take(self, timeout_s: float | None) -> PinnedChannel:
        """The channel to call on, to be given back when the call has ended.

        Raises ``grpc.RpcError`` when there is none yet and the server does not show its certificate, when time was up,
        or after ``close``.
        """
        patience = Deadline.after(self._clock, FETCH_TIMEOUT_S * 2 if timeout_s is None else timeout_s)
        with self._changed:
            while not self._is_settled():
                if not self._latest.is_running:
                    self._start_looking()
                if not self._changed.wait_for(self._is_settled, patience.remaining_s()):
                    raise _failed(grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline passed before the handshake")
            if self._is_closed:
                raise _closed()
            if self._current is None:
                raise self._no_certificate()
            self._current.users += 1
            return self._current

    def give_back(self, used: PinnedChannel) -> None:
        """The call has ended."""
        with self._changed:
            used.users -= 1
        self._close_unused()

    @contextmanager
    def calling(self) -> Iterator[None]:
        """For the time of a ``with`` block in which a call begins: ``close`` may come between ``take`` and it.

        The library has ``ValueError`` for that, which callers would take for a bug; it becomes what every call meets
        that was cut off.
        """
        try:
            yield
        except ValueError as error:
            if not self._is_closed:
                raise
            raise _closed() from error

    def suspect(self, used: PinnedChannel) -> None:
        """No connection could be made with what this channel trusts: the next call looks first."""
        with self._changed:
            if used is self._current:
                self._is_suspect = True

    def close(self) -> None:
        """Cancel what runs and close all channels. Idempotent."""
        with self._changed:
            self._is_closed = True
            closing, self._all = self._all, set()
            self._current = None
            self._changed.notify_all()
        for each in closing:
            each.channel.close()

    def _is_settled(self) -> bool:
        """Whether a call can go on: with a good channel, or without one because a look was taken a moment ago."""
        if self._is_closed or (self._current is not None and not self._is_suspect):
            return True
        look = self._latest
        return (
            not look.is_running and look.ended_s is not None and self._clock.monotonic_s() - look.ended_s < LEAST_GAP_S
        )

    def _start_looking(self) -> None:
        self._latest.is_running = True
        threading.Thread(target=self._look_once, name="argocd-certificate", daemon=True).start()

    def _look_once(self) -> None:
        """The one catching place of this thread."""
        fresh: PinnedChannel | None = None
        failure: TransportError | ConfigurationError | None = None
        try:
            trust = self._look()
            if self._is_news(trust):
                fresh = PinnedChannel(self._make(trust), trust)
        except (TransportError, ConfigurationError) as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - a bug met here must not leave the callers waiting
            self._log.error("bug_found", exception=error, error=str(error))
            failure = ConfigurationError(f"internal error: {type(error).__name__}", where=self._habit.server)
        self._take_over(fresh, failure)

    def _take_over(self, fresh: PinnedChannel | None, failure: TransportError | ConfigurationError | None) -> None:
        with self._changed:
            before = self._current
            self._latest = _LatestLook(ended_s=self._clock.monotonic_s(), failure=failure)
            self._is_suspect = self._is_suspect and failure is not None
            if fresh is not None:
                self._all.add(fresh)
                self._replace(fresh)
            self._changed.notify_all()
        if fresh is not None and before is not None and before.trust != fresh.trust:
            self._log.warning(self._habit.event, server=self._habit.server)
        self._close_unused()

    def _is_news(self, trust: ChannelTrust) -> bool:
        with self._changed:
            return self._habit.replaces_same or self._current is None or self._current.trust != trust

    def _replace(self, fresh: PinnedChannel) -> None:
        """Caller holds the lock."""
        if self._is_closed:
            fresh.is_retired = True
            return
        if self._current is not None:
            self._current.is_retired = True
        self._current = fresh

    def _close_unused(self) -> None:
        with self._changed:
            unused = [each for each in tuple(self._all) if each.is_retired and not each.users]
            self._all.difference_update(unused)
        for each in unused:
            each.channel.close()

    def _no_certificate(self) -> GrpcWebError:
        failure = self._latest.failure
        if isinstance(failure, TransportError):
            return GrpcWebError(transport_failure(failure, is_tls=True))
        text = str(failure) if failure is not None else "the server has shown no certificate"
        return _failed(grpc.StatusCode.UNAVAILABLE, text)


def _closed() -> GrpcWebError:
    return _failed(grpc.StatusCode.CANCELLED, "the channel is closed")


def _failed(code: grpc.StatusCode, text: str) -> GrpcWebError:
    return GrpcWebError(CallFailure(code, text))
