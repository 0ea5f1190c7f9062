"""Settings of an operator, seen in what reaches a real repository."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.git.bench import RecordingLog, intent_for
from tests.git.http_server import PASSWORD, USER, HttpServer
from updater.assembly.git import GitParts, build_git
from updater.assembly.surroundings import Surroundings
from updater.clock import Deadline
from updater.errors import ConfigurationError
from updater.model.changes import WriteBackResult, WriteOutcome
from updater.playground.git_remote import BareRepository
from updater.settings.git_parts import BatchSettings, CommitSettings, GitPlaceSettings, GitWriteSettings

pytestmark = pytest.mark.wire

Build = Callable[..., GitParts]


@pytest.fixture
def around(tmp_path: Path, http: HttpServer) -> Surroundings:
    """An environment with the login for the server, whose authority is in the folder of the test."""
    (tmp_path / "127.0.0.1").write_text(http.ca_pem)
    environment = {"PATH": os.environ["PATH"], "GIT_CREDENTIALS_HOST": "127.0.0.1"}
    return Surroundings({**environment, "GIT_USERNAME": USER, "GIT_PASSWORD": PASSWORD}, log=RecordingLog())


@pytest.fixture
def build(around: Surroundings, tmp_path: Path) -> Iterator[Build]:
    built: list[GitParts] = []

    def make(**settings: object) -> GitParts:
        places = replace(settings.pop("places", GitPlaceSettings()), tls=str(tmp_path))  # type: ignore[type-var]  # as given
        parts = build_git(GitWriteSettings(places=places, **settings), around, threading.Event(), writers=2)  # type: ignore[arg-type]  # as given
        built.append(parts)
        return parts

    yield make
    for parts in built:
        parts.close()


def _write(parts: GitParts, around: Surroundings, url: str, *apps: str, tag: str = "1.1.0") -> list[WriteBackResult]:
    intents = [intent_for(url, tag, app=app) for app in apps]
    deadline = Deadline.after(around.clock, 40)
    return list(parts.write_back.write_all(intents, dry_run=False, deadline=deadline))


def test_the_committer_signs_off(build: Build, around: Surroundings, http: HttpServer, served: BareRepository) -> None:
    parts = build(commit=CommitSettings(user="Robot", email="robot@h.test", signs_off=True))
    (result,) = _write(parts, around, http.url(served.folder.name), "shop")
    assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)
    assert served.git("log", "-1", "--format=%an %ae %cn").strip() == "Robot robot@h.test Robot"
    assert "Signed-off-by: Robot <robot@h.test>" in served.git("log", "-1", "--format=%B")


@pytest.mark.slow
def test_empty_names_fall_back_to_the_defaults(
    build: Build, around: Surroundings, http: HttpServer, served: BareRepository
) -> None:
    _write(build(commit=CommitSettings()), around, http.url(served.folder.name), "shop")
    assert served.git("log", "-1", "--format=%an %ae").strip() == "argocd-image-updater noreply@argoproj.io"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("batch", "subjects"),
    [
        pytest.param(BatchSettings(subject="{N} at once"), ["2 at once"], id="subject"),
        pytest.param(
            BatchSettings(commit="per-app"),
            ["build: automatic update of b", "build: automatic update of a"],
            id="one commit each",
        ),
        pytest.param(
            BatchSettings(is_disabled=True),
            ["build: automatic update of b", "build: automatic update of a"],
            id="one push each",
        ),
    ],
)
def test_batches_are_made_as_the_operator_says(
    build: Build,
    around: Surroundings,
    http: HttpServer,
    served: BareRepository,
    batch: BatchSettings,
    subjects: list[str],
) -> None:
    served.commit({f"apps/{name}/values.yaml": "image:\n  tag: 1.0.0\n" for name in "ab"})
    results = _write(build(batch=batch), around, http.url(served.folder.name), "a", "b")
    assert {result.error for result in results} == {""}
    assert served.messages()[: len(subjects)] == subjects


def test_a_repository_that_is_not_allowed_is_not_asked(
    build: Build, around: Surroundings, http: HttpServer, served: BareRepository
) -> None:
    parts = build(allowed_repositories=("https://other.test",))
    (result,) = _write(parts, around, http.url(served.folder.name), "shop")
    assert result.error_code == "repo_url_refused"


@pytest.mark.slow
def test_a_cache_folder_keeps_mirrors_after_the_end(
    build: Build, around: Surroundings, http: HttpServer, served: BareRepository, tmp_path: Path
) -> None:
    parts = build(places=GitPlaceSettings(cache=str(tmp_path / "cache")))
    _write(parts, around, http.url(served.folder.name), "shop")
    parts.close()
    assert list((tmp_path / "cache").glob("*.git"))


def test_nothing_is_left_after_the_end_and_nothing_is_made_before_the_first_write(
    build: Build, around: Surroundings, http: HttpServer, served: BareRepository
) -> None:
    def folders() -> list[Path]:
        return [*Path("/tmp").glob(f"argocd-image-updater-git-{os.getpid()}-*")]  # noqa: S108 - git's folders

    before = folders()
    parts = build()
    assert folders() == before
    _write(parts, around, http.url(served.folder.name), "shop")
    parts.close()
    parts.close()
    assert folders() == before


def test_after_the_end_of_patience_nothing_begins(
    build: Build, around: Surroundings, http: HttpServer, served: BareRepository
) -> None:
    parts = build()
    parts.abandon()
    (result,) = _write(parts, around, http.url(served.folder.name), "shop")
    assert (result.outcome, result.error_code) == (WriteOutcome.FAILED, "shutting_down")


@pytest.mark.parametrize(
    ("commit", "code"),
    [
        pytest.param(CommitSettings(signing_key="/no/such/key", signing_method="ssh"), "signing_failed", id="key"),
        pytest.param(CommitSettings(signing_key="-x"), "signing_failed", id="option for a key"),
        pytest.param(CommitSettings(message_path="/"), "template_unreadable", id="folder for a template"),
    ],
)
def test_what_cannot_work_ends_the_start(build: Build, commit: CommitSettings, code: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build(commit=commit)
    assert caught.value.code == code


@pytest.mark.parametrize("method", ["openpgp", "x509"])
def test_without_a_program_to_sign_with_there_is_no_start(around: Surroundings, method: str) -> None:
    commit = CommitSettings(signing_key="0x1", signing_method=method)
    bare = replace(around, environment={"PATH": "/nowhere"})
    with pytest.raises(ConfigurationError, match="commits cannot be signed"):
        build_git(GitWriteSettings(commit=commit), bare, threading.Event(), writers=1)
    build_git(GitWriteSettings(commit=commit), bare, threading.Event(), writers=1, is_dry_run=True).close()


def test_a_file_in_the_place_of_the_mirrors_ends_the_start_and_names_the_flag(
    around: Surroundings, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    places = GitPlaceSettings(cache=str(tmp_path / "file"))
    with pytest.raises(ConfigurationError) as caught:
        build_git(GitWriteSettings(places=places), around, threading.Event(), writers=1)
    said = str(caught.value)
    assert said.startswith(
        f"--git-cache-dir {tmp_path / 'file'}: mirrors of repositories cannot be kept: a file is where"
    )
    assert said.endswith("; name another folder, or remove the file")


def test_a_template_that_does_not_parse_ends_the_start(build: Build, tmp_path: Path) -> None:
    (tmp_path / "t").write_text("{{ if }}")
    with pytest.raises(ConfigurationError) as caught:
        build(commit=CommitSettings(message_path=str(tmp_path / "t")))
    assert caught.value.code == "template_parse"


@pytest.mark.parametrize(("is_chosen", "warnings"), [(True, 1), (False, 0)])
def test_a_missing_template_is_remarked_when_an_operator_named_it(
    build: Build, around: Surroundings, *, is_chosen: bool, warnings: int
) -> None:
    build(commit=CommitSettings(message_path="/no/such/template", is_path_chosen=is_chosen))
    assert isinstance(around.log, RecordingLog)
    assert around.log.events.count("setting_remarked") == warnings


def test_a_cache_folder_that_cannot_be_made_ends_the_start(build: Build, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError) as caught:
        build(places=GitPlaceSettings(cache=str(tmp_path / "file" / "cache")))
    assert caught.value.code == "disk_failed"
