"""Which of many credentials belongs to a repository URL (``write-back.md`` 4.3). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from updater.git.material import AuthKind, Material, auth_kind, no_credentials, parse_material
from updater.model.git_prefixes import GitPrefix, parse_git_prefix
from updater.model.git_remotes import GitRemote, IllegalGitRemote, normalise_git_url

_GIT_TYPES = ("", "git")


@dataclass(frozen=True, slots=True)
class CredentialEntry:
    """One secret or entry: a name for messages, and its fields as they were stored (out of the repr)."""

    name: str
    fields: Mapping[str, str] = field(repr=False)

    @property
    def key(self) -> str:
        return normalise_git_url(self.fields.get("url", ""))

    @property
    def prefix(self) -> GitPrefix | None:
        """What it is for as the beginning of addresses; None for an address that nobody may have."""
        try:
            return parse_git_prefix(self.fields.get("url", ""))
        except IllegalGitRemote:
            return None

    @property
    def is_for_git(self) -> bool:
        return bool(self.key) and self.fields.get("type", "").strip().lower() in _GIT_TYPES

    def covers(self, remote: GitRemote) -> bool:
        """Whether it may be used for ``remote`` because of how its address begins."""
        prefix = self.prefix
        return self.is_for_git and prefix is not None and prefix.covers(remote)


@dataclass(frozen=True, slots=True)
class Match:
    """What was found: ``repository`` and ``template`` name the entries it came from, empty for none."""

    material: Material
    kind: AuthKind
    repository: str = ""
    template: str = ""


def match_credentials(
    remote: GitRemote,
    repositories: Sequence[CredentialEntry],
    templates: Sequence[CredentialEntry],
    project: str = "",
) -> Match | None:
    """The credentials for ``remote``, None when nothing matches at all.

    A repository entry without usable material is completed by the longest template. Raises ``CredentialError``
    (``credentials_scheme_mismatch``, ``no_credentials``) when what matches cannot be used for this address.
    """
    repository = _repository(remote, repositories, project)
    fields = dict(repository.fields) if repository else {}
    template = None
    if not parse_material(fields).is_usable:
        template = _template(remote, templates)
        if template is not None:
            filled = {name: value for name, value in fields.items() if value.strip()}
            fields = {**template.fields, **filled, **_login_of(template)}
    if repository is None and template is None:
        return None
    material = parse_material(fields)
    if not material.is_usable and auth_kind_is_needed(remote):
        raise no_credentials(remote)
    return Match(
        material,
        auth_kind(remote, material),
        repository.name if repository else "",
        template.name if template else "",
    )


def auth_kind_is_needed(remote: GitRemote) -> bool:
    """Whether the remote wants to know who we are; a path on this machine does not."""
    return remote.host != ""


def _login_of(template: CredentialEntry) -> dict[str, str]:
    """A user name belongs to its password: the template's password never goes out under another name."""
    fields = template.fields
    return {"username": fields.get("username", "")} if fields.get("password", "").strip() else {}


def _repository(remote: GitRemote, entries: Sequence[CredentialEntry], project: str) -> CredentialEntry | None:
    equal = [entry for entry in entries if entry.is_for_git and entry.key == remote.key]
    for wanted in dict.fromkeys((project, "")):
        found = [entry for entry in equal if entry.fields.get("project", "").strip() == wanted]
        if found:
            return min(found, key=lambda entry: entry.name)
    return None


def _template(remote: GitRemote, entries: Sequence[CredentialEntry]) -> CredentialEntry | None:
    return longest(entry for entry in entries if entry.covers(remote))


def longest(entries: Iterable[CredentialEntry]) -> CredentialEntry | None:
    """The one with the longest address, which knows most; by name where two are equal."""
    return min(entries, key=lambda entry: (-len(entry.key), entry.name), default=None)
