"""Places outside Kubernetes where the operator keeps credentials (``write-back.md`` 4.6). Owners cannot name them.

Everything is read when it is used, so that rotated files need no restart.
"""

from __future__ import annotations

import difflib
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from updater.errors import CredentialError
from updater.git.matching import CredentialEntry
from updater.model.git_prefixes import parse_git_prefix
from updater.model.git_remotes import GitRemote, IllegalGitRemote
from updater.transport.redaction import cap_text

MAX_FILE_BYTES = 1024 * 1024
_FROM = "From"
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")

_VARIABLES = {
    "username": "GIT_USERNAME",
    "password": "GIT_PASSWORD",
    "bearerToken": "GIT_BEARER_TOKEN",
    "scmToken": "GIT_SCM_TOKEN",
    "githubAppID": "GITHUB_APP_ID",
    "githubAppInstallationID": "GITHUB_APP_INSTALLATION_ID",
    "githubAppEnterpriseBaseUrl": "GITHUB_APP_BASE_URL",
    "sshAgent": "GIT_SSH_AGENT",
}
_FILE_VARIABLES = {
    "password": "GIT_PASSWORD_FILE",
    "bearerToken": "GIT_BEARER_TOKEN_FILE",
    "scmToken": "GIT_SCM_TOKEN_FILE",
    "sshPrivateKey": "GIT_SSH_KEY_FILE",
    "sshKnownHosts": "GIT_SSH_KNOWN_HOSTS_FILE",
    "githubAppPrivateKey": "GITHUB_APP_PRIVATE_KEY_FILE",
}
HOSTS_VARIABLE = "GIT_CREDENTIALS_HOST"

_FIELDS = (
    *_VARIABLES,
    *_FILE_VARIABLES,
    "azureActiveDirectoryEndpoint",
    "azureServicePrincipalClientId",
    "azureServicePrincipalClientID",
    "azureServicePrincipalClientSecret",
    "azureServicePrincipalTenantId",
    "azureServicePrincipalTenantID",
    "caCert",
    "depth",
    "enableLfs",
    "enableOCI",
    "forceHttpBasicAuth",
    "gcpServiceAccountKey",
    "insecure",
    "insecureIgnoreHostKey",
    "insecureOCIForceHttp",
    "name",
    "noProxy",
    "project",
    "proxy",
    "tlsClientCertData",
    "tlsClientCertKey",
    "type",
    "url",
    "useAzureWorkloadIdentity",
)
"""The fields of Argo CD's repository secrets (3.3), and ours; some of them mean nothing here."""


class CredentialFile:
    """``--git-credentials-path``: a list of entries by URL prefix. Holds no state but where the file is."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self._path = path
        self._environment = environment

    def load_entries(self) -> tuple[CredentialEntry, ...]:
        """All entries with their fields as written, not yet looked up. Raises ``CredentialError``."""
        try:
            if self._path.stat().st_mode & stat.S_IROTH:
                raise self._wrong("everybody can read it", "make it readable for the updater only, mode 0600")
            document = yaml.safe_load(_read(self._path))
        except OSError as error:
            raise self._wrong(cap_text(error.strerror or "it cannot be read"), "see --git-credentials-path") from error
        except yaml.YAMLError as error:
            raise self._wrong("it is no YAML", "begin with 'credentials:'") from error
        rows = document.get("credentials") if isinstance(document, dict) else None
        if not isinstance(rows, list):
            raise self._wrong("it has no list of credentials", "begin with 'credentials:'")
        return tuple(self._entry(number, row) for number, row in enumerate(rows, start=1))

    def revealed(self, entry: CredentialEntry) -> CredentialEntry:
        """The entry with every ``<field>From`` looked up. Raises ``CredentialError``."""
        fields: dict[str, str] = {}
        for name, value in entry.fields.items():
            kind, separator, place = value.partition(":") if name.endswith(_FROM) else ("", "", "")
            fields[name.removesuffix(_FROM) if separator else name] = (
                self._look_up(entry.name, kind, place) if separator else value
            )
        return CredentialEntry(entry.name, fields)

    def _entry(self, number: int, row: Any) -> CredentialEntry:
        name = f"entry {number}"
        if not isinstance(row, dict) or not isinstance(row.get("url"), str):
            raise self._wrong(f"{name} has no url", "give each entry the beginning of the addresses it is for")
        try:
            parse_git_prefix(row["url"])
        except IllegalGitRemote as error:
            raise self._wrong(f"the url of {name}: {error}", "write the address as git gets it") from error
        fields: dict[str, str] = {}
        for key, value in row.items():
            self._check_spelling(name, str(key))
            if isinstance(value, dict) and str(key).endswith(_FROM) and len(value) == 1:
                kind, place = next(iter(value.items()))
                fields[str(key)] = f"{kind}:{place}"
            elif isinstance(value, str | int) and not str(key).endswith(_FROM):
                fields[str(key)] = str(value).lower() if isinstance(value, bool) else str(value)
            else:
                raise self._wrong(
                    f"{name} has an unusable {str(key)[:60]}", "write a text, or {env: NAME}, {file: PATH}"
                )
        return CredentialEntry(name, fields)

    def _check_spelling(self, name: str, key: str) -> None:
        """Fields that are merely unknown are left alone: Argo CD may have them."""
        near = difflib.get_close_matches(key.removesuffix(_FROM), _FIELDS, n=1)
        if near and near[0] != key.removesuffix(_FROM):
            raise self._wrong(f"{name} has no field {key[:60]!r}", f"did you mean {near[0]}?")

    def _look_up(self, name: str, kind: str, place: str) -> str:
        if kind == "env":
            if place not in self._environment:
                raise self._wrong(f"{name} names a variable that is not set", f"set {place[:80]}")
            return self._environment[place]
        if kind != "file":
            raise self._wrong(f"{name} names a place of an unknown kind", "write {env: NAME} or {file: PATH}")
        try:
            return _read(Path(place))
        except OSError as error:
            raise self._wrong(f"a file of {name} cannot be read", f"see {place[:200]}") from error

    def _wrong(self, what: str, hint: str) -> CredentialError:
        return CredentialError(f"the credential file cannot be used: {what}", where=str(self._path), hint=hint)


def environment_entry(remote: GitRemote, environment: Mapping[str, str]) -> CredentialEntry | None:
    """The default login of the environment, if it is meant for the host of ``remote``; raises ``CredentialError``.

    A host stands for all of its ports, ``host:port`` for one. The list is mandatory: without it an owner could send
    the token anywhere with ``git-repository``.
    """
    hosts = {host.strip().lower() for host in environment.get(HOSTS_VARIABLE, "").split(",") if host.strip()}
    if hosts.isdisjoint({remote.host, f"{remote.host}:{remote.port}"}):
        return None
    fields = {name: environment[variable] for name, variable in _VARIABLES.items() if environment.get(variable)}
    for name, variable in _FILE_VARIABLES.items():
        path = environment.get(variable)
        if path and name not in fields:
            try:
                fields[name] = _read(Path(path))
            except OSError as error:
                raise CredentialError("the file cannot be read", where=f"{variable}={path}") from error
    return CredentialEntry("environment", fields)


def load_mounted_secret(root: Path, namespace: str, name: str) -> Mapping[str, str] | None:
    """The fields of ``<root>/<namespace>/<name>/``, None when there is no such folder. Raises ``CredentialError``."""
    if not _NAME.fullmatch(namespace) or not _NAME.fullmatch(name):
        return None
    folder = root / namespace / name
    try:
        if not folder.is_dir():
            return None
        return {path.name: _read(path) for path in sorted(folder.iterdir()) if path.is_file()}
    except OSError as error:
        raise CredentialError("the mounted secret cannot be read", where=str(folder), code="invalid_secret") from error


def _read(path: Path) -> str:
    with path.open("rb") as stream:
        return stream.read(MAX_FILE_BYTES).decode("utf-8", "replace")
