from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.errors import RegistryProtocolError
from updater.registry.redirects import redirect_target

API = "https://r.test/v2/app/blobs/x"


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("https://storage.test/a?X-Signature=1", "https://storage.test/a?X-Signature=1"),
        ("/elsewhere", "https://r.test/elsewhere"),
        ("https:///elsewhere", "https://r.test/elsewhere"),
        ("//storage.test/a", "https://storage.test/a"),
        ("https://storage.test/a#part", "https://storage.test/a"),
        ("https://8.8.8.8/a", "https://8.8.8.8/a"),
    ],
)
def test_a_redirect_leads_to(location: str, target: str) -> None:
    assert redirect_target(API, location, "https://r.test") == target


@pytest.mark.parametrize(
    "location",
    [
        "http://storage.test/a",
        "ftp://storage.test/a",
        "file:///etc/passwd",
        "https://user:pw@storage.test/a",
        "https://127.0.0.1/a",
        "https://10.1.2.3/a",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/a",
        "https://[fe80::1]/a",
        "https://2130706433/a",
        "https://127.1/a",
        "https://169.254.169.254\\.storage.test/latest/meta-data",
        "//10.1.2.3\\.storage.test/a",
        "https://[64:ff9b::a9fe:a9fe]/a",
        "https://storage.test/a b",
        "https://storage.t\u00e9st/a",
        "https://[broken/a",
        "https://storage.test:port/a",
    ],
)
def test_a_redirect_is_refused(location: str) -> None:
    with pytest.raises(RegistryProtocolError) as raised:
        redirect_target(API, location, "https://r.test")
    assert raised.value.code == "bad_redirect"
    assert "storage" not in str(raised.value), "what it names is not shown"


def test_the_host_of_the_api_may_be_inside() -> None:
    inside = "https://10.0.0.5:5000"
    assert redirect_target(f"{inside}/v2/", "https://10.0.0.5:9000/a", inside) == "https://10.0.0.5:9000/a"
    with pytest.raises(RegistryProtocolError):
        redirect_target(f"{inside}/v2/", "https://10.0.0.6/a", inside)


@given(st.text())
def test_any_location_is_a_safe_target_or_a_named_error(location: str) -> None:
    try:
        target = redirect_target(API, location, "https://r.test")
    except RegistryProtocolError:
        return
    assert target.startswith("https://")
    assert target.isascii()
    assert " " not in target
