"""One entry of ``registries.conf``: typed fields out of a YAML node, with a line for everything that is wrong.

Works on nodes and not on values, because only nodes show repeated keys, quoted numbers and line numbers. The rules of
each field are those of ``registries.md`` 1.2 and 1.3.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import yaml

from updater.clock import DurationError, parse_duration_s
from updater.errors import CredentialError
from updater.model.report import Warned
from updater.registry.configuration_authorities import (
    MountedAuthorities,
    UnusableAuthorities,
    certificates_in,
    load_ca_file,
)
from updater.registry.credential_sources import CredentialSource, UnusableSource, parse_credential_source
from updater.registry.endpoints import DEFAULT_REQUESTS_PER_S, Endpoint, TagSortMode

_KEYS = frozenset(
    {
        "name",
        "api_url",
        "prefix",
        "ping",
        "credentials",
        "credsexpire",
        "tagsortmode",
        "insecure",
        "ca_file",
        "ca_data",
        "defaultns",
        "limit",
        "default",
    }
)
_TAG = "tag:yaml.org,2002:"
_OCTAL = re.compile(r"[-+]?0[0-9_]")
"""A number that the older updater reads with another base; nobody means that."""
_TRUE = frozenset({"y", "yes", "true", "on"})
_FALSE = frozenset({"n", "no", "false", "off"})
_SORT_MODES = {"": TagSortMode.UNSORTED} | {mode.value: mode for mode in TagSortMode}

T = TypeVar("T")


class FieldProblem(ValueError):
    """What is wrong with one field, as a clause for people."""


def mapping_fields(node: yaml.Node, allowed: frozenset[str]) -> dict[str, yaml.Node]:
    """The fields of a mapping; raises ``FieldProblem`` for another node, an unknown key or a repeated one."""
    if not isinstance(node, yaml.MappingNode):
        raise FieldProblem(f"line {node.start_mark.line + 1}: expected a mapping of keys and values")
    fields: dict[str, yaml.Node] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or key.value not in allowed:
            known = ", ".join(sorted(allowed))
            raise FieldProblem(f"line {line}: unknown key {getattr(key, 'value', '')!r}; known are {known}")
        if key.value in fields:
            raise FieldProblem(f"line {line}: the key {key.value!r} is repeated")
        fields[key.value] = value
    return fields


class EntryReader:
    """Reads one entry; ``problems`` and ``warnings`` are complete after ``read``."""

    def __init__(self, node: yaml.Node, number: int, mounted: MountedAuthorities) -> None:
        self.problems: list[str] = []
        self.warnings: list[Warned] = []
        self._label = f"entry {number}"
        self._mounted = mounted
        self._fields: dict[str, yaml.Node] = {}
        self._is_readable = True
        try:
            self._fields = mapping_fields(node, _KEYS)
        except FieldProblem as problem:
            self._is_readable = False
            self.problems.append(f"{self._label}: {problem}")

    def read(self) -> Endpoint:
        """The endpoint; only of use when ``problems`` is empty."""
        name = self._required("name")
        self._label = f"{self._label} ({name})" if name else self._label
        api_url = self._field("api_url", _api_url, "") if self._required("api_url") else ""
        is_insecure = self._field("insecure", _boolean, default=False)
        self._field("ping", _boolean, default=False)
        return Endpoint(
            name=name,
            prefix=self._field("prefix", _text, "").lower().rstrip("/"),
            api_url=api_url,
            default_namespace=self._field("defaultns", _text, ""),
            is_default=self._field("default", _boolean, default=False),
            is_insecure=is_insecure,
            ca_data="" if is_insecure else self._authorities(api_url),
            credentials=self._credentials(),
            credentials_expire_s=self._field("credsexpire", _lifetime_s, 0.0),
            requests_per_s=max(0, self._field("limit", _integer, DEFAULT_REQUESTS_PER_S)),
            tag_sort_mode=self._field("tagsortmode", _sort_mode, TagSortMode.UNSORTED),
        )

    def _required(self, key: str) -> str:
        text = self._field(key, _text, "")
        if not text and self._is_readable:
            self.problems.append(f"{self._label}: {key!r} is missing")
        return text

    def _field(self, key: str, read: Callable[[yaml.ScalarNode], T], default: T) -> T:
        """The value of a field, the default when it is absent, null or wrong."""
        node = self._fields.get(key)
        if node is None or node.tag == f"{_TAG}null":
            return default
        try:
            if not isinstance(node, yaml.ScalarNode):
                raise FieldProblem("expected a single value")  # noqa: TRY301 - one place adds entry, line and key
            return read(node)
        except FieldProblem as problem:
            self.problems.append(f"{self._label}, line {node.start_mark.line + 1}: {key!r}: {problem}")
            return default

    def _credentials(self) -> CredentialSource | UnusableSource | None:
        """The source; one that does not parse is a warning, because the rest of the entry works without it."""
        text = self._field("credentials", _text, "")
        if not text.strip():
            return None
        try:
            return parse_credential_source(text)
        except CredentialError as error:
            problem = f"{self._label}: {error}"
            self.warnings.append(Warned("registries_credentials_invalid", problem))
            return UnusableSource(problem)

    def _authorities(self, api_url: str) -> str:
        """The certificates of ``ca_data`` and ``ca_file``; without a file, those mounted for the host of the API.

        Each source that is named must hold a usable certificate.
        """
        text, path = self._field("ca_data", _text, ""), self._field("ca_file", _text, "")
        parts = [self._certificates("'ca_data'", lambda: certificates_in(text))] if text else []
        if path:
            parts.append(self._certificates(f"the CA file {path}", lambda: load_ca_file(Path(path))))
        else:
            parts.append(self._mounted_for(urlsplit(api_url).hostname or ""))
        return "".join(parts)

    def _certificates(self, what: str, read: Callable[[], str]) -> str:
        try:
            return read()
        except UnusableAuthorities as problem:
            self.problems.append(f"{self._label}: {what} cannot be used: {problem}")
            return ""

    def _mounted_for(self, host: str) -> str:
        if host in self._mounted.problems:
            self.problems.append(f"{self._label}: the mounted CA file cannot be used: {self._mounted.problems[host]}")
        return self._mounted.by_host.get(host, "")


def _text(node: yaml.ScalarNode) -> str:
    return str(node.value)


def _boolean(node: yaml.ScalarNode) -> bool:
    word = node.value.lower()
    if node.style is None and word in _TRUE:
        return True
    if node.style is None and word in _FALSE:
        return False
    raise FieldProblem("expected true or false")


def _integer(node: yaml.ScalarNode) -> int:
    try:
        if node.tag == f"{_TAG}int" and not _OCTAL.match(node.value):
            return int(node.value.replace("_", ""), 10)
    except ValueError as error:
        raise FieldProblem("expected a decimal number") from error
    raise FieldProblem("expected a decimal number without quotes")


def _lifetime_s(node: yaml.ScalarNode) -> float:
    """Decision D5: a bare number other than 0 would be nanoseconds, which nobody means."""
    try:
        seconds = parse_duration_s(node.value)
    except DurationError as error:
        raise FieldProblem(str(error)) from error
    if seconds < 0:
        raise FieldProblem("it cannot be negative; 0 means never")
    return seconds


def _sort_mode(node: yaml.ScalarNode) -> TagSortMode:
    mode = _SORT_MODES.get(node.value.lower())
    if mode is None:
        raise FieldProblem("expected latest-first, latest-last or none")
    return mode


def _api_url(node: yaml.ScalarNode) -> str:
    text = str(node.value)
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise FieldProblem("it is not a URL") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise FieldProblem("expected an absolute URL such as https://registry.example.com")
    if "@" in parts.netloc or parts.query or parts.fragment or any(c.isspace() for c in text):
        raise FieldProblem("expected a URL without user, query, fragment and blanks")
    return text.rstrip("/")
