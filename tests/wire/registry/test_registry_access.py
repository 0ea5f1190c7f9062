"""Getting in: anonymous, Basic and Bearer, against the playground's registry."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest

from updater.clock import Deadline, SystemClock
from updater.errors import (
    CredentialError,
    RegistryAuthError,
    RegistryProtocolError,
    RegistryUnavailable,
    RepositoryUnknown,
)
from updater.model.references import ImageRepository
from updater.playground.registry import PlaygroundRegistry
from updater.ports.log import Field, NullLog
from updater.registry.client import RegistryClient
from updater.registry.credential_sources import parse_credential_source
from updater.registry.credentials import CredentialReader
from updater.registry.endpoints import Endpoint, EndpointTable
from updater.registry.options import RegistryOptions

pytestmark = pytest.mark.wire
Connect = Callable[..., Any]
LIST = "/v2/team/app/tags/list"


def trail(registry: PlaygroundRegistry, since: int = 0) -> list[tuple[str, str]]:
    return [(asked.path, asked.scheme) for asked in registry.requests[since:]]


def test_without_credentials_the_first_request_is_the_listing(registry: PlaygroundRegistry, connect: Connect) -> None:
    assert connect(registry).tags() == ("1.0", "1.1")
    assert trail(registry) == [(LIST, "")]


def test_basic_is_learned_from_a_ping_and_then_sent_at_once(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.require_basic("ann", "p\u00e4ss:word")
    client = connect(registry, login="ann:p\u00e4ss:word")
    assert client.tags() == ("1.0", "1.1")
    registry.push("other", "2")
    assert client.tags("other") == ("2",)
    assert trail(registry) == [("/v2/", ""), (LIST, "basic"), ("/v2/other/tags/list", "basic")]


def test_a_rejected_password_is_sent_once(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.require_basic("ann", "right")
    with pytest.raises(RegistryAuthError, match="rejected") as raised:
        connect(registry, login="ann:wrong").tags()
    assert raised.value.code == "auth_failed"
    assert "wrong" not in str(raised.value)
    assert trail(registry) == [("/v2/", ""), (LIST, "basic")]


@pytest.mark.parametrize("mode", ["basic", "bearer"])
def test_a_private_registry_asks_strangers_for_credentials(
    registry: PlaygroundRegistry, connect: Connect, mode: str
) -> None:
    {"basic": registry.require_basic, "bearer": registry.require_bearer}[mode]("ann", "pw")
    with pytest.raises(RegistryAuthError, match="configure credentials") as raised:
        connect(registry).tags()
    assert raised.value.code == "auth_required"


def test_a_token_is_fetched_once_and_used_until_it_expires(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.require_bearer("ann", "pw", token_lifetime_s=300)
    client = connect(registry, login="ann:pw")
    assert client.tags() == ("1.0", "1.1")
    assert trail(registry) == [("/v2/", ""), ("/token", "basic"), (LIST, "bearer")]
    assert registry.requests[1].query == "service=playground&scope=repository:team/app:pull&account=ann"
    before = len(registry.requests)
    client.clock.ahead_s += 200
    assert client.tags() == ("1.0", "1.1")
    assert trail(registry, before) == [(LIST, "bearer")]
    before = len(registry.requests)
    client.clock.ahead_s += 75
    assert client.tags() == ("1.0", "1.1")
    assert trail(registry, before) == [("/token", "basic"), (LIST, "bearer")]


def test_anybody_may_get_a_token_for_public_images(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.require_bearer()
    assert connect(registry).tags() == ("1.0", "1.1")
    assert trail(registry) == [(LIST, ""), ("/token", ""), (LIST, "bearer")]


def test_a_token_that_dies_early_is_replaced_once(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.require_bearer("ann", "pw")
    client = connect(registry, login="ann:pw")
    client.tags()
    registry.expire_tokens()
    client.forget()
    before = len(registry.requests)
    assert client.tags() == ("1.0", "1.1")
    assert trail(registry, before) == [(LIST, "bearer"), ("/token", "basic"), (LIST, "bearer")]


def test_a_token_without_access_is_not_asked_for_again(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.require_bearer("ann", "pw", trusts_nobody=True)
    with pytest.raises(RegistryAuthError, match="rejected"):
        connect(registry, login="ann:wrong").tags()
    assert trail(registry) == [("/v2/", ""), ("/token", "basic"), (LIST, "bearer")]


def test_a_token_service_that_refuses_is_asked_once(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.require_bearer("ann", "pw")
    with pytest.raises(RegistryAuthError, match="token service") as raised:
        connect(registry, login="ann:wrong").tags()
    assert raised.value.code == "auth_failed"
    assert trail(registry) == [("/v2/", ""), ("/token", "basic")]


def test_a_failing_token_service_is_retried_at_one_layer(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.require_bearer("ann", "pw")
    registry.faults.status(503, target="/token")
    client = connect(registry, login="ann:pw")
    with pytest.raises(RegistryUnavailable, match="token service") as raised:
        client.tags(within_s=600)
    assert raised.value.code == "token_unavailable"
    assert [asked.path for asked in registry.requests].count("/token") == 7


def test_a_token_service_that_recovers_is_outlived(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.require_bearer("ann", "pw")
    registry.faults.reset(target="/token", times=3)
    assert connect(registry, login="ann:pw").tags(within_s=600) == ("1.0", "1.1")


def test_a_token_service_is_told_no_password_after_a_redirect(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.require_bearer()
    with PlaygroundRegistry() as elsewhere:
        registry.faults.status(307, {"Location": f"{elsewhere.address}/token"}, target="/token")
        with pytest.raises(RegistryAuthError):
            connect(registry, login="ann:pw").tags()
        assert trail(elsewhere) == [("/token", "")]


def test_a_redirect_to_a_forbidden_token_service_is_not_followed(
    registry: PlaygroundRegistry, connect: Connect
) -> None:
    registry.require_bearer("ann", "pw")
    registry.faults.status(302, {"Location": "http://169.254.169.254/t"}, target="/token")
    with pytest.raises(RegistryProtocolError) as raised:
        connect(registry, login="ann:pw").tags()
    assert raised.value.code == "bad_realm"


def test_a_token_service_that_redirects_for_ever_is_left(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.require_bearer()
    registry.faults.status(302, {"Location": "/token"}, target="/token")
    with pytest.raises(RegistryProtocolError, match="redirects"):
        connect(registry).tags()
    assert [asked.path for asked in registry.requests].count("/token") == 6


def test_a_forbidden_token_service_is_not_asked(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.faults.status(401, {"WWW-Authenticate": 'Bearer realm="http://169.254.169.254/t"'}, target="/v2/")
    with pytest.raises(RegistryProtocolError) as raised:
        connect(registry, login="ann:pw").tags()
    assert raised.value.code == "bad_realm"
    assert trail(registry) == [("/v2/", "")]


def test_bearer_wins_where_basic_is_offered_too(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.require_bearer("ann", "pw")
    line = f'Basic realm="x", Bearer realm="{registry.address}/token",service="playground"'
    registry.faults.status(401, {"WWW-Authenticate": line}, target="/v2/", times=1)
    assert connect(registry, login="ann:pw").tags() == ("1.0", "1.1")
    assert trail(registry) == [("/v2/", ""), ("/token", "basic"), (LIST, "bearer")]


def test_a_token_answered_by_basic_starts_over_as_a_stranger(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.require_bearer("ann", "pw")
    client = connect(registry, login="ann:pw")
    client.tags()
    client.forget()
    registry.faults.status(401, {"WWW-Authenticate": 'Basic realm="harbor"'}, target=LIST, times=1)
    before = len(registry.requests)
    assert client.tags() == ("1.0", "1.1")
    assert trail(registry, before) == [(LIST, "bearer"), ("/v2/", ""), ("/token", "basic"), (LIST, "bearer")]


def test_what_is_hidden_from_strangers_is_asked_for_by_name(registry: PlaygroundRegistry, connect: Connect) -> None:
    client = connect(registry, login="ann:pw")
    client.tags()
    client.forget()
    registry.require_basic("ann", "pw")
    registry.faults.status(404, target=LIST, times=1)
    before = len(registry.requests)
    assert client.tags() == ("1.0", "1.1")
    assert trail(registry, before) == [(LIST, ""), ("/v2/", ""), (LIST, "basic")]


def test_a_repository_that_is_missing_is_unknown(registry: PlaygroundRegistry, connect: Connect) -> None:
    with pytest.raises(RepositoryUnknown, match="team/none"):
        connect(registry).tags("team/none")


def test_scopes_of_one_repository_are_not_used_for_another(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.push("other", "2")
    registry.require_bearer()
    client = connect(registry)
    client.tags()
    client.tags("other")
    queries = [asked.query for asked in registry.requests if asked.path == "/token"]
    assert queries == [f"service=playground&scope=repository:{name}:pull" for name in ("team/app", "other")]


def test_further_scopes_of_a_challenge_stay_with_their_repository(
    registry: PlaygroundRegistry, connect: Connect
) -> None:
    registry.push("other", "2")
    registry.require_bearer()
    line = f'Bearer realm="{registry.address}/token",scope="repository:base:pull repository:team/app:pull"'
    registry.faults.status(401, {"WWW-Authenticate": line}, target=LIST, times=1)
    client = connect(registry)
    client.tags()
    client.tags("other")
    scopes = [parse_qs(asked.query)["scope"] for asked in registry.requests if asked.path == "/token"]
    assert scopes == [["repository:team/app:pull", "repository:base:pull"], ["repository:other:pull"]]


def test_a_ping_that_fails_is_repeated_and_teaches_nothing(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.require_basic("ann", "pw")
    registry.faults.status(503, target="/v2/", times=1)
    assert connect(registry, login="ann:pw").tags() == ("1.0", "1.1")
    assert trail(registry) == [("/v2/", ""), ("/v2/", ""), (LIST, "basic")]


class Warnings(NullLog):
    """Keeps the warnings."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, dict[str, Field]]] = []

    def warning(self, event: str, /, **fields: Field) -> None:
        self.kept.append((event, fields))


def test_a_registry_that_names_another_token_service_is_remarked(registry: PlaygroundRegistry) -> None:
    clock, log = SystemClock(), Warnings()
    endpoint = Endpoint(name="reg", prefix="a.test", api_url=registry.address)
    options = RegistryOptions(share_tags_s=0)
    client = RegistryClient(EndpointTable([endpoint]), CredentialReader({}), clock, options=options, log=log)
    repository, deadline = ImageRepository("a.test", "team/app"), Deadline.after(clock, 30)
    registry.require_bearer()
    client.fetch_tags(repository, deadline)
    assert log.kept == []
    registry.expire_tokens()
    realm = registry.address.replace("127.0.0.1", "localhost")
    line = f'Bearer realm="{realm}/token",service="playground"'
    registry.faults.status(401, {"WWW-Authenticate": line}, target=LIST, times=1)
    client.fetch_tags(repository, deadline)
    client.close()
    assert log.kept == [
        ("token_realm_changed", {"registry": registry.address, "before": "127.0.0.1", "now": "localhost"})
    ]


def test_credentials_are_never_shared_between_entries_of_one_registry(registry: PlaygroundRegistry) -> None:
    registry.require_bearer("ann", "pw")
    environment = {"ANN": "ann:pw", "BOB": "bob:pw"}
    entries = [
        Endpoint(
            name=prefix, prefix=prefix, api_url=registry.address, credentials=parse_credential_source(f"env:{who}")
        )
        for prefix, who in (("a.test", "ANN"), ("b.test", "BOB"))
    ]
    clock = SystemClock()
    client = RegistryClient(EndpointTable(entries), CredentialReader(environment), clock)
    deadline = Deadline.after(clock, 30)
    try:
        assert client.fetch_tags(ImageRepository("a.test", "team/app"), deadline).tags == ("1.0", "1.1")
        with pytest.raises(RegistryAuthError):
            client.fetch_tags(ImageRepository("b.test", "team/app"), deadline)
    finally:
        client.close()


def test_credentials_that_cannot_be_read_name_the_registry(registry: PlaygroundRegistry) -> None:
    endpoint = Endpoint(
        name="Our Own", prefix="a.test", api_url=registry.address, credentials=parse_credential_source("env:ABSENT")
    )
    clock = SystemClock()
    client = RegistryClient(EndpointTable([endpoint]), CredentialReader({}), clock)
    with pytest.raises(CredentialError, match="Our Own: env:ABSENT"):
        client.fetch_tags(ImageRepository("a.test", "team/app"), Deadline.after(clock, 30))
    client.close()
    assert registry.requests == ()


def test_passwords_stay_out_of_errors_and_their_causes(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.require_basic("ann", "hunter2")
    registry.faults.status(403, body=b"Basic " + base64.b64encode(b"ann:hunter2"), target=LIST)
    with pytest.raises(RegistryAuthError) as raised:
        connect(registry, login="ann:hunter2").tags()
    assert base64.b64encode(b"ann:hunter2").decode() not in str(raised.value)
