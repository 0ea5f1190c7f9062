"""What this release does not have is refused, never accepted and ignored."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from types import ModuleType

import pytest

from updater.errors import ConfigurationError
from updater.settings import git_parts, parts, webhooks
from updater.settings.commands import COMMANDS, find_command
from updater.settings.missing import MISSING, missing_keys, refuse_command, refuse_missing
from updater.settings.model import Platform, Settings
from updater.settings.resolution import resolve_command_line
from updater.settings.table import OPTIONS, options_of
from updater.settings.table.git import GIT

BASE = ["run", "--applications-api", "argocd", "--disable-kubernetes"]
ROOT = Path(__file__).parents[3]
WITHOUT_EFFECT = {"disable_kubernetes_events", "disable_kube_events", "enable_http2"}
"""The specification accepts them and gives them none, or as with events there is nothing to switch off yet."""


def settings(*words: str, **environment: str) -> Settings:
    return resolve_command_line([*BASE, *words], environment, Platform()).settings


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("--once", "--kubeconfig", "x"), id="Kubernetes"),
    ],
)
def test_asking_for_what_is_not_there_ends_with_one_clear_line(words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError, match=r"this release does not have .* yet; ") as caught:
        refuse_missing(settings(*words))
    assert caught.value.code == "not_in_this_release"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("--once",), id="one round"),
        pytest.param(("--interval", "0"), id="one round by interval"),
        pytest.param(("--once", "--mode", "continuous"), id="once means cycle mode"),
        pytest.param(
            ("--once", "--metrics-port", "0", "--warmup-cache=false", "--status-addr=", "--enable-webhook=false"),
            id="switched off",
        ),
        pytest.param(("--once", "--schedule", "default"), id="what is the case anyway"),
        pytest.param(("--once", "--rules", "x", "--annotations=false"), id="rules instead of annotations"),
    ],
)
def test_what_is_switched_off_or_the_case_is_accepted(words: tuple[str, ...]) -> None:
    refuse_missing(settings(*words))


def test_the_table_names_options_that_exist() -> None:
    known = {option.key for command in ("run", "webhook") for option in options_of(command)}
    named = {key for missing in MISSING for key in missing.keys}
    assert named <= known
    assert missing_keys() == named


def test_commands_that_are_not_built_are_refused_by_name() -> None:
    for command in COMMANDS:
        if not command.is_built:
            with pytest.raises(ConfigurationError, match=f"'{command.name}'"):
                refuse_command(command)
    refuse_command(find_command("run"))


def found(pattern: str, *folders: str, without: set[str]) -> set[str]:
    """What a pattern finds in code outside of some folders."""
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py") if path.parent.name not in without]
    return {text for path in files for text in re.findall(pattern, path.read_text(encoding="utf-8"))}


def test_every_option_is_looked_at_by_the_code() -> None:
    """Those of Git's logins are read by their variables where they are used."""
    texts = found(r'"(\w+)"', "updater", without={"table"})
    by_variable = {option.key for option in GIT if option.variable in texts and not option.has_flag}
    assert {option.key for option in OPTIONS if option.key not in texts} - by_variable == WITHOUT_EFFECT


@pytest.mark.parametrize("module", [parts, git_parts, webhooks])
def test_every_value_that_is_handed_on_is_taken(module: ModuleType) -> None:
    taken = found(r"\.(\w+)", "updater", "sidecar", without={"settings", "table"})
    handed_on = {
        field.name
        for part in vars(module).values()
        if isinstance(part, type) and dataclasses.is_dataclass(part)
        for field in dataclasses.fields(part)
    }
    assert handed_on - taken == set()
