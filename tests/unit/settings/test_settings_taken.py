"""What the assembly makes of the values: each of them counts in the options of the part that it is for."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from updater.argocd.overrides import OverrideOptions, WriteMode
from updater.assembly import build_runtime
from updater.assembly.connections import connection_options
from updater.assembly.git import _options as git_options
from updater.assembly.git import _write_options as git_write_options
from updater.assembly.registries import _options as registry_options
from updater.assembly.runtime import _writer
from updater.assembly.surroundings import Surroundings
from updater.ports.log import NullLog
from updater.schedule.options import Schedule, ScheduleOptions
from updater.settings.git_parts import (
    BatchSettings,
    CommitSettings,
    GitPlaceSettings,
    GitRetrySettings,
    GitWriteSettings,
)
from updater.settings.parts import ConnectionSettings, RegistrySettings, RunSettings
from updater.transport.proxies import ProxyOptions
from updater.transport.redaction import Secret

AROUND = Surroundings()
SERVER = ConnectionSettings("127.0.0.1:1", is_plaintext=True)
KNOWN_CLIENT = replace(SERVER, client_crt="/crt.pem", client_crt_key="/key.pem")


def other(value: object) -> Any:
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1 if value < 15 else value / 15 if isinstance(value, float) else value // 15
        case str():
            return "/other"
        case tuple():
            return ("other",)
    raise AssertionError(f"another value for {value!r}")


def names(part: object, *, without: tuple[str, ...] = ()) -> list[str]:
    return [field.name for field in dataclasses.fields(part) if field.name not in without]  # type: ignore[arg-type]


def test_the_scheduler_is_given_what_was_chosen() -> None:
    settings = RunSettings(
        SERVER, interval_s=7.0, max_concurrency=4, mode="continuous", schedule="lru", cooldown_s=5.0, per_repo_cap=3
    )
    runtime = build_runtime(settings, log=NullLog(), environment={})
    try:
        found = runtime._schedule()
    finally:
        runtime.close()
    cpus = len(os.sched_getaffinity(0))
    assert found == ScheduleOptions(7.0, 4, cpus, Schedule.LRU, 5.0, 3)


@pytest.mark.parametrize("name", names(RegistrySettings(), without=("conf_path",)))
def test_every_limit_of_registries_counts(name: str) -> None:
    settings, proxies = RegistrySettings(), ProxyOptions()
    changed = replace(settings, **{name: other(getattr(settings, name))})
    assert registry_options(changed, proxies) != registry_options(settings, proxies)


@pytest.mark.parametrize(
    "changes",
    [
        {"is_grpc_web": True},
        {"is_insecure": True},
        {"is_plaintext": False},
        {"root_path": "argo"},
        {"server_crt": "/ca.pem"},
        {"client_crt": "/c.pem"},
        {"client_crt_key": "/k.pem"},
        {"headers": (("X-Other", Secret("1")),)},
        {"user_agent": "other"},
        {"max_message_size": 7},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_every_fact_of_the_connection_counts(changes: dict[str, Any]) -> None:
    changed = replace(KNOWN_CLIENT, **changes)
    assert connection_options(changed, AROUND) != connection_options(KNOWN_CLIENT, AROUND)


def test_writes_of_fields_follow_the_settings() -> None:
    connection = replace(SERVER, write="patch", is_validating=True, max_conflict_retries=3)
    client: Any = None
    writer = _writer(RunSettings(connection), client, AROUND)
    assert writer._options.backoff.attempts == 3
    assert writer._store._options == OverrideOptions(WriteMode.PATCH, True)  # type: ignore[attr-defined]


COMMIT = names(
    CommitSettings(), without=("message_path", "is_path_chosen", "functions", "signing_method", "gnupg_home")
)
PARTS: list[tuple[str, object, str]] = [
    *(("commit", CommitSettings(), name) for name in COMMIT),
    *(("batch", BatchSettings(), name) for name in names(BatchSettings())),
    *(("retry", GitRetrySettings(), name) for name in names(GitRetrySettings())),
    *(("places", GitPlaceSettings(), name) for name in ("cache", "ssh", "tls")),
    *(("", GitWriteSettings(), name) for name in ("allowed_repositories", "allows_http", "allows_local")),
    *(
        ("", GitWriteSettings(), name)
        for name in ("branch_strategy", "checkout_mode", "max_fetch_bytes", "app_token_s")
    ),
]
WORDS = {"method": "api", "commit": "per-app", "branch_strategy": "reset", "checkout_mode": "shallow", "cache": "/x"}


@pytest.mark.parametrize(("part", "settings", "name"), PARTS, ids=lambda each: each if isinstance(each, str) else "")
def test_every_setting_of_git_counts(part: str, settings: Any, name: str) -> None:
    value = WORDS.get(name) or other(getattr(settings, name))
    changed = replace(settings, **{name: value})
    before, after = GitWriteSettings(), replace(GitWriteSettings(), **{part: changed}) if part else changed
    assert _made_of(after) != _made_of(before)


def _made_of(settings: GitWriteSettings) -> tuple[object, ...]:
    around = Surroundings(environment={"GNUPGHOME": str(Path("/none"))})
    return git_options(settings, around), git_write_options(settings, writers=1)
