"""The machine and the versions that a figure belongs to."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("grpcio", "protobuf", "requests", "urllib3")


def describe_machine() -> str:
    """Processor, cores this process may use, system, Python and the packages on the measured paths."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    cores = len(os.sched_getaffinity(0))
    return (
        f"Machine: {_processor()}, {cores} cores, {platform.system()} {platform.machine()}\n"
        f"Python {platform.python_version()}, {packages}"
    )


def _processor() -> str:
    """The model's name and clock as Linux shows them."""
    shown: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        shown.setdefault(name.strip(), value.strip())
    model = shown.get("model name", platform.machine())
    return f"{model} at {float(shown['cpu MHz']):.0f} MHz" if "cpu MHz" in shown else model
