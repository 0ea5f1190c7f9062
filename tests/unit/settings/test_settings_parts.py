"""Every setting reaches the value that the program is built from, and no two settings meet in one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from updater.settings.arguments import parse_arguments
from updater.settings.model import Kind, Option, Platform
from updater.settings.parts import RunSettings, run_settings
from updater.settings.resolution import resolve
from updater.settings.table import options_of
from updater.transport.redaction import Secret

BASE = {"APPLICATIONS_API": "argocd", "ARGOCD_SERVER": "cd.example.com", "ENABLE_WEBHOOK": "true"}
ELSEWHERE = {
    "once": "sets interval, ports and mode",
    "fail_on_error": "the status of the command",
    "output": "the result of the command",
    "config_dir": "where other values come from",
    "disable_kubernetes": "whether there is a client, which this release never has",
    "disable_kube_events": "the same",
    "kubeconfig": "the same",
    "application_namespace": "the same",
    "enable_http2": "without effect",
    "applications_api": "there is one kind",
    "argocd_client_crt": "needs its key",
    "argocd_client_crt_key": "needs its certificate",
    "enable_webhook": "see BASE",
}
"""Settings of ``run`` that are looked at in another place."""

OTHER_TEXTS = {
    "argocd_header": "X-Other: 1",
    "match_application_label": "a=b",
    "webhook_port": "1",
    "tlsminversion": "1.2",
}


def is_for_parts(option: Option) -> bool:
    is_login = option.variable.startswith(("GIT_", "GITHUB_")) and not option.has_flag
    return option.key not in ELSEWHERE and (not is_login or option.key == "git_batch_disable")


OPTIONS = [option for option in options_of("run") if is_for_parts(option)]


def other_text(option: Option) -> str:
    """A value that is not the default."""
    if option.key in OTHER_TEXTS:
        return OTHER_TEXTS[option.key]
    if option.choices:
        return next(choice for choice in option.choices if choice != option.default)
    match option.kind, option.default:
        case (Kind.BOOL | Kind.LENIENT_BOOL, default):
            return "false" if default else "true"
        case Kind.INT, int(default):
            return str(default + 1 if option.bounds is None or option.bounds.allow(default + 1) else default - 1)
        case Kind.DURATION, float(default):
            return f"{default + 1:g}s"
    return "other"


def settle(option: Option | None = None) -> RunSettings:
    words = [f"--{option.name}={other_text(option)}"] if option is not None and option.has_flag else []
    more = {option.variable: other_text(option)} if option is not None and not option.has_flag else {}
    arguments = parse_arguments(words, options_of("run"))
    resolution = resolve("run", arguments, {**BASE, **more}, platform=Platform())
    return run_settings(resolution.settings)


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from leaves(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, dict) or hasattr(value, "items"):
        for key, each in value.items():
            yield from leaves(each, f"{path}[{key}]")
    else:
        yield path, value.reveal() if isinstance(value, Secret) else repr(value)


def changed(option: Option) -> frozenset[str]:
    before, after = dict(leaves(settle())), dict(leaves(settle(option)))
    return frozenset(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


SHARED = {"interval", "argocd_auth_token_fallback", "enable_log_colors", "no_color", "git_commit_message_path"}
"""Several values follow one of these, or one value follows several of them."""


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.key)
def test_a_setting_changes_what_the_program_is_built_from(option: Option) -> None:
    assert changed(option) - {".face.secrets"}


def test_no_two_settings_change_the_same_value() -> None:
    found: dict[str, list[str]] = {}
    for option in OPTIONS:
        for path in changed(option) - {".face.secrets"}:
            found.setdefault(path, []).append(option.key)
    assert {path: keys for path, keys in found.items() if len(keys) > 1 and not SHARED.intersection(keys)} == {}
