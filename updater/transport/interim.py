"""Interim answers: 1xx statuses, of which any number may come before the answer itself (RFC 9110 15.2).

``http.client`` skips 100 alone and takes the others for the answer. The connection then goes back to its pool with the
real answer still on its way, and the next request, somebody else's, is given it.
"""

from __future__ import annotations

import http.client

MAX_INTERIM_ANSWERS = 64
"""Far more than any server has hints; without a bound, one could go on as long as the deadline."""

_SWITCHING_PROTOCOLS = 101


class FinalResponse(http.client.HTTPResponse):
    """An answer whose status is the final one. Raises ``http.client.HTTPException`` when none comes."""

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(MAX_INTERIM_ANSWERS):
            found: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]  # not in the stubs
            if found[1] == _SWITCHING_PROTOCOLS:
                raise http.client.HTTPException("another protocol, which nobody asked for")
            if found[1] >= 200:
                return found
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException(f"more than {MAX_INTERIM_ANSWERS} interim answers")
