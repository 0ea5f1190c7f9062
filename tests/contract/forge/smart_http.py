"""A real repository beside a fake API, on one address: ``git http-backend`` for everything that is none of the API."""

from __future__ import annotations

import base64
import os
import subprocess
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

from tests.contract.forge.fakes.world import TOKEN, USER


class SmartHttp:
    """Serves the repositories below ``root`` to who shows the token as a password."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.requests = 0

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        self.requests += 1
        body = _body(handler)
        pairs = (base64.b64encode(f"{user}:{TOKEN}".encode()).decode() for user in (USER, "x-access-token"))
        if handler.headers.get("Authorization") not in (*(f"Basic {pair}" for pair in pairs), f"Bearer {TOKEN}"):
            _answer(handler, 401, {"WWW-Authenticate": 'Basic realm="git"'}, b"")
            return
        done = subprocess.run(
            ["git", "http-backend"], check=True, input=body, env=self._environment(handler), capture_output=True
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(headers.pop("Status", "200").split()[0])
        _answer(handler, status, headers, content)

    def _environment(self, handler: BaseHTTPRequestHandler) -> dict[str, str]:
        parts = urlsplit(handler.path)
        return {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "GIT_PROJECT_ROOT": str(self._root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": handler.command,
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": handler.headers.get("Git-Protocol", ""),
            "REMOTE_USER": USER,
        }


def _body(handler: BaseHTTPRequestHandler) -> bytes:
    if handler.headers.get("Transfer-Encoding", "").lower() != "chunked":
        return handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
    parts = []
    while size := int(handler.rfile.readline().split(b";")[0], 16):
        parts.append(handler.rfile.read(size))
        handler.rfile.readline()
    handler.rfile.readline()
    return b"".join(parts)


def _answer(handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], content: bytes) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)
    handler.wfile.flush()
