"""How far our clock is from a server's, by the ``Date`` of an answer (RFC 9110, 6.6.1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from updater.clock import Clock, Deadline
from updater.transport.http import HttpRequest, HttpTransport

MAX_SKEW = timedelta(seconds=60)
"""Git forges refuse signed tokens from a clock that is a minute ahead; clouds allow five."""

_HALF_A_SECOND = timedelta(seconds=0.5)


def clock_skew(transport: HttpTransport, request: HttpRequest, clock: Clock, deadline: Deadline) -> timedelta | None:
    """Server time minus ours, to about a second; None without a date. Raises ``TransportError``."""
    before = clock.now()
    with transport.open(request, deadline) as exchange:
        text = exchange.headers.get("date", "")
    return skew_of(text, before, clock.now())


def skew_of(date: str, before: datetime, after: datetime) -> timedelta | None:
    """How far the ``Date`` of an answer is ahead of the middle between request and answer; None for no date."""
    moment = _moment(date)
    # A date has whole seconds, cut off.
    return moment + _HALF_A_SECOND - (before + (after - before) / 2) if moment is not None else None


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
