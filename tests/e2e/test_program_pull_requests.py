"""``run`` as a process opens pull requests: a real repository and a forge's API on one address."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from tests.contract.forge.fakes.github import FakeGitHub
from tests.contract.forge.fakes.server import ForgeServer
from tests.contract.forge.fakes.world import TOKEN, USER, Branches, World
from tests.contract.forge.smart_http import SmartHttp
from tests.e2e.test_program_git import PATIENCE_S, Site
from updater.playground.applications import helm_application

pytestmark = [pytest.mark.wire, pytest.mark.e2e, pytest.mark.slow]

_LOGIN = {"GIT_USERNAME": USER, "GIT_PASSWORD": TOKEN, "GIT_ALLOW_INSECURE_HTTP": "true"}


@dataclass
class Beside:
    """The repositories' side of a forge, as a site wants it."""

    forge: ForgeServer
    folder: Path
    ca_pem: str

    def url(self, name: str) -> str:
        return f"{self.forge.url}/{name}"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        forge = stack.enter_context(ForgeServer(FakeGitHub(World()), SmartHttp(tmp_path / "repositories")))
        beside = Beside(forge, tmp_path, trustme.CA().cert_pem.bytes().decode())
        made = Site(stack, beside, tmp_path, "acme/deploy")  # type: ignore[arg-type]  # quacks like the other server
        forge.forge.world.branches = Branches(made.remote)
        yield made


def _forge(site: Site) -> World:
    beside = site.server
    assert isinstance(beside, Beside)
    return beside.forge.forge.world


def _written(out: str) -> dict[str, object]:
    (application,) = json.loads(out)["applications"]
    write = application["write"]
    assert isinstance(write, dict)
    return write


def test_each_version_gets_a_request_and_closes_the_one_before(site: Site) -> None:
    own = {"write_back_method": "git", "write_back_target": "helmvalues", "git_pull_request": "github"}
    site.add(helm_application("web"), "apps/web", **own, git_pull_request_labels="images")
    out, err = site.run("--output", "json", **_LOGIN)
    (older,) = _forge(site).requests
    write = _written(out)
    assert write["outcome"] == "written"
    assert write["git"]["pullRequest"] == f"{site.server.url('acme/deploy')}/pull/1"  # type: ignore[index]
    assert (older.labels, older.is_open) == (["images"], True)
    assert "tag: 1.0.1" in site.remote.read("apps/web/values.yaml", older.head)
    assert "tag: 1.0.0" in site.remote.read("apps/web/values.yaml")

    again, more = site.run("--output", "json", **_LOGIN)
    assert (_written(again)["outcome"], len(_forge(site).requests)) == ("unchanged", 1)

    site.registry.push("shop/web", "1.0.2")
    second, rest = site.run(**_LOGIN)
    assert [each.is_open for each in _forge(site).requests] == [False, True]
    assert "pull/2" in second
    assert TOKEN not in out + err + again + more + second + rest


def test_an_api_address_of_no_use_ends_the_start(site: Site) -> None:
    process = site.start("--once", "--pull-request-api-url", "github=ftp://user:hush@host", **_LOGIN)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert "--pull-request-api-url" in err
    assert "hush" not in err
