"""The platform of the running process in the terms of registries."""

from __future__ import annotations

import platform

_ARCHITECTURES = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "aarch64": "arm64",
    "arm64": "arm64",
    "armv6l": "arm",
    "armv7l": "arm",
    "i386": "386",
    "i686": "386",
}


def running_platform() -> str:
    """``os/arch`` without a variant; architectures that both worlds name alike pass through."""
    machine = platform.machine().lower()
    return f"{platform.system().lower()}/{_ARCHITECTURES.get(machine, machine)}"
