"""What this release does not have is refused, never accepted and ignored."""

from __future__ import annotations

import pytest

from updater.errors import ConfigurationError
from updater.settings.commands import COMMANDS, find_command
from updater.settings.missing import MISSING, missing_keys, refuse_command, refuse_missing
from updater.settings.model import Platform, Settings
from updater.settings.resolution import resolve_command_line
from updater.settings.table import options_of

BASE = ["run", "--applications-api", "argocd", "--disable-kubernetes"]


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
