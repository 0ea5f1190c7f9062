"""``config``: every setting of ``run`` with its value and where it came from (``runtime.md`` 1.15)."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

from updater.clock import render_duration
from updater.model.report import Warned
from updater.settings.arguments import parse_arguments
from updater.settings.model import Kind, Platform, Setting, Settings
from updater.settings.resolution import resolve
from updater.settings.table import options_of
from updater.transport.redaction import MASK, Secret, escape_controls, redact

SCHEMA_VERSION = 1


def print_config(
    words: Sequence[str], environment: Mapping[str, str], platform: Platform, place: Mapping[str, str]
) -> int:
    """Print the settings that ``run`` would have with the same flags; raises ``ConfigurationError`` as ``run`` does."""
    arguments = parse_arguments(words, options_of("run"))
    if arguments.wants_help:
        from updater.cli.help import print_help  # noqa: PLC0415 - only help needs click

        return print_help(("config",), place)
    resolution = resolve("run", arguments, environment, platform=platform, place=place)
    settings = resolution.settings
    text = _document(settings, resolution.warnings) if settings.text("output") == "json" else _lines(settings)
    for warning in resolution.warnings:
        print(escape_controls(redact(f"Warning: {warning.text}")), file=sys.stderr)  # noqa: T201 - beside the result
    # An address may hold a password, though it should not.
    print(redact(text))  # noqa: T201 - this is the result
    return 0


def _lines(settings: Settings) -> str:
    return "\n".join(
        "\t".join((_name(setting), shown_value(setting), str(setting.origin))) for setting in settings.by_key.values()
    )


def _document(settings: Settings, warnings: Sequence[Warned]) -> str:
    entries = [
        {"name": _name(setting), "value": _value(setting), "origin": str(setting.origin)}
        for setting in settings.by_key.values()
    ]
    remarks = [{"kind": warning.kind, "text": warning.text} for warning in warnings]
    found = {"schemaVersion": SCHEMA_VERSION, "command": "config", "settings": entries, "warnings": remarks}
    return json.dumps(found, indent=2)


def _name(setting: Setting) -> str:
    return setting.option.name if setting.option.has_flag else setting.option.variable


def shown_value(setting: Setting) -> str:
    """The value on one line, without secrets."""
    value = _value(setting)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(map(str, value))
    return "automatic" if value is None else str(value)


def _value(setting: Setting) -> object:
    """The value without secrets; durations as people write them."""
    match setting.value:
        case Secret() as secret:
            return str(secret)
        case tuple() as items:
            return [MASK if isinstance(item, Secret) else item for item in items]
        case float() as seconds if setting.option.kind is Kind.DURATION:
            return render_duration(seconds)
    return setting.value
