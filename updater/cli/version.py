"""``version`` (``runtime.md`` 1.7). Imports next to nothing."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from updater import BUILD_DATE, COMMIT, __version__
from updater.settings.arguments import parse_arguments
from updater.settings.commands import PROGRAM
from updater.settings.model import Platform
from updater.settings.resolution import resolve
from updater.settings.table import options_of

SCHEMA_VERSION = 1
_MACHINES = MappingProxyType({"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"})


def print_version(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Print the version as the flags ask for it; the exit status is 0."""
    arguments = parse_arguments(words, options_of("version"))
    if arguments.wants_help:
        from updater.cli.help import print_help  # noqa: PLC0415 - help needs click, the version does not

        return print_help(("version",))
    settings = resolve("version", arguments, environment, platform=Platform()).settings
    if settings.text("output") == "json":
        text = json.dumps(version_facts(), indent=2)
    elif settings.is_on("short"):
        text = short_version()
    else:
        text = _long_version()
    print(text)  # noqa: T201 - this is the result
    return 0


def short_version() -> str:
    """``v<version>+<first seven characters of the commit>``."""
    return f"v{__version__}+{COMMIT[:7]}"


def version_facts() -> dict[str, object]:
    """What ``--output json`` prints."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "version": short_version(),
        "buildDate": BUILD_DATE,
        "gitCommit": COMMIT,
        "pythonVersion": _python_version(),
        "pythonImplementation": sys.implementation.name,
        "platform": _platform(),
    }


def _long_version() -> str:
    lines = (
        f"{PROGRAM}: {short_version()}",
        f"  BuildDate: {BUILD_DATE}",
        f"  GitCommit: {COMMIT}",
        f"  PythonVersion: {_python_version()}",
        f"  PythonImplementation: {sys.implementation.name}",
        f"  Platform: {_platform()}",
    )
    return "\n".join(lines)


def _python_version() -> str:
    return ".".join(map(str, sys.version_info[:3]))


def _platform() -> str:
    machine = os.uname().machine
    return f"{sys.platform}/{_MACHINES.get(machine, machine)}"
