"""What this release does not have yet, in one table: a setting that asks for it ends the start with one clear line.

Nothing is accepted and then ignored: a mere number that tunes what is not there warns, everything else is refused. A
part that arrives removes its row.
"""

from __future__ import annotations

from dataclasses import dataclass

from updater.errors import ConfigurationError
from updater.model.report import Warned
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
    is_tuning: bool = False


MISSING = (
    Missing(
        "the Kubernetes client",
        ("kubeconfig",),
        "use --disable-kubernetes, and credentials of the form env:VARIABLE or ext:/path",
    ),
)


def refuse_missing(settings: Settings) -> tuple[Warned, ...]:
    """Warnings about numbers that tune what is not there.

    Raises ``ConfigurationError`` for the first setting that asks for more than that.
    """
    warnings: list[Warned] = []
    for missing in MISSING:
        for setting in _asking(settings, missing):
            refusal = _refusal(missing.feature, name_source(setting), missing.instead)
            if not missing.is_tuning:
                raise refusal
            warnings.append(Warned("no_effect", f"{name_source(setting)} has no effect: {refusal.what}"))
    return tuple(warnings)


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
