"""A small HTTPS server of this process whose answers a test makes up."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import trustme


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    authorization: str
    body: bytes


Answer = Callable[[Asked], tuple[int, bytes]]
"""Status and body; the body of a 302 is where it leads to."""


@dataclass(frozen=True)
class Address:
    url: str
    ca: str


@contextmanager
def serving(answer: Answer) -> Iterator[Address]:
    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            status, content = answer(Asked(self.command, self.path, self.headers.get("Authorization", ""), body))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", content.decode())
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _reply  # noqa: N815 - names of http.server

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - name of http.server
            """Quiet."""

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield Address(f"https://127.0.0.1:{server.server_address[1]}", authority.cert_pem.bytes().decode())
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
