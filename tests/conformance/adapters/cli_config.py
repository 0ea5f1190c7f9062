"""A command line and an environment against the resulting settings."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.cli.entry import run_program
from updater.errors import ConfigurationError
from updater.settings.model import Platform, Value
from updater.settings.resolution import resolve_command_line
from updater.transport.redaction import Secret

_COUNTED = ("low_interval", "no_kubernetes")
"""Warnings the vectors speak of, besides ``env:<VARIABLE>``; the program knows more."""


def comparable(expect: dict[str, Any]) -> dict[str, Any]:
    """The order of warnings says nothing."""
    return {key: sorted(value) if key == "warnings" else value for key, value in expect.items()}


def _cli_config(vector: Vector) -> Any:
    given = vector.given
    namespace = given["kube"].get("namespace") if given["kube"]["available"] else None
    try:
        resolution = resolve_command_line(given["argv"], given["env"], Platform(namespace))
    except ConfigurationError as problem:
        return {"error": problem.code, "exit_code": run_program(given["argv"], given["env"])}
    asked = vector.expect.get("effective", {})
    kinds = [warning.kind for warning in resolution.warnings]
    found = {
        "effective": {key: _plain(resolution.settings[key].value) for key in asked},
        "warnings": [kind for kind in kinds if kind in _COUNTED or kind.startswith("env:")],
    }
    return {key: value for key, value in found.items() if key in vector.expect or "error" in vector.expect}


def _plain(value: Value) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.reveal() if isinstance(value, Secret) else value


ADAPTERS = {"cli_config": _cli_config}
