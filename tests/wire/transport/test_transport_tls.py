"""TLS against real handshakes: whom we trust, who we are, and what is said when that fails."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from raw_peers import RawServer, always, ok, read_request

from updater.clock import Deadline
from updater.errors import ConfigurationError
from updater.transport.errors import TransportError, TransportFailure
from updater.transport.http import HttpRequest, HttpTransport, TlsOptions

pytestmark = pytest.mark.wire

Make = Callable[..., HttpTransport]
Within = Callable[[float], Deadline]


class Pki:
    """A throw-away authority, with files for what it signs."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.folder = folder
        self.ca_file = self._write("ca.pem", self.authority.cert_pem.bytes())

    def _write(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    def server_context(self, *names: str, expired: bool = False) -> ssl.SSLContext:
        end = datetime(2020, 1, 1, tzinfo=UTC) if expired else None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.authority.issue_cert(*(names or ("127.0.0.1", "localhost")), not_after=end).configure_cert(context)
        return context

    def client_files(self) -> tuple[str, str]:
        issued = self.authority.issue_cert("client@example.com")
        chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
        return self._write("client.pem", chain), self._write("client.key", issued.private_key_pem.bytes())


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki(tmp_path)


def fetch(transport: HttpTransport, url: str, deadline: Deadline) -> bytes:
    with transport.open(HttpRequest("GET", url), deadline) as exchange:
        return exchange.read(cap_bytes=100)


def test_a_ca_file_is_trusted(pki: Pki, make: Make, within: Within) -> None:
    with RawServer(always(ok(b"hello")), tls=pki.server_context()) as server:
        transport = make(tls=TlsOptions(ca_file=pki.ca_file))
        assert fetch(transport, server.url, within(10)) == b"hello"
        assert fetch(transport, server.url.replace("127.0.0.1", "localhost"), within(10)) == b"hello"


def self_signed(folder: Path) -> ssl.SSLContext:
    """What argocd-server makes for itself (argocd-api.md 6.3): self-signed and no authority; also in ``own.pem``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Argo CD")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "own.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "own.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "own.pem", folder / "own.key")
    return context


def test_a_self_signed_certificate_is_refused_until_it_is_the_ca_file(
    tmp_path: Path, make: Make, within: Within
) -> None:
    with RawServer(always(ok(b"hello")), tls=self_signed(tmp_path)) as server:
        with pytest.raises(TransportError, match="self-signed certificate") as caught:
            fetch(make(), server.url, within(10))
        assert caught.value.kind is TransportFailure.TLS
        assert fetch(make(tls=TlsOptions(ca_file=str(tmp_path / "own.pem"))), server.url, within(10)) == b"hello"


def test_a_server_certificate_alone_is_enough_as_ca_file(pki: Pki, make: Make, within: Within) -> None:
    with RawServer(always(ok(b"hello")), tls=pki.server_context()) as server:
        presented = pki.folder / "presented.pem"
        presented.write_text(ssl.get_server_certificate(("127.0.0.1", server.port)))
        assert fetch(make(tls=TlsOptions(ca_file=str(presented))), server.url, within(10)) == b"hello"


def test_a_renewed_ca_file_is_read_and_a_broken_one_keeps_what_held(pki: Pki, make: Make, within: Within) -> None:
    ca_file = Path(pki.ca_file)
    good = ca_file.read_bytes()
    other = trustme.CA().cert_pem.bytes()
    transport = make(tls=TlsOptions(ca_file=pki.ca_file))
    with RawServer(always(ok(b"hello")), tls=pki.server_context()) as server:
        assert fetch(transport, server.url, within(10)) == b"hello"
        ca_file.write_bytes(b"half a file")
        assert fetch(transport, server.url, within(10)) == b"hello"
        ca_file.write_bytes(other)
        with pytest.raises(TransportError) as caught:
            fetch(transport, server.url, within(10))
        assert caught.value.kind is TransportFailure.TLS
        ca_file.write_bytes(good)
        assert fetch(transport, server.url, within(10)) == b"hello"
        ca_file.unlink()
        assert fetch(transport, server.url, within(10)) == b"hello"


UNTRUSTED = {
    "another authority": ((), False, "unable to get local issuer certificate"),
    "expired": ((), True, "certificate has expired"),
    "another host name": (("argocd.example.com",), False, "not valid for '127.0.0.1'"),
}


@pytest.mark.parametrize(("names", "expired", "text"), UNTRUSTED.values(), ids=UNTRUSTED)
def test_a_certificate_that_proves_nothing_is_refused_and_the_reason_said(
    names: tuple[str, ...], *, expired: bool, text: str, pki: Pki, make: Make, within: Within
) -> None:
    trusted = "" if text.startswith("unable") else pki.ca_file
    with RawServer(always(ok(b"x")), tls=pki.server_context(*names, expired=expired)) as server:
        with pytest.raises(TransportError) as caught:
            fetch(make(tls=TlsOptions(ca_file=trusted)), server.url, within(10))
        assert caught.value.kind is TransportFailure.TLS
        assert text in caught.value.text
        assert server.requests == []


@pytest.mark.parametrize(("names", "expired"), [((), False), ((), True), (("other.example.com",), False)])
def test_insecure_accepts_any_certificate(
    names: tuple[str, ...], *, expired: bool, pki: Pki, make: Make, within: Within
) -> None:
    with RawServer(always(ok(b"hello")), tls=pki.server_context(*names, expired=expired)) as server:
        assert fetch(make(tls=TlsOptions(insecure=True)), server.url, within(10)) == b"hello"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_missing_client_certificate_is_named_and_a_given_one_works(
    version: ssl.TLSVersion, pki: Pki, make: Make, within: Within
) -> None:
    context = pki.server_context()
    context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    pki.authority.configure_trust(context)
    certificate, key = pki.client_files()
    with RawServer(always(ok(b"hello")), tls=context) as server:
        with pytest.raises(TransportError) as caught:
            fetch(make(tls=TlsOptions(ca_file=pki.ca_file)), server.url, within(10))
        assert caught.value.kind is TransportFailure.TLS
        tls = TlsOptions(ca_file=pki.ca_file, client_cert=certificate, client_key=key)
        assert fetch(make(tls=tls), server.url, within(10)) == b"hello"


def test_tls_to_a_plain_port_is_a_tls_failure(make: Make, within: Within) -> None:
    def serve(connection: socket.socket, server: RawServer) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    with RawServer(serve) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(TransportError) as caught:
            fetch(make(), url, within(10))
    assert caught.value.kind is TransportFailure.TLS


def test_http_1_1_alone_is_offered(pki: Pki, make: Make, within: Within) -> None:
    """argocd-server closes HTTP/2 connections that carry gRPC-Web (argocd-api.md 4.1)."""
    context = pki.server_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    seen: list[str | None] = []

    def serve(connection: socket.socket, server: RawServer) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        seen.append(connection.selected_alpn_protocol())
        always(ok(b"x"))(connection, server)

    with RawServer(serve, tls=context) as server:
        fetch(make(tls=TlsOptions(ca_file=pki.ca_file)), server.url, within(10))
    assert seen == ["http/1.1"]


def test_a_kept_alive_tls_connection_is_reused_and_replaced_when_it_dies(pki: Pki, make: Make, within: Within) -> None:
    def serve(connection: socket.socket, server: RawServer) -> None:
        for _ in range(2):
            server.note(read_request(connection))
            connection.sendall(ok(b"hello"))
        server.note(read_request(connection))

    with RawServer(serve, tls=pki.server_context()) as server:
        transport = make(tls=TlsOptions(ca_file=pki.ca_file))
        for _ in range(4):
            assert fetch(transport, server.url, within(10)) == b"hello"
        assert (server.accepted, len(server.requests)) == (2, 5)


def test_a_fresh_tls_connection_that_dies_is_not_repeated(pki: Pki, make: Make, within: Within) -> None:
    def serve(connection: socket.socket, server: RawServer) -> None:
        server.note(read_request(connection))

    with RawServer(serve, tls=pki.server_context()) as server:
        with pytest.raises(TransportError) as caught:
            fetch(make(tls=TlsOptions(ca_file=pki.ca_file)), server.url, within(10))
        assert caught.value.kind is TransportFailure.RESET
        assert len(server.requests) == 1


def test_a_deadline_interrupts_a_body_under_tls(pki: Pki, make: Make, within: Within) -> None:
    def serve(connection: socket.socket, server: RawServer) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n")
        while not server.stopped.wait(0.02):
            connection.sendall(b"x")

    with RawServer(serve, tls=pki.server_context()) as server, pytest.raises(TransportError) as caught:
        fetch(make(tls=TlsOptions(ca_file=pki.ca_file)), server.url, within(0.3))
    assert caught.value.kind is TransportFailure.TIMEOUT


BAD_PEM = {
    "missing": None,
    "empty": b"",
    "no PEM": b"hello",
    "a broken body": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
}


@pytest.mark.parametrize("content", BAD_PEM.values(), ids=BAD_PEM)
@pytest.mark.parametrize("role", ["ca_file", "client_cert"])
def test_an_unusable_pem_file_is_a_configuration_error_that_names_it(
    role: str, content: bytes | None, pki: Pki, make: Make, within: Within
) -> None:
    path = pki.folder / "bad.pem"
    if content is not None:
        path.write_bytes(content)
    other = {"client_key": pki.client_files()[1]} if role == "client_cert" else {}
    tls = TlsOptions(**{role: str(path)}, **other)
    with pytest.raises(ConfigurationError) as caught:
        fetch(make(tls=tls), "https://127.0.0.1:1/", within(5))
    assert caught.value.code == "tls_invalid"
    assert str(path) in str(caught.value)
    assert "PEM" in caught.value.hint
    assert "\n" not in str(caught.value)


def test_a_key_with_a_passphrase_is_refused_without_asking_for_it(pki: Pki, make: Make, within: Within) -> None:
    certificate, key = pki.client_files()
    loaded = serialization.load_pem_private_key(Path(key).read_bytes(), None)
    Path(key).write_bytes(
        loaded.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(ConfigurationError, match="without a passphrase"):
        fetch(make(tls=TlsOptions(client_cert=certificate, client_key=key)), "https://127.0.0.1:1/", within(5))


def test_half_a_client_certificate_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="both its certificate and its key"):
        TlsOptions(client_cert="client.pem")


def test_a_handshake_nobody_answers_ends_with_the_limit_for_connecting(make: Make, within: Within) -> None:
    def hold(connection: socket.socket, server: RawServer) -> None:
        server.stopped.wait()

    with RawServer(hold) as server:
        with pytest.raises(TransportError) as caught:
            fetch(make(connect_timeout_s=0.2), f"https://127.0.0.1:{server.port}/", within(30))
        assert caught.value.kind is TransportFailure.CONNECT
        assert server.accepted == 1
