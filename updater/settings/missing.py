"""What this release does not have yet, in one table: a setting that asks for it ends the start with one clear line.

Nothing is accepted and then ignored. A part that arrives removes its row.
"""

from __future__ import annotations

from dataclasses import dataclass

from updater.errors import ConfigurationError
from updater.settings.commands import Command
from updater.settings.model import Setting, Settings
from updater.settings.table.git import GIT
from updater.settings.table.webhooks import WEBHOOKS
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
    Missing("continuous mode", ("mode",), "use --once, and start it from a timer", harmless=("cycle",)),
    Missing(
        "the order and the limits of a repeated round",
        ("schedule", "cooldown", "per_repo_cap"),
        "leave the setting out",
        harmless=("default", *_OFF),
    ),
    Missing("cache warm-up", ("warmup_cache",), "leave it out: --once makes one round"),
    Missing("the health server", ("health_port",), "use --health-port 0, and the exit status"),
    Missing(
        "the metrics server",
        ("metrics_port", "metrics_per_application", "image_updater_metric_aliases"),
        "use --metrics-port 0, and --output json",
        harmless=(True, *_OFF),
    ),
    Missing("the status page", ("status_addr",), "use --output json"),
    Missing("the webhook server", tuple(option.key for option in WEBHOOKS), "call 'run --once' from the pipeline"),
    Missing("writing to Git", tuple(option.key for option in GIT), "use the write-back method argocd"),
    Missing("rules documents", ("rules",), "use annotations"),
    Missing("a choice without annotations", ("annotations",), "leave it out", harmless=(True,)),
    Missing(
        "the metadata of images",
        ("registry_manifest_attempts", "registry_manifest_timeout", "registry_tags_immutable"),
        "leave the variable out",
    ),
    Missing("the janitor of connections", ("registry_transport_janitor_interval",), "leave the variable out"),
    Missing("a mounted configuration folder", ("config_dir",), "use flags and variables"),
    Missing("the registry cache on disk", ("registry_cache_dir",), "leave it out"),
    Missing(
        "pull secrets, and the Kubernetes client that reads them",
        ("kubeconfig", "strict_pull_secrets"),
        "use --disable-kubernetes and credentials of the form env:VARIABLE",
    ),
    Missing(
        "the health check for port exhaustion",
        ("port_exhaustion_window", "port_exhaustion_threshold"),
        "leave the variable out",
    ),
)


def refuse_missing(settings: Settings) -> None:
    """Raises ``ConfigurationError`` for the first setting of ``run`` that asks for what is not there."""
    for missing in MISSING:
        for key in missing.keys:
            if key in settings.by_key and _asks(settings[key], missing):
                raise _refusal(missing.feature, name_source(settings[key]), missing.instead)
    if settings.seconds("interval") > 0:
        raise _refusal("rounds that repeat", name_source(settings["interval"]), "use --once or --interval 0")


def refuse_command(command: Command) -> None:
    """Raises ``ConfigurationError`` when a command's name is known and its work is not there."""
    if not command.is_built:
        raise _refusal(f"the command '{command.name}'", "", command.instead)


def _asks(setting: Setting, missing: Missing) -> bool:
    return setting.origin.is_explicit and setting.value not in missing.harmless


def _refusal(feature: str, where: str, instead: str) -> ConfigurationError:
    return ConfigurationError(f"this release does not have {feature} yet", where=where, hint=instead, code=CODE)


def missing_keys() -> frozenset[str]:
    """The keys of the settings that belong to features of a later release."""
    return frozenset(key for missing in MISSING for key in missing.keys) - {"mode", "annotations"}
