"""``run --rules`` as a process: Applications without annotations are kept up to date by files."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from generated.application_messages_pb2 import Application
from tests.program import program_command
from updater.model.applications import ANNOTATION_PREFIX
from updater.playground.showcase import Showcase

pytestmark = [pytest.mark.wire, pytest.mark.e2e]

_HEAD = "apiVersion: argocd-image-updater.argoproj.io/v1alpha1\nkind: ImageUpdater\n"
_SHOP = f"""\
{_HEAD}metadata:
  name: shop
  namespace: argocd
spec:
  commonUpdateSettings:
    ignoreTags: ["*-rc*"]
  applicationRefs:
  - namePattern: shop-web
    images:
    - alias: web
      imageName: registry.example.com/shop/web:~1.0
  - namePattern: shop-a*
    labelSelectors:
      matchLabels:
        app.kubernetes.io/part-of: shop
    images:
    - alias: api
      imageName: registry.example.com/shop/api:~1.0
"""


@dataclass(frozen=True)
class Program:
    """Runs one round against a showcase whose Applications nobody annotated."""

    showcase: Showcase
    folder: Path

    def run(self, *words: str, **environment: str) -> tuple[int, str, str]:
        registries = self.folder / "registries.conf"
        registries.write_text(self.showcase.registries_conf)
        base = ["run", "--once", "--applications-api", "argocd", "--disable-kubernetes", "--argocd-plaintext"]
        server = ["--argocd-server-addr", self.showcase.web.address, "--argocd-grpc-web"]
        files = ["--registries-conf-path", str(registries), "--output", "json", "--metrics-port", "0"]
        done = subprocess.run(
            [*program_command(), *base, *server, *files, *words],
            env={"PATH": "/usr/bin:/bin", "ARGOCD_TOKEN": self.showcase.token, "NO_PROXY": "*", **environment},
            capture_output=True,
            text=True,
            timeout=40,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def write_rules(self, text: str) -> str:
        rules = self.folder / "rules"
        rules.mkdir(exist_ok=True)
        (rules / "shop.yaml").write_text(text)
        return str(rules)

    def annotations(self, name: str) -> dict[str, str]:
        return dict(self.showcase.world.application(f"argocd/{name}").metadata.annotations)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    with Showcase() as showcase:
        for key in showcase.keys:
            showcase.world.edit_application(key, lambda message: message.metadata.annotations.clear())
        for name in ("web", "api"):
            showcase.push_release(name, "1.0.1")
        yield Program(showcase, tmp_path)


def _images(out: str) -> dict[str, dict[str, Any]]:
    return {
        application["name"]: image for application in json.loads(out)["applications"] for image in application["images"]
    }


def test_rules_update_applications_that_nobody_annotated(program: Program) -> None:
    status, out, err = program.run("--rules", program.write_rules(_SHOP), "--annotations=false")
    assert status == 0, err
    images = _images(out)
    assert {name: (image["from"], image["to"]) for name, image in images.items() if image["reason"] == "update"} == {
        "shop-web": ("1.0.0", "1.0.1"),
        "shop-api": ("1.0.0", "1.0.1"),
    }
    world = program.showcase.world
    parameters = world.application("argocd/shop-web").spec.source.helm.parameters
    assert [entry.value for entry in parameters if entry.name == "image.tag"] == ["1.0.1"]
    items = list(world.application("argocd/shop-api").spec.source.kustomize.images)
    assert items == ["registry.example.com/shop/api:1.0.1"]
    assert program.annotations("shop-web") == {}


def test_rules_and_annotations_go_side_by_side(program: Program) -> None:
    listed = {f"{ANNOTATION_PREFIX}image-list": "api=registry.example.com/shop/api:~1.0"}
    program.showcase.world.edit_application(
        "argocd/shop-api", lambda message: message.metadata.annotations.update(listed)
    )
    only_web = _SHOP.partition("  - namePattern: shop-a*")[0]
    status, out, err = program.run(IMAGE_UPDATER_RULES=program.write_rules(only_web))
    assert status == 0, err
    assert {name: image["reason"] for name, image in _images(out).items()} == {
        "shop-web": "update",
        "shop-api": "update",
    }


def test_a_rule_writes_the_variables_of_a_plugin(program: Program) -> None:
    def use_plugin(application: Application) -> None:
        application.spec.source.ClearField("helm")
        application.spec.source.plugin.env.add(name="MODE", value="prod")
        application.status.sourceType = "Plugin"

    program.showcase.world.edit_application("argocd/shop-web", use_plugin)
    target = "      manifestTargets: {plugin: {name: WEB_IMAGE, tag: WEB_TAG}}\n"
    rules = _SHOP.partition("  - namePattern: shop-a*")[0] + target
    status, out, err = program.run("--rules", program.write_rules(rules))
    assert status == 0, err
    assert _images(out)["shop-web"]["reason"] == "update"
    env = program.showcase.world.application("argocd/shop-web").spec.source.plugin.env
    assert [(entry.name, entry.value) for entry in env] == [
        ("MODE", "prod"),
        ("WEB_IMAGE", "registry.example.com/shop/web"),
        ("WEB_TAG", "1.0.1"),
    ]


def test_a_mistake_in_the_rules_is_one_line_and_status_1(program: Program) -> None:
    rules = program.write_rules(_SHOP.replace("namePattern: shop-web", "namePatern: shop-web"))
    status, out, err = program.run("--rules", rules)
    assert (status, out) == (1, "")
    (line,) = [line for line in err.splitlines() if "level=fatal" in line or "level=error" in line]
    assert "rules_invalid" in line
    assert "shop.yaml document 1 (line 1): spec.applicationRefs[0]: unknown field 'namePatern'" in line
    assert "did you mean 'namePattern'?" in line
    assert program.showcase.world.calls == ()


def test_neither_rules_nor_annotations_is_a_warning(program: Program) -> None:
    status, _, err = program.run("--annotations=false")
    assert status == 0, err
    assert "selects no Application" in err
