from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.argocd.address import Dialect, ServerAddress, dialect_of, parse_address
from updater.errors import ConfigurationError

ADDRESSES = {
    "a host": ("argo.test", "https://argo.test", "argo.test:443"),
    "a host and port": ("argo.test:8443", "https://argo.test:8443", "argo.test:8443"),
    "a URL": ("https://argo.test", "https://argo.test", "argo.test:443"),
    "a URL with a slash": ("https://argo.test/", "https://argo.test", "argo.test:443"),
    "a URL with a root path": ("https://argo.test/argo-cd/", "https://argo.test/argo-cd", "argo.test:443"),
    "plain HTTP": ("http://argo.test", "http://argo.test", "argo.test:80"),
    "a scheme in capitals": ("HTTPS://argo.test", "https://argo.test", "argo.test:443"),
    "blanks around": ("  argo.test \n", "https://argo.test", "argo.test:443"),
    "a service": ("argocd-server.argocd.svc", "https://argocd-server.argocd.svc", "argocd-server.argocd.svc:443"),
    "IPv4": ("10.1.2.3:8080", "https://10.1.2.3:8080", "10.1.2.3:8080"),
    "IPv6": ("[fd00::1]", "https://[fd00::1]", "[fd00::1]:443"),
    "IPv6 and port": ("http://[fd00::1]:8080/x", "http://[fd00::1]:8080/x", "[fd00::1]:8080"),
    "a host and path": ("argo.test/argo-cd", "https://argo.test/argo-cd", "argo.test:443"),
    "doubled slashes around the path": ("https://argo.test//a//", "https://argo.test/a", "argo.test:443"),
}


@pytest.mark.parametrize(("text", "url", "target"), ADDRESSES.values(), ids=ADDRESSES)
def test_an_address_is_read_as_people_write_it(text: str, url: str, target: str) -> None:
    address = parse_address(text)
    assert (address.base_url, address.target) == (url, target)
    assert parse_address(address.base_url) == address


def test_plaintext_and_root_path_are_options_too() -> None:
    address = parse_address("argo.test", plaintext=True, root_path="/argo-cd/")
    assert address == ServerAddress("http", "argo.test", None, "argo-cd")
    assert parse_address("http://argo.test/argo-cd", plaintext=True, root_path="argo-cd") == address


@pytest.mark.parametrize(
    ("text", "options", "dialect"),
    [
        pytest.param("argo.test", {}, Dialect(is_plaintext=False, is_grpc_web=False), id="nothing said"),
        pytest.param("argo.test", {"plaintext": True}, Dialect(is_plaintext=True, is_grpc_web=False), id="the flag"),
        pytest.param("http://argo.test", {}, Dialect(is_plaintext=True, is_grpc_web=False), id="the scheme"),
        pytest.param("argo.test/cd", {}, Dialect(is_plaintext=False, is_grpc_web=True), id="a path in the address"),
        pytest.param(
            "argo.test", {"root_path": "/cd"}, Dialect(is_plaintext=False, is_grpc_web=True), id="a root path"
        ),
        pytest.param("http://", {"grpc_web": True}, Dialect(is_plaintext=False, is_grpc_web=True), id="no address"),
    ],
)
def test_address_and_options_together_decide_how_a_server_is_spoken_to(
    text: str, options: dict[str, str | bool], dialect: Dialect
) -> None:
    given_options = {"plaintext": False, "grpc_web": False, "root_path": ""} | options
    assert dialect_of(text, **given_options) == dialect  # type: ignore[arg-type]  # rows of a table


CONTRADICTIONS = {
    "https and plaintext": ({"plaintext": True}, "https://argo.test", "contradicts --argocd-plaintext"),
    "two root paths": ({"root_path": "b"}, "https://argo.test/a", "contradicts the root path"),
    "a root path that climbs": ({"root_path": "a/../b"}, "argo.test", "is no root path"),
    "a root path with a doubled slash": ({"root_path": "a//b"}, "argo.test", "is no root path"),
    "a root path with a blank": ({"root_path": "a b"}, "argo.test", "is no root path"),
    "a root path with a query": ({"root_path": "a?b"}, "argo.test", "is no root path"),
}


@pytest.mark.parametrize(("options", "text", "why"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_what_contradicts_itself_is_refused(options: dict[str, str], text: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        parse_address(text, **options)  # type: ignore[arg-type]  # rows of a table


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    with suppress(ConfigurationError):
        address = parse_address(text)
        assert address.host
        assert parse_address(address.base_url) == address
