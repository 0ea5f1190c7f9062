from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.errors import RegistryProtocolError
from updater.registry.realms import check_realm


@pytest.mark.parametrize(
    ("realm", "api_url"),
    [
        pytest.param("https://auth.docker.io/token", "https://registry-1.docker.io", id="another host"),
        pytest.param("http://reg.test/token", "http://reg.test", id="http beside http"),
        pytest.param("https://10.0.0.5/token", "https://10.0.0.5:5000", id="private address of the API itself"),
        pytest.param("https://8.8.8.8/token", "https://reg.test", id="public address"),
        pytest.param("https://reg.test/token?a=b", "https://reg.test", id="with a query"),
    ],
)
def test_a_proper_token_service_may_be_asked(realm: str, api_url: str) -> None:
    check_realm(realm, api_url)


@pytest.mark.parametrize(
    "realm",
    [
        pytest.param("/token", id="relative"),
        pytest.param("http://reg.test/token", id="http beside https"),
        pytest.param("ftp://reg.test/token", id="scheme"),
        pytest.param("https://ann:pw@reg.test/token", id="user info"),
        pytest.param("https://127.0.0.1/token", id="loopback"),
        pytest.param("https://10.1.2.3/token", id="private"),
        pytest.param("https://169.254.169.254/token", id="link-local"),
        pytest.param("https://224.0.0.1/token", id="multicast"),
        pytest.param("https://0.0.0.0/token", id="unspecified"),
        pytest.param("https://[::1]/token", id="loopback of IPv6"),
        pytest.param("https://[::ffff:10.0.0.1]/token", id="private inside IPv6"),
        pytest.param("https://[fe80::1]/token", id="link-local of IPv6"),
        pytest.param("https://2130706433/token", id="address as one number"),
        pytest.param("https://127.1/token", id="short address"),
        pytest.param("https://0x7f.1/token", id="hexadecimal address"),
        pytest.param("https://reg.test:port/token", id="port"),
        pytest.param("https://reg.test/to ken", id="blank"),
        pytest.param("https://[::1/token", id="bracket"),
        pytest.param("https://169.254.169.254\\.example.test/token", id="address before a backslash"),
        pytest.param("https://[64:ff9b::a9fe:a9fe]/token", id="link-local behind NAT64"),
        pytest.param("https://[2002:a00:5::1]/token", id="private behind 6to4"),
    ],
)
def test_a_token_service_inside_or_malformed_is_not_asked(realm: str) -> None:
    with pytest.raises(RegistryProtocolError) as raised:
        check_realm(realm, "https://reg.test")
    assert raised.value.code == "bad_realm"


@given(st.text())
def test_no_realm_without_https_passes(text: str) -> None:
    if text.lower().startswith("https://"):
        return
    with pytest.raises(RegistryProtocolError):
        check_realm(text, "https://reg.test")
