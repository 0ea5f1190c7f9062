"""What the updater wants to know of a server once, before it starts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from updater.argocd.client import ArgoCDClient
from updater.clock import Deadline

_RELEASE = re.compile(r"v?(\d+)\.(\d+)")
_HYDRATOR_OVERRIDES_SINCE = (3, 3)


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """``version`` as the server writes it. Servers before 3.3 drop overrides of hydrated Applications silently."""

    version: str
    supports_hydrator_overrides: bool


def fetch_facts(client: ArgoCDClient, deadline: Deadline) -> ServerFacts:
    """Ask for the version; raises ``ArgoCDError``, which is also the first test of address, proxy and TLS."""
    version = client.fetch_version(deadline).Version
    match = _RELEASE.match(version)
    release = (int(match[1]), int(match[2])) if match else (0, 0)
    return ServerFacts(version, release >= _HYDRATOR_OVERRIDES_SINCE)
