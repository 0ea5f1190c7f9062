from __future__ import annotations

import pytest

from updater.errors import RegistryError
from updater.model.references import ImageRepository
from updater.registry.allowed_hosts import AllowedHosts
from updater.registry.endpoints import Endpoint, EndpointTable

MIRROR = Endpoint(name="mirror", prefix="quay.io", api_url="https://mirror.corp.test:8443")


@pytest.mark.parametrize(
    ("patterns", "registry", "is_allowed"),
    [
        pytest.param((), "evil.test", True, id="no list allows all"),
        pytest.param((" ", ""), "evil.test", True, id="a blank list is none"),
        pytest.param(("ghcr.io",), "ghcr.io", True, id="the host"),
        pytest.param((" GHCR.io ",), "ghcr.io", True, id="blanks and case do not count"),
        pytest.param(("ghcr.io",), "ghcr.io.evil.test", False, id="not a longer one"),
        pytest.param(("ghcr.io",), "xghcr.io", False, id="not another label"),
        pytest.param(("*.test",), "a.test", True, id="a star is one label"),
        pytest.param(("*.test",), "a.b.test", False, id="and not two"),
        pytest.param(("reg-*.test",), "reg-1.test", True, id="a star within a label"),
        pytest.param(("[a-z].test",), "b.test", False, id="brackets mean nothing"),
        pytest.param(("r?g.test",), "reg.test", False, id="neither do question marks"),
        pytest.param(("reg.test:5000",), "reg.test:5000", True, id="the port"),
        pytest.param(("reg.test:5000",), "reg.test:5001", False, id="not another port"),
        pytest.param(("reg.test",), "reg.test:5001", True, id="any port without one"),
        pytest.param(("quay.io",), "quay.io", False, id="the API's host counts, not the image's"),
        pytest.param(("mirror.corp.test",), "quay.io", True, id="the host of a mirror"),
        pytest.param(("registry-1.docker.io",), "", True, id="Docker Hub by its API"),
    ],
)
def test_a_host_may_be_asked(patterns: tuple[str, ...], registry: str, is_allowed: bool) -> None:  # noqa: FBT001 - a table
    selection = AllowedHosts(EndpointTable([MIRROR]), patterns)
    repository = ImageRepository(registry, "team/app")
    if is_allowed:
        assert selection.locate(repository).name == "team/app"
        return
    with pytest.raises(RegistryError) as raised:
        selection.locate(repository)
    assert raised.value.code == "host_not_allowed"
