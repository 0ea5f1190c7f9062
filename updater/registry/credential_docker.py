"""Docker's ``config.json`` and ``.dockerconfigjson``: which entry is for a repository, and what it holds.

Rules: ``registries.md`` 2.4. Keys are compared with the host of the API, never with the host in an image's name, so
that credentials do not reach a mirror they were not issued for. Credential helpers are never run. Errors name no key
and no value of the file: people put credentials into both.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from updater.errors import CredentialError
from updater.registry.credential_values import CredentialKind, Credentials
from updater.registry.names import HUB_HOSTS
from updater.transport.redaction import Secret

_HUB_ALIASES = ("registry-1.docker.io", "index.docker.io", "docker.io")
"""Best first; the second is what every ``docker login`` writes."""
_GLOB_CLASS = len(_HUB_ALIASES) + 1
_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_PORT = re.compile(r":([0-9]+)$")


@dataclass(frozen=True, slots=True)
class DockerConfig:
    """A parsed file. ``where`` names it in errors; ``names_helpers``: it refers to credential helpers."""

    where: str
    auths: Mapping[str, Any] = field(repr=False)
    names_helpers: bool = False

    def credentials_for(self, api_url: str, repository: str) -> Credentials:
        """What the best entry holds; raises ``CredentialError`` (``no_match``, ``invalid_entry``).

        A bad best entry is an error: a weaker one may belong to somebody else.
        """
        ranked = sorted(self._candidates(api_url, repository))
        if not ranked:
            host = urlsplit(api_url).netloc
            hint = "credential helpers are not run" if self.names_helpers else "the key must name the host of api_url"
            raise CredentialError(f"no entry is for {host}", where=self.where, hint=hint, code="no_match")
        return _decode(self.auths[ranked[0][2]], self.where)

    def _candidates(self, api_url: str, repository: str) -> Iterator[tuple[int, int, str]]:
        """What sorts the best first: longest path, then class of the host, then the key's text."""
        host = _api_host(api_url)
        for text in self.auths:
            key = _parse_key(text)
            host_class = _host_class(key.host, host)
            if host_class is not None and f"{repository}/".startswith(f"{key.path}/" if key.path else ""):
                yield -len(key.path), host_class, text


def parse_docker_config(text: str | bytes, where: str) -> DockerConfig:
    """The file's entries, none of them looked at; raises ``CredentialError`` (``invalid_json``, ``no_auths``)."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        # Without the cause: its text quotes what it could not read.
        raise CredentialError("it is not JSON", where=where, code="invalid_json") from None
    fields: dict[str, Any] = document if isinstance(document, dict) else {}
    auths = fields.get("auths")
    names_helpers = bool(fields.get("credsStore") or fields.get("credHelpers"))
    if not isinstance(auths, dict):
        hint = "credential helpers are not run" if names_helpers else "write it with 'docker login'"
        raise CredentialError("it has no mapping 'auths'", where=where, hint=hint, code="no_auths")
    return DockerConfig(where, auths, names_helpers)


@dataclass(frozen=True, slots=True)
class _Key:
    """A key of ``auths``: host with its port unless that is the default, and path without slashes around it."""

    host: str
    path: str


def _parse_key(text: str) -> _Key:
    text = text.strip()
    scheme = _SCHEME.match(text)
    is_plain = scheme is not None and scheme[0].lower() == "http://"
    host, _, path = text[scheme.end() if scheme else 0 :].partition("/")
    path = path.strip("/")
    return _Key(_without_port(host.lower(), "80" if is_plain else "443"), "" if path in {"v1", "v2"} else path)


def _api_host(api_url: str) -> str:
    parts = urlsplit(api_url)
    return _without_port(parts.netloc.lower(), "80" if parts.scheme == "http" else "443")


def _without_port(host: str, default: str) -> str:
    return host.removesuffix(f":{default}")


def _host_class(key: str, api: str) -> int | None:
    """How well a key's host fits, 0 best; None when it does not."""
    if key == api:
        return 0
    if api in HUB_HOSTS and key in _HUB_ALIASES:
        return 1 + _HUB_ALIASES.index(key)
    return _GLOB_CLASS if "*" in key and _glob_matches(key, api) else None


def _glob_matches(pattern: str, host: str) -> bool:
    """Per label, with the same number of labels and the same port."""
    wanted, found = _PORT.search(pattern), _PORT.search(host)
    if (wanted and wanted[1]) != (found and found[1]):
        return False
    labels = _PORT.sub("", pattern).split("."), _PORT.sub("", host).split(".")
    return len(labels[0]) == len(labels[1]) and all(map(_label_matches, *labels))


def _label_matches(pattern: str, label: str) -> bool:
    """Whether a label fits a pattern with ``*``, found from left to right: no pattern takes long."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == label
    last = rest.pop()
    if not label.startswith(first) or not label.endswith(last) or len(label) < len(first) + len(last):
        return False
    place, end = len(first), len(label) - len(last)
    for part in rest:
        found = label.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True


def _decode(entry: Any, where: str) -> Credentials:
    if not isinstance(entry, dict):
        raise _invalid_entry(where, "it is not a mapping")
    registry_token = _text(entry, "registrytoken", where)
    if registry_token:
        return Credentials("", Secret(registry_token), CredentialKind.REGISTRY_TOKEN)
    user, password = _pair(entry, where)
    identity_token = _text(entry, "identitytoken", where)
    if identity_token:
        return Credentials(user, Secret(identity_token), CredentialKind.IDENTITY_TOKEN)
    if not user or not password:
        raise _invalid_entry(where, "user and password are both needed")
    return Credentials(user, Secret(password))


def _pair(entry: Mapping[str, Any], where: str) -> tuple[str, str]:
    auth = _text(entry, "auth", where).strip()
    if not auth:
        return _text(entry, "username", where), _text(entry, "password", where)
    unpadded = auth.rstrip("=")
    try:
        decoded = base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True).decode("utf-8")
    except ValueError:
        # Without the cause, which holds the text.
        raise _invalid_entry(where, "its 'auth' is not base64 of UTF-8 text") from None
    user, colon, password = decoded.partition(":")
    if not colon:
        raise _invalid_entry(where, "its 'auth' is not user:password")
    return user, password.rstrip("\0")


def _text(entry: Mapping[str, Any], name: str, where: str) -> str:
    value = entry.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _invalid_entry(where, f"its {name!r} is not text")
    return value


def _invalid_entry(where: str, reason: str) -> CredentialError:
    return CredentialError(
        f"the entry for this registry cannot be used: {reason}",
        where=where,
        hint="write it anew with 'docker login' or 'kubectl create secret docker-registry'",
        code="invalid_entry",
    )
