"""Secrets planted wherever an operator or a server can put one, and looked for in everything that is printed."""

from __future__ import annotations

import base64
import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

from generated.application_messages_pb2 import Application
from tests.cli.conftest import Outcome
from updater.cli.entry import run_program
from updater.model.applications import ANNOTATION_PREFIX
from updater.playground.showcase import Showcase
from updater.settings.table import OPTIONS

pytestmark = [pytest.mark.wire]

PLANTED = "pl4nted"
"""Part of every secret, so that a piece of one is found as well."""

BASIC = base64.b64encode(f"bot:{PLANTED}-registry".encode()).decode().rstrip("=")


def planted(place: str) -> str:
    return f"{PLANTED}-{place}-5ecret"


@dataclass
class Site:
    """A shop whose every place for a secret has one."""

    shop: Showcase
    folder: Path

    def __post_init__(self) -> None:
        self.shop.registry.require_basic("bot", planted("registry"))
        docker = {
            "auths": {"registry.example.com": {"auth": base64.b64encode(b"bot:" + planted("docker").encode()).decode()}}
        }
        (self.folder / "config.json").write_text(json.dumps(docker))
        (self.folder / "token").write_text(self.shop.token)
        (self.folder / "mounted").mkdir()
        (self.folder / "mounted" / "webhook.quay-secret").write_text(planted("mounted"))
        (self.folder / "mounted" / "interval").write_text("0")
        conf = self.shop.registries_conf.rstrip() + "\n  credentials: env:REGISTRY_LOGIN\n"
        conf += "- name: other\n  prefix: other.example.com\n  api_url: http://127.0.0.1:1\n"
        conf += f"  credentials: file:{self.folder}/config.json\n"
        (self.folder / "registries.conf").write_text(conf)
        self.shop.world.edit_application(self.shop.keys[0], self._write_to_git)

    def _write_to_git(self, message: Application) -> None:
        message.metadata.annotations[f"{ANNOTATION_PREFIX}write-back-method"] = "git"
        message.spec.source.repoURL = f"https://bot:{planted('remote')}@127.0.0.1:1/deploy.git"

    def environment(self) -> dict[str, str]:
        secrets = {
            option.variable: planted(option.key)
            for option in OPTIONS
            if option.is_secret and option.variable and option.variable not in ("ARGOCD_TOKEN", "ARGOCD_AUTH_TOKEN")
        }
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            **secrets,
            "ARGOCD_HEADERS": f"X-Pass: {planted('header')}\nCookie: {planted('cookie')}",
            "ARGOCD_TOKEN_FILE": str(self.folder / "token"),
            "REGISTRY_LOGIN": f"bot:{planted('registry')}",
            "GIT_CREDENTIALS_HOST": "127.0.0.1",
            "ARGOCD_GIT_ATTEMPTS_COUNT": "1",
            "HTTPS_PROXY": f"http://bot:{planted('proxy')}@127.0.0.1:1",
            "NO_PROXY": "127.0.0.1",
            "IMAGE_UPDATER_CONFIG_DIR": str(self.folder / "mounted"),
        }

    def run(self, command: str, *words: str) -> None:
        flags = [
            "--applications-api=argocd",
            "--disable-kubernetes",
            f"--argocd-server-addr={self.shop.web.address}",
            "--argocd-grpc-web",
            "--argocd-plaintext",
            f"--registries-conf-path={self.folder / 'registries.conf'}",
            f"--acr-webhook-secret={planted('flag')}",
            "--metrics-port=0",
            "--health-port=0",
        ]
        run_program([command, *flags, *words], self.environment())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with ExitStack() as stack:
        shop = stack.enter_context(Showcase())
        shop.push_release("web", "1.0.1")
        yield Site(shop, tmp_path_factory.mktemp("secrets"))


Look = Callable[..., Outcome]


@pytest.fixture
def look(site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Look:
    for name, text in site.environment().items():
        monkeypatch.setenv(name, text)

    def printed(*words: str) -> Outcome:
        site.run(*words)
        return Outcome(0, *capsys.readouterr())

    return printed


def check(site: Site, printed: Outcome) -> None:
    text = printed.out + printed.err
    assert len(text) > 500
    for secret in (PLANTED, BASIC, site.shop.token, base64.b64encode(PLANTED.encode()).decode()[:8]):
        assert secret not in text


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("run", "--once", "--loglevel=trace"), id="records as text"),
        pytest.param(("run", "--once", "--loglevel=trace", "--logformat=json"), id="records as JSON"),
        pytest.param(("run", "--once", "--loglevel=trace", "--output=json"), id="the document of a round"),
        pytest.param(("run", "--once", "--dry-run", "--output=text"), id="the lines of a dry run"),
        pytest.param(("plan", "--verbose", "--loglevel=trace"), id="plan"),
        pytest.param(("plan", "--verbose", "--output=json"), id="plan as JSON"),
        pytest.param(("doctor", "--loglevel=trace"), id="doctor"),
        pytest.param(("doctor", "--output=json"), id="doctor as JSON"),
        pytest.param(("config",), id="config"),
        pytest.param(("config", "--output=json"), id="config as JSON"),
    ],
)
def test_no_output_shows_a_secret(site: Site, look: Look, words: tuple[str, ...]) -> None:
    check(site, look(*words))


def test_registries_and_git_are_asked_with_what_is_planted(look: Look) -> None:
    printed = look("run", "--once", "--dry-run")
    text = printed.out + printed.err
    assert "code=network" in text, "git was not asked"
    assert "code=credentials" not in text, "the login of the registry was not found"


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_what_servers_say_is_cleaned(site: Site, look: Look, log_format: str) -> None:
    world, faults = site.shop.world, site.shop.registry.faults
    body = f'{{"errors": [{{"code": "X", "message": "bad Basic {BASIC} for {planted("registry")}"}}]}}'
    faults.status(500, body=body.encode(), target="/tags/list")
    try:
        check(site, look("run", "--once", "--loglevel=trace", f"--logformat={log_format}"))
    finally:
        faults.clear()
    world.reject_next("List", grpc.StatusCode.INTERNAL, f"cannot use {site.shop.token} and {planted('header')}")
    check(site, look("run", "--once", "--loglevel=trace", f"--logformat={log_format}"))


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("--argocd-server-addr", f"bot:{PLANTED}@cd.example.com"), id="an address"),
        pytest.param(("--argocd-header", f"X {PLANTED}"), id="a header"),
        pytest.param((f"--argocd-auth-token={PLANTED} {PLANTED}",), id="a token"),
        pytest.param((f"-argocd-auth-token={PLANTED}",), id="one dash"),
        pytest.param((f"--argocd-auth-tokn={PLANTED}",), id="a flag that does not exist"),
    ],
)
def test_no_refusal_shows_a_secret(site: Site, look: Look, words: tuple[str, ...]) -> None:
    printed = look("run", "--once", *words)

    assert printed.err
    assert PLANTED not in printed.out + printed.err


def test_records_of_libraries_have_the_same_form_and_are_cleaned(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library that logs while a round runs: here the listing of Applications is where it does."""
    foreign = logging.getLogger("some.library")

    def say() -> None:
        foreign.warning("sent %s with Authorization: Bearer %s", planted("header"), site.shop.token)

    site.shop.world.before_next("List", lambda *_: say())
    site.run("run", "--once", "--logformat=json")

    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (record,) = [each for each in records if each.get("logger") == "some.library"]
    assert record["level"] == "warning"
    assert record["msg"] == "sent *** with Authorization: Bearer ***"
