"""Creation times as integers: nanoseconds since the epoch, because ``datetime`` stops at microseconds.

Format: RFC 3339 with an optional fraction, as the OCI image-spec wants it (``registries.md`` 3.7).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

_RFC_3339 = re.compile(
    r"(?P<whole>\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d+))?(?P<zone>[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_created_ns(value: object) -> int | None:
    """The moment of an RFC 3339 text; None for anything else, absent and empty included."""
    match = _RFC_3339.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    zone = match["zone"].upper().replace("Z", "+00:00")
    try:
        since = datetime.fromisoformat(match["whole"].upper() + zone) - _EPOCH
    except (ValueError, OverflowError):
        # The 30th of February has the right shape too.
        return None
    fraction = (match["fraction"] or "")[:9].ljust(9, "0")
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + int(fraction)
