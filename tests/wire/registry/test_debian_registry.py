"""Our client against an independent implementation: the distribution project's registry as Debian packages it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.wire.registry.debian_server import CREATED, PASSWORD, USER, DebianRegistry, Start, debian_registries
from tests.wire.registry.front_server import BlobFront, blob_front
from tests.wire.registry.token_server import TokenServer, serve_tokens
from updater.clock import Deadline, SystemClock
from updater.errors import RegistryAuthError, RegistryUnreachable, RepositoryUnknown
from updater.model.images import Candidate, Inspection, Loss
from updater.model.references import ImageReference, ImageRepository
from updater.registry.client import RegistryClient
from updater.registry.creation_times import parse_created_ns
from updater.registry.credential_sources import parse_credential_source
from updater.registry.credentials import CredentialReader
from updater.registry.endpoints import Endpoint, EndpointTable
from updater.registry.options import RegistryOptions

pytestmark = [pytest.mark.wire, pytest.mark.e2e]

LOGIN = f"{USER}:{PASSWORD}"
AMD = ("linux/amd64",)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with debian_registries(tmp_path) as run:
        yield run


def ask(address: str, work: Callable[[RegistryClient, Deadline], Any], *, login: str = "", **fields: Any) -> Any:
    """What a client of its own makes of the registry at an address."""
    options = RegistryOptions(page_size=fields.pop("page_size", 1000))
    source = parse_credential_source("env:LOGIN") if login else None
    endpoint = Endpoint(name="debian", prefix="deb.test", api_url=address, credentials=source, **fields)
    clock = SystemClock()
    client = RegistryClient(EndpointTable([endpoint]), CredentialReader({"LOGIN": login}), clock, options=options)
    try:
        return work(client, Deadline.after(clock, 30))
    finally:
        client.close()


def list_tags(registry: DebianRegistry, name: str, **fields: Any) -> tuple[str, ...]:
    tags: tuple[str, ...] = ask(
        registry.address,
        lambda client, deadline: client.fetch_tags(ImageRepository("deb.test", name), deadline).tags,
        **fields,
    )
    return tags


def inspect(address: str, *tags: str, inspection: Inspection, **fields: Any) -> tuple[Candidate, ...]:
    repository = ImageRepository("deb.test", "team/app")
    candidates: tuple[Candidate, ...] = ask(
        address,
        lambda client, deadline: client.fetch_candidates(repository, tags, inspection, deadline),
        **fields,
    )
    return candidates


def test_tags_of_images_and_indexes_are_listed(start: Start) -> None:
    registry = start()
    registry.push("team/app", "1.0.0")
    registry.push("team/app", "1.1.0")
    registry.push_index("team/app", "2.0.0")
    assert sorted(list_tags(registry, "team/app")) == ["1.0.0", "1.1.0", "2.0.0"]


def test_a_registry_that_ignores_page_sizes_is_listed_completely(start: Start) -> None:
    registry = start()
    for tag in ("1", "2", "3"):
        registry.push("app", tag)
    assert sorted(list_tags(registry, "app", page_size=2)) == ["1", "2", "3"]


def test_a_repository_that_is_missing_is_unknown(start: Start) -> None:
    with pytest.raises(RepositoryUnknown, match="NAME_UNKNOWN"):
        list_tags(start(), "team/none")


def test_basic_authentication_lets_us_in(start: Start) -> None:
    registry = start(login=LOGIN)
    registry.push("team/app", "1.0.0")
    assert list_tags(registry, "team/app", login=LOGIN) == ("1.0.0",)
    with pytest.raises(RegistryAuthError, match="rejected"):
        list_tags(registry, "team/app", login=f"{USER}:wrong")
    with pytest.raises(RegistryAuthError, match="configure credentials"):
        list_tags(registry, "team/app")


def test_images_and_indexes_are_inspected(start: Start) -> None:
    registry = start()
    single, multi = registry.push("team/app", "single"), registry.push_index("team/app", "multi")
    created_ns = parse_created_ns(CREATED)
    dated = inspect(registry.address, "single", "none", "multi", inspection=Inspection(AMD))
    assert dated == (Candidate("single", created_ns, single), Candidate("multi", created_ns, multi))
    arm = inspect(registry.address, "single", "multi", inspection=Inspection(("linux/arm64",), wants_created=False))
    assert arm == (Candidate("single", None, single, Loss.PLATFORM_MISSING), Candidate("multi", None, multi))


def test_labels_of_images_and_indexes_are_read(start: Start) -> None:
    registry = start()
    registry.push("team/app", "single")
    registry.push_index("team/app", "multi")

    def read(client: RegistryClient, deadline: Deadline) -> list[str]:
        asked = [("single", ()), ("multi", ("linux/arm64",)), ("multi", ())]
        images = [(ImageReference(ImageRepository("deb.test", "team/app"), tag), wanted) for tag, wanted in asked]
        found = [dict(client.fetch_labels(image, wanted, deadline)) for image, wanted in images]
        return [labels["org.opencontainers.image.revision"] for labels in found]

    assert ask(registry.address, read) == ["cafe-amd64", "cafe-arm64", "cafe-amd64"]


def test_a_moved_tag_is_told_by_its_head(start: Start) -> None:
    registry = start()
    digests = [registry.push("team/app", "latest")]

    def follow(client: RegistryClient, deadline: Deadline) -> list[str]:
        repository, wanted = ImageRepository("deb.test", "team/app"), Inspection(AMD, wants_created=False)
        seen = []
        for push in (lambda: digests[0], lambda: registry.push_index("team/app", "latest")):
            push()
            client.forget_tags(repository)
            seen += [found.digest for found in client.fetch_candidates(repository, ["latest"], wanted, deadline)]
        return seen

    first, second = ask(registry.address, follow)
    assert first == digests[0]
    assert second != first


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def test_a_registry_behind_tls_is_trusted_by_its_authority(start: Start, authority: trustme.CA, tmp_path: Path) -> None:
    digest = start().push("team/app", "1.0.0")
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    secure = start(tls=(tmp_path / "cert.pem", tmp_path / "key.pem"))
    trusting = {"ca_file": str(tmp_path / "ca.pem")}
    assert list_tags(secure, "team/app", **trusting) == ("1.0.0",)
    assert inspect(secure.address, "1.0.0", inspection=Inspection(AMD), **trusting)[0].digest == digest
    with pytest.raises(RegistryUnreachable, match="ca_file"):
        list_tags(secure, "team/app")


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[TokenServer]:
    with serve_tokens(tmp_path, LOGIN) as server:
        yield server


def test_tokens_of_a_separate_service_let_us_in(start: Start, tokens: TokenServer) -> None:
    digest = start().push("team/app", "1.0.0")
    guarded = start(auth=tokens.registry_configuration)
    assert list_tags(guarded, "team/app", login=LOGIN) == ("1.0.0",)
    (found,) = inspect(guarded.address, "1.0.0", inspection=Inspection(AMD), login=LOGIN)
    assert found.digest == digest
    assert set(tokens.scopes) == {"repository:team/app:pull"}
    with pytest.raises(RegistryAuthError):
        list_tags(guarded, "team/app", login=f"{USER}:wrong")


@pytest.fixture
def front(start: Start, tmp_path: Path) -> Iterator[tuple[DebianRegistry, BlobFront]]:
    registry = start(login=LOGIN)
    with blob_front(tmp_path, registry.address) as server:
        yield registry, server


def test_blobs_are_read_from_where_they_are_presigned(front: tuple[DebianRegistry, BlobFront]) -> None:
    registry, server = front
    digest = registry.push("team/app", "1.0.0")
    (found,) = inspect(server.address, "1.0.0", inspection=Inspection(AMD), login=LOGIN)
    assert found == Candidate("1.0.0", parse_created_ns(CREATED), digest)
    assert server.storage_requests() == ["200 -"], "one request, without Authorization"
