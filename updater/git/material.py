"""Credentials for one repository as values: what the fields of a secret mean, and what can be done with them.

Field names are those of Argo CD's repository secrets and templates (``write-back.md`` 4.2), plus the extensions of 4.4
and 4.6. One parser for all places they come from: Kubernetes, the credential file, mounted secrets, the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from updater.errors import CredentialError
from updater.model.git_remotes import GitRemote, GitScheme
from updater.transport.redaction import Secret

_TRUE = frozenset(("1", "t", "T", "true", "TRUE", "True"))
"""Go's ``strconv.ParseBool``; everything else is false here."""

_EMPTY = Secret("")


class AuthKind(Enum):
    """How a remote is told who we are."""

    BASIC = "https_basic"
    BEARER = "https_bearer"
    GITHUB_APP = "github_app"
    GOOGLE = "google"
    AZURE_WORKLOAD_IDENTITY = "azure_workload_identity"
    AZURE_SERVICE_PRINCIPAL = "azure_service_principal"
    SSH = "ssh"
    SSH_AGENT = "ssh_agent"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class GitHubApp:
    """An App; ``installation_id`` empty is found out, ``base_url`` empty is github.com."""

    app_id: str = ""
    installation_id: str = ""
    private_key: Secret = _EMPTY
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class AzurePrincipal:
    """A service principal; without a secret the rest narrows down a workload identity. ``endpoint`` empty is public."""

    tenant: str = ""
    client: str = ""
    client_secret: Secret = _EMPTY
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class Material:
    """The secret material and transport settings for one repository; nothing in it is shown by a repr."""

    username: str = ""
    password: Secret = _EMPTY
    bearer_token: Secret = _EMPTY
    ssh_private_key: Secret = _EMPTY
    ssh_known_hosts: str = ""
    scm_token: Secret = _EMPTY
    uses_ssh_agent: bool = False
    github_app: GitHubApp = field(default_factory=GitHubApp)
    google_key: Secret = _EMPTY
    uses_azure_identity: bool = False
    azure: AzurePrincipal = field(default_factory=AzurePrincipal)
    client_certificate: str = ""
    client_key: Secret = _EMPTY
    ca_certificates: str = ""
    is_unverified: bool = False
    sends_basic_at_once: bool = False
    proxy: Secret = _EMPTY
    no_proxy: str = ""

    def http_kind(self) -> AuthKind | None:
        """The kind for HTTP(S), in the order of ``write-back.md`` 4.3."""
        present = (
            (self.password, AuthKind.BASIC),
            (self.bearer_token, AuthKind.BEARER),
            (self.github_app.private_key, AuthKind.GITHUB_APP),
            (self.google_key, AuthKind.GOOGLE),
            (self.uses_azure_identity, AuthKind.AZURE_WORKLOAD_IDENTITY),
            (self.azure.client_secret, AuthKind.AZURE_SERVICE_PRINCIPAL),
        )
        return next((kind for value, kind in present if value), None)

    def ssh_kind(self) -> AuthKind | None:
        """The kind for SSH."""
        if self.ssh_private_key:
            return AuthKind.SSH
        return AuthKind.SSH_AGENT if self.uses_ssh_agent else None

    @property
    def is_usable(self) -> bool:
        """Whether there is any secret material; a user name or a client certificate alone cannot push."""
        return self.http_kind() is not None or self.ssh_kind() is not None


def parse_material(fields: Mapping[str, str]) -> Material:
    """The material in the fields of a secret; unknown fields are of no concern here."""

    def text(*names: str) -> str:
        return next((fields[name].strip() for name in names if fields.get(name, "").strip()), "")

    def secret(*names: str) -> Secret:
        return Secret(text(*names))

    def flag(*names: str) -> bool:
        return any(fields.get(name, "").strip() in _TRUE for name in names)

    return Material(
        username=text("username"),
        password=secret("password"),
        bearer_token=secret("bearerToken"),
        ssh_private_key=secret("sshPrivateKey"),
        ssh_known_hosts=text("sshKnownHosts"),
        scm_token=secret("scmToken"),
        uses_ssh_agent=flag("sshAgent"),
        github_app=GitHubApp(
            text("githubAppID"),
            text("githubAppInstallationID"),
            secret("githubAppPrivateKey"),
            text("githubAppEnterpriseBaseUrl"),
        ),
        google_key=secret("gcpServiceAccountKey"),
        uses_azure_identity=flag("useAzureWorkloadIdentity"),
        azure=AzurePrincipal(
            text("azureServicePrincipalTenantId", "azureServicePrincipalTenantID"),
            text("azureServicePrincipalClientId", "azureServicePrincipalClientID"),
            secret("azureServicePrincipalClientSecret"),
            text("azureActiveDirectoryEndpoint"),
        ),
        client_certificate=text("tlsClientCertData"),
        client_key=secret("tlsClientCertKey"),
        ca_certificates=text("caCert"),
        is_unverified=flag("insecure", "insecureIgnoreHostKey"),
        sends_basic_at_once=flag("forceHttpBasicAuth"),
        proxy=secret("proxy"),
        no_proxy=text("noProxy"),
    )


def auth_kind(remote: GitRemote, material: Material) -> AuthKind:
    """How to authenticate at ``remote``; raises ``CredentialError`` when the material is of the wrong sort or none."""
    if remote.scheme is GitScheme.LOCAL:
        return AuthKind.LOCAL
    kind = material.http_kind() if remote.is_http else material.ssh_kind()
    if kind is not None:
        return kind
    if material.is_usable:
        wanted = "a password, a token or an App" if remote.is_http else "an SSH private key"
        raise CredentialError(
            "the credentials are of another sort than the address",
            where=str(remote),
            hint=f"give {wanted}, or write the other form of the address",
            code="credentials_scheme_mismatch",
        )
    raise no_credentials(remote)


def no_credentials(remote: GitRemote) -> CredentialError:
    """The error for a remote that nothing matches."""
    return CredentialError(
        "no credentials match this repository",
        where=str(remote),
        hint=f"add an entry for it to the file of --git-credentials-path, or {remote.host} to GIT_CREDENTIALS_HOST",
        code="no_credentials",
    )
