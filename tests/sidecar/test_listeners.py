"""Listeners against clients that are slow, silent, too many or malformed, and at their end."""

from __future__ import annotations

import http.client
import itertools
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.addresses import Address
from sidecar.connections import Limits
from sidecar.server import Listener, ListenerOptions, server_tls
from tests.sidecar.conftest import StartListener, echo, read_all, say
from tests.sidecar.recording import RecordingLog
from updater.clock import Deadline, SystemClock
from updater.errors import ConfigurationError
from updater.ports.log import NullLog

pytestmark = pytest.mark.wire
CLOCK = SystemClock()


@contextmanager
def client(listener: Listener) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection("127.0.0.1", listener.address.port, timeout=10)) as connection:
        yield connection


def get(listener: Listener, path: str = "/path") -> tuple[int, bytes]:
    with client(listener) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()


class Gate:
    """An application whose requests wait until they are let through."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.opened = threading.Event()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        self.entered.release()
        self.opened.wait(10)
        return echo(environ, start_response)


def test_a_connection_serves_several_requests_until_one_has_a_body(listen: StartListener) -> None:
    with client(listen()) as connection:
        for path in ("/one", "/two"):
            connection.request("GET", path)
            answer = connection.getresponse()
            assert (answer.read(), answer.getheader("Connection")) == (path.encode(), None)
        connection.request("POST", "/", body=b"three")
        answer = connection.getresponse()
        assert (answer.read(), answer.getheader("Connection")) == (b"three", "close")


def test_the_answer_names_no_library(listen: StartListener) -> None:
    answer = say(listen(), b"GET / HTTP/1.0\r\n\r\n")
    assert b"\r\nServer: argocd-image-updater\r\n" in answer


def test_silent_clients_take_no_worker(listen: StartListener) -> None:
    listener = listen(limits=Limits(workers=1))
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(closing(socket.create_connection(("127.0.0.1", listener.address.port), timeout=10)))
        assert get(listener) == (200, b"/path")


def test_silence_ends_a_connection(listen: StartListener) -> None:
    listener = listen(limits=Limits(workers=1, idle_timeout_s=1))
    with closing(socket.create_connection(("127.0.0.1", listener.address.port), timeout=10)) as peer:
        assert read_all(peer) == b""


def test_a_client_that_sends_byte_by_byte_is_ended(listen: StartListener) -> None:
    listener = listen(limits=Limits(workers=1, request_timeout_s=0.3))
    ended = time.monotonic() + 10
    with closing(socket.create_connection(("127.0.0.1", listener.address.port), timeout=0.02)) as peer:
        peer.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        is_open = True
        while is_open and time.monotonic() < ended:
            try:
                peer.sendall(b"a")
                is_open = bool(peer.recv(1))
            except TimeoutError:
                continue
            except OSError:
                is_open = False
    assert not is_open
    assert get(listener) == (200, b"/path")


def test_a_client_that_does_not_read_is_ended(listen: StartListener) -> None:
    def endless(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/endless":
            return echo(environ, start_response)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return itertools.repeat(b"a" * 65_536)

    listener = listen(endless, limits=Limits(workers=1, request_timeout_s=0.3))
    with closing(socket.create_connection(("127.0.0.1", listener.address.port), timeout=10)) as peer:
        peer.sendall(b"GET /endless HTTP/1.0\r\n\r\n")
        assert get(listener) == (200, b"/path")


WITHOUT_DESCRIPTORS = """
import os, resource, socket, sys
from http.client import HTTPConnection
from sidecar.addresses import Address
from sidecar.connections import Limits
from sidecar.server import Listener, ListenerOptions
from tests.sidecar.conftest import echo
from tests.sidecar.recording import RecordingLog
from updater.clock import Deadline, SystemClock

log, clock, died = RecordingLog(), SystemClock(), []
listener = Listener(Address("127.0.0.1", 0), echo, ListenerOptions("test", limits=Limits(workers=1)), clock, log)
listener.bind()
listener.start(died.append)
place = ("127.0.0.1", listener.address.port)

def ask():
    connection = HTTPConnection(*place, timeout=20)
    connection.request("GET", "/path")
    body = connection.getresponse().read()
    connection.close()
    return body

assert ask() == b"/path"
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
peers = [socket.socket() for _ in range(4)]
resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 1, most))
for peer in peers:
    peer.connect(place)
deadline = Deadline.after(clock, 20)
while "http_accept_failed" not in log.events("warning"):
    assert not deadline.has_passed
    clock.wait_s(0.02)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
assert ask() == b"/path"
listener.stop(Deadline.after(clock, 5))
print(died, log.events("error"), log.events("warning"))
"""


def test_a_lack_of_file_descriptors_is_waited_out() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_DESCRIPTORS], capture_output=True, text=True, timeout=50, check=False
    )
    assert (done.returncode, done.stdout) == (0, "[] [] ['http_accept_failed']\n"), done.stderr


def test_the_longest_silence_makes_room_for_whoever_asks(listen: StartListener, log: RecordingLog) -> None:
    listener = listen(limits=Limits(workers=1, max_connections=2))
    with ExitStack() as stack:
        address = ("127.0.0.1", listener.address.port)
        peers = [stack.enter_context(closing(socket.create_connection(address, timeout=10))) for _ in range(6)]
        assert [read_all(peer) for peer in peers[:4]] == [b""] * 4
        assert get(listener) == (200, b"/path")
        peers[5].sendall(b"GET /late HTTP/1.0\r\n\r\n")
        assert read_all(peers[5]).endswith(b"\r\n\r\n/late")
    assert log.events("warning") == ["http_server_busy"]


def test_a_full_queue_turns_clients_away(listen: StartListener, log: RecordingLog) -> None:
    gate = Gate()
    listener = listen(gate, limits=Limits(workers=1, max_connections=1))
    answers: list[bytes] = []
    request = b"GET / HTTP/1.0\r\n\r\n"
    with ExitStack() as stack:
        stack.callback(gate.opened.set)
        address = ("127.0.0.1", listener.address.port)
        first = stack.enter_context(closing(socket.create_connection(address, timeout=10)))
        first.sendall(request)
        assert gate.entered.acquire(timeout=10)
        ended = time.monotonic() + 10
        while "http_server_busy" not in log.events() and time.monotonic() < ended:
            peer = stack.enter_context(closing(socket.create_connection(address, timeout=10)))
            peer.sendall(request)
        gate.opened.set()
        answers.append(read_all(first))
    assert "http_server_busy" in log.events("warning")
    assert answers[0].startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        pytest.param(b"GET /" + b"a" * 5_000 + b" HTTP/1.1\r\n\r\n", b"414", id="long request line"),
        pytest.param(b"GET / HTTP/1.1\r\nX: " + b"a" * 5_000 + b"\r\n\r\n", b"413", id="long head"),
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: 2000\r\n\r\n", b"413", id="long body"),
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"400", id="length is no number"),
        pytest.param(b"nonsense\r\n\r\n", b"400", id="no request"),
        pytest.param(b"GET / HTTP/9.9\r\n\r\n", b"505", id="unknown version"),
        pytest.param(b"GET http://evil/ HTTP/1.1\r\n\r\n", b"400", id="proxy request"),
        pytest.param(b"get / HTTP/1.1\r\n\r\n", b"400", id="method in lower case"),
    ],
)
def test_malformed_and_oversized_requests_are_refused(listen: StartListener, raw: bytes, status: bytes) -> None:
    listener = listen(limits=Limits(workers=1, max_head_bytes=4_000, max_body_bytes=1_000))
    assert say(listener, raw).split()[1] == status
    assert get(listener) == (200, b"/path")


@pytest.fixture(scope="module")
def lasting() -> Iterator[Listener]:
    """One listener for many examples."""
    options = ListenerOptions("test", limits=Limits(workers=2, idle_timeout_s=10, request_timeout_s=10.0))
    listener = Listener(Address("127.0.0.1", 0), echo, options, CLOCK, NullLog())
    listener.bind()
    listener.start()
    yield listener
    listener.stop(Deadline.after(CLOCK, 5))


REQUESTS = st.one_of(
    st.binary(max_size=300),
    st.builds(
        lambda method, path, heads, body: (
            b" ".join((method, b"/" + path, b"HTTP/1.1\r\n")) + heads + b"\r\n\r\n" + body
        ),
        st.sampled_from([b"GET", b"POST", b"HEAD", b"OPTIONS", b"CONNECT"]),
        st.binary(max_size=20),
        st.sampled_from(
            [b"", b"Content-Length: -1", b"Content-Length: 3\r\nContent-Length: 9", b"Transfer-Encoding: chunked"]
        ),
        st.binary(max_size=40),
    ),
)


@settings(max_examples=60)
@given(raw=REQUESTS)
def test_no_bytes_keep_the_next_client_from_an_answer(lasting: Listener, raw: bytes) -> None:
    with closing(socket.create_connection(("127.0.0.1", lasting.address.port), timeout=10)) as peer:
        peer.sendall(raw)
        peer.shutdown(socket.SHUT_WR)
        read_all(peer)
    assert get(lasting) == (200, b"/path")


def test_headers_with_underscores_are_dropped(listen: StartListener) -> None:
    seen: list[dict[str, object]] = []

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        seen.append(dict(environ))
        return echo(environ, start_response)

    say(listen(application), b"GET / HTTP/1.0\r\nX_Forwarded_User: root\r\nX-Kept: yes\r\n\r\n")
    assert "HTTP_X_FORWARDED_USER" not in seen[0]
    assert seen[0]["HTTP_X_KEPT"] == "yes"


def test_an_error_of_the_application_is_logged_and_ends_no_worker(listen: StartListener, log: RecordingLog) -> None:
    def broken(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        raise RuntimeError(environ["PATH_INFO"])

    listener = listen(broken, limits=Limits(workers=1))
    assert [get(listener)[0] for _ in range(3)] == [500] * 3
    assert log.events("error") == ["bug_found"] * 3


def test_a_listener_that_dies_tells_its_owner_once(listen: StartListener, log: RecordingLog) -> None:
    died = threading.Event()
    names: list[str] = []
    listener = listen(on_death=lambda name: (names.append(name), died.set()))
    get(listener)
    # What the system does when it takes the socket away: accepting is an error from now on.
    with closing(socket.socket(fileno=os.dup(listener.fileno()))) as same:
        same.shutdown(socket.SHUT_RDWR)
    assert died.wait(10)
    assert names == ["test"]
    assert log.events("error") == ["listener_died"]
    assert listener.stop(Deadline.after(CLOCK, 5))


def test_stop_lets_a_running_request_end_and_frees_the_port(listen: StartListener) -> None:
    gate, died = Gate(), threading.Event()
    listener = listen(gate, on_death=lambda _name: died.set())
    answers: list[tuple[int, bytes]] = []
    asking = threading.Thread(target=lambda: answers.append(get(listener)))
    asking.start()
    assert gate.entered.acquire(timeout=10)
    stopping = threading.Thread(target=lambda: listener.stop(Deadline.after(CLOCK, 10)))
    port = listener.address.port
    stopping.start()
    gate.opened.set()
    stopping.join(10)
    asking.join(10)
    assert answers == [(200, b"/path")]
    assert not died.is_set()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_stop_gives_up_a_request_that_hangs(listen: StartListener, log: RecordingLog) -> None:
    gate = Gate()
    listener = listen(gate, limits=Limits(workers=1))
    with closing(socket.create_connection(("127.0.0.1", listener.address.port), timeout=10)) as peer:
        peer.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert gate.entered.acquire(timeout=10)
        assert not listener.stop(Deadline.after(CLOCK, 0.05))
        gate.opened.set()
    assert "http_requests_abandoned" in log.events("warning")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def pair(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(folder / "tls.crt")
    certificate.private_key_pem.write_to_path(folder / "tls.key")
    return folder / "tls.crt", folder / "tls.key"


def trusting(authority: trustme.CA, *, most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.maximum_version = most
    authority.configure_trust(context)
    return context


def test_tls_is_served_while_another_client_stalls_its_handshake(
    listen: StartListener, authority: trustme.CA, pair: tuple[Path, Path]
) -> None:
    listener = listen(tls=server_tls(str(pair[0]), str(pair[1])), limits=Limits(workers=2))
    with closing(socket.create_connection(("127.0.0.1", listener.address.port), timeout=10)) as stalled:
        stalled.sendall(b"\x16\x03")
        secure = http.client.HTTPSConnection(
            "127.0.0.1", listener.address.port, context=trusting(authority), timeout=10
        )
        with closing(secure):
            for path in ("/one", "/two"):
                secure.request("GET", path)
                assert secure.getresponse().read() == path.encode()


def test_clients_that_vanish_before_they_are_accepted_end_no_listener(
    log: RecordingLog, authority: trustme.CA, pair: tuple[Path, Path]
) -> None:
    """Python refuses to wrap a socket that is gone and left data behind; accepting must go on."""
    died: list[str] = []
    options = ListenerOptions("test", tls=server_tls(str(pair[0]), str(pair[1])))
    listener = Listener(Address("127.0.0.1", 0), echo, options, CLOCK, log)
    listener.bind()
    for data in (b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"):
        peer = socket.create_connection(("127.0.0.1", listener.address.port), timeout=10)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.sendall(data)
        peer.close()
    listener.start(died.append)
    secure = http.client.HTTPSConnection("127.0.0.1", listener.address.port, context=trusting(authority), timeout=10)
    try:
        secure.request("GET", "/path")
        assert secure.getresponse().read() == b"/path"
    finally:
        secure.close()
        assert listener.stop(Deadline.after(CLOCK, 5))
    assert (died, log.events("error")) == ([], [])


def test_older_tls_and_plain_text_are_refused_quietly(
    listen: StartListener, log: RecordingLog, authority: trustme.CA, pair: tuple[Path, Path]
) -> None:
    listener = listen(tls=server_tls(str(pair[0]), str(pair[1])))
    old = trusting(authority, most=ssl.TLSVersion.TLSv1_2)
    peer = socket.create_connection(("127.0.0.1", listener.address.port), timeout=10)
    with closing(peer), pytest.raises(ssl.SSLError):
        old.wrap_socket(peer, server_hostname="127.0.0.1")
    say(listener, b"GET / HTTP/1.1\r\n\r\n")
    assert log.events("info", "warning", "error") == []


def test_files_that_are_no_pair_are_tls_invalid(pair: tuple[Path, Path], tmp_path: Path) -> None:
    secret = serialization.load_pem_private_key(pair[1].read_bytes(), None)
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        secret.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        )
    )
    for certificate, key in ((pair[0], pair[0]), (tmp_path / "none", pair[1]), (pair[0], locked)):
        with pytest.raises(ConfigurationError, match="cannot be used") as caught:
            server_tls(str(certificate), str(key))
        assert caught.value.code == "tls_invalid"
