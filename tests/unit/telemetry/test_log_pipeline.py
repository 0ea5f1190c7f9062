"""Records through the standard library to the streams, with secrets masked."""

from __future__ import annotations

import io
import json
import logging
import threading
import warnings
from collections.abc import Iterator

import pytest

from updater.errors import ArgoCDUnavailable
from updater.ports.log import EventLog
from updater.telemetry.log import Logging, StandardEventLog
from updater.telemetry.redactor import Redactor

SECRET = "s3cr3t-planted"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Gone(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError(text)


@pytest.fixture
def started() -> Iterator[list[Logging]]:
    running: list[Logging] = []
    yield running
    for logs in running:
        logs.close()


def start(started: list[Logging], level: str = "info", log_format: str = "text", *, result: bool = False) -> Logging:
    logs = Logging(level, log_format, redactor=Redactor([SECRET]), has_result=result)
    started.append(logs)
    return logs


def test_the_log_fits_the_port(started: list[Logging]) -> None:
    log: EventLog = start(started).log
    assert log.bind(a=1) is not log


def test_errors_go_to_stderr_and_the_rest_to_stdout(started: list[Logging], capsys: pytest.CaptureFixture[str]) -> None:
    log = start(started).log
    log.warning("tags_listed", count=1)
    log.error("tags_unreadable")
    log.fatal("start_refused", exception=ValueError("no"))
    captured = capsys.readouterr()
    assert 'level=warning msg="tags listed" count=1' in captured.out
    assert captured.out.count("\n") == 1
    assert [line.split()[1] for line in captured.err.splitlines()] == ["level=error", "level=fatal"]


def test_a_result_has_stdout_for_itself(started: list[Logging], capsys: pytest.CaptureFixture[str]) -> None:
    start(started, result=True).log.info("tags_listed")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "tags listed" in captured.err


@pytest.mark.parametrize(("level", "count"), [("trace", 4), ("debug", 3), ("info", 2), ("warn", 1), ("error", 0)])
def test_levels_hide_what_is_below(
    started: list[Logging], capsys: pytest.CaptureFixture[str], level: str, count: int
) -> None:
    log = start(started, level).log
    log.trace("step_made")
    log.debug("step_made")
    log.info("step_made")
    log.warning("step_made")
    assert capsys.readouterr().out.count("\n") == count


def test_bound_fields_stand_in_every_record(started: list[Logging], capsys: pytest.CaptureFixture[str]) -> None:
    log = start(started, log_format="json").log.bind(application="argocd/shop").bind(alias="web")
    log.info("tags_listed", count=3, ok=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["application"], found["alias"], found["count"], found["ok"]) == ("argocd/shop", "web", 3, True)


def test_secrets_are_masked_in_messages_fields_and_errors(
    started: list[Logging], capsys: pytest.CaptureFixture[str]
) -> None:
    log = start(started, "debug", "json").log
    log.info("setting_remarked", text=f"a {SECRET}", url=f"https://u:{SECRET}@h/")
    log.error("write_failed", exception=ValueError(f"x {SECRET}"))
    logging.getLogger("some.library").warning("sent %s", SECRET)
    captured = capsys.readouterr()
    assert "planted" not in captured.out + captured.err
    assert (captured.out + captured.err).count("***") >= 3


def test_a_secret_that_is_learned_later_is_masked(started: list[Logging], capsys: pytest.CaptureFixture[str]) -> None:
    redactor = Redactor()
    logs = Logging("info", "text", redactor=redactor, has_result=False)
    started.append(logs)
    redactor.add("from-a-file\n", "no")
    logs.log.info("setting_remarked", text="from-a-file is no joke")
    assert 'msg="*** is no joke"' in capsys.readouterr().out


def test_records_of_libraries_have_the_same_form(started: list[Logging], capsys: pytest.CaptureFixture[str]) -> None:
    start(started)
    logging.getLogger("some.library").warning("retry %d", 2)
    assert capsys.readouterr().out.rstrip().endswith('level=warning msg="retry 2" logger=some.library')


def test_warnings_of_libraries_are_records(started: list[Logging], capsys: pytest.CaptureFixture[str]) -> None:
    start(started, log_format="json")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.warn(f"unverified request with {SECRET}", UserWarning, stacklevel=1)
    found = json.loads(capsys.readouterr().out)
    assert (found["level"], found["logger"]) == ("warning", "py.warnings")
    assert "UserWarning: unverified request with ***" in found["msg"]


def test_an_error_that_ends_a_thread_is_a_record(
    started: list[Logging], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)
    start(started, log_format="json")

    def fail() -> None:
        raise RuntimeError(f"cannot use {SECRET}")

    thread = threading.Thread(target=fail, name="janitor")
    thread.start()
    thread.join()
    found = json.loads(capsys.readouterr().err)
    assert (found["level"], found["thread"]) == ("error", "janitor")
    assert found["msg"].endswith("please report it: cannot use ***")
    started.pop().close()
    assert threading.excepthook is threading.__excepthook__


def test_tracebacks_show_at_debug_only(started: list[Logging], capsys: pytest.CaptureFixture[str]) -> None:
    error = ArgoCDUnavailable("closed", where="cd.example.org")
    start(started).log.error("fleet_unreadable", exception=error)
    calm = capsys.readouterr().err
    started.pop().close()
    error.__cause__ = ConnectionResetError("reset by peer")
    start(started, "debug").log.error("fleet_unreadable", exception=error)
    assert calm.count("\n") == 1
    assert 'msg="Error: cd.example.org: closed"' in calm
    assert "traceback" not in calm
    assert "reset by peer" in capsys.readouterr().err


def test_another_level_holds_from_then_on(started: list[Logging], capsys: pytest.CaptureFixture[str]) -> None:
    logs = start(started, "error")
    logs.log.warning("before")
    logs.set_level("debug")
    logs.log.debug("after")
    logs.log.error("fleet_unreadable", exception=ArgoCDUnavailable("closed"))
    captured = capsys.readouterr()
    assert "before" not in captured.out
    assert "msg=after" in captured.out
    assert "traceback" in captured.err


def test_what_neither_stream_takes_stops_nothing(started: list[Logging], monkeypatch: pytest.MonkeyPatch) -> None:
    log = start(started).log
    monkeypatch.setattr("sys.stdout", Gone())
    monkeypatch.setattr("sys.stderr", Gone())
    log.info("nobody_listens")
    log.error("nobody_listens")


def test_colours_only_reach_a_terminal(started: list[Logging], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, pipe = Terminal(), io.StringIO()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setattr("sys.stderr", pipe)
    log = start(started).log
    log.info("tags_listed")
    log.error("tags_unreadable")
    assert terminal.getvalue().startswith("\x1b[36mINFO\x1b[0m[")
    assert pipe.getvalue().startswith('time="')


def test_colours_can_be_switched_off(started: list[Logging], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    logs = Logging("info", "text", redactor=Redactor(), has_result=False, has_colors=False)
    started.append(logs)
    logs.log.info("tags_listed")
    assert terminal.getvalue().startswith('time="')


def test_records_move_to_stderr_when_the_reader_of_stdout_has_gone(
    started: list[Logging], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr("sys.stdout", Gone())
    monkeypatch.setattr("sys.stderr", pipe)
    log = start(started).log
    log.info("tags_listed")
    log.info("tags_chosen")
    assert [line.split("msg=")[1].split(":")[0].strip('"') for line in pipe.getvalue().splitlines()] == [
        "records go to standard error from here on",
        "tags listed",
        "tags chosen",
    ]


def test_closing_gives_the_root_logger_back() -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    logs = Logging("trace", "text", redactor=Redactor(), has_result=False)
    assert isinstance(logs.log, StandardEventLog)
    logs.close()
    assert (list(root.handlers), root.level) == before


def test_urls_of_the_http_library_are_no_records(started: list[Logging], capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.getLogger("urllib3").level
    logs = start(started, "trace")
    logging.getLogger("urllib3.connectionpool").debug("GET /blob?signature=%s", "presigned")
    logging.getLogger("urllib3.connectionpool").warning("Connection pool is full")
    assert "presigned" not in (text := "".join(capsys.readouterr()))
    assert "Connection pool is full" in text
    logs.close()
    assert logging.getLogger("urllib3").level == before
