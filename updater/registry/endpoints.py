"""Which registry serves an image: configured entries, the built-in Docker Hub, and inferred ones.

Rules: ``registries.md`` 1.5 to 1.7. The longest prefix that ends at a slash or at the end wins; a host that nobody
configured is inferred. An inferred endpoint follows from its host alone and is never stored, so it cannot shadow a
configured one, whatever was looked up before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from urllib.parse import urlsplit

from updater.model.references import ImageRepository
from updater.registry.credential_sources import CredentialSource, UnusableSource
from updater.registry.names import HUB_HOSTS, check_repository
from updater.transport.trust import TlsOptions

DEFAULT_REQUESTS_PER_S = 20
"""Decision D4: what the documentation of the older updater promises where ``limit`` is absent."""
_HUB_PREFIX = "docker.io"
_DEFAULT_PORTS = {"http": 80, "https": 443}


class EndpointSource(Enum):
    """Where an endpoint comes from."""

    BUILTIN = "builtin"
    CONFIGURED = "configured"
    INFERRED = "inferred"


class TagSortMode(Enum):
    """The order in which a registry lists tags, by the value of ``tagsortmode``."""

    UNSORTED = "none"
    LATEST_FIRST = "latest-first"
    LATEST_LAST = "latest-last"


def origin_of(url: str) -> str:
    """``scheme://host:port`` of an absolute URL, the port always written."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}:{parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One registry. ``api_url`` has no trailing slash; ``prefix`` is lower case, without one either.

    ``requests_per_s`` zero means unlimited; ``credentials_expire_s`` zero means never.
    """

    name: str
    prefix: str
    api_url: str
    source: EndpointSource = EndpointSource.CONFIGURED
    default_namespace: str = ""
    is_default: bool = False
    is_insecure: bool = False
    ca_file: str = ""
    ca_data: str = field(default="", repr=False)
    """PEM text. CA files of ``registries.conf`` are read when it is loaded, so that their content decides."""
    credentials: CredentialSource | UnusableSource | None = None
    credentials_expire_s: float = 0.0
    requests_per_s: int = DEFAULT_REQUESTS_PER_S
    tag_sort_mode: TagSortMode = TagSortMode.UNSORTED
    api_origin: str = field(init=False, repr=False, compare=False)
    """Scheme, host and port of the API: what connections, challenges and tokens belong to."""
    tls: TlsOptions = field(init=False, repr=False, compare=False)
    """The TLS inputs of its connections, those to its token service included."""

    def __post_init__(self) -> None:
        # Derived once: every request needs both many times over.
        object.__setattr__(self, "api_origin", origin_of(self.api_url))
        tls = TlsOptions(ca_file=self.ca_file, ca_data=self.ca_data, insecure=self.is_insecure)
        object.__setattr__(self, "tls", tls)

    def serves(self, url: str) -> bool:
        """Whether an absolute URL belongs to the API's own origin."""
        # Nearly always it was made from ``api_url``; what follows the slash cannot change the origin.
        return url.startswith(f"{self.api_url}/") or origin_of(url) == self.api_origin


@dataclass(frozen=True, slots=True)
class RemoteRepository:
    """An image repository at its endpoint; ``name`` is what stands in ``/v2/<name>/``."""

    endpoint: Endpoint
    name: str

    @property
    def tags_url(self) -> str:
        return f"{self.endpoint.api_url}/v2/{self.name}/tags/list"

    def manifest_url(self, reference: str) -> str:
        """Where a manifest is; ``reference`` is a legal tag or digest."""
        return f"{self.endpoint.api_url}/v2/{self.name}/manifests/{reference}"

    def blob_url(self, digest: str) -> str:
        """Where a blob is; ``digest`` is a legal one."""
        return f"{self.endpoint.api_url}/v2/{self.name}/blobs/{digest}"

    @property
    def ping_url(self) -> str:
        return f"{self.endpoint.api_url}/v2/"

    def __str__(self) -> str:
        return f"{self.endpoint.api_url.partition('://')[2]}/{self.name}"


DOCKER_HUB = Endpoint(
    name="Docker Hub",
    prefix=_HUB_PREFIX,
    api_url="https://registry-1.docker.io",
    source=EndpointSource.BUILTIN,
    default_namespace="library",
    is_default=True,
    requests_per_s=10,
)


class EndpointTable:
    """Finds the endpoint of an image. Immutable, so any thread may ask.

    ``authorities``: PEM text by API host, for endpoints that nobody configured (``registries.md`` 1.8).
    """

    def __init__(self, configured: Iterable[Endpoint] = (), authorities: Mapping[str, str] | None = None) -> None:
        self._authorities = dict(authorities or {})
        hub = self._trusting(DOCKER_HUB)
        self._by_prefix = {endpoint.prefix: endpoint for endpoint in (hub, *configured)}
        marked = [e for e in self._by_prefix.values() if e.is_default and e.source is EndpointSource.CONFIGURED]
        self._default = marked[0] if marked else self._by_prefix[_HUB_PREFIX]

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Configured endpoints and the built-in one unless it is overridden, in file order."""
        return tuple(self._by_prefix.values())

    def locate(self, repository: ImageRepository) -> RemoteRepository:
        """The endpoint and the repository name on it; ``RegistryError`` ``invalid_reference`` for an illegal name."""
        check_repository(repository)
        endpoint = self._endpoint_for(repository.registry.lower(), repository.name)
        return RemoteRepository(endpoint, _name_on(endpoint, repository.name))

    def _endpoint_for(self, host: str, path: str) -> Endpoint:
        if not host:
            return self._default
        if host in HUB_HOSTS and host not in self._by_prefix:
            host = _HUB_PREFIX
        candidate = f"{host}/{path}"
        while candidate:
            if candidate in self._by_prefix:
                return self._by_prefix[candidate]
            candidate = candidate.rpartition("/")[0]
        return self._by_prefix.get("") or self._trusting(_inferred(host))

    def _trusting(self, endpoint: Endpoint) -> Endpoint:
        ca_data = self._authorities.get(urlsplit(endpoint.api_url).hostname or "", "")
        return replace(endpoint, ca_data=ca_data) if ca_data else endpoint


def _inferred(host: str) -> Endpoint:
    return Endpoint(name=host, prefix=host, api_url=f"https://{host}", source=EndpointSource.INFERRED)


def _name_on(endpoint: Endpoint, path: str) -> str:
    """The repository name: one component gets the endpoint's namespace, ``library`` on Docker Hub."""
    if "/" in path:
        return path
    is_hub = (urlsplit(endpoint.api_url).hostname or "") in HUB_HOSTS
    namespace = endpoint.default_namespace or ("library" if is_hub else "")
    return f"{namespace}/{path}" if namespace else path
