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
        moment = _moment(exchange.headers.get("date", ""))
    between = before + (clock.now() - before) / 2
    # A date has whole seconds, cut off.
    return moment + _HALF_A_SECOND - between if moment is not None else None


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
