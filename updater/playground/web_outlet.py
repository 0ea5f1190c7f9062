"""The HTTP side of one answer: status line, headers, and a body in chunks or of known length."""

from __future__ import annotations

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler

from updater.playground.web_reply import Headers

# From here on a copy of the data costs more than two further writes.
_LARGE_BYTES = 1 << 20


class HttpOutlet:
    """Writes one answer to a connection, in chunks when its length is not known."""

    def __init__(self, connection: BaseHTTPRequestHandler) -> None:
        self._connection = connection
        self._is_chunked = False

    def start(self, status: int, headers: Headers, *, length: int | None) -> None:
        to = self._connection
        self._is_chunked = length is None and to.request_version != "HTTP/1.0"
        to.send_response_only(status, _phrase(status))
        for name, value in headers:
            to.send_header(name, value)
        to.send_header("Date", to.date_time_string())
        if length is not None:
            to.send_header("Content-Length", str(length))
        elif self._is_chunked:
            to.send_header("Transfer-Encoding", "chunked")
        else:
            to.send_header("Connection", "close")
        to.end_headers()

    def chunk(self, data: bytes) -> None:
        write = self._connection.wfile.write
        if not self._is_chunked:
            write(data)
        elif len(data) < _LARGE_BYTES:
            write(b"%x\r\n%b\r\n" % (len(data), data))
        else:
            write(b"%x\r\n" % len(data))
            write(data)
            write(b"\r\n")

    def end(self) -> None:
        if self._is_chunked:
            self._connection.wfile.write(b"0\r\n\r\n")


def _phrase(status: int) -> str:
    """The reason phrase; statuses of single vendors (464, 520 to 530) have none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
