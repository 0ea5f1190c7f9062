"""From credentials to what git reads: environment, files in a private folder, answers of the ask-pass helper."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from updater.clock import Clock, Deadline
from updater.errors import UpdaterError
from updater.git.access import GitHubApi, RemoteAccess
from updater.git.api_access import ApiAccess, ApiTokenSort, check_api_kind
from updater.git.askpass import AskPass, Login
from updater.git.cloud_tokens import CloudRequest, CloudTokens
from updater.git.credentials import CredentialBook
from updater.git.github_app import DEFAULT_URL, InstallationTokens
from updater.git.matching import Match
from updater.git.material import AuthKind, Material
from updater.git.options import GitOptions
from updater.git.ssh import KNOWN_HOSTS_FILE, proxy_login, ssh_command
from updater.git.workplaces import private_folder, secret_root, write_private
from updater.model.git_remotes import GitRemote
from updater.model.git_targets import GitTarget
from updater.ports.log import EventLog
from updater.transport.http import HttpOptions, ProxyOptions, TlsOptions
from updater.transport.redaction import Secret

APP_USER = "x-access-token"
_AGENT_SOCKET = "SSH_AUTH_SOCK"
_REJECT_TIMEOUT_S = 10.0


class CredentialedAccess:
    """An ``AccessSource``. Thread-safe; owns the ask-pass server; ``close`` once, after the last session."""

    def __init__(
        self, book: CredentialBook, options: GitOptions, environment: Mapping[str, str], clock: Clock, log: EventLog
    ) -> None:
        self._book = book
        self._options = options
        self._environment = environment
        self._clock = clock
        self._log = log
        self._questions = AskPass(log)
        self._cloud = CloudTokens(clock)
        self._tokens = InstallationTokens(clock, max_age_s=options.app_token_s, timeout_s=options.request_timeout_s)

    @contextmanager
    def open(self, target: GitTarget, namespace: str, deadline: Deadline) -> Iterator[RemoteAccess]:
        remote = target.remote
        match = self._book.find(target, namespace, deadline)
        if match.material.is_unverified and match.kind is not AuthKind.LOCAL:
            self._log.warning("git_server_not_verified", repository=str(remote))
        with ExitStack() as stack:
            private = stack.enter_context(private_folder(secret_root()))
            if match.kind is AuthKind.LOCAL:
                yield RemoteAccess()
            elif match.kind in (AuthKind.SSH, AuthKind.SSH_AGENT):
                yield RemoteAccess(self._ssh(match, private))
            else:
                yield self._http(match, remote, private, stack, deadline)

    @contextmanager
    def open_api(self, target: GitTarget, namespace: str, host: str, deadline: Deadline) -> Iterator[ApiAccess]:
        """The token for the API on ``host``, with the same proxies and trust as for git.

        Raises ``CredentialError``: ``pr_token_missing``, and what ``open`` raises.
        """
        match = self._book.find(target, namespace, deadline)
        check_api_kind(target.remote, match.kind, match.material)
        with private_folder(secret_root()) as private:
            http = HttpOptions(self._tls(host, match.material, private), self._proxies(match.material))
            yield self._api_access(match, target.remote, http, deadline)

    def reject(self, target: GitTarget, namespace: str) -> bool:
        try:
            found = self._book.find(target, namespace, Deadline.after(self._clock, _REJECT_TIMEOUT_S))
        except UpdaterError as error:
            self._log.warning("git_credentials_gone", repository=str(target.remote), error=str(error))
            return False
        material = found.material
        match found.kind:
            case AuthKind.GITHUB_APP:
                return self._tokens.forget(material.github_app, target.remote)
            case AuthKind.GOOGLE:
                return self._cloud.forget_google(material.google_key)
            case AuthKind.AZURE_SERVICE_PRINCIPAL | AuthKind.AZURE_WORKLOAD_IDENTITY:
                return self._cloud.forget_azure(material.azure, self._environment)
            case _:
                return False

    def close(self) -> None:
        """Stop answering git's questions."""
        self._questions.close()

    def _ssh(self, match: Match, private: Path) -> dict[str, str]:
        known_hosts = self._options.ssh_folder / KNOWN_HOSTS_FILE
        if match.material.ssh_known_hosts:
            known_hosts = private / KNOWN_HOSTS_FILE
            write_private(known_hosts, match.material.ssh_known_hosts)
        command = ssh_command(match.material, known_hosts, private)
        environment = {"GIT_SSH_COMMAND": command, **proxy_login(match.material.proxy)}
        agent = self._environment.get(_AGENT_SOCKET, "")
        if match.kind is AuthKind.SSH_AGENT and agent:
            environment[_AGENT_SOCKET] = agent
        return environment

    def _http(
        self, match: Match, remote: GitRemote, private: Path, stack: ExitStack, deadline: Deadline
    ) -> RemoteAccess:
        material = match.material
        tls = self._tls(remote.host, material, private)
        environment = {**_tls_environment(tls), **_proxy_environment(material)}
        http = HttpOptions(tls, self._proxies(material))
        bearer = self._bearer(match, http, deadline)
        if bearer is not None:
            return RemoteAccess({**environment, **_header(remote, f"Bearer {bearer.reveal()}")})
        username, password = self._login(match, remote, http, deadline)
        if material.sends_basic_at_once:
            pair = base64.b64encode(f"{username or APP_USER}:{password.reveal()}".encode()).decode()
            return RemoteAccess({**environment, **_header(remote, f"Basic {pair}")}, api=_api(match, password, http))
        login = Login(remote.scheme.value, urlsplit(remote.url).netloc, username, password)
        answers = stack.enter_context(self._questions.registered(login))
        return RemoteAccess({**environment, **answers}, api=_api(match, password, http))

    def _bearer(self, match: Match, http: HttpOptions, deadline: Deadline) -> Secret | None:
        """The token that goes out in a header, None for the kinds that are asked for a password."""
        if match.kind is AuthKind.BEARER:
            return match.material.bearer_token
        if match.kind in (AuthKind.AZURE_SERVICE_PRINCIPAL, AuthKind.AZURE_WORKLOAD_IDENTITY):
            return self._cloud.azure_token(match.material.azure, self._request(http, deadline))
        return None

    def _login(self, match: Match, remote: GitRemote, http: HttpOptions, deadline: Deadline) -> tuple[str, Secret]:
        material = match.material
        if match.kind is AuthKind.GITHUB_APP:
            return APP_USER, self._tokens.fetch(material.github_app, remote, http, deadline)
        if match.kind is AuthKind.GOOGLE:
            return self._cloud.google_login(material.google_key, self._request(http, deadline))
        return material.username, material.password

    def _api_access(self, match: Match, remote: GitRemote, http: HttpOptions, deadline: Deadline) -> ApiAccess:
        if match.material.scm_token:
            return ApiAccess(ApiTokenSort.SCM, match.material.scm_token, http)
        bearer = self._bearer(match, http, deadline)
        if bearer is not None:
            return ApiAccess(ApiTokenSort.BEARER, bearer, http)
        username, token = self._login(match, remote, http, deadline)
        if match.kind is AuthKind.GITHUB_APP:
            return ApiAccess(ApiTokenSort.INSTALLATION, token, http)
        return ApiAccess(ApiTokenSort.PASSWORD, token, http, username)

    def _request(self, http: HttpOptions, deadline: Deadline) -> CloudRequest:
        return CloudRequest(http, deadline.sooner(self._options.request_timeout_s), self._environment)

    def _proxies(self, material: Material) -> ProxyOptions:
        proxy = material.proxy.reveal()
        if not proxy:
            return ProxyOptions.from_environment(self._environment)
        hosts = tuple(host.strip().lower() for host in material.no_proxy.split(",") if host.strip())
        return ProxyOptions(proxy, proxy, hosts)

    def _tls(self, host: str, material: Material, private: Path) -> TlsOptions:
        """The files that decide whom we trust and who we are; also for requests for tokens."""
        authorities = ""
        operator_file = self._options.tls_folder / host
        if material.ca_certificates:
            authorities = _written(private / "authorities.pem", material.ca_certificates)
        elif host not in ("", ".", "..") and operator_file.is_file():
            authorities = str(operator_file)
        certificate, key = material.client_certificate, material.client_key.reveal()
        if not certificate or not key:
            return TlsOptions(authorities, insecure=material.is_unverified)
        return TlsOptions(
            authorities,
            _written(private / "client.pem", certificate),
            _written(private / "client.key", key),
            insecure=material.is_unverified,
        )


def _api(match: Match, token: Secret, http: HttpOptions) -> GitHubApi | None:
    if match.kind is not AuthKind.GITHUB_APP:
        return None
    return GitHubApi((match.material.github_app.base_url or DEFAULT_URL).rstrip("/"), token, http)


def _written(path: Path, text: str) -> str:
    write_private(path, text)
    return os.fspath(path)


def _tls_environment(tls: TlsOptions) -> dict[str, str]:
    values = {"GIT_SSL_CAINFO": tls.ca_file, "GIT_SSL_CERT": tls.client_cert, "GIT_SSL_KEY": tls.client_key}
    values["GIT_SSL_NO_VERIFY"] = "true" if tls.insecure else ""
    return {name: value for name, value in values.items() if value}


def _proxy_environment(material: Material) -> dict[str, str]:
    proxy = material.proxy.reveal()
    if not proxy:
        return {}
    return {"http_proxy": proxy, "https_proxy": proxy, "no_proxy": material.no_proxy}


def _header(remote: GitRemote, value: str) -> dict[str, str]:
    """An Authorization header for this origin only.

    No redirect is followed, because git would take the header along: the request after the redirected one goes to the
    new server by its own address (seen with git 2.39). Configuration through the environment, because arguments of a
    process can be read by others on the machine.
    """
    parts = urlsplit(remote.url)
    return {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": f"http.{parts.scheme}://{parts.netloc}/.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: {value}",
        "GIT_CONFIG_KEY_1": "http.followRedirects",
        "GIT_CONFIG_VALUE_1": "false",
    }
