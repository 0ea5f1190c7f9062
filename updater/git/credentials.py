"""Finding the credentials for a target: Kubernetes, the credential file, the environment, or one named secret.

Order and policy: ``write-back.md`` 4.1, 4.4 and 4.6. The first place that knows the repository decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from updater.clock import Deadline
from updater.errors import CredentialError
from updater.git.matching import CredentialEntry, Match, auth_kind_is_needed, longest, match_credentials
from updater.git.material import AuthKind, Material, auth_kind, no_credentials, parse_material
from updater.git.places import CredentialFile, environment_entry, load_mounted_secret
from updater.model.git_remotes import GitRemote
from updater.model.git_targets import REPOSITORY_CREDENTIALS, GitTarget
from updater.ports.git import GitSecrets

_SECRET = "secret:"  # noqa: S105 - a word of the grammar
ANY_NAMESPACE = "*"


@dataclass(frozen=True, slots=True)
class CredentialPlaces:
    """Where to look. ``environment`` is the process's own; ``secrets`` None without Kubernetes."""

    environment: Mapping[str, str] = field(repr=False, default_factory=dict)
    file: Path | None = None
    mounted: Path | None = None
    secrets: GitSecrets | None = None
    further_namespaces: tuple[str, ...] = ()


class CredentialBook:
    """Finds credentials; holds no state and may be shared between threads."""

    def __init__(self, places: CredentialPlaces) -> None:
        self._places = places

    def find(self, target: GitTarget, namespace: str, deadline: Deadline) -> Match:
        """The credentials for ``target``; ``namespace`` is the Application's.

        Raises ``CredentialError``: ``no_credentials``, ``credentials_scheme_mismatch``, ``secret_namespace_denied``,
        ``secret_not_found``, ``invalid_secret``.
        """
        remote = target.remote
        if target.credentials != REPOSITORY_CREDENTIALS:
            return self._named(target, namespace, deadline)
        found = self._in_kubernetes(target, deadline) or self._in_file(remote) or self._in_environment(remote)
        if found is not None:
            return found
        if not auth_kind_is_needed(remote):
            return Match(Material(), AuthKind.LOCAL)
        raise no_credentials(remote)

    def _in_kubernetes(self, target: GitTarget, deadline: Deadline) -> Match | None:
        secrets = self._places.secrets
        if secrets is None:
            return None
        repositories = _entries(secrets.fetch_repository_secrets(deadline))
        templates = _entries(secrets.fetch_credential_templates(deadline))
        return match_credentials(target.remote, repositories, templates, target.project)

    def _in_file(self, remote: GitRemote) -> Match | None:
        if self._places.file is None:
            return None
        source = CredentialFile(self._places.file, self._places.environment)
        best = longest(entry for entry in source.load_entries() if entry.covers(remote))
        return None if best is None else match_credentials(remote, (), (source.revealed(best),))

    def _in_environment(self, remote: GitRemote) -> Match | None:
        entry = environment_entry(remote, self._places.environment)
        if entry is None:
            return None
        return match_credentials(remote, (), (CredentialEntry(entry.name, {**entry.fields, "url": remote.url}),))

    def _named(self, target: GitTarget, namespace: str, deadline: Deadline) -> Match:
        where, _, name = target.credentials.removeprefix(_SECRET).rpartition("/")
        where = where or namespace
        allowed = (namespace, *self._places.further_namespaces)
        if where not in allowed and ANY_NAMESPACE not in allowed:
            raise CredentialError(
                "the secret is in a namespace that this Application may not use",
                where=f"{where}/{name}",
                hint=f"put it into {namespace}, or see --git-secret-namespaces",
                code="secret_namespace_denied",
            )
        fields = self._fields(where, name, deadline)
        _check_secret(target.remote, fields, f"{where}/{name}")
        material = parse_material(_without_passwords(fields) if fields.get("githubAppID", "").strip() else fields)
        return Match(material, auth_kind(target.remote, material), repository=f"{where}/{name}")

    def _fields(self, namespace: str, name: str, deadline: Deadline) -> Mapping[str, str]:
        fields = None
        if self._places.secrets is not None:
            fields = self._places.secrets.fetch_secret(namespace, name, deadline)
        elif self._places.mounted is not None:
            fields = load_mounted_secret(self._places.mounted, namespace, name)
        if fields is None:
            hint = "create it, or mount it below --git-secrets-dir when there is no Kubernetes"
            raise CredentialError(
                "there is no such secret", where=f"{namespace}/{name}", hint=hint, code="secret_not_found"
            )
        return fields


def _without_passwords(fields: Mapping[str, str]) -> dict[str, str]:
    """What is left for an App, which is what a named secret with its id is meant for."""
    return {name: value for name, value in fields.items() if name not in ("password", "bearerToken")}


def _entries(secrets: Mapping[str, Mapping[str, str]]) -> list[CredentialEntry]:
    return [CredentialEntry(name, fields) for name, fields in secrets.items()]


def _check_secret(remote: GitRemote, fields: Mapping[str, str], name: str) -> None:
    """Raise ``invalid_secret`` with the field that is missing or wrong (``write-back.md`` 4.4)."""
    own = CredentialEntry(name, {"url": fields.get("url", "")})
    if fields.get("url", "").strip() and not own.covers(remote):
        raise _invalid(name, "its field url names another repository")
    if not remote.is_http:
        wanted = ["sshPrivateKey"] if auth_kind_is_needed(remote) else []
    elif fields.get("githubAppID", "").strip():
        wanted = ["githubAppPrivateKey"]
        for number in ("githubAppID", "githubAppInstallationID"):
            if not (fields.get(number, "").strip() or "0").isdecimal():
                raise _invalid(name, f"its field {number} is no number")
    else:
        wanted = [] if fields.get("bearerToken", "").strip() else ["password"]
    for field_name in wanted:
        if not fields.get(field_name, "").strip():
            raise _invalid(name, f"it has no field {field_name}")


def _invalid(name: str, why: str) -> CredentialError:
    return CredentialError(f"the secret cannot be used: {why}", where=name, code="invalid_secret")
