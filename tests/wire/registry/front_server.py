"""nginx before a registry, sending blobs elsewhere as object storage does: presigned, and refusing Authorization."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ports import free_ports
from tests.wire.registry.debian_server import PASSWORD, USER

BINARY = shutil.which("nginx") or ""
_CONFIG = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  log_format storage '$status $remote_user';
  access_log off;
  server {{
    listen 127.0.0.1:{api};
    location ~ ^/v2/(?<rest>.*/blobs/.*)$ {{
      if ($http_authorization = "") {{ return 401; }}
      return 307 http://localhost:{storage}/v2/$rest?X-Signature=secret;
    }}
    location / {{ proxy_pass {registry}; proxy_set_header Host $http_host; }}
  }}
  server {{
    listen 127.0.0.1:{storage};
    access_log {folder}/storage.log storage;
    if ($http_authorization) {{ return 400; }}
    location / {{ proxy_pass {registry}; proxy_set_header Authorization "Basic {basic}"; }}
  }}
}}
"""


@dataclass(frozen=True)
class BlobFront:
    """``address`` is where the registry seems to be."""

    address: str
    log: Path

    def storage_requests(self) -> list[str]:
        """Status and user of each request that reached the storage."""
        return self.log.read_text(encoding="ascii").splitlines()


@contextmanager
def blob_front(folder: Path, registry: str) -> Iterator[BlobFront]:
    """Runs nginx; skips the test where it is missing."""
    if not BINARY:
        reason = "the Debian package nginx is not installed"
        if os.environ.get("UPDATER_REQUIRE_REAL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    api, storage = free_ports(2)
    basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    config = folder / "nginx.conf"
    text = _CONFIG.format(folder=folder, api=api, storage=storage, registry=registry, basic=basic)
    config.write_text(text, encoding="ascii")
    process = subprocess.Popen([BINARY, "-c", str(config), "-p", str(folder)], stderr=subprocess.PIPE, text=True)
    try:
        _wait_for(api, process)
        yield BlobFront(f"http://127.0.0.1:{api}", folder / "storage.log")
    finally:
        process.terminate()
        process.communicate(timeout=10)


def _wait_for(port: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if process.poll() is not None:
                raise AssertionError(process.stderr.read() if process.stderr else "") from None
            continue
        return
    raise AssertionError("nginx does not listen")
