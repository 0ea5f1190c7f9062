"""Who gets in and which status says no: section 5 of the Argo CD API facts, over both transports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import grpc
import pytest
from api_client import CallFailed, Client, WebClient
from google.protobuf.empty_pb2 import Empty

from generated.account_messages_pb2 import CanIRequest
from generated.application_messages_pb2 import Application, ApplicationQuery, ApplicationUpdateSpecRequest
from generated.session_messages_pb2 import GetUserInfoRequest, SessionCreateRequest
from generated.settings_messages_pb2 import SettingsQuery
from updater.clock import SystemClock
from updater.playground import tokens
from updater.playground.applications import helm_application
from updater.playground.environment import Environment, Project
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.tokens import Claims
from updater.playground.world import World

pytestmark = pytest.mark.wire

CODE = grpc.StatusCode


def failure(client: Client, method: str, request: object, **options: str) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(CallFailed) as caught:
        client.call(method, request, **options)  # type: ignore[arg-type]  # messages of any kind
    return caught.value.code, caught.value.message


def _fixed(text: str) -> Callable[[World, str], str]:
    def give(world: World, token: str) -> str:
        return text

    return give


def _expired(world: World, token: str) -> str:
    world.expire_token(token)
    return token


def _deleted(world: World, token: str) -> str:
    world.revoke(token)
    return token


def _rotated(world: World, token: str) -> str:
    world.rotate_key()
    return token


def _disabled(world: World, token: str) -> str:
    world.add_account("updater", is_enabled=False)
    return token


def _removed(world: World, token: str) -> str:
    world.remove_account("updater")
    return token


def _incapable(world: World, token: str) -> str:
    world.add_account("updater", capabilities=("login",))
    return token


def _project_deleted(world: World, token: str) -> str:
    project_token = world.issue_project_token("default", "ci")
    world.revoke(project_token)
    return project_token


def _logged_out(world: World, token: str) -> str:
    world.add_account("person", capabilities=("login",))
    login = world.issue_login_token("person", lifetime_s=3600)
    world.revoke(login)
    return login


def _past(world: World, token: str) -> str:
    return world.issue_token(lifetime_s=0)


def _early(world: World, token: str) -> str:
    soon = int(datetime.now(UTC).timestamp()) + 3600
    return tokens.mint(Claims("updater:apiKey", "x", soon), world._access.key)


def _foreign(world: World, token: str) -> str:
    return tokens.mint(Claims("updater:apiKey", "x", 1, issuer="https://sso.example.com"), b"key")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(_fixed("absent"), "no session information", id="no token"),
        pytest.param(_fixed(""), "no session information", id="empty token"),
        pytest.param(
            _fixed("nonsense"),
            "invalid session: token is malformed: token contains an invalid number of segments",
            id="not a token",
        ),
        pytest.param(
            _fixed("a.b.c"),
            "invalid session: token is malformed: could not decode the claims",
            id="three parts of nothing",
        ),
        pytest.param(_rotated, "invalid session: token signature is invalid: signature is invalid", id="other key"),
        pytest.param(_expired, "invalid session: token has invalid claims: token is expired", id="expired"),
        pytest.param(_past, "invalid session: token has invalid claims: token is expired", id="expiry claim passed"),
        pytest.param(_early, "invalid session: token has invalid claims: token is not valid yet", id="clock skew"),
        pytest.param(_deleted, "invalid session: account updater does not have token with id ", id="key deleted"),
        pytest.param(_disabled, "invalid session: account updater is disabled", id="account disabled"),
        pytest.param(
            _incapable, "invalid session: account updater does not have 'apiKey' capability", id="no capability"
        ),
        pytest.param(
            _removed,
            "invalid session: rpc error: code = NotFound desc = account 'updater' does not exist",
            id="account removed",
        ),
        pytest.param(_project_deleted, "invalid session: JWT token for role 'ci' issued at '", id="project token"),
        pytest.param(_logged_out, "invalid session: token is revoked, please re-login", id="revoked"),
        pytest.param(_foreign, "invalid session: SSO is not configured", id="foreign issuer"),
    ],
)
def test_a_bad_token_is_refused_with_the_servers_words(
    world: World, client: Client, token: str, make: Callable[[World, str], str], message: str
) -> None:
    code, text = failure(client, "List", ApplicationQuery(), token=make(world, token))
    assert code is CODE.UNAUTHENTICATED
    assert text.startswith(message)


def test_an_empty_token_hides_a_good_bearer_value(client: Client, token: str) -> None:
    assert client.call("List", ApplicationQuery(), token="absent", authorization=f"Bearer {token}").items
    refused = failure(client, "List", ApplicationQuery(), token="", authorization=f"Bearer {token}")
    assert refused == (CODE.UNAUTHENTICATED, "no session information")


@pytest.mark.parametrize("prefix", ["bearer ", "Bearer  x.", ""])
def test_a_bearer_value_of_another_shape_is_not_seen(client: Client, token: str, prefix: str) -> None:
    refused = failure(client, "List", ApplicationQuery(), token="absent", authorization=f"{prefix}{token}")
    assert refused == (CODE.UNAUTHENTICATED, "no session information")


def test_an_anonymous_caller_with_a_bad_token_gets_a_shorter_list(world: World, client: Client) -> None:
    world.configure(is_anonymous_enabled=True)
    assert not client.call("List", ApplicationQuery(), token="bad").items
    refused = failure(client, "Get", ApplicationQuery(name="shop-web"), token="bad")
    assert refused == (CODE.PERMISSION_DENIED, "permission denied")
    assert not client.call("GetUserInfo", GetUserInfoRequest(), token="bad").loggedIn
    world.allow("*", "applications", "get", "default/shop-web")
    assert [each.metadata.name for each in client.call("List", ApplicationQuery(), token="bad").items] == ["shop-web"]


def test_optional_methods_say_less_without_a_login(world: World, client: Client) -> None:
    world.configure(namespaces=frozenset({"team-a"}))
    settings = "/cluster.SettingsService/Get"
    assert client.call("Version", Empty(), token="bad").BuildDate == ""
    assert client.call("Version", Empty()).BuildDate == Environment().build_date
    assert client.call(settings, SettingsQuery(), token="absent").controllerNamespace == ""
    assert client.call(settings, SettingsQuery()).controllerNamespace == "argocd"
    assert client.call(settings, SettingsQuery()).appsInAnyNamespaceEnabled


def test_user_info_names_the_account_and_the_project_role(world: World, client: Client) -> None:
    info = client.call("GetUserInfo", GetUserInfoRequest())
    assert (info.loggedIn, info.username, info.iss) == (True, "updater", "argocd")
    role = world.issue_project_token("default", "ci")
    assert client.call("GetUserInfo", GetUserInfoRequest(), token=role).username == "proj:default:ci"


def test_a_password_login_gives_a_token_that_works(world: World, client: Client) -> None:
    world.add_account("person", password="s3cret", capabilities=("login",))
    world.allow("person", "applications", "get", "default/*")
    login = client.call("Create", SessionCreateRequest(username="person", password="s3cret"), token="absent").token
    assert len(client.call("List", ApplicationQuery(), token=login).items) == 3


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        pytest.param(SessionCreateRequest(), CODE.UNAUTHENTICATED, "no credentials supplied", id="nothing"),
        pytest.param(
            SessionCreateRequest(username="person"),
            CODE.UNAUTHENTICATED,
            "Blank passwords are not allowed",
            id="blank",
        ),
        pytest.param(
            SessionCreateRequest(username="person", password="x"),
            CODE.UNAUTHENTICATED,
            "Invalid username or password",
            id="wrong",
        ),
        pytest.param(
            SessionCreateRequest(username="u" * 33, password="x"),
            CODE.INVALID_ARGUMENT,
            "Username is too long",
            id="long",
        ),
        pytest.param(
            SessionCreateRequest(username="robot", password="s3cret"),
            CODE.UNAUTHENTICATED,
            "account robot does not have 'login' capability",
            id="no capability",
        ),
    ],
)
def test_a_failed_login_says_why(
    world: World, client: Client, request_: SessionCreateRequest, code: grpc.StatusCode, message: str
) -> None:
    world.add_account("person", password="s3cret", capabilities=("login",))
    world.add_account("robot", password="s3cret")
    found, text = failure(client, "Create", request_, token="absent")
    assert found is code
    assert text.startswith(message)


@pytest.mark.parametrize(
    ("agent", "code"),
    [
        pytest.param("argocd-client/v1.3.9", CODE.FAILED_PRECONDITION, id="too old"),
        pytest.param("argocd-client/new", CODE.INVALID_ARGUMENT, id="no version"),
        pytest.param("argocd-client/1.4.0-rc1", None, id="pre-release counts as its version"),
        pytest.param("image-updater/0.1 argocd/1.0", None, id="own name"),
    ],
)
def test_only_an_argocd_client_has_its_version_checked(
    web: GrpcWebServer, token: str, agent: str, code: grpc.StatusCode | None
) -> None:
    client = WebClient(web, token)
    if code is None:
        assert client.call("List", ApplicationQuery(), user_agent=agent).items
    else:
        assert failure(client, "List", ApplicationQuery(), user_agent=agent)[0] is code


def test_an_expiring_clock_ends_a_token() -> None:
    class Later(SystemClock):
        ahead_s = 0

        def now(self) -> datetime:
            return datetime.fromtimestamp(1_700_000_000 + self.ahead_s, UTC)

    clock = Later()
    world = World(clock=clock)
    key = world.issue_token(lifetime_s=60)
    assert world.verify(key).expires_at == 1_700_000_060
    clock.ahead_s = 60
    with pytest.raises(Exception, match="token is expired"):
        world.verify(key)


@dataclass(frozen=True)
class Row:
    """One row of the table: which Application is asked for, and the answer."""

    name: str
    project: str
    code: grpc.StatusCode
    message: str = "permission denied"
    policies: str = "*"


@pytest.mark.parametrize("method", ["Get", "UpdateSpec"])
@pytest.mark.parametrize(
    "row",
    [
        pytest.param(Row("missing", "", CODE.PERMISSION_DENIED), id="no project, missing"),
        pytest.param(Row("shop-web", "", CODE.PERMISSION_DENIED, policies=""), id="no project, no right"),
        pytest.param(Row("shop-web", "default", CODE.PERMISSION_DENIED, policies="other/*"), id="project, no right"),
        pytest.param(
            Row("missing", "default", CODE.NOT_FOUND, 'applications.argoproj.io "missing" not found'),
            id="project, missing",
        ),
        pytest.param(
            Row("shop-web", "other", CODE.NOT_FOUND, 'applications.argoproj.io "shop-web" not found'),
            id="in another project",
        ),
        pytest.param(
            Row(
                "shop-web",
                "other",
                CODE.NOT_FOUND,
                'applications.argoproj.io "shop-web" not found',
                policies="other/*",
            ),
            id="a right that does not reach into the real project",
        ),
    ],
)
def test_denied_and_not_found_follow_the_table(world: World, client: Client, method: str, row: Row) -> None:
    world.clear_policies()
    for action in ("get", "update"):
        world.allow("updater", "applications", action, row.policies)
    if method == "Get":
        request: object = ApplicationQuery(name=row.name, projects=[row.project] if row.project else [])
    else:
        request = ApplicationUpdateSpecRequest(name=row.name, spec=Application().spec, project=row.project)
    assert failure(client, method, request) == (row.code, row.message)


def test_a_deny_wins_over_every_allow(world: World, client: Client) -> None:
    world.deny("updater", "applications", "get", "default/shop-web")
    names = [each.metadata.name for each in client.call("List", ApplicationQuery()).items]
    assert names == ["shop-all", "shop-api"]


def test_a_namespace_that_is_not_enabled_is_denied(world: World, client: Client) -> None:
    world.add_application(helm_application("remote", namespace="team-a").message)
    query = ApplicationQuery(name="remote", appNamespace="team-a")
    assert failure(client, "Get", query) == (CODE.PERMISSION_DENIED, "permission denied")
    world.configure(namespaces=frozenset({"team-a"}))
    assert client.call("Get", query).metadata.namespace == "team-a"


def test_objects_outside_the_control_plane_carry_their_namespace(world: World, client: Client) -> None:
    world.add_application(helm_application("remote", namespace="team-a").message)
    world.configure(namespaces=frozenset({"team-a"}))
    world.clear_policies()
    world.allow("updater", "applications", "get", "default/team-a/remote")
    assert [each.metadata.name for each in client.call("List", ApplicationQuery()).items] == ["remote"]


def test_a_project_that_does_not_admit_the_namespace_is_invalid(world: World, client: Client) -> None:
    world.add_application(helm_application("remote", namespace="team-a").message)
    world.configure(namespaces=frozenset({"team-a"}))
    world.add_project(Project("default", namespaces=frozenset({"team-b"})))
    code, message = failure(client, "Get", ApplicationQuery(name="remote", appNamespace="team-a"))
    assert code is CODE.INVALID_ARGUMENT
    assert message == 'app is not allowed in project "default", or the project does not exist'
    assert client.call("Get", ApplicationQuery(name="shop-web")).metadata.name == "shop-web"
    world.remove_project("default")
    assert failure(client, "Get", ApplicationQuery(name="shop-web"))[0] is CODE.INVALID_ARGUMENT


def test_get_takes_one_project_at_most(client: Client) -> None:
    query = ApplicationQuery(name="shop-web", projects=["default", "other"])
    assert failure(client, "Get", query)[0] is CODE.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("resource", "action", "target", "answer"),
    [
        ("applications", "update", "default/shop-web", "yes"),
        ("applications", "update", "*/*", "yes"),
        ("applications", "delete", "default/shop-web", "no"),
        ("projects", "get", "default", "no"),
    ],
)
def test_can_i_answers_from_the_policies(client: Client, resource: str, action: str, target: str, answer: str) -> None:
    request = CanIRequest(resource=resource, action=action, subresource=target)
    assert client.call("CanI", request).value == answer


@pytest.mark.parametrize(("resource", "action"), [("things", "get"), ("applications", "juggle")])
def test_can_i_refuses_words_it_does_not_know(client: Client, resource: str, action: str) -> None:
    request = CanIRequest(resource=resource, action=action)
    assert failure(client, "CanI", request)[0] is CODE.INVALID_ARGUMENT


def test_a_literal_star_needs_a_policy_that_covers_it(world: World, client: Client) -> None:
    world.clear_policies()
    world.allow("updater", "applications", "get", "default/shop-web")
    request = CanIRequest(resource="applications", action="get", subresource="*/*")
    assert client.call("CanI", request).value == "no"


def test_the_log_keeps_names_and_hides_secrets(world: World, client: Client, token: str) -> None:
    client.call("Version", Empty(), x_extra="visible")
    (call,) = world.calls
    assert call.metadata["token"] == "<secret>"
    assert call.metadata["x-extra"] == "visible"
    assert token not in repr(call)
