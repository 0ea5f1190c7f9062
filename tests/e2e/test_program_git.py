"""``run`` as a process against real repositories behind a real web server: commits, diffs, failures, signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.git.http_server import PASSWORD, USER, HttpServer, serving_repositories
from tests.git.refusing_git import refusing_git
from tests.program import program_command
from updater.model.applications import ANNOTATION_PREFIX, ApplicationKey
from updater.playground.applications import Sample, helm_application, kustomize_application
from updater.playground.git_remote import BareRepository
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.registry import PlaygroundRegistry
from updater.playground.world import World

pytestmark = [pytest.mark.wire, pytest.mark.e2e]

PATIENCE_S = 50.0
_HOST = "registry.example.com"
_VALUES = "# ours\nimage:\n  name: shop/web # short\n  tag: 1.0.0\n"
_KUSTOMIZATION = "resources:\n- deployment.yaml\nimages:\n- name: registry.example.com/shop/api\n  newTag: 1.0.0\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    """Serves every repository below its folder ``repositories``."""
    with serving_repositories(tmp_path_factory.mktemp("nginx")) as server:
        yield server


@dataclass
class Site:
    """An Argo CD API with Applications, their registry, and one repository that they are written to."""

    stack: ExitStack
    server: HttpServer
    folder: Path
    name: str
    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.web = self.stack.enter_context(GrpcWebServer(self.world))
        self.registry = self.stack.enter_context(PlaygroundRegistry())
        self.remote = BareRepository(self.server.folder / "repositories" / f"{self.name}.git")
        self.remote.commit({"apps/web/values.yaml": _VALUES, "apps/api/kustomization.yaml": _KUSTOMIZATION})
        for name in ("web", "api"):
            for tag in ("1.0.0", "1.0.1"):
                self.registry.push(f"shop/{name}", tag)
        conf = f"registries:\n- name: r\n  prefix: {_HOST}\n  api_url: {self.registry.address}\n"
        (self.folder / "registries.conf").write_text(conf)
        (self.folder / "127.0.0.1").write_text(self.server.ca_pem)

    @property
    def url(self) -> str:
        return self.server.url(f"{self.name}.git")

    def add(self, sample: Sample, path: str, **own: str) -> ApplicationKey:
        """An Application of ``path`` with these annotations beside its image list; dashes for underscores."""
        sample.message.spec.source.repoURL = self.url
        sample.message.spec.source.path = path
        for key, text in own.items():
            sample.message.metadata.annotations[f"{ANNOTATION_PREFIX}{key.replace('_', '-')}"] = text
        return self.world.add_application(sample.message, base_images=sample.base_images)

    def start(self, *words: str, name: str = "run", **environment: str) -> subprocess.Popen[str]:
        command = [*program_command(), name, "--applications-api", "argocd"]
        connection = ["--argocd-server-addr", self.web.url, "--argocd-grpc-web", "--disable-kubernetes"]
        silent = ["--health-port=0", "--metrics-port=0", "--status-addr="]
        process = subprocess.Popen(
            [*command, *connection, *silent, f"--registries-conf-path={self.folder}/registries.conf", *words],
            env={**self._environment(), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.stack.callback(process.communicate)
        self.stack.callback(process.kill)
        return process

    def run(self, *words: str, **environment: str) -> tuple[str, str]:
        """Standard output and standard error of one round that ended with status 0."""
        process = self.start("--once", *words, **environment)
        out, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, (out, err)
        return out, err

    def _environment(self) -> Mapping[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "ARGOCD_TOKEN": self.world.issue_token(),
            "ARGOCD_TLS_DATA_PATH": str(self.folder),
            "GIT_CREDENTIALS_HOST": "127.0.0.1",
            "GIT_USERNAME": USER,
            "GIT_PASSWORD": PASSWORD,
        }


@pytest.fixture
def site(served: HttpServer, tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(stack, served, tmp_path, tmp_path.name)


def _shop(site: Site) -> None:
    """Three targets of one repository, and an Application that is written through the API."""
    site.add(helm_application("web"), "apps/web", write_back_method="git", write_back_target="helmvalues")
    site.add(kustomize_application("api"), "apps/api", write_back_method="git", write_back_target="kustomization")
    site.add(helm_application("seeded"), "apps/web", write_back_method="git")
    site.add(helm_application("fields"), "apps/web")


def test_a_round_makes_one_commit_for_all_applications_of_a_repository(site: Site) -> None:
    _shop(site)
    before = site.remote.count()
    out, err = site.run()

    assert site.remote.count() == before + 1
    assert site.remote.read("apps/web/values.yaml") == _VALUES.replace("1.0.0", "1.0.1")
    assert site.remote.read("apps/api/kustomization.yaml") == _KUSTOMIZATION.replace("1.0.0", "1.0.1")
    seeded = site.remote.read("apps/web/.argocd-source-seeded.yaml")
    assert seeded.count("- name:") == 2
    assert "value: 1.0.1" in seeded
    assert site.remote.messages()[0] == "build: automatic update of 3 applications"
    assert 'msg="Queuing 1 parameter update(s) for application argocd/web (git write pending)"' in out
    assert "images_updated=4 errors=0" in out
    assert PASSWORD not in out + err


@pytest.mark.slow
def test_a_second_round_before_the_cluster_follows_writes_nothing(site: Site) -> None:
    _shop(site)
    site.run()
    before = site.remote.count()
    again, _ = site.run("--loglevel", "debug")
    assert site.remote.count() == before
    assert "images_updated=0 errors=0" in again


def test_a_dry_run_prints_the_diff_of_each_file_and_pushes_nothing(site: Site) -> None:
    _shop(site)
    before = site.remote.tip()
    out, _ = site.run("--dry-run", "--output", "json")

    assert site.remote.tip() == before
    writes = {each["name"]: each["write"] for each in json.loads(out)["applications"]}
    assert writes["web"]["outcome"] == "dry_run"
    assert writes["web"]["diff"][:2] == ["--- a/apps/web/values.yaml", "+++ b/apps/web/values.yaml"]
    place = {"repository": site.url.removesuffix(".git"), "branch": "main", "path": "apps/web/values.yaml"}
    assert place.items() <= writes["web"]["git"].items()
    assert writes["web"]["git"]["commit"] is None
    assert writes["fields"]["git"] is None
    assert "-  tag: 1.0.0" in writes["web"]["diff"]
    assert "+  tag: 1.0.1" in writes["web"]["diff"]
    assert "+    value: 1.0.1" in writes["seeded"]["diff"]
    assert writes["fields"]["diff"] == ["- helm.parameters: image.tag=1.0.0", "+ helm.parameters: image.tag=1.0.1"]


@pytest.mark.slow
@pytest.mark.parametrize("words", [("plan",), ("run", "--once", "--dry-run", "--output", "text")], ids=["plan", "run"])
def test_people_see_the_diff_of_each_file(site: Site, words: tuple[str, ...]) -> None:
    _shop(site)
    before = site.remote.tip()
    name, *flags = words
    out, err = site.start(*flags, name=name).communicate(timeout=PATIENCE_S)
    assert site.remote.tip() == before
    assert "+  tag: 1.0.1" in out, err
    assert "+  newTag: 1.0.1" in out
    assert "+++ b/apps/web/.argocd-source-seeded.yaml" in out
    assert "+ helm.parameters: image.tag=1.0.1" in out


@pytest.mark.slow
def test_a_refused_password_costs_git_and_nothing_else(site: Site) -> None:
    _shop(site)
    before = site.remote.tip()
    out, err = site.run(GIT_PASSWORD="wrong-and-secret")

    assert site.remote.tip() == before
    (line,) = [line for line in err.splitlines() if "code=auth_failed" in line]
    assert "Could not write to" in line
    assert "applications=3" in line
    assert "images_updated=1 errors=3" in out
    assert "wrong-and-secret" not in out + err
    assert site.world.application(ApplicationKey("argocd", "fields")).spec.source.helm.parameters[1].value == "1.0.1"


@pytest.mark.slow
def test_a_commit_that_git_does_not_make_costs_its_remote_and_nothing_else(site: Site) -> None:
    _shop(site)
    before = site.remote.tip()
    out, err = site.run(**refusing_git(site.folder, "commit-tree", before))

    assert site.remote.tip() == before
    (line,) = [line for line in err.splitlines() if "code=commit_failed" in line]
    assert "Could not write to" in line
    assert "applications=3" in line
    assert "the commit cannot be made: fatal: it was not meant to be" in line
    assert "images_updated=1 errors=3" in out
    assert site.world.application(ApplicationKey("argocd", "fields")).spec.source.helm.parameters[1].value == "1.0.1"


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["cycle", "continuous"])
def test_rounds_that_repeat_write_as_well(site: Site, mode: str) -> None:
    _shop(site)
    pushed = _fifo(site, "pushed")
    site.remote.add_hook("post-receive", f"echo yes > {pushed}")
    process = site.start("--interval", "60s", "--mode", mode, "--warmup-cache=false")
    assert _read(pushed) == "yes\n"
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, (out, err)
    assert "tag: 1.0.1" in site.remote.read("apps/web/values.yaml")
    assert "Finished." in out


@pytest.mark.slow
def test_a_local_repository_is_written_with_its_switch_only(site: Site) -> None:
    folder = site.folder / "Volume" / "deploy.git"
    local = BareRepository(folder)
    local.commit({"apps/web/values.yaml": _VALUES})
    git = {"write_back_method": "git", "write_back_target": "helmvalues"}
    site.add(helm_application("local"), "apps/web", git_repository=str(folder), **git)
    site.add(helm_application("beside"), "apps/web", git_repository=f"{site.url}/../{site.remote.folder.name}", **git)
    site.add(helm_application("web"), "apps/web", **git)

    out, err = site.run("--output", "json")

    done = {each["name"]: each for each in json.loads(out)["applications"]}
    codes = {name: (each["error"] or each["write"]["error"] or {"code": ""})["code"] for name, each in done.items()}
    assert codes == {"local": "repo_url_refused", "beside": "repo_url_refused", "web": ""}
    assert done["web"]["write"]["outcome"] == "written"
    assert (local.count(), site.remote.count()) == (1, 2)
    (refused,) = [line for line in err.splitlines() if "it is a path on this machine" in line]
    assert "code=repo_url_refused" in refused
    assert "--git-allow-local-repositories" in refused

    allowed = f"--git-allowed-repositories={site.folder}/Volume/"
    _, err = site.run("--git-allow-local-repositories", allowed)

    assert local.read("apps/web/values.yaml") == _VALUES.replace("1.0.0", "1.0.1")
    assert "it is not among the allowed repositories" in err
    assert site.remote.count() == 2


def test_a_push_that_runs_at_a_signal_is_finished(site: Site) -> None:
    _shop(site)
    began, may_end = _fifo(site, "began"), _fifo(site, "may_end")
    site.remote.add_hook("pre-receive", f"echo yes > {began}; cat {may_end}")
    process = site.start("--once")
    assert _read(began) == "yes\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout is not None
    seen = next(line for line in process.stdout if "stopping after a signal" in line)
    may_end.write_text("go\n")
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, (seen, out, err)
    assert "tag: 1.0.1" in site.remote.read("apps/web/values.yaml")
    assert out.count("Successfully updated the live application spec") >= 3


@pytest.mark.slow
def test_a_push_that_hangs_ends_with_the_shutdown_timeout(site: Site) -> None:
    site.add(helm_application("web"), "apps/web", write_back_method="git", write_back_target="helmvalues")
    began, never = _fifo(site, "began"), _fifo(site, "never")
    site.remote.add_hook("pre-receive", f"echo yes > {began}; cat {never}")
    process = site.start("--once", IMAGE_UPDATER_SHUTDOWN_TIMEOUT="1s")
    assert _read(began) == "yes\n"
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, (out, err)
    assert "what still runs is given up: 1 write(s) (argocd/web)" in out
    assert "code=shutting_down" in err
    never.write_text("end of the test\n")


def _fifo(site: Site, name: str) -> Path:
    path = site.folder / name
    os.mkfifo(path)
    return path


def _read(path: Path) -> str:
    """What is written into a pipe, within the patience of the tests."""
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append(path.read_text()), daemon=True)
    reader.start()
    reader.join(PATIENCE_S)
    assert found, f"nothing came through {path.name}"
    return found[0]


@pytest.mark.slow
def test_many_applications_of_one_repository_share_their_pushes_in_continuous_mode(site: Site) -> None:
    names = [f"web-{number}" for number in range(120)]
    site.remote.commit({f"apps/{name}/values.yaml": _VALUES for name in names})
    for name in names:
        site.add(helm_application(name), f"apps/{name}", write_back_method="git", write_back_target="helmvalues")
    before = site.remote.count()
    process = site.start("--mode", "continuous", "--interval", "0", "--warmup-cache=false")
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, (out, err)
    assert "continuous: start processing" in out
    assert all("tag: 1.0.1" in site.remote.read(f"apps/{name}/values.yaml") for name in names)
    # A push is made every two seconds while attempts come in, however long the machine takes for them.
    assert site.remote.count() - before < len(names) / 4


@pytest.mark.slow
def test_five_hundred_applications_of_one_repository_make_one_commit_and_one_push(site: Site) -> None:
    names = [f"web-{number}" for number in range(500)]
    site.remote.commit({f"apps/{name}/values.yaml": _VALUES for name in names})
    for name in names:
        site.add(helm_application(name), f"apps/{name}", write_back_method="git", write_back_target="helmvalues")
    pushes = site.folder / "pushes"
    site.remote.add_hook("post-receive", f"echo push >> {pushes}")
    before = site.remote.count()
    out, _ = site.run()
    assert (site.remote.count(), pushes.read_text()) == (before + 1, "push\n")
    assert "images_updated=500 errors=0" in out
    assert site.remote.git("diff", "--shortstat", "main~1", "main").startswith(" 500 files changed, 500 insertions(+)")
