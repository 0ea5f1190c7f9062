"""Where credentials come from, in which order, and who may use them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from updater.clock import Deadline, SystemClock
from updater.errors import CredentialError
from updater.git.credentials import CredentialBook, CredentialPlaces
from updater.git.material import AuthKind, no_credentials
from updater.git.places import environment_entry
from updater.model.git_remotes import parse_git_remote
from updater.model.git_targets import REPOSITORY_CREDENTIALS, GitTarget
from updater.ports.git import GitSecrets

_URL = "https://h.test/acme/deploy.git"
_CLOCK = SystemClock()


class ClusterSecrets:
    """Secrets of a cluster, in memory."""

    def __init__(
        self,
        repositories: Mapping[str, Mapping[str, str]] | None = None,
        templates: Mapping[str, Mapping[str, str]] | None = None,
        named: Mapping[tuple[str, str], Mapping[str, str]] | None = None,
    ) -> None:
        self._repositories = repositories or {}
        self._templates = templates or {}
        self._named = named or {}

    def fetch_repository_secrets(self, deadline: Deadline) -> Mapping[str, Mapping[str, str]]:
        return self._repositories

    def fetch_credential_templates(self, deadline: Deadline) -> Mapping[str, Mapping[str, str]]:
        return self._templates

    def fetch_secret(self, namespace: str, name: str, deadline: Deadline) -> Mapping[str, str] | None:
        return self._named.get((namespace, name))


_fits: type[GitSecrets] = ClusterSecrets


def _find(
    places: CredentialPlaces, url: str = _URL, credentials: str = REPOSITORY_CREDENTIALS, **more: str
) -> tuple[AuthKind, str]:
    target = GitTarget(parse_git_remote(url), "x", credentials=credentials, **more)
    match = CredentialBook(places).find(target, "team", Deadline.after(_CLOCK, 5))
    return match.kind, match.material.password.reveal()


def _code(places: CredentialPlaces, url: str = _URL, credentials: str = REPOSITORY_CREDENTIALS) -> str:
    with pytest.raises(CredentialError) as raised:
        _find(places, url, credentials)
    return raised.value.code


def _file(tmp_path: Path, *entries: Mapping[str, object], mode: int = 0o600) -> Path:
    path = tmp_path / "credentials.yaml"
    path.write_text(yaml.safe_dump({"credentials": list(entries)}))
    path.chmod(mode)
    return path


def test_the_longest_prefix_of_the_file_wins(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        {"url": "https://h.test", "username": "a", "password": "host"},
        {"url": "https://h.test/acme", "username": "a", "password": "team"},
        {"url": "https://h.test.evil.test/acme/deploy", "username": "a", "password": "evil"},
    )
    assert _find(CredentialPlaces(file=path)) == (AuthKind.BASIC, "team")


def test_an_entry_that_ends_with_a_slash_is_for_no_longer_name(tmp_path: Path) -> None:
    path = _file(tmp_path, {"url": "https://h.test/acme/", "password": "p"})
    assert _find(CredentialPlaces(file=path))[1] == "p"
    assert _code(CredentialPlaces(file=path), "https://h.test/acme-labs/deploy") == "no_credentials"


@pytest.mark.parametrize("url", ["https://h.test/other/../acme", "https://h.test/acme/.", "https://h.test/acme/%2e%2e"])
def test_a_template_of_the_cluster_that_leads_elsewhere_fits_nothing(url: str) -> None:
    cluster = ClusterSecrets(templates={"t": {"url": url, "password": "p"}})
    for address in (_URL, "https://h.test/acme/.hidden"):
        assert _code(CredentialPlaces(secrets=cluster), address) == "no_credentials"


def test_letter_case_does_not_matter_to_credentials(tmp_path: Path) -> None:
    path = _file(tmp_path, {"url": "https://h.test/ACME", "password": "p"})
    assert _find(CredentialPlaces(file=path), "https://h.test/Acme/Deploy")[1] == "p"


def test_a_place_behind_from_is_read_when_it_is_used(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("one\n")
    path = _file(tmp_path, {"url": "https://h.test", "passwordFrom": {"file": str(secret)}})
    assert _find(CredentialPlaces(file=path))[1] == "one"
    secret.write_text("two\n")
    assert _find(CredentialPlaces(file=path))[1] == "two"


def test_a_variable_behind_from_is_read(tmp_path: Path) -> None:
    path = _file(tmp_path, {"url": "https://h.test", "passwordFrom": {"env": "TOKEN"}})
    assert _find(CredentialPlaces(file=path, environment={"TOKEN": "t"}))[1] == "t"


def test_a_missing_variable_of_another_entry_is_no_matter(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        {"url": "https://other.test", "passwordFrom": {"env": "ABSENT"}},
        {"url": "https://h.test", "password": "p"},
    )
    assert _find(CredentialPlaces(file=path))[1] == "p"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("credentials: [{username: x}]", "has no url", id="no url"),
        pytest.param("credentials: [{url: 'https://h.test/a/../b'}]", r"holds \. or \.\.", id="dots in the url"),
        pytest.param("credentials: {url: x}", "no list of credentials", id="no list"),
        pytest.param("a: [", "no YAML", id="no YAML"),
        pytest.param("credentials: [{url: 'https://h.test', password: [1]}]", "unusable password", id="list"),
        pytest.param("credentials: [{url: 'https://h.test', user: bot}]", "did you mean username", id="another name"),
        pytest.param(
            "credentials: [{url: 'https://h.test', passwrodFrom: {env: X}}]",
            "did you mean password",
            id="misspelt",
        ),
        pytest.param(
            "credentials: [{url: 'https://h.test', passwordFrom: {vault: x}}]", "unknown kind", id="unknown place"
        ),
        pytest.param(
            "credentials: [{url: 'https://h.test', passwordFrom: {env: NONE}}]", "not set", id="variable not set"
        ),
        pytest.param(
            "credentials: [{url: 'https://h.test', passwordFrom: {file: /none}}]", "cannot be read", id="no such file"
        ),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "credentials.yaml"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(CredentialError, match=said):
        _find(CredentialPlaces(file=path))


def test_a_file_that_everybody_can_read_is_refused(tmp_path: Path) -> None:
    path = _file(tmp_path, {"url": "https://h.test", "password": "p"}, mode=0o644)
    with pytest.raises(CredentialError, match="everybody can read it"):
        _find(CredentialPlaces(file=path))


def test_kubernetes_comes_before_the_file_and_the_file_before_the_environment(tmp_path: Path) -> None:
    path = _file(tmp_path, {"url": "https://h.test", "password": "file"})
    environment = {"GIT_CREDENTIALS_HOST": "h.test", "GIT_PASSWORD": "environment"}
    cluster = ClusterSecrets(templates={"t": {"url": "https://h.test/acme", "password": "cluster"}})
    assert _find(CredentialPlaces(environment, path, secrets=cluster))[1] == "cluster"
    assert _find(CredentialPlaces(environment, path, secrets=ClusterSecrets()))[1] == "file"
    assert _find(CredentialPlaces(environment))[1] == "environment"


def test_the_environment_is_for_named_hosts_only() -> None:
    assert _code(CredentialPlaces({"GIT_PASSWORD": "p"})) == "no_credentials"
    assert _code(CredentialPlaces({"GIT_PASSWORD": "p", "GIT_CREDENTIALS_HOST": "other.test"})) == "no_credentials"


@pytest.mark.parametrize(
    ("hosts", "is_meant"),
    [
        pytest.param("h.test", True, id="host"),
        pytest.param("other.test, H.test:8443", True, id="host and port"),
        pytest.param("h.test:443", False, id="another port"),
    ],
)
def test_a_host_of_the_environment_may_name_its_port(hosts: str, *, is_meant: bool) -> None:
    remote = parse_git_remote("https://h.test:8443/acme/deploy")
    assert (environment_entry(remote, {"GIT_PASSWORD": "p", "GIT_CREDENTIALS_HOST": hosts}) is not None) is is_meant


def test_a_remote_without_credentials_is_told_where_they_may_stand() -> None:
    error = no_credentials(parse_git_remote("https://h.test/acme/deploy"))
    assert error.hint == "add an entry for it to the file of --git-credentials-path, or h.test to GIT_CREDENTIALS_HOST"


def test_a_key_is_no_use_for_https(tmp_path: Path) -> None:
    path = _file(tmp_path, {"url": "https://h.test", "sshPrivateKey": "k"})
    assert _code(CredentialPlaces(file=path)) == "credentials_scheme_mismatch"


def test_the_password_of_a_template_keeps_its_own_user() -> None:
    cluster = ClusterSecrets(
        {"r": {"url": _URL, "username": "somebody"}},
        {"t": {"url": "https://h.test", "username": "bot", "password": "p"}},
    )
    target = GitTarget(parse_git_remote(_URL), "x")
    match = CredentialBook(CredentialPlaces(secrets=cluster)).find(target, "team", Deadline.after(_CLOCK, 5))
    assert match.material.username == "bot"


_SECRET: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("team", "git"): {"username": "u", "password": "own"},
    ("other", "git"): {"username": "u", "password": "foreign"},
    ("team", "bound"): {"username": "u", "password": "p", "url": "https://h.test/acme"},
    ("team", "empty"): {"username": "u"},
    ("team", "app"): {"githubAppID": "one", "githubAppPrivateKey": "k"},
    ("team", "key"): {"sshPrivateKey": "k"},
    ("team", "both"): {"githubAppID": "1", "githubAppPrivateKey": "k", "username": "u", "password": "p"},
    ("team", "identity"): {"useAzureWorkloadIdentity": "true"},
    ("team", "agent"): {"sshAgent": "true"},
}


@pytest.mark.parametrize(
    ("reference", "password"),
    [("secret:team/git", "own"), ("secret:git", "own"), ("secret:team/bound", "p")],
)
def test_a_named_secret_of_the_own_namespace_is_used(reference: str, password: str) -> None:
    places = CredentialPlaces(secrets=ClusterSecrets(named=_SECRET))
    assert _find(places, credentials=reference) == (AuthKind.BASIC, password)


@pytest.mark.parametrize(
    ("reference", "url", "code"),
    [
        ("secret:other/git", _URL, "secret_namespace_denied"),
        ("secret:team/absent", _URL, "secret_not_found"),
        ("secret:team/empty", _URL, "invalid_secret"),
        ("secret:team/app", _URL, "invalid_secret"),
        ("secret:team/git", "git@h.test:acme/deploy", "invalid_secret"),
        ("secret:team/key", _URL, "invalid_secret"),
        ("secret:team/bound", "https://h.test.evil.test/acme", "invalid_secret"),
        # The identity of the platform and the agent are the operator's.
        ("secret:team/identity", _URL, "invalid_secret"),
        ("secret:team/agent", "git@h.test:acme/deploy", "invalid_secret"),
    ],
)
def test_a_named_secret_is_refused_where_it_does_not_belong(reference: str, url: str, code: str) -> None:
    assert _code(CredentialPlaces(secrets=ClusterSecrets(named=_SECRET)), url, reference) == code


def test_the_id_of_an_app_decides_what_a_named_secret_is() -> None:
    places = CredentialPlaces(secrets=ClusterSecrets(named=_SECRET))
    assert _find(places, credentials="secret:team/both")[0] is AuthKind.GITHUB_APP


@pytest.mark.parametrize("allowed", ["other", "*"])
def test_the_operator_may_allow_further_namespaces(allowed: str) -> None:
    places = CredentialPlaces(secrets=ClusterSecrets(named=_SECRET), further_namespaces=(allowed,))
    assert _find(places, credentials="secret:other/git")[1] == "foreign"


def test_mounted_secrets_stand_in_for_the_cluster(tmp_path: Path) -> None:
    folder = tmp_path / "team" / "git"
    folder.mkdir(parents=True)
    (folder / "username").write_text("u")
    (folder / "password").write_text("mounted\n")
    assert _find(CredentialPlaces(mounted=tmp_path), credentials="secret:team/git")[1] == "mounted"


@pytest.mark.parametrize("reference", ["secret:../git", "secret:team/..", "secret:team/.", "secret:TEAM/git"])
def test_a_reference_does_not_leave_the_mounted_folder(tmp_path: Path, reference: str) -> None:
    (tmp_path / "password").write_text("outside")
    places = CredentialPlaces(mounted=tmp_path / "secrets", further_namespaces=("*",))
    assert _code(places, credentials=reference) == "secret_not_found"


def test_a_path_on_this_machine_needs_nobody() -> None:
    assert _find(CredentialPlaces(), "/srv/git/a.git")[0] is AuthKind.LOCAL


def test_nothing_secret_is_shown(tmp_path: Path) -> None:
    path = _file(tmp_path, {"url": "https://h.test", "username": "u", "password": "hunter2"})
    target = GitTarget(parse_git_remote(_URL), "x")
    match = CredentialBook(CredentialPlaces(file=path)).find(target, "team", Deadline.after(_CLOCK, 5))
    assert "hunter2" not in repr(match)
