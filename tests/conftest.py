"""What every test can rely on: no traffic beyond loopback, a clean environment, a home directory of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from pytest_socket import socket_allow_hosts

SLOW_TIMEOUT_S = 300
"""For a slow test that names none: minutes on a busy machine are no hanging. Others have the one of the project."""
_LOOPBACK = ["127.0.0.1", "::1", "localhost"]
_FOREIGN_PREFIXES = ("ARGOCD_", "IMAGE_UPDATER_", "KUBE", "GIT_", "SSL_", "REQUESTS_", "CURL_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")

# The machines that run this are shared: one slow example is no defect, a slow test hits the timeout of pytest. Examples
# are the same in every run, so that a change is judged by what it changed; --hypothesis-profile=explore looks further.
settings.register_profile("updater", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("explore", settings.get_profile("updater"), derandomize=False)
settings.load_profile("updater")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOW_TIMEOUT_S))


def pytest_runtest_setup() -> None:
    socket_allow_hosts(_LOOPBACK, allow_unix_socket=True)


@pytest.fixture(scope="session", autouse=True)
def _clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Settings of whoever runs the tests must not reach the code under test."""
    kept = dict(os.environ)
    for name in kept:
        if name.startswith(_FOREIGN_PREFIXES) or name.lower() in _PROXIES:
            del os.environ[name]
    os.environ["HOME"] = str(tmp_path_factory.mktemp("home"))
    yield
    os.environ.clear()
    os.environ.update(kept)
