"""Tokens in place of passwords: identity tokens of the OAuth2 flow, and registry tokens that are sent as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from updater.clock import Deadline, SystemClock
from updater.errors import RegistryAuthError
from updater.model.references import ImageRepository
from updater.playground.registry import PlaygroundRegistry
from updater.registry.client import RegistryClient
from updater.registry.credential_docker import parse_docker_config
from updater.registry.credential_sources import CredentialSource, SourceType
from updater.registry.credential_values import CredentialNeed, Credentials
from updater.registry.credentials import CredentialReader
from updater.registry.endpoints import Endpoint, EndpointTable

pytestmark = pytest.mark.wire
List = Callable[..., tuple[str, ...]]


class DockerFile:
    """Credentials out of one Docker file."""

    def __init__(self, text: str) -> None:
        self._config = parse_docker_config(text, "config.json")

    def read(self, source: CredentialSource, need: CredentialNeed, deadline: Deadline) -> Credentials:
        return self._config.credentials_for(need.api_url, need.repository)

    renew = read


def list_tags(registry: PlaygroundRegistry, entry: dict[str, Any]) -> tuple[str, ...]:
    reader = DockerFile(json.dumps({"auths": {registry.host: entry}}))
    source = CredentialSource(SourceType.FILE, "/config.json")
    endpoint = Endpoint(name="reg", prefix="reg.test", api_url=registry.address, credentials=source)
    clock = SystemClock()
    client = RegistryClient(EndpointTable([endpoint]), CredentialReader({}, {SourceType.FILE: reader}), clock)
    try:
        return client.fetch_tags(ImageRepository("reg.test", "team/app"), Deadline.after(clock, 20)).tags
    finally:
        client.close()


def test_an_identity_token_is_traded_at_the_token_service(registry: PlaygroundRegistry) -> None:
    registry.require_identity_token("id-t0ken")
    assert list_tags(registry, {"identitytoken": "id-t0ken"}) == ("1.0", "1.1")
    assert [(asked.method, asked.path, asked.query, asked.scheme) for asked in registry.requests] == [
        ("GET", "/v2/", "", ""),
        ("POST", "/token", "", ""),
        ("GET", "/v2/team/app/tags/list", "n=1000", "bearer"),
    ]


@pytest.mark.parametrize(
    ("given", "has_oauth2", "says"),
    [("other", True, "rejected"), ("id-t0ken", False, "does not take the identity token")],
    ids=["a wrong token", "a service without OAuth2"],
)
def test_an_identity_token_that_is_not_taken_is_named_and_not_shown(
    registry: PlaygroundRegistry, given: str, says: str, *, has_oauth2: bool
) -> None:
    registry.require_identity_token("id-t0ken", has_oauth2=has_oauth2)
    with pytest.raises(RegistryAuthError, match=says) as raised:
        list_tags(registry, {"identitytoken": given})
    assert raised.value.code == "auth_failed"
    assert given not in str(raised.value)


def test_an_identity_token_is_never_sent_as_a_password(registry: PlaygroundRegistry) -> None:
    registry.require_basic("ann", "id-t0ken")
    with pytest.raises(RegistryAuthError):
        list_tags(registry, {"auth": "YW5uOnB3", "identitytoken": "id-t0ken"})
    assert {asked.scheme for asked in registry.requests} == {""}


def test_a_form_with_a_token_is_not_sent_on(registry: PlaygroundRegistry) -> None:
    registry.require_identity_token("id-t0ken")
    with PlaygroundRegistry() as elsewhere:
        registry.faults.redirect(f"{elsewhere.address}/token", target="/token")
        with pytest.raises(Exception, match="redirects"):
            list_tags(registry, {"identitytoken": "id-t0ken"})
        assert elsewhere.requests == ()


def test_a_registry_token_is_sent_as_it_is(registry: PlaygroundRegistry, tmp_path: Path) -> None:
    registry.accept_token("reg-t0ken", "team/app")
    assert list_tags(registry, {"registrytoken": "reg-t0ken"}) == ("1.0", "1.1")
    assert [asked.scheme for asked in registry.requests] == ["bearer"]


def test_a_registry_token_that_is_refused_is_not_replaced(registry: PlaygroundRegistry) -> None:
    registry.accept_token("reg-t0ken", "team/app")
    with pytest.raises(RegistryAuthError, match="rejected"):
        list_tags(registry, {"registrytoken": "other"})
    assert [asked.path for asked in registry.requests] == ["/v2/team/app/tags/list"]
