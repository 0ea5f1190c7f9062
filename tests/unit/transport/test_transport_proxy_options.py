from __future__ import annotations

import pytest

from updater.transport.proxies import ProxyOptions

PROXY = "http://proxy.test:3128"

NO_PROXY = {
    "the name itself": ("api.test", "http://api.test/", False),
    "another name": ("api.test", "http://other.test/", True),
    "a suffix at a dot": ("test", "http://api.test/", False),
    "a suffix with a dot": (".test", "http://api.test/", False),
    "a suffix with an asterisk": ("*.test", "http://api.test/", False),
    "no suffix within a label": ("pi.test", "http://api.test/", True),
    "letter case": ("API.Test", "http://api.TEST/", False),
    "everything": ("*", "http://api.test/", False),
    "a port that fits": ("api.test:8080", "http://api.test:8080/", False),
    "a port that does not": ("api.test:8080", "http://api.test:9090/", True),
    "the default port of http": ("api.test:80", "http://api.test/", False),
    "the default port of https": ("api.test:443", "https://api.test/", False),
    "an address": ("10.1.2.3", "http://10.1.2.3/", False),
    "an address with its port": ("10.1.2.3:8080", "http://10.1.2.3:8080/", False),
    "an address with another port": ("10.1.2.3:8080", "http://10.1.2.3:9090/", True),
    "a block": ("10.0.0.0/8", "http://10.1.2.3/", False),
    "another block": ("10.0.0.0/8", "http://11.1.2.3/", True),
    "a block for a name": ("10.0.0.0/8", "http://api.test/", True),
    "an address of IPv6": ("fd00::1", "http://[fd00::1]/", False),
    "an address of IPv6 in brackets": ("[fd00::1]", "http://[fd00::1]:8080/", False),
    "a block of IPv6": ("fd00::/8", "http://[fd12::1]/", False),
    "a block of the other family": ("fd00::/8", "http://10.1.2.3/", True),
    "one of several with blanks": (" a.test , api.test ,", "http://api.test/", False),
    "nothing": ("", "http://api.test/", True),
    "only commas": (", ,", "http://api.test/", True),
}


@pytest.mark.parametrize(("no_proxy", "url", "is_proxied"), NO_PROXY.values(), ids=NO_PROXY)
def test_no_proxy_decides_by_name_suffix_address_block_and_port(no_proxy: str, url: str, *, is_proxied: bool) -> None:
    options = ProxyOptions.from_environment({"HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY, "NO_PROXY": no_proxy})
    assert options.proxy_for(url) == (PROXY if is_proxied else "")


ENVIRONMENTS = {
    "by scheme, http": ({"HTTP_PROXY": "http://a", "HTTPS_PROXY": "http://b"}, "http://x.test", "http://a"),
    "by scheme, https": ({"HTTP_PROXY": "http://a", "HTTPS_PROXY": "http://b"}, "https://x.test", "http://b"),
    "lower case wins": ({"HTTPS_PROXY": "http://a", "https_proxy": "http://b"}, "https://x.test", "http://b"),
    "all": ({"ALL_PROXY": "http://a"}, "https://x.test", "http://a"),
    "one before all": ({"ALL_PROXY": "http://a", "https_proxy": "http://b"}, "https://x.test", "http://b"),
    "without a scheme": ({"HTTPS_PROXY": "proxy:3128"}, "https://x.test", "http://proxy:3128"),
    "none": ({}, "https://x.test", ""),
    "only the other one": ({"HTTP_PROXY": "http://a"}, "https://x.test", ""),
}


@pytest.mark.parametrize(("environment", "url", "proxy"), ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_the_environment_names_proxies(environment: dict[str, str], url: str, proxy: str) -> None:
    assert ProxyOptions.from_environment(environment).proxy_for(url) == proxy


def test_credentials_of_a_proxy_stay_out_of_the_repr() -> None:
    assert "s3cret" not in repr(ProxyOptions("http://ann:s3cret@proxy", "http://ann:s3cret@proxy"))
