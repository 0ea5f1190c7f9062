"""Through a real HTTP proxy: forwarding for http, CONNECT for https, and what is said when the proxy refuses."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from raw_peers import RawServer, always, answers, ok, proxy

from updater.clock import Deadline
from updater.transport.errors import TransportError, TransportFailure
from updater.transport.http import HttpRequest, HttpTransport, ProxyOptions, TlsOptions

pytestmark = pytest.mark.wire

Make = Callable[..., HttpTransport]
Within = Callable[[float], Deadline]


def fetch(transport: HttpTransport, url: str, deadline: Deadline) -> bytes:
    with transport.open(HttpRequest("POST", url, headers={"X-Own": "1"}, body=b"question"), deadline) as exchange:
        return exchange.read(cap_bytes=100)


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, TlsOptions]:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return context, TlsOptions(ca_file=str(tmp_path / "ca.pem"))


def test_plain_http_is_forwarded_with_an_absolute_address(make: Make, within: Within) -> None:
    with RawServer(always(ok(b"answer"))) as origin, RawServer(proxy) as between:
        transport = make(proxies=ProxyOptions(http=f"http://127.0.0.1:{between.port}"))
        assert fetch(transport, f"{origin.url}path", within(10)) == b"answer"
        assert between.requests[0].startswith(f"POST {origin.url}path HTTP/1.1\r\n".encode())
        assert origin.requests[0].startswith(b"POST /path HTTP/1.1\r\n")
        assert origin.requests[0].endswith(b"question")


def test_https_goes_through_a_tunnel_that_shows_the_proxy_nothing_but_the_host(
    tls: tuple[ssl.SSLContext, TlsOptions], make: Make, within: Within
) -> None:
    context, trust = tls
    with RawServer(always(ok(b"answer")), tls=context) as origin, RawServer(proxy) as between:
        transport = make(tls=trust, proxies=ProxyOptions(https=f"127.0.0.1:{between.port}"))
        assert fetch(transport, origin.url, within(10)) == b"answer"
        assert between.requests[0].startswith(f"CONNECT 127.0.0.1:{origin.port} ".encode())
        assert b"X-Own" not in between.requests[0]
        assert origin.accepted == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_credentials_of_the_proxy_go_to_the_proxy_alone(
    scheme: str, tls: tuple[ssl.SSLContext, TlsOptions], make: Make, within: Within
) -> None:
    context, trust = tls
    expected = b"Proxy-Authorization: Basic " + base64.b64encode(b"ann:s3cret")
    with (
        RawServer(always(ok(b"answer")), tls=context if scheme == "https" else None) as origin,
        RawServer(proxy) as between,
    ):
        address = f"http://ann:s3cret@127.0.0.1:{between.port}"
        transport = make(tls=trust, proxies=ProxyOptions(http=address, https=address))
        assert fetch(transport, origin.url, within(10)) == b"answer"
        assert expected in between.requests[0]
        if scheme == "https":
            assert expected not in origin.requests[0]


def test_no_proxy_goes_straight_to_the_host(make: Make, within: Within) -> None:
    with RawServer(always(ok(b"answer"))) as origin, RawServer(proxy) as between:
        options = ProxyOptions(http=f"http://127.0.0.1:{between.port}", no_proxy=("127.0.0.1",))
        assert fetch(make(proxies=options), origin.url, within(10)) == b"answer"
        assert between.accepted == 0


def test_the_environment_is_not_read(monkeypatch: pytest.MonkeyPatch, make: Make, within: Within) -> None:
    with RawServer(always(ok(b"answer"))) as origin, RawServer(proxy) as between:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{between.port}")
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{between.port}")
        assert fetch(make(), origin.url, within(10)) == b"answer"
        assert between.accepted == 0


REFUSALS = {
    "wants a login": (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "407"),
    "forbids the host": (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "403"),
    "cannot reach it": (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "502"),
}


@pytest.mark.parametrize(("answer", "text"), REFUSALS.values(), ids=REFUSALS)
def test_a_tunnel_that_the_proxy_refuses_is_the_proxys_failure(
    answer: bytes, text: str, make: Make, within: Within
) -> None:
    with RawServer(answers(answer)) as between:
        options = ProxyOptions(https=f"http://ann:s3cret@127.0.0.1:{between.port}")
        with pytest.raises(TransportError) as caught:
            fetch(make(proxies=options), "https://api.test/", within(10))
    assert caught.value.kind is TransportFailure.PROXY
    assert text in caught.value.text
    assert "s3cret" not in caught.value.text


UNUSABLE = {
    "nobody listens": "http://127.0.0.1:1",
    "an unknown name": "http://proxy.invalid:3128",
    "another kind of proxy": "socks5://127.0.0.1:1080",
    "no address": "http://",
}


@pytest.mark.parametrize("address", UNUSABLE.values(), ids=UNUSABLE)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_cannot_be_used_is_named_as_the_cause(
    scheme: str, address: str, make: Make, within: Within
) -> None:
    options = ProxyOptions(http=address, https=address)
    with pytest.raises(TransportError) as caught:
        fetch(make(proxies=options), f"{scheme}://api.test/", within(10))
    assert caught.value.kind is TransportFailure.PROXY
