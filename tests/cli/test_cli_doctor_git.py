"""``doctor`` and Git: each remote that Applications are written to, with its credentials, over a real server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from generated.application_messages_pb2 import Application
from tests.cli.conftest import Command
from tests.git.http_server import HttpServer
from updater.model.applications import ANNOTATION_PREFIX
from updater.model.git_remotes import normalise_git_url
from updater.playground.git_remote import BareRepository
from updater.playground.showcase import Showcase

pytestmark = [pytest.mark.wire]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def http(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    server = HttpServer(tmp_path_factory.mktemp("nginx"), root, is_root=os.getuid() == 0)
    yield server
    server.close()


@pytest.fixture(scope="module")
def url(http: HttpServer, root: Path, shop: Showcase) -> str:
    """The remote of one Application."""
    BareRepository(root / "deploy.git").commit({"values.yaml": "image:\n  tag: 1.0.0\n"})
    remote = http.url("deploy.git")

    def write_to_git(message: Application) -> None:
        message.metadata.annotations[f"{ANNOTATION_PREFIX}write-back-method"] = "git"
        message.spec.source.repoURL = remote

    shop.world.edit_application("argocd/shop-web", write_to_git)
    return remote


def subject(url: str) -> str:
    return f"Git {normalise_git_url(url)}"


@pytest.mark.parametrize(
    ("password", "verdict", "fragment"),
    [
        pytest.param(None, "passed", "accepts the credentials that match its address; branch main is there", id="good"),
        pytest.param("planted-wrong", "failed", "auth", id="wrong"),
    ],
)
def test_a_remote_is_asked_with_its_credentials(
    command: Command, http: HttpServer, url: str, tmp_path: Path, *, password: str | None, verdict: str, fragment: str
) -> None:
    entry = http.login(url) | ({"password": password} if password else {})
    credentials = tmp_path / "credentials.yaml"
    credentials.write_text(yaml.safe_dump({"credentials": [entry]}))
    credentials.chmod(0o600)

    done = command("doctor", "--git-credentials-path", str(credentials), "--output=json")

    (finding,) = [each for each in done.document["findings"] if each["subject"] == subject(url)]
    assert finding["verdict"] == verdict, finding
    assert fragment in finding["text"].lower()
    assert done.status == (0 if verdict == "passed" else 1)
    assert "planted" not in done.out + done.err


def test_a_plan_shows_the_difference_in_the_file_and_pushes_nothing(
    command: Command, http: HttpServer, root: Path, shop: Showcase, url: str, tmp_path: Path
) -> None:
    credentials = tmp_path / "credentials.yaml"
    credentials.write_text(yaml.safe_dump({"credentials": [http.login(url)]}))
    credentials.chmod(0o600)
    repository = BareRepository(root / "deploy.git")
    before = repository.git("rev-parse", "main")
    shop.push_release("web", "1.0.7")

    done = command("plan", "shop-web", "--git-credentials-path", str(credentials))

    assert done.status == 0, done.out + done.err
    assert "registry.example.com/shop/web: 1.0.0 -> 1.0.7" in done.out
    assert any(line.strip().startswith("+") and "1.0.7" in line for line in done.out.splitlines()), done.out
    assert repository.git("rev-parse", "main") == before


def test_without_credentials_the_remote_says_where_they_belong(command: Command, url: str) -> None:
    done = command("doctor")

    assert done.status == 1
    assert f"First failure: {subject(url)}, access: " in done.out
    assert "127.0.0.1 to GIT_CREDENTIALS_HOST" in done.out
    assert "1 remote is written to" in done.out
