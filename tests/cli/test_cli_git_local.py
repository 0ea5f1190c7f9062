"""``plan`` and ``doctor`` with an Application whose repository is a folder of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from generated.application_messages_pb2 import Application
from tests.cli.conftest import Command
from updater.model.applications import ANNOTATION_PREFIX
from updater.playground.git_remote import BareRepository
from updater.playground.showcase import Showcase

pytestmark = [pytest.mark.wire]


@pytest.fixture(scope="module")
def folder(shop: Showcase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository of one Application, for which there is a new tag."""
    repository = BareRepository(tmp_path_factory.mktemp("Volume") / "deploy.git")
    repository.commit({"values.yaml": "image:\n  tag: 1.0.0\n"})

    def write_there(message: Application) -> None:
        message.metadata.annotations[f"{ANNOTATION_PREFIX}write-back-method"] = "git"
        message.spec.source.repoURL = repository.url

    shop.world.edit_application("argocd/shop-web", write_there)
    shop.push_release("web", "1.0.7")
    return repository.folder


def _switched_on(folder: Path) -> tuple[str, ...]:
    return ("--git-allow-local-repositories", f"--git-allowed-repositories={folder.parent}/")


def test_doctor_asks_a_local_repository(command: Command, folder: Path) -> None:
    done = command("doctor", *_switched_on(folder), "--output=json")

    subject = f"Git {folder.parent}/deploy"
    (finding,) = [each for each in done.document["findings"] if each["subject"] == subject]  # type: ignore[attr-defined]  # as printed
    assert (finding["verdict"], done.status) == ("passed", 0), finding
    assert finding["text"].endswith("branch main is there")


def test_doctor_names_the_switch(command: Command, folder: Path) -> None:
    done = command("doctor")

    assert done.status == 1
    assert f"First failure: Git {folder.parent}/deploy, access: " in done.out
    assert "it is a path on this machine" in done.out
    assert "--git-allow-local-repositories" in done.out


def test_a_plan_shows_the_difference_in_a_local_repository(command: Command, folder: Path) -> None:
    before = BareRepository(folder).tip()

    done = command("plan", "shop-web", *_switched_on(folder))

    assert done.status == 0, done.out + done.err
    assert any(line.strip().startswith("+") and "1.0.7" in line for line in done.out.splitlines()), done.out
    assert BareRepository(folder).tip() == before


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "names nothing: owners may name any repository of this machine"),
        (("--git-allowed-repositories=https://h.test/",), "names no folder of this machine"),
    ],
)
def test_the_start_warns_when_no_folder_is_named(
    command: Command, folder: Path, words: tuple[str, ...], text: str
) -> None:
    done = command("plan", "shop-web", "--git-allow-local-repositories", *words)

    assert text in done.err
    assert text not in command("plan", "shop-web", *_switched_on(folder)).err


def test_an_allowed_repository_that_leads_elsewhere_ends_the_start(command: Command, folder: Path) -> None:
    done = command("plan", "shop-web", "--git-allowed-repositories", f"https://u:planted@h.test/a,{folder}/../x")

    assert done.status == 1
    assert f"--git-allowed-repositories {folder}/../x" in done.err
    assert "holds . or .." in done.err
    assert "planted" not in done.out + done.err
