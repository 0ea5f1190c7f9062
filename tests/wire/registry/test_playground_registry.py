"""The simulator itself, spoken to with the standard library's HTTP client."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import ssl
import threading

import pytest
import trustme

from updater.playground.registry import LinkForm, Pagination, PlaygroundRegistry
from updater.playground.registry_http import HttpAnswer, HttpAsked, LoopbackServer

pytestmark = pytest.mark.wire


def ask(
    registry: PlaygroundRegistry,
    target: str,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection(registry.host, timeout=10)
    try:
        connection.request(method, target, body=body or None, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def test_pages_are_linked_until_the_last() -> None:
    with PlaygroundRegistry() as registry:
        for tag in ("1.0", "1.1", "1.2"):
            registry.push("team/app", tag)
        _, headers, body = ask(registry, "/v2/team/app/tags/list?n=2")
        assert json.loads(body) == {"name": "team/app", "tags": ["1.0", "1.1"]}
        assert headers["Link"] == '</v2/team/app/tags/list?n=2&last=1.1>; rel="next"'
        _, headers, body = ask(registry, "/v2/team/app/tags/list?n=2&last=1.1")
        assert json.loads(body)["tags"] == ["1.2"]
        assert headers["Link"] is None


def test_a_page_limit_can_hide_the_rest() -> None:
    with PlaygroundRegistry() as registry:
        registry.push("app", "1")
        registry.push("app", "2")
        registry.pagination = Pagination(limit=1, link=LinkForm.MISSING)
        _, headers, body = ask(registry, "/v2/app/tags/list?n=100")
        assert json.loads(body)["tags"] == ["1"]
        assert headers["Link"] is None


def test_a_connection_serves_many_requests() -> None:
    with PlaygroundRegistry() as registry:
        connection = http.client.HTTPConnection(registry.host, timeout=10)
        for _ in range(3):
            connection.request("GET", "/v2/")
            assert connection.getresponse().read() == b"{}"
        local = connection.sock.getsockname()
        connection.request("GET", "/v2/")
        connection.getresponse().read()
        assert connection.sock.getsockname() == local
        connection.close()
        assert [asked.path for asked in registry.requests] == ["/v2/"] * 4


def test_a_pushed_image_is_reachable_by_tag_and_digest() -> None:
    with PlaygroundRegistry() as registry:
        digest = registry.push("app", "1")
        status, headers, body = ask(registry, "/v2/app/manifests/1")
        assert (status, headers["Docker-Content-Digest"]) == (200, digest)
        assert digest == f"sha256:{hashlib.sha256(body).hexdigest()}"
        assert ask(registry, f"/v2/app/manifests/{digest}")[2] == body
        config = json.loads(body)["config"]["digest"]
        assert json.loads(ask(registry, f"/v2/app/blobs/{config}")[2])["os"] == "linux"
        assert ask(registry, "/v2/app/manifests/1", method="HEAD")[2] == b""


def test_pushing_again_moves_the_tag_and_deleting_removes_it() -> None:
    with PlaygroundRegistry() as registry:
        assert registry.push("app", "1") != registry.push("app", "1")
        registry.delete_tag("app", "1")
        assert json.loads(ask(registry, "/v2/app/tags/list")[2])["tags"] == []


@pytest.mark.parametrize("chunked", [False, True], ids=["content-length", "chunked"])
def test_an_image_can_be_pushed_over_http(*, chunked: bool) -> None:
    blob = b'{"architecture":"amd64","os":"linux"}'
    digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
    with PlaygroundRegistry() as registry:
        _, headers, _ = ask(registry, "/v2/app/blobs/uploads/", method="POST")
        connection = http.client.HTTPConnection(registry.host, timeout=10)
        target = f"{headers['Location']}?digest={digest}"
        body = iter([blob[:5], blob[5:]]) if chunked else blob
        connection.request("PUT", target, body=body, encode_chunked=chunked)
        assert connection.getresponse().status == 201
        connection.close()
        status, _, _ = ask(registry, "/v2/app/manifests/1", method="PUT", body=b'{"schemaVersion":2}')
        assert status == 201
        assert json.loads(ask(registry, "/v2/app/tags/list")[2])["tags"] == ["1"]
        assert ask(registry, f"/v2/app/blobs/{digest}")[2] == blob


def test_an_upload_with_a_wrong_digest_is_refused() -> None:
    with PlaygroundRegistry() as registry:
        assert ask(registry, "/v2/app/blobs/uploads/1?digest=sha256:0", method="PUT", body=b"x")[0] == 400


def test_basic_lets_only_the_user_in() -> None:
    with PlaygroundRegistry() as registry:
        registry.push("app", "1")
        registry.require_basic("ann", "s3cret")
        status, headers, _ = ask(registry, "/v2/app/tags/list")
        assert (status, headers["WWW-Authenticate"]) == (401, 'Basic realm="playground"')
        good = {"Authorization": "Basic " + base64.b64encode(b"ann:s3cret").decode()}
        assert ask(registry, "/v2/app/tags/list", headers=good)[0] == 200
        assert [asked.has_authorization for asked in registry.requests] == [False, True]


def test_a_token_opens_only_what_it_was_asked_for() -> None:
    with PlaygroundRegistry() as registry:
        registry.push("app", "1")
        registry.push("other", "1")
        registry.require_bearer()
        _, _, body = ask(registry, "/token?service=playground&scope=repository:app:pull")
        bearer = {"Authorization": f"Bearer {json.loads(body)['token']}"}
        assert ask(registry, "/v2/app/tags/list", headers=bearer)[0] == 200
        assert ask(registry, "/v2/other/tags/list", headers=bearer)[0] == 401
        registry.expire_tokens()
        assert ask(registry, "/v2/app/tags/list", headers=bearer)[0] == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"grant_type=password&username=ann&password=s3cret&scope=repository:app:pull", 200),
        (b"grant_type=password&username=ann&password=wrong", 401),
    ],
    ids=["right", "wrong"],
)
def test_the_token_endpoint_takes_the_password_grant(body: bytes, status: int) -> None:
    with PlaygroundRegistry() as registry:
        registry.require_bearer("ann", "s3cret")
        assert ask(registry, "/token", method="POST", body=body)[0] == status


def test_a_fault_happens_as_often_as_asked() -> None:
    with PlaygroundRegistry() as registry:
        registry.faults.status(503, {"Retry-After": "7"}, times=1)
        status, headers, _ = ask(registry, "/v2/")
        assert (status, headers["Retry-After"]) == (503, "7")
        assert ask(registry, "/v2/")[0] == 200


def test_a_reset_is_seen_as_one() -> None:
    with PlaygroundRegistry() as registry:
        registry.faults.reset()
        with pytest.raises(ConnectionResetError):
            ask(registry, "/v2/")


def test_a_truncated_body_ends_early() -> None:
    with PlaygroundRegistry() as registry:
        registry.push("app", "1")
        registry.faults.truncate_body()
        with pytest.raises(http.client.IncompleteRead):
            ask(registry, "/v2/app/tags/list")


def test_silence_ends_when_the_faults_are_cleared() -> None:
    with PlaygroundRegistry() as registry:
        registry.faults.never_answer()
        threading.Timer(0.05, registry.faults.clear).start()
        with pytest.raises(http.client.RemoteDisconnected):
            ask(registry, "/v2/")


def test_closing_ends_idle_connections_and_every_thread() -> None:
    before = set(threading.enumerate())
    registry = PlaygroundRegistry()
    connection = http.client.HTTPConnection(registry.host, timeout=10)
    connection.request("GET", "/v2/")
    connection.getresponse().read()
    registry.close()
    assert set(threading.enumerate()) <= before
    connection.close()


class Broken:
    def answer(self, asked: HttpAsked) -> HttpAnswer:
        raise LookupError(asked.target)


def test_a_bug_of_the_simulator_is_raised_when_it_closes() -> None:
    server = LoopbackServer(Broken(), None, name="broken")
    connection = http.client.HTTPConnection(server.address.partition("//")[2], timeout=10)
    connection.request("GET", "/here")
    with pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()
    connection.close()
    with pytest.raises(LookupError, match="/here"):
        server.close()


def test_it_speaks_tls() -> None:
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    with PlaygroundRegistry(server) as registry:
        connection = http.client.HTTPSConnection(registry.host, timeout=10, context=client)
        connection.request("GET", "/v2/")
        assert connection.getresponse().read() == b"{}"
        connection.close()
