"""Commands in this process, against servers on loopback that the tests of a module share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from updater.cli.entry import run_program
from updater.playground.showcase import Showcase


@dataclass(frozen=True)
class Outcome:
    """What a command left: its status and both streams."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, object]:
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


Command = Callable[..., Outcome]


@pytest.fixture(scope="module")
def shop() -> Iterator[Showcase]:
    """Servers for commands that change nothing."""
    with Showcase() as running:
        yield running


@pytest.fixture(scope="module")
def shop_registries(shop: Showcase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("registries") / "registries.conf"
    path.write_text(shop.registries_conf)
    return path


@pytest.fixture
def command(shop: Showcase, shop_registries: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command with the connection to the shop, which further variables may change."""

    def run(*words: str, **environment: str) -> Outcome:
        base = {
            "APPLICATIONS_API": "argocd",
            "ARGOCD_SERVER": shop.web.address,
            "ARGOCD_GRPC_WEB": "true",
            "ARGOCD_PLAINTEXT": "true",
            "ARGOCD_TOKEN": shop.token,
            "NO_PROXY": "*",
        }
        flags = ("--disable-kubernetes", "--registries-conf-path", str(shop_registries))
        status = run_program([words[0], *flags, *words[1:]], base | environment)
        return Outcome(status, *capsys.readouterr())

    return run
