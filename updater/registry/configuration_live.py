"""``registries.conf`` while the process runs: compared when asked, swapped as a whole (``registries.md`` 1.9).

What decides is the content, of CA files too, so that it does not matter how a volume swaps its links. A file that
cannot be used, or is gone, leaves the last good configuration in place and is reported once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from updater.errors import ConfigurationError
from updater.model.references import ImageRepository
from updater.ports.log import EventLog, NullLog
from updater.ports.metrics import Metrics, NoMetrics
from updater.registry.configuration import MISSING, RegistryConfiguration, load_registries
from updater.registry.configuration_authorities import TLS_FOLDER
from updater.registry.endpoints import RemoteRepository
from updater.transport.trust import TlsOptions

RELOAD_S = 30.0
"""How often the owner of a ``LiveRegistries`` should ask."""


@dataclass(frozen=True, slots=True)
class RegistryChange:
    """What a swap made obsolete: TLS inputs that nobody has any more, and (API origin, TLS inputs) of old entries."""

    peers: frozenset[tuple[str, TlsOptions]] = frozenset()
    tls: frozenset[TlsOptions] = frozenset()

    def concerns(self, origin: str, tls: TlsOptions) -> bool:
        """Whether connections to this origin under these inputs must not be used any longer."""
        return tls in self.tls or (origin, tls) in self.peers


class LiveRegistries:
    """The endpoints that hold now; takes the place of an ``EndpointTable``. Thread-safe.

    The constructor raises ``ConfigurationError`` for a file that cannot be used, ``refresh`` never does.
    """

    def __init__(
        self,
        path: str,
        *,
        log: EventLog | None = None,
        metrics: Metrics | None = None,
        tls_folder: str = TLS_FOLDER,
    ) -> None:
        self._path = path
        self._tls_folder = tls_folder
        self._log = log or NullLog()
        self._metrics = metrics or NoMetrics()
        self._refreshing = threading.Lock()
        self._complaint = ""
        self._configuration = load_registries(path, tls_folder=tls_folder)
        self._table = self._configuration.table
        self._remark(self._configuration)

    @property
    def configuration(self) -> RegistryConfiguration:
        """The last good configuration."""
        return self._configuration

    def locate(self, repository: ImageRepository) -> RemoteRepository:
        """The endpoint of a repository as of now; raises ``RegistryError`` with code ``invalid_reference``."""
        return self._table.locate(repository)

    def refresh(self) -> RegistryChange | None:
        """Read everything again and swap when it says something else; what that made obsolete, None without a swap."""
        with self._refreshing:
            try:
                found = self._load()
            except ConfigurationError as error:
                self._complain(error)
                return None
            self._complaint = ""
            before = self._configuration
            if found == before:
                return None
            self._configuration, self._table = found, found.table
        self._metrics.increase("registry_config_reloads_total", result="success")
        self._log.info("registries_reloaded", path=self._path, count=len(found.endpoints))
        self._remark(found)
        return _change(before, found)

    def _load(self) -> RegistryConfiguration:
        found = load_registries(self._path, tls_folder=self._tls_folder)
        was_there = not _is_missing(self._configuration)
        if was_there and _is_missing(found):
            raise ConfigurationError(
                f"Could not load registry configuration from {self._path}: the file is gone",
                hint="put it back, or restart to go on without it",
                code="registries_invalid",
            )
        return found

    def _complain(self, error: ConfigurationError) -> None:
        """One error line for each new kind of broken, not one for every look at the same file."""
        if str(error) == self._complaint:
            return
        self._complaint = str(error)
        self._metrics.increase("registry_config_reloads_total", result="failure")
        self._log.error("registries_reload_failed", path=self._path, error=str(error), code=error.code)

    def _remark(self, configuration: RegistryConfiguration) -> None:
        for warned in configuration.warnings:
            self._log.warning("setting_remarked", kind=warned.kind, text=warned.text, path=self._path)


def _is_missing(configuration: RegistryConfiguration) -> bool:
    return any(warned.kind == MISSING for warned in configuration.warnings)


def _change(before: RegistryConfiguration, after: RegistryConfiguration) -> RegistryChange:
    return RegistryChange(_peers(before) - _peers(after), _tls_inputs(before) - _tls_inputs(after))


def _peers(configuration: RegistryConfiguration) -> frozenset[tuple[str, TlsOptions]]:
    return frozenset((endpoint.api_origin, endpoint.tls) for endpoint in configuration.endpoints)


def _tls_inputs(configuration: RegistryConfiguration) -> frozenset[TlsOptions]:
    """Those of entries, of mounted files, and the plain ones that any inferred registry has."""
    mounted: Iterable[str] = configuration.authorities.values()
    inferred = (TlsOptions(), *(TlsOptions(ca_data=text) for text in mounted))
    return frozenset({*inferred, *(endpoint.tls for endpoint in configuration.endpoints)})
