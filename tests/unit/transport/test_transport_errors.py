"""Every exception of the libraries below has a failure that was chosen for it."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
from typing import Any

import pytest
import requests.exceptions
import urllib3.exceptions

from updater.transport.errors import TransportFailure, transport_error
from updater.transport.redaction import MAX_FOREIGN_TEXT

F = TransportFailure

OF_URLLIB3 = {
    "BodyNotHttplibCompatible": F.RESET,
    "ClosedPoolError": F.RESET,
    "ConnectTimeoutError": F.CONNECT,
    "DecodeError": F.RESET,
    "EmptyPoolError": F.RESET,
    "FullPoolError": F.RESET,
    "HTTPError": F.RESET,
    "HeaderParsingError": F.PROTOCOL,
    "HostChangedError": F.RESET,
    "IncompleteRead": F.TRUNCATED,
    "InvalidChunkLength": F.TRUNCATED,
    "InvalidHeader": F.INVALID,
    "LocationParseError": F.INVALID,
    "LocationValueError": F.INVALID,
    "MaxRetryError": F.RESET,
    "NameResolutionError": F.DNS,
    "NewConnectionError": F.CONNECT,
    "PoolError": F.RESET,
    "ProtocolError": F.RESET,
    "ProxyError": F.PROXY,
    "ProxySchemeUnknown": F.PROXY,
    "ProxySchemeUnsupported": F.PROXY,
    "ReadTimeoutError": F.TIMEOUT,
    "RequestError": F.RESET,
    "ResponseError": F.RESET,
    "ResponseNotChunked": F.RESET,
    "SSLError": F.TLS,
    "TimeoutError": F.TIMEOUT,
    "TimeoutStateError": F.RESET,
    "URLSchemeUnknown": F.INVALID,
    "UnrewindableBodyError": F.RESET,
}

OF_REQUESTS = {
    "ChunkedEncodingError": F.TRUNCATED,
    "ConnectTimeout": F.CONNECT,
    "ConnectionError": F.RESET,
    "ContentDecodingError": F.RESET,
    "HTTPError": F.RESET,
    "InvalidHeader": F.INVALID,
    "InvalidJSONError": F.RESET,
    "InvalidProxyURL": F.PROXY,
    "InvalidSchema": F.PROXY,
    "InvalidURL": F.INVALID,
    "JSONDecodeError": F.RESET,
    "MissingSchema": F.INVALID,
    "ProxyError": F.PROXY,
    "ReadTimeout": F.TIMEOUT,
    "RequestException": F.RESET,
    "RetryError": F.RESET,
    "SSLError": F.TLS,
    "StreamConsumedError": F.RESET,
    "Timeout": F.TIMEOUT,
    "TooManyRedirects": F.RESET,
    "URLRequired": F.INVALID,
    "UnrewindableBodyError": F.RESET,
}


def exceptions_of(module: Any, root: type[Exception]) -> dict[str, type[Exception]]:
    return {
        name: found
        for name, found in vars(module).items()
        if isinstance(found, type)
        and issubclass(found, root)
        and not issubclass(found, Warning)
        and (found.__module__, found.__name__) == (module.__name__, name)
    }


def blank(kind: type[BaseException]) -> BaseException:
    """An exception of a class, without the arguments that its constructor wants."""
    made = kind.__new__(kind)
    made.args = ()
    vars(made).update(partial=0, expected=1, length=b"")  # what the text of an incomplete read is made of
    return made


def test_the_tables_name_every_exception_class_of_the_libraries() -> None:
    of_urllib3 = exceptions_of(urllib3.exceptions, urllib3.exceptions.HTTPError)
    assert set(of_urllib3) == set(OF_URLLIB3) - {"ProxySchemeUnsupported"}  # a ValueError
    assert set(exceptions_of(requests.exceptions, requests.RequestException)) == set(OF_REQUESTS)


@pytest.mark.parametrize(("name", "kind"), OF_URLLIB3.items(), ids=OF_URLLIB3)
def test_an_exception_of_urllib3_has_its_failure(name: str, kind: TransportFailure) -> None:
    assert transport_error(blank(getattr(urllib3.exceptions, name))).kind is kind


@pytest.mark.parametrize(("name", "kind"), OF_REQUESTS.items(), ids=OF_REQUESTS)
def test_an_exception_of_requests_has_its_failure(name: str, kind: TransportFailure) -> None:
    assert transport_error(blank(getattr(requests.exceptions, name))).kind is kind


OF_PYTHON: dict[str, tuple[BaseException, TransportFailure]] = {
    "an unknown name": (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), F.DNS),
    "refused": (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), F.RESET),
    "reset": (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), F.RESET),
    "broken pipe": (BrokenPipeError(errno.EPIPE, "Broken pipe"), F.RESET),
    "timed out": (TimeoutError("timed out"), F.TIMEOUT),
    "a bad certificate": (ssl.SSLCertVerificationError(1, "certificate verify failed"), F.TLS),
    "the end within TLS": (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), F.TLS),
    "closed without a word": (http.client.RemoteDisconnected("closed without response"), F.RESET),
    "a bad status line": (http.client.BadStatusLine("SSH-2.0"), F.PROTOCOL),
    "a line too long": (http.client.LineTooLong("header line"), F.PROTOCOL),
    "an incomplete body": (http.client.IncompleteRead(b""), F.TRUNCATED),
    "an error of http.client": (http.client.HTTPException("got more than 100 headers"), F.PROTOCOL),
    "an error of the system": (OSError(errno.EHOSTUNREACH, "No route to host"), F.RESET),
}


@pytest.mark.parametrize(("error", "kind"), OF_PYTHON.values(), ids=OF_PYTHON)
@pytest.mark.parametrize("wrapped", [False, True])
def test_an_exception_of_python_has_its_failure_however_it_is_wrapped(
    error: BaseException, *, kind: TransportFailure, wrapped: bool
) -> None:
    if wrapped:
        error = requests.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", error))
    assert transport_error(error).kind is kind


@pytest.mark.parametrize("error", [ssl.SSLEOFError(8, "EOF"), ssl.SSLZeroReturnError(6, "closed")])
def test_the_end_of_tls_is_a_cut_connection_once_it_was_up(error: ssl.SSLError) -> None:
    assert transport_error(error, is_connected=True).kind is F.RESET
    assert transport_error(error, is_connected=True, before_answer=False).kind is F.TRUNCATED


def test_a_reset_within_an_answer_is_a_truncation() -> None:
    assert transport_error(ConnectionResetError(104, "reset"), before_answer=False).kind is F.TRUNCATED


def test_running_out_of_local_ports_is_noticed_below_every_wrapper() -> None:
    cause = OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
    outer = urllib3.exceptions.NewConnectionError(None, "no connection")  # type: ignore[arg-type]  # unused here
    outer.__cause__ = cause
    assert transport_error(requests.ConnectionError(outer)).ports_exhausted
    assert not transport_error(ConnectionResetError(104, "reset")).ports_exhausted


def test_a_chain_that_bites_its_tail_ends() -> None:
    first, second = OSError("one"), OSError("two")
    first.__cause__, second.__cause__ = second, first
    assert transport_error(first).kind is F.RESET


def test_the_detail_holds_no_url_of_a_wrapper_and_is_short() -> None:
    cause = http.client.BadStatusLine("x" * 5000)
    wrapper = urllib3.exceptions.MaxRetryError(None, "http://h/?token=secret", cause)  # type: ignore[arg-type]
    error = transport_error(wrapper)
    assert "secret" not in error.text
    assert len(error.detail) <= MAX_FOREIGN_TEXT
