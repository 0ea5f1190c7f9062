"""``run`` as a process says labels of new images in commit messages and pull requests: their text, their price."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import trustme

from tests.contract.forge.fakes.gitlab import FakeGitLab
from tests.contract.forge.fakes.server import ForgeServer
from tests.contract.forge.fakes.world import TOKEN, USER, Branches, World
from tests.contract.forge.smart_http import SmartHttp
from tests.e2e.test_program_git import PATIENCE_S, Site
from tests.e2e.test_program_pull_requests import Beside
from tests.git.http_server import HttpServer, serving_repositories
from updater.model.applications import ANNOTATION_PREFIX
from updater.playground.applications import helm_application, kustomize_application

pytestmark = [pytest.mark.wire, pytest.mark.e2e]

REVISION = "org.opencontainers.image.revision"
_TEMPLATE = (
    "update {{ .AppName }}\n{{ range .AppChanges }}\n{{ .Image }} "
    "{{ with index .Labels `" + REVISION + "` }}at {{ . }}{{ else }}of unknown origin{{ end }}{{ end }}\n"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    with serving_repositories(tmp_path_factory.mktemp("nginx")) as server:
        yield server


@pytest.fixture
def site(served: HttpServer, tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(stack, served, tmp_path, tmp_path.name)


def _template(site: Site, text: str = _TEMPLATE) -> str:
    path = site.folder / "commit.template"
    path.write_text(text)
    return f"--git-commit-message-path={path}"


def _shop(site: Site) -> None:
    """Two Applications of one image, one of another, and one that is written through the API."""
    site.add(helm_application("web"), "apps/web", write_back_method="git", write_back_target="helmvalues")
    site.add(helm_application("seeded"), "apps/web", write_back_method="git")
    site.add(kustomize_application("api"), "apps/api", write_back_method="git", write_back_target="kustomization")
    site.add(helm_application("fields"), "apps/web")


def _asked(site: Site) -> list[str]:
    """What was read of images, as methods and kinds."""
    parts = [(asked.method, asked.path.rpartition("/")[0]) for asked in site.registry.requests]
    return sorted(f"{method} {path.removeprefix('/v2/')}" for method, path in parts if not path.endswith("/tags"))


def test_a_commit_names_the_revision_of_each_new_image(site: Site) -> None:
    _shop(site)
    site.registry.push("shop/web", "1.0.1", labels={REVISION: "cafe\n\nSigned-off-by: Eve <eve@h.test>"})
    site.registry.push("shop/api", "1.0.1", labels={REVISION: "beef"})
    out, err = site.run(_template(site))
    message = site.remote.git("log", "-1", "--format=%B", "main").splitlines()
    assert [line for line in message if " at " in line] == [
        "shop/api at beef",
        "shop/web at cafe Signed-off-by: Eve <eve@h.test>",
        "shop/web at cafe Signed-off-by: Eve <eve@h.test>",
    ]
    assert not [line for line in message if line.startswith("Signed")]
    assert _asked(site) == [
        "GET shop/api/blobs",
        "GET shop/api/manifests",
        "GET shop/web/blobs",
        "GET shop/web/manifests",
    ]
    assert "images_updated=4 errors=0" in out, err


@pytest.mark.slow
@pytest.mark.parametrize("template", [None, "update {{ .AppName }}: {{ len .AppChanges }} Labels"])
def test_a_template_without_labels_reads_nothing_of_any_image(site: Site, template: str | None) -> None:
    _shop(site)
    site.run(*([] if template is None else [_template(site, template)]))
    assert site.remote.count() == 2
    assert _asked(site) == []


@pytest.mark.slow
@pytest.mark.parametrize("words", [("run", "--once", "--dry-run"), ("plan",)], ids=["dry run", "plan"])
def test_a_rehearsal_of_a_write_finds_out_which_labels_cannot_be_read(site: Site, words: tuple[str, ...]) -> None:
    _shop(site)
    site.registry.delete_blob("shop/web", site.registry.config_digest("shop/web", "1.0.1"))
    name, *flags = words
    out, err = site.start(*flags, _template(site), name=name).communicate(timeout=PATIENCE_S)
    assert site.remote.count() == 1
    assert "Could not read the labels of registry.example.com/shop/web:1.0.1" in out + err


@pytest.mark.slow
def test_labels_that_cannot_be_read_cost_a_warning_and_no_update(site: Site) -> None:
    _shop(site)
    site.registry.push("shop/api", "1.0.1", labels={REVISION: "beef"})
    site.registry.delete_blob("shop/web", site.registry.config_digest("shop/web", "1.0.1"))
    out, err = site.run(_template(site))
    (line,) = [line for line in out.splitlines() if "labels of" in line]
    assert "level=warning" in line
    assert "Could not read the labels of registry.example.com/shop/web:1.0.1" in line
    assert "so its change is written without them" in line
    assert "code=content_missing" in line
    assert "applications=2" in line
    message = site.remote.git("log", "-1", "--format=%B", "main")
    assert message.count("shop/web of unknown origin") == 2
    assert "shop/api at beef" in message
    assert "images_updated=4 errors=0" in out, err


@pytest.mark.slow
def test_of_an_index_the_first_platform_that_the_owner_allows_is_named(site: Site) -> None:
    for tag, created in (("1.0.0", "2026-01-01T00:00:00Z"), ("1.0.1", "2026-01-02T00:00:00Z")):
        site.registry.push_index("shop/web", tag, dict.fromkeys(("linux/amd64", "linux/arm64"), created))
    own = {
        "image-list": "web=registry.example.com/shop/web",
        "web.update-strategy": "newest-build",
        "web.platforms": "linux/s390x, linux/arm64, linux/amd64",
    }
    sample = helm_application("web", annotations={f"{ANNOTATION_PREFIX}{key}": text for key, text in own.items()})
    site.add(sample, "apps/web", write_back_method="git", write_back_target="helmvalues")
    out, err = site.run(_template(site, "{{ range .AppChanges }}{{ .NewTag }} {{ .Labels.platform }}{{ end }}"))
    assert site.remote.messages()[0] == "1.0.1 linux/arm64", (out, err)
    asked = _asked(site)
    of_dates = {"GET shop/web/manifests": 2 * 3, "GET shop/web/blobs": 2 * 2}
    assert {each: asked.count(each) for each in asked} == of_dates | {"GET shop/web/blobs": 2 * 2 + 1}


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["cycle", "continuous"])
def test_five_hundred_applications_of_one_image_cost_one_manifest_and_one_config(site: Site, mode: str) -> None:
    names = [f"web-{number}" for number in range(500)]
    site.remote.commit({f"apps/{name}/values.yaml": "image:\n  name: shop/web\n  tag: 1.0.0\n" for name in names})
    site.registry.push("shop/web", "1.0.1", labels={REVISION: "cafe"})
    for name in names:
        site.add(helm_application(name), f"apps/{name}", write_back_method="git", write_back_target="helmvalues")
    process = site.start("--mode", mode, "--interval", "0", "--warmup-cache=false", _template(site))
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, (out, err)
    messages = site.remote.git("log", "--format=%B", "main")
    assert messages.count("shop/web at cafe") == 500
    assert _asked(site) == ["GET shop/web/blobs", "GET shop/web/manifests"]


@pytest.mark.slow
def test_a_request_shows_labels_as_plain_text_while_its_commit_shows_them_as_they_are(tmp_path: Path) -> None:
    with ExitStack() as stack:
        forge = stack.enter_context(ForgeServer(FakeGitLab(World()), SmartHttp(tmp_path / "repositories")))
        beside = Beside(forge, tmp_path, trustme.CA().cert_pem.bytes().decode())
        site = Site(stack, beside, tmp_path, "acme/deploy")  # type: ignore[arg-type]  # quacks like the other server
        forge.forge.world.branches = Branches(site.remote)
        site.registry.push("shop/web", "1.0.1", labels={REVISION: "/merge @all ![x](http://t.test/p.png)"})
        own = {"write_back_method": "git", "write_back_target": "helmvalues", "git_pull_request": "gitlab"}
        site.add(helm_application("web"), "apps/web", **own)
        login = {"GIT_USERNAME": USER, "GIT_PASSWORD": TOKEN, "GIT_ALLOW_INSECURE_HTTP": "true"}
        template = _template(site, "update\n\n{{ range .AppChanges }}{{ index .Labels `" + REVISION + "` }}{{ end }}\n")
        out, err = site.run(template, **login)
        (request,) = forge.forge.world.requests
        assert request.body.splitlines()[0] == "\\/merge @\u200ball \\!\\[x\\](http://t.test/p.png)", (out, err)
        assert "/merge @all ![x](http://t.test/p.png)" in site.remote.git("log", "-1", "--format=%B", request.head)
