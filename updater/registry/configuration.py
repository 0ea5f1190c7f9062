"""``registries.conf``: from text to endpoints, all or nothing.

Rules: ``registries.md`` 1.1 to 1.4. The file is read as strictly as the older updater reads it, so that it keeps
loading there: unknown and repeated keys fail the whole file. Every problem is reported, not only the first.
"""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from updater.errors import ConfigurationError
from updater.model.report import Warned
from updater.registry.configuration_authorities import TLS_FOLDER, MountedAuthorities, load_authorities
from updater.registry.configuration_entry import EntryReader, FieldProblem, mapping_fields
from updater.registry.endpoints import Endpoint, EndpointTable, TagSortMode

MISSING = "registries_missing"
"""The kind of warning for a file that is not there."""

MAX_FILE_BYTES = 4 * 1024 * 1024
"""More than a ConfigMap can hold (1 MiB)."""


@dataclass(frozen=True, slots=True)
class RegistryConfiguration:
    """Configured endpoints in file order, and what an operator should mend although the file loads.

    ``authorities``: PEM text by API host, for registries that have no entry. Equal when the content is equal, that of
    CA files included.
    """

    endpoints: tuple[Endpoint, ...] = ()
    warnings: tuple[Warned, ...] = ()
    authorities: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def table(self) -> EndpointTable:
        """What finds the endpoint of an image."""
        return EndpointTable(self.endpoints, self.authorities)


def load_registries(path: str, *, tls_folder: str = TLS_FOLDER) -> RegistryConfiguration:
    """The configuration in a file; an empty ``path`` or a missing file means the built-in registries alone.

    Raises ``ConfigurationError`` with code ``registries_invalid`` for a file that is there and cannot be used.
    """
    if not path:
        return parse_registries("", path, tls_folder=tls_folder)
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        reason = "is a directory" if error.errno == errno.EISDIR else "does not exist"
        warning = Warned(MISSING, f"{path} {reason}: only the built-in registries are known")
        nothing = parse_registries("", path, tls_folder=tls_folder)
        return replace(nothing, warnings=(warning, *nothing.warnings))
    except OSError as error:
        raise _invalid(path, [error.strerror or "it cannot be read"]) from error
    return parse_registries(_text_of(content, path), path, tls_folder=tls_folder)


def _text_of(content: bytes, path: str) -> str:
    if len(content) > MAX_FILE_BYTES:
        raise _invalid(path, [f"it is larger than {MAX_FILE_BYTES // 1024} KiB"])
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _invalid(path, ["it is not UTF-8 text"]) from error


def parse_registries(text: str, path: str, *, tls_folder: str = TLS_FOLDER) -> RegistryConfiguration:
    """The configuration in a text; ``path`` is for messages. Raises as ``load_registries`` does."""
    mounted = load_authorities(tls_folder)
    readers = [EntryReader(node, number, mounted) for number, node in enumerate(_nodes(text, path), start=1)]
    endpoints = [reader.read() for reader in readers]
    problems = [problem for reader in readers for problem in reader.problems]
    problems += _problems_between(endpoints)
    if problems:
        raise _invalid(path, problems)
    warnings = [warning for reader in readers for warning in reader.warnings]
    warnings += _warnings_between(endpoints) + _warnings_about(mounted)
    return RegistryConfiguration(tuple(endpoints), tuple(warnings), mounted.by_host)


def _nodes(text: str, path: str) -> list[yaml.Node]:
    try:
        return _entries(yaml.compose(text, Loader=yaml.SafeLoader))
    except FieldProblem as problem:
        raise _invalid(path, [str(problem)]) from problem
    except (yaml.YAMLError, RecursionError) as error:
        raise _invalid(path, [_yaml_problem(error)]) from error


def _entries(document: yaml.Node | None) -> list[yaml.Node]:
    """The nodes of the list ``registries``; an empty document and an empty list are valid."""
    if document is None or _is_null(document):
        return []
    fields = mapping_fields(document, frozenset({"registries"}))
    entries = fields.get("registries")
    if entries is None or _is_null(entries):
        return []
    if not isinstance(entries, yaml.SequenceNode):
        raise FieldProblem("'registries' is not a list")
    return list(entries.value)


def _is_null(node: yaml.Node) -> bool:
    return bool(node.tag == "tag:yaml.org,2002:null")


def _problems_between(endpoints: Iterable[Endpoint]) -> list[str]:
    defaults = [endpoint.name for endpoint in endpoints if endpoint.is_default]
    bare = [endpoint.name for endpoint in endpoints if not endpoint.prefix]
    problems = []
    if len(defaults) > 1:
        problems.append(f"more than one entry has 'default: true': {', '.join(defaults)}")
    if len(bare) > 1:
        problems.append(f"more than one entry has no prefix: {', '.join(bare)}")
    return problems


def _warnings_between(endpoints: list[Endpoint]) -> list[Warned]:
    uses = Counter(endpoint.prefix for endpoint in endpoints)
    warnings = [
        Warned("registries_prefix_repeated", f"{count} entries have the prefix {prefix!r}: the last one is used")
        for prefix, count in uses.items()
        if count > 1
    ]
    if uses[""]:
        text = "an entry without a prefix serves every host that no other entry names; it is not the default registry"
        warnings.append(Warned("registries_prefix_empty", text))
    for endpoint in endpoints:
        if endpoint.tag_sort_mode is not TagSortMode.UNSORTED:
            text = f"{endpoint.name}: tagsortmode makes newest-build trust the order of the list, without metadata"
            warnings.append(Warned("registries_sorted", text))
    return warnings


def _warnings_about(mounted: MountedAuthorities) -> list[Warned]:
    """A broken file for a host without an entry is set aside: the host is then trusted less, never more."""
    return [Warned("registries_ca_unusable", f"CA file set aside: {text}") for text in mounted.problems.values()]


def _yaml_problem(error: Exception) -> str:
    """The YAML library's complaint without the excerpt it quotes, which may hold what nobody should read."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: {error.problem or error.context}"
    return "it is not YAML"


def _invalid(path: str, problems: list[str]) -> ConfigurationError:
    return ConfigurationError(
        f"Could not load registry configuration from {path}: {'; '.join(problems)}", code="registries_invalid"
    )
