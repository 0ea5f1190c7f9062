"""Docker configuration files of the process: read again when they change (``registries.md`` 2.1, ``file``)."""

from __future__ import annotations

import os
import stat
import threading
from dataclasses import dataclass
from pathlib import Path

from cachetools import LRUCache

from updater.clock import Deadline
from updater.errors import CredentialError
from updater.registry.credential_docker import DockerConfig, parse_docker_config
from updater.registry.credential_sources import CredentialSource
from updater.registry.credential_values import CredentialNeed, Credentials

MAX_FILE_BYTES = 1024 * 1024
"""What a Kubernetes Secret can hold."""
MAX_FILES = 1_000
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH

_Signature = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _ReadFile:
    signature: _Signature
    config: DockerConfig


class DockerConfigFiles:
    """Credentials out of files, parsed once per content. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: LRUCache[str, _ReadFile] = LRUCache(MAX_FILES)

    def read(self, source: CredentialSource, need: CredentialNeed, deadline: Deadline) -> Credentials:
        """The entry for the API and repository; raises ``CredentialError``."""
        del deadline
        return self._config(source).credentials_for(need.api_url, need.repository)

    def renew(self, source: CredentialSource, need: CredentialNeed, deadline: Deadline) -> Credentials:
        """The same: every look is at the file as it is now."""
        return self.read(source, need, deadline)

    def _config(self, source: CredentialSource) -> DockerConfig:
        where = str(source)
        try:
            signature = _signature(Path(source.value).stat())
            with self._lock:
                known = self._known.get(source.value)
            if known is not None and known.signature == signature:
                return known.config
            signature, content = _load(source.value, where)
        except (OSError, ValueError) as error:
            what = f"the file cannot be read: {getattr(error, 'strerror', '') or 'its path is not legal'}"
            raise CredentialError(what, where=where, code="credentials_file_unreadable") from error
        config = parse_docker_config(content, where)
        with self._lock:
            self._known[source.value] = _ReadFile(signature, config)
        return config


def _load(path: str, where: str) -> tuple[_Signature, bytes]:
    """The content and the state it was read in; raises ``CredentialError`` for a file that must not be trusted."""
    # Not blocking, so that a pipe in the place of the file does not hold a worker.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        _check(status, where)
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        what = f"the file is larger than {MAX_FILE_BYTES // 1024} KiB"
        raise CredentialError(what, where=where, code="credentials_file_unreadable")
    return _signature(status), content


def _check(status: os.stat_result, where: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise CredentialError("it is not a regular file", where=where, code="credentials_file_unreadable")
    if status.st_mode & _WRITABLE_BY_OTHERS:
        raise CredentialError(
            "others may write the file",
            where=where,
            hint="take that right away: chmod go-w",
            code="credentials_file_writable",
        )


def _signature(status: os.stat_result) -> _Signature:
    """Changes with the content; the time of the inode's change also shows a change of rights."""
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
