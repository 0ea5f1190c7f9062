"""Our client against an independent implementation: the distribution project's registry as Debian packages it.

The server runs as a process on loopback with a throw-away folder. Version 2.8.2 ignores ``n`` and answers with the
whole list, in no order.
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
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from updater.clock import Deadline, SystemClock
from updater.errors import RegistryAuthError, RepositoryUnknown
from updater.model.references import ImageRepository
from updater.registry.client import RegistryClient
from updater.registry.credential_sources import parse_credential_source
from updater.registry.credentials import CredentialReader
from updater.registry.endpoints import Endpoint, EndpointTable
from updater.registry.options import RegistryOptions

pytestmark = [pytest.mark.wire, pytest.mark.e2e]

BINARY = shutil.which("docker-registry") or ""
USER, PASSWORD = "ann", "s3cret"
PASSWORD_HASH = "$2y$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK"
"""bcrypt of the password at cost 5: the server checks it on every request."""
CONFIG = """
version: 0.1
log: {{level: info, formatter: json}}
storage:
  filesystem: {{rootdirectory: {folder}/data}}
http: {{addr: "127.0.0.1:0"}}
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

    def push(self, repository: str, tag: str) -> None:
        """A single image."""
        manifest = self._image(repository, "amd64")
        self._put_manifest(repository, tag, MANIFEST_TYPE, manifest)

    def push_index(self, repository: str, tag: str) -> None:
        """An image for two platforms."""
        children = []
        for architecture in ("amd64", "arm64"):
            manifest = self._image(repository, architecture)
            self._put_manifest(repository, digest_of(manifest), MANIFEST_TYPE, manifest)
            platform = {"os": "linux", "architecture": architecture}
            children.append({"mediaType": MANIFEST_TYPE, **descriptor(manifest), "platform": platform})
        index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": children}
        self._put_manifest(repository, tag, INDEX_TYPE, json.dumps(index).encode())

    def _image(self, repository: str, architecture: str) -> bytes:
        config = json.dumps({"os": "linux", "architecture": architecture, "rootfs": {"type": "layers"}}).encode()
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


Start = Callable[..., DebianRegistry]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    if not BINARY:
        reason = "the Debian package docker-registry is not installed"
        if os.environ.get("UPDATER_REQUIRE_REAL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    running: list[subprocess.Popen[str]] = []

    def run(*, login: str = "") -> DebianRegistry:
        auth = ""
        if login:
            (tmp_path / "htpasswd").write_text(f"{USER}:{PASSWORD_HASH}\n", encoding="ascii")
            auth = f"auth: {{htpasswd: {{realm: debian, path: {tmp_path}/htpasswd}}}}"
        config = tmp_path / "config.yml"
        config.write_text(CONFIG.format(folder=tmp_path, auth=auth), encoding="ascii")
        process = subprocess.Popen(
            [BINARY, "serve", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        running.append(process)
        return DebianRegistry(f"http://{_listening_address(process)}", login)

    yield run
    for process in running:
        process.kill()
        process.communicate(timeout=10)


def _listening_address(process: subprocess.Popen[str]) -> str:
    """The address out of the server's own log; the end of the log means that it did not start."""
    lines = []
    assert process.stderr is not None
    for line in process.stderr:
        lines.append(line)
        if found := re.search(r"listening on (127\.0\.0\.1:\d+)", line):
            return found[1]
    raise AssertionError("".join(lines))


def list_tags(registry: DebianRegistry, name: str, *, login: str = "", page_size: int = 1000) -> tuple[str, ...]:
    source = parse_credential_source("env:LOGIN") if login else None
    endpoint = Endpoint(name="debian", prefix="deb.test", api_url=registry.address, credentials=source)
    clock = SystemClock()
    reader, options = CredentialReader({"LOGIN": login}), RegistryOptions(page_size=page_size)
    client = RegistryClient(EndpointTable([endpoint]), reader, clock, options=options)
    try:
        return client.fetch_tags(ImageRepository("deb.test", name), Deadline.after(clock, 30)).tags
    finally:
        client.close()


def test_tags_of_images_and_indexes_are_listed(start: Start) -> None:
    registry = start()
    registry.push("team/app", "1.0.0")
    registry.push("team/app", "1.1.0")
    registry.push_index("team/app", "2.0.0")
    assert sorted(list_tags(registry, "team/app")) == ["1.0.0", "1.1.0", "2.0.0"]


def test_a_registry_that_ignores_page_sizes_is_listed_completely(start: Start) -> None:
    registry = start()
    for tag in ("1", "2", "3"):
        registry.push("app", tag)
    assert sorted(list_tags(registry, "app", page_size=2)) == ["1", "2", "3"]


def test_a_repository_that_is_missing_is_unknown(start: Start) -> None:
    with pytest.raises(RepositoryUnknown, match="NAME_UNKNOWN"):
        list_tags(start(), "team/none")


def test_basic_authentication_lets_us_in(start: Start) -> None:
    registry = start(login=f"{USER}:{PASSWORD}")
    registry.push("team/app", "1.0.0")
    assert list_tags(registry, "team/app", login=f"{USER}:{PASSWORD}") == ("1.0.0",)
    with pytest.raises(RegistryAuthError, match="rejected"):
        list_tags(registry, "team/app", login=f"{USER}:wrong")
    with pytest.raises(RegistryAuthError, match="configure credentials"):
        list_tags(registry, "team/app")
