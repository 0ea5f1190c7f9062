"""Sources whose credentials are kept: what they fetch, under which key, and for how long.

A ``Fetcher`` knows one type of source and nothing of keeping; ``KeptReader`` puts a cache before it.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar, assert_never

from updater.clock import Deadline
from updater.errors import CredentialError
from updater.model.credential_sources import SourceType
from updater.ports.secrets import KubernetesSecret, SecretSource
from updater.registry.credential_cache import LeaseCache
from updater.registry.credential_docker import DockerConfig, parse_docker_config
from updater.registry.credential_sources import CredentialSource
from updater.registry.credential_values import CredentialNeed, Credentials, Lease, parse_user_and_password
from updater.registry.scripts import ScriptRunner

SECRET_S = 60.0
"""How long a Secret is kept, whatever ``credsexpire`` says (``registries.md`` 2.5)."""
SCRIPT_S = 300.0
"""How long a script's output is kept when the endpoint sets no ``credsexpire``."""

V = TypeVar("V")


class Fetcher(Protocol[V]):
    """Fetches one type of source. Thread-safe."""

    def key(self, source: CredentialSource, need: CredentialNeed) -> Hashable:
        """What the fetched value depends on."""

    def fetch(self, source: CredentialSource, need: CredentialNeed, deadline: Deadline) -> Lease[V]:
        """The value now; raises ``CredentialError``."""

    def select(self, value: V, need: CredentialNeed) -> Credentials:
        """The credentials for this need out of the value; raises ``CredentialError``."""


class KeptReader(Generic[V]):
    """A ``SourceReader`` that keeps what its fetcher fetches. Thread-safe."""

    def __init__(self, fetcher: Fetcher[V], cache: LeaseCache[V]) -> None:
        self._fetcher = fetcher
        self._cache = cache

    def read(self, source: CredentialSource, need: CredentialNeed, deadline: Deadline) -> Credentials:
        """The kept credentials, fetched when there are none; raises ``CredentialError``."""
        key = self._fetcher.key(source, need)
        value = self._cache.get(key, deadline, lambda limit: self._fetcher.fetch(source, need, limit))
        return self._fetcher.select(value, need)

    def renew(self, source: CredentialSource, need: CredentialNeed, deadline: Deadline) -> Credentials:
        """Freshly fetched credentials, at most once a minute; raises ``CredentialError``."""
        key = self._fetcher.key(source, need)
        value = self._cache.renew(key, deadline, lambda limit: self._fetcher.fetch(source, need, limit))
        return self._fetcher.select(value, need)


class SecretFetcher:
    """``secret`` and ``pullsecret`` through the port for Kubernetes Secrets."""

    def __init__(self, secrets: SecretSource) -> None:
        self._secrets = secrets

    def key(self, source: CredentialSource, need: CredentialNeed) -> Hashable:
        """The Secret and its field: which entry of it is for whom is decided after keeping."""
        del need
        return source

    def fetch(
        self, source: CredentialSource, need: CredentialNeed, deadline: Deadline
    ) -> Lease[Credentials | DockerConfig]:
        """The parsed field, for a minute."""
        del need
        secret = self._secrets.fetch_secret(source.namespace, source.secret_name, deadline)
        content = _field(secret, source)
        match source.type:
            case SourceType.PULL_SECRET:
                return Lease(parse_docker_config(content, str(source)), SECRET_S)
            case SourceType.SECRET:
                return Lease(_pair(content, str(source)), SECRET_S)
            case _:
                raise ValueError(f"{source.type.value} is not a Secret")

    def select(self, value: Credentials | DockerConfig, need: CredentialNeed) -> Credentials:
        """The pair itself, or the entry for the API and repository."""
        match value:
            case Credentials():
                return value
            case DockerConfig():
                return value.credentials_for(need.api_url, need.repository)
            case unreachable:
                assert_never(unreachable)


class ScriptFetcher:
    """``ext``: what a script prints. Kept per path, and per ``credsexpire`` where entries differ in it."""

    def __init__(self, scripts: ScriptRunner) -> None:
        self._scripts = scripts

    def key(self, source: CredentialSource, need: CredentialNeed) -> Hashable:
        """Path and lifetime."""
        return source, need.expire_s

    def fetch(self, source: CredentialSource, need: CredentialNeed, deadline: Deadline) -> Lease[Credentials]:
        """The pair that the script prints, for ``credsexpire`` or five minutes."""
        line = self._scripts.run(source.value, deadline)
        return Lease(parse_user_and_password(line, where=str(source)), need.expire_s or SCRIPT_S)

    def select(self, value: Credentials, need: CredentialNeed) -> Credentials:
        """The pair itself."""
        del need
        return value


class NoKubernetes:
    """The port for Secrets of a process without Kubernetes: an error for the images that need it."""

    def fetch_secret(self, namespace: str, name: str, deadline: Deadline) -> KubernetesSecret:
        """Always raises ``CredentialError`` with code ``kubernetes_unavailable``."""
        del deadline
        raise CredentialError(
            "Kubernetes Secrets cannot be read: this process has no connection to the Kubernetes API",
            where=f"Secret {namespace}/{name}",
            hint="use env:<variable>, ext:<absolute path>, or credentials in registries.conf",
            code="kubernetes_unavailable",
        )


def _field(secret: KubernetesSecret, source: CredentialSource) -> bytes:
    content = secret.fields.get(source.secret_field)
    if content is None:
        raise CredentialError(
            f"the Secret has no field {source.secret_field!r}",
            where=f"Secret {secret.namespace}/{secret.name}",
            hint="check the name of the field, and for pullsecret the type kubernetes.io/dockerconfigjson",
            code="secret_field_missing",
        )
    return content


def _pair(content: bytes, where: str) -> Credentials:
    """``user:password``; one line end after it is an editor's."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        # Without the cause, which holds the bytes.
        raise CredentialError("the value is not UTF-8 text", where=where, code="credentials_malformed") from None
    return parse_user_and_password(text.removesuffix("\n").removesuffix("\r"), where=where)
