"""Ports for servers that have to be told one before they start.

A port that the system chooses is one of those from which every connection on the machine takes its own end. Between the
moment a test lets it go and the moment a server listens on it, somebody else may have got it; a connection to it may
even reach itself. Ports below are had by nobody who does not ask for them.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator

_BELOW_THE_SYSTEMS_CHOICE = range(10_000, 32_000)
"""Linux takes those of connections from 32768 on, other systems from 49152 on."""


def free_port() -> int:
    """A port on which nobody listens, at any address."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """So many, all different."""
    found = _listenable()
    return [next(found) for _ in range(count)]


def _listenable() -> Iterator[int]:
    # Not the common generator: its seed is the same in every process that runs tests.
    choice = random.SystemRandom()
    for port in choice.sample(_BELOW_THE_SYSTEMS_CHOICE, 100):
        try:
            socket.create_server(("", port)).close()
        except OSError:
            continue
        yield port
