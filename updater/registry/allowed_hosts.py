"""Which registries may be asked at all: an operator's list of hosts (``registries.md`` 4.4).

Owners choose image names freely, so without a list an image name makes the updater talk to any host from inside the
cluster. The host that counts is that of the API.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from updater.errors import RegistryError
from updater.model.references import ImageRepository
from updater.registry.endpoints import RemoteRepository
from updater.registry.visits import EndpointSelection


class AllowedHosts:
    """A selection of endpoints that leaves out hosts beyond the list. Immutable.

    ``patterns`` are host names whose labels may hold ``*``; a pattern with a port is for that port alone. No pattern
    allows every host.
    """

    def __init__(self, endpoints: EndpointSelection, patterns: Iterable[str]) -> None:
        self._endpoints = endpoints
        self._patterns = tuple(pattern.strip().lower() for pattern in patterns if pattern.strip())

    def locate(self, repository: ImageRepository) -> RemoteRepository:
        """The endpoint of a repository; raises ``RegistryError`` with code ``host_not_allowed``."""
        remote = self._endpoints.locate(repository)
        parts = urlsplit(remote.endpoint.api_url)
        host = parts.hostname or ""
        if self._patterns and not any(_allows(pattern, host, parts.port) for pattern in self._patterns):
            raise RegistryError(
                f"the registry {host} is not among the hosts that may be asked",
                where=repository.full_name,
                hint="add it to REGISTRY_ALLOW_HOSTS",
                code="host_not_allowed",
            )
        return remote


def _allows(pattern: str, host: str, port: int | None) -> bool:
    name, colon, wanted_port = pattern.rpartition(":")
    if not colon or not wanted_port.isdigit():
        name, wanted_port = pattern, ""
    if wanted_port and wanted_port != str(port):
        return False
    wanted, labels = name.split("."), host.split(".")
    return len(wanted) == len(labels) and all(map(_label_fits, labels, wanted))


def _label_fits(label: str, pattern: str) -> bool:
    # Only the star is special: brackets and question marks never occur in host names, so they cannot match.
    return fnmatchcase(label, pattern.replace("[", "[[]").replace("?", "[?]"))
