"""The distribution project's registry as Debian packages it, as a process on loopback with a throw-away folder.

Version 2.8.2 ignores ``n`` and answers with the whole list, in no order. Several servers may share one folder, so a
test pushes through a plain one and reads through another.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

BINARY = shutil.which("docker-registry") or ""
USER, PASSWORD = "ann", "s3cret"
PASSWORD_HASH = "$2y$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK"
"""bcrypt of the password at cost 5: the server checks it on every request."""
CREATED = "2026-01-01T00:00:00Z"
CONFIG = """
version: 0.1
log: {{level: info, formatter: json}}
storage:
  filesystem: {{rootdirectory: {folder}/data}}
http: {{addr: "127.0.0.1:0"{tls}}}
{auth}
"""
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"


@dataclass
class DebianRegistry:
    """A running server; ``login`` is sent by its own push requests."""

    address: str
    login: str = ""
    headers: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        basic = base64.b64encode(self.login.encode()).decode()
        self.headers = {"Authorization": f"Basic {basic}"} if self.login else {}

    def push(self, repository: str, tag: str) -> str:
        """A single image; returns its digest."""
        manifest = self._image(repository, "amd64")
        self._put_manifest(repository, tag, MANIFEST_TYPE, manifest)
        return digest_of(manifest)

    def push_index(self, repository: str, tag: str) -> str:
        """An image for two platforms; returns the digest of its index."""
        children = []
        for architecture in ("amd64", "arm64"):
            manifest = self._image(repository, architecture)
            self._put_manifest(repository, digest_of(manifest), MANIFEST_TYPE, manifest)
            platform = {"os": "linux", "architecture": architecture}
            children.append({"mediaType": MANIFEST_TYPE, **descriptor(manifest), "platform": platform})
        index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": children}
        body = json.dumps(index).encode()
        self._put_manifest(repository, tag, INDEX_TYPE, body)
        return digest_of(body)

    def _image(self, repository: str, architecture: str) -> bytes:
        fields = {"os": "linux", "architecture": architecture, "rootfs": {"type": "layers"}, "created": CREATED}
        labels = {"org.opencontainers.image.revision": f"cafe-{architecture}"}
        config = json.dumps({**fields, "config": {"Labels": labels}}).encode()
        layer = f"layer for {architecture}".encode()
        for blob in (config, layer):
            location = self._send("POST", f"/v2/{repository}/blobs/uploads/", b"", 202)
            target = urlsplit(location)
            query = f"{target.query}&digest={digest_of(blob)}"
            self._send("PUT", f"{target.path}?{query}", blob, 201, "application/octet-stream")
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **descriptor(config)},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", **descriptor(layer)}],
        }
        return json.dumps(manifest).encode()

    def _put_manifest(self, repository: str, reference: str, media_type: str, manifest: bytes) -> None:
        self._send("PUT", f"/v2/{repository}/manifests/{reference}", manifest, 201, media_type)

    def _send(self, method: str, target: str, body: bytes, status: int, content_type: str = "") -> str:
        """Send one request; returns the Location of the answer."""
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=10)
        try:
            headers = {**self.headers, **({"Content-Type": content_type} if content_type else {})}
            connection.request(method, target, body=body, headers=headers)
            response = connection.getresponse()
            assert response.status == status, response.read()
            return response.headers.get("Location", "")
        finally:
            connection.close()


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def descriptor(content: bytes) -> dict[str, str | int]:
    return {"digest": digest_of(content), "size": len(content)}


@contextmanager
def debian_registries(folder: Path) -> Iterator[Start]:
    """Starts servers over one folder and ends them; skips the test where the package is missing.

    ``start(login=..., tls=(certificate, key), auth=...)``: ``auth`` is that part of the server's configuration.
    """
    if not BINARY:
        reason = "the Debian package docker-registry is not installed"
        if os.environ.get("UPDATER_REQUIRE_REAL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    running: list[subprocess.Popen[str]] = []

    def run(*, login: str = "", tls: tuple[Path, Path] | None = None, auth: str = "") -> DebianRegistry:
        if login:
            (folder / "htpasswd").write_text(f"{USER}:{PASSWORD_HASH}\n", encoding="ascii")
            auth = f"auth: {{htpasswd: {{realm: debian, path: {folder}/htpasswd}}}}"
        files = f", tls: {{certificate: {tls[0]}, key: {tls[1]}}}" if tls else ""
        config = folder / f"config{len(running)}.yml"
        config.write_text(CONFIG.format(folder=folder, auth=auth, tls=files), encoding="ascii")
        process = subprocess.Popen(
            [BINARY, "serve", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        running.append(process)
        return DebianRegistry(f"{'https' if tls else 'http'}://{_listening_address(process)}", login)

    try:
        yield run
    finally:
        for process in running:
            process.kill()
            process.communicate(timeout=10)


Start = Callable[..., DebianRegistry]


def _listening_address(process: subprocess.Popen[str]) -> str:
    """The address out of the server's own log; the end of the log means that it did not start."""
    lines = []
    assert process.stderr is not None
    for line in process.stderr:
        lines.append(line)
        if found := re.search(r"listening on (127\.0\.0\.1:\d+)", line):
            return found[1]
    raise AssertionError("".join(lines))
