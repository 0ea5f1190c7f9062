"""What this release does not have yet, in one table: a setting that asks for it ends the start with one clear line.

Nothing is accepted and then ignored. A part that arrives removes its row.
"""

from __future__ import annotations

from dataclasses import dataclass

from updater.errors import ConfigurationError
from updater.settings.commands import Command
from updater.settings.model import Setting, Settings
from updater.settings.validation import name_source

CODE = "not_in_this_release"
_OFF: tuple[object, ...] = (False, 0, 0.0, "", ())


@dataclass(frozen=True, slots=True)
class Missing:
    """A feature, the settings that ask for it, and what to use in its place.

    A setting asks when the operator wrote it and its value is not in ``harmless``.
    """

    feature: str
    keys: tuple[str, ...]
    instead: str
    harmless: tuple[object, ...] = _OFF


MISSING = (
    Missing(
        "the Kubernetes client",
        ("kubeconfig",),
        "use --disable-kubernetes, and credentials of the form env:VARIABLE or ext:/path",
    ),
)


def refuse_missing(settings: Settings) -> None:
    """Raises ``ConfigurationError`` for the first setting that asks for what is not there."""
    for missing in MISSING:
        for setting in _asking(settings, missing):
            raise _refusal(missing.feature, name_source(setting), missing.instead)


def refuse_command(command: Command) -> None:
    """Raises ``ConfigurationError`` when a command's name is known and its work is not there."""
    if not command.is_built:
        raise _refusal(f"the command '{command.name}'", "", command.instead)


def _asking(settings: Settings, missing: Missing) -> list[Setting]:
    found = [settings[key] for key in missing.keys if key in settings.by_key]
    return [setting for setting in found if setting.origin.is_explicit and setting.value not in missing.harmless]


def _refusal(feature: str, where: str, instead: str) -> ConfigurationError:
    return ConfigurationError(f"this release does not have {feature} yet", where=where, hint=instead, code=CODE)


def missing_keys() -> frozenset[str]:
    """The keys of the settings that belong to features of a later release."""
    return frozenset(key for missing in MISSING for key in missing.keys)
