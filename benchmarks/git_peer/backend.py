"""Git's own HTTP backend behind a small server that counts every byte of requests and answers, heads included."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, BinaryIO

HOST = "127.0.0.1"
_HEADS = {
    "CONTENT_TYPE": "Content-Type",
    "CONTENT_LENGTH": "Content-Length",
    "GIT_PROTOCOL": "Git-Protocol",
    "HTTP_CONTENT_ENCODING": "Content-Encoding",
}
_STATUS = b"Status:"


@dataclass(slots=True)
class Traffic:
    """Bytes that came in and went out; thread-safe."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    received: int = 0
    sent: int = 0

    def add(self, *, received: int = 0, sent: int = 0) -> None:
        with self.lock:
            self.received += received
            self.sent += sent

    def take(self) -> int:
        """The sum since the last time."""
        with self.lock:
            total, self.received, self.sent = self.received + self.sent, 0, 0
        return total


@contextmanager
def serving(root: Path) -> Iterator[tuple[str, Traffic]]:
    """The address of every repository below ``root``, whoever asks, and what goes over the wire."""
    traffic = Traffic()
    handler = type("Handler", (_Handler,), {"root": root, "traffic": traffic})
    with ThreadingHTTPServer((HOST, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, name="git-backend")
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_address[1]}", traffic
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    root: Path
    traffic: Traffic

    def _answer(self) -> None:
        self.traffic.add(received=len(self.raw_requestline) + len(str(self.headers)))
        command = ("git", "http-backend")
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self._environment()) as git:
            if git.stdin is None or git.stdout is None:
                raise RuntimeError("the backend was started without pipes")
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.traffic.add(received=len(body))
            git.stdin.write(body)
            git.stdin.close()
            self._relay(git.stdout)

    do_GET = do_POST = _answer  # noqa: N815 - names of http.server

    def _relay(self, stream: IO[bytes]) -> None:
        heads = list(iter(stream.readline, b"\r\n"))
        status = next((head.removeprefix(_STATUS).strip() for head in heads if head.startswith(_STATUS)), b"200 OK")
        tally = _Tally(self.wfile, self.traffic)
        tally.write(b"HTTP/1.0 %s\r\n%s\r\n" % (status, b"".join(heads)))
        shutil.copyfileobj(stream, tally)

    def _environment(self) -> dict[str, str]:
        path, _, query = self.path.partition("?")
        heads = {name: self.headers[head] for name, head in _HEADS.items() if head in self.headers}
        return {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "yes",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REMOTE_USER": "bench",
            **heads,
        }

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - name of http.server
        """Quiet."""


@dataclass(frozen=True, slots=True)
class _Tally:
    """Writes, and counts what it wrote."""

    stream: BinaryIO
    traffic: Traffic

    def write(self, content: bytes) -> int:
        self.traffic.add(sent=len(content))
        return self.stream.write(content)
