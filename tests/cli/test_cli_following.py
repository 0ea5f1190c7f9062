"""The mounted configuration under a running command: what holds at once, what needs a restart, what is refused."""

from __future__ import annotations

import http.client
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.ports import free_port
from updater.assembly import build_runtime
from updater.cli.following import Following
from updater.clock import SystemClock
from updater.errors import ConfigurationError
from updater.playground.showcase import Showcase
from updater.ports.log import NullLog
from updater.settings.arguments import parse_arguments
from updater.settings.config_folder import ConfigFolder, load_config_folder
from updater.settings.git_parts import CommitSettings, GitWriteSettings, RequestSettings
from updater.settings.model import Platform, Resolution
from updater.settings.parts import ConnectionSettings, RunSettings, run_settings
from updater.settings.resolution import resolve
from updater.settings.table import options_of
from updater.telemetry.log import Logging
from updater.telemetry.redactor import Redactor

WORDS = ("--applications-api", "argocd", "--disable-kubernetes", "--git-commit-message-path", "")


class Runtime:
    """Takes note of what it is told."""

    def __init__(self) -> None:
        self.told: list[RunSettings] = []

    def reconfigure(self, settings: RunSettings) -> None:
        self.told.append(settings)


class Mounted:
    """A folder and who follows it."""

    def __init__(self, folder: Path, **texts: str) -> None:
        self.folder = folder
        self.write(**texts)
        self.redactor = Redactor()
        self.logging = Logging("info", "text", redactor=self.redactor, has_result=False)
        self.runtime = Runtime()
        self.following = Following(
            self.resolve(load_config_folder(str(folder))), self.resolve, logging=self.logging, redactor=self.redactor
        ).drive(self.runtime, run_settings)
        self.following.look()

    def resolve(self, folder: ConfigFolder) -> Resolution:
        arguments = parse_arguments([*WORDS, "--config-dir", str(self.folder)], options_of("run"))
        return resolve("run", arguments, {}, platform=Platform(), load_folder=lambda _: folder)

    def write(self, **texts: str) -> None:
        for key, text in texts.items():
            (self.folder / key.replace("__", ".")).write_text(text)

    def change(self, **texts: str) -> None:
        self.write(**texts)
        self.following.look()


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Mounted]:
    texts = {"interval": "5m", "argocd__token": "planted-first", "argocd__server_addr": "cd.example.com"}
    made = Mounted(tmp_path, **texts)
    yield made
    made.logging.close()


def test_nothing_is_said_while_nothing_changes(mounted: Mounted, capsys: pytest.CaptureFixture[str]) -> None:
    mounted.following.look()
    mounted.change(interval="5m\n")

    assert capsys.readouterr().out == ""
    assert mounted.runtime.told == []


def test_what_holds_at_once_is_applied_with_one_line_each(mounted: Mounted, capsys: pytest.CaptureFixture[str]) -> None:
    mounted.change(interval="1m30s", log__level="debug", webhook__ratelimit="x", **{"webhook__ratelimit-allowed": "7"})

    (told,) = mounted.runtime.told
    assert (told.interval_s, told.webhooks.per_hour) == (90.0, 7)
    assert logging.getLogger().level == logging.DEBUG
    out = capsys.readouterr().out
    assert 'msg="interval is now 1m30s"' in out
    assert 'msg="log.level is now debug"' in out
    assert out.count("webhook.ratelimit is no key of a setting") == 1
    mounted.change(interval="1m")
    assert "is no key" not in capsys.readouterr().out


def test_what_needs_a_restart_says_so_and_changes_nothing(mounted: Mounted, capsys: pytest.CaptureFixture[str]) -> None:
    mounted.change(argocd__server_addr="other.example.com", mode="continuous", kube__events="true")

    out = capsys.readouterr().out
    assert 'level=warning msg="argocd.server_addr has changed to other.example.com, which needs a restart"' in out
    assert 'level=warning msg="mode has changed to continuous, which needs a restart"' in out
    assert mounted.runtime.told == []
    mounted.change(interval="1m")
    (told,) = mounted.runtime.told
    assert (told.interval_s, told.mode, told.connection.server) == (60.0, "cycle", "cd.example.com")


def test_a_rotated_token_is_masked_and_never_shown(mounted: Mounted, capsys: pytest.CaptureFixture[str]) -> None:
    mounted.change(argocd__token="planted-second")

    captured = capsys.readouterr()
    assert 'msg="argocd.token is now ***"' in captured.out
    assert mounted.redactor.clean("planted-second") == "***"
    assert "planted" not in captured.out + captured.err


def test_content_of_no_use_is_one_error_and_the_last_good_value_holds(
    mounted: Mounted, capsys: pytest.CaptureFixture[str]
) -> None:
    mounted.change(interval="soon")
    mounted.following.look()

    error = capsys.readouterr().err
    assert error.count("config_dir_invalid") == 1
    assert f"the last good one holds: {mounted.folder}/interval: " in error
    assert mounted.runtime.told == []
    mounted.change(interval="2m")
    assert mounted.runtime.told[-1].interval_s == 120.0


def test_a_folder_that_vanishes_is_one_error(mounted: Mounted, capsys: pytest.CaptureFixture[str]) -> None:
    mounted.folder.rename(mounted.folder.with_name("gone"))
    mounted.following.look()
    mounted.following.look()

    assert capsys.readouterr().err.count("the last good one holds: ") == 1
    assert mounted.runtime.told == []


@pytest.mark.parametrize(("before", "after"), [("5m", "0"), ("0", "5m")])
def test_an_interval_of_nought_is_another_kind_of_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], before: str, after: str
) -> None:
    mounted = Mounted(tmp_path, interval=before)
    try:
        mounted.change(interval=after)
        assert "needs a restart" in capsys.readouterr().out
        assert mounted.runtime.told == []
    finally:
        mounted.logging.close()


def test_the_thread_ends_with_the_block(mounted: Mounted) -> None:
    with mounted.following:
        assert any(thread.name == "config-poll" for thread in threading.enumerate())
    assert not any(thread.name == "config-poll" for thread in threading.enumerate())


def test_the_runtime_takes_over_what_may_change(tmp_path: Path) -> None:
    template = tmp_path / "template"
    template.write_text("first {{.AppName}}")
    commit = CommitSettings(message_path=str(template), is_path_chosen=True)
    requests = RequestSettings(body_template="{{range .AppChanges}}{{.Labels}}{{end}}")
    settings = RunSettings(
        ConnectionSettings("127.0.0.1:1", is_grpc_web=True, is_plaintext=True),
        git=GitWriteSettings(commit, requests=requests),
        interval_s=60.0,
    )
    runtime = build_runtime(settings, log=NullLog(), environment={})
    try:
        before = runtime._rounds._writes.intents
        template.write_text("second {{.AppName}}")
        runtime.reconfigure(settings)
        after = runtime._rounds._writes.intents
        assert after != before
        assert before.requests_show_labels
        assert after.requests_show_labels, "templates of requests hold until a restart"
        template.write_text("third {{.AppName")
        with pytest.raises(ConfigurationError):
            runtime.reconfigure(settings)
        assert runtime._rounds._writes.intents is after
    finally:
        runtime.close()


PATIENCE_S = 20.0


@pytest.fixture
def looking_often(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command that has not come so far, or has ended, hears nothing of the operator's signal."""
    monkeypatch.setattr(Following.__init__, "__kwdefaults__", {"period_s": 0.02})
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGTERM, before)


def meanwhile(act: Callable[[], object]) -> threading.Thread:
    """Do this while a command runs, and then end the command as an operator does."""

    def work() -> None:
        try:
            act()
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=work, name="operator")
    thread.start()
    return thread


@pytest.mark.wire
@pytest.mark.usefixtures("looking_often")
def test_run_takes_over_what_its_folder_says_while_it_waits(command: Command, shop: Showcase, tmp_path: Path) -> None:
    (tmp_path / "interval").write_text("1h")
    listed = len(shop.world.calls_of("List"))
    seen: list[bool] = []

    def shorten() -> None:
        seen.append(shop.world.wait_for_calls("List", listed + 1, PATIENCE_S))
        (tmp_path / "interval").write_text("100ms")
        seen.append(shop.world.wait_for_calls("List", listed + 2, PATIENCE_S))

    operator = meanwhile(shorten)
    ports = ("--health-port=0", "--metrics-port=0", "--status-addr=")
    outcome = command("run", "--dry-run", "--warmup-cache=false", *ports, "--config-dir", str(tmp_path))
    operator.join()
    assert (seen, outcome.status) == ([True, True], 0)
    assert 'msg="interval is now 100ms"' in outcome.out


@pytest.mark.wire
@pytest.mark.usefixtures("looking_often")
def test_webhook_takes_over_the_secret_that_its_folder_says(command: Command, tmp_path: Path) -> None:
    (tmp_path / "webhook.native-secret").write_text("planted-first")
    port, clock, statuses = free_port(), SystemClock(), []

    def send(secret: str, wanted: int) -> None:
        for _ in range(int(PATIENCE_S / 0.02)):
            try:
                with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as connection:
                    body = '{"name": "registry.example.com/shop/nobody", "tag": "1"}'
                    connection.request("POST", "/webhook?type=native", body, {"X-Webhook-Secret": secret})
                    status = connection.getresponse().status
            except ConnectionRefusedError:
                status = 0
            if status == wanted:
                break
            clock.wait_s(0.02)
        statuses.append(status)

    def rotate() -> None:
        send("planted-first", 200)
        (tmp_path / "webhook.native-secret").write_text("planted-second")
        send("planted-second", 200)
        send("planted-first", 400)

    operator = meanwhile(rotate)
    outcome = command("webhook", "--disable-tls", f"--webhook-port={port}", "--config-dir", str(tmp_path))
    operator.join()
    assert (statuses, outcome.status) == ([200, 200, 400], 0)
    assert "planted" not in outcome.out + outcome.err
