"""``registries.conf``: from text to endpoints, all or nothing.

Rules: ``registries.md`` 1.1 to 1.4. The file is read as strictly as the older updater reads it, so that it keeps
loading there: unknown and repeated keys fail the whole file. Every problem is reported, not only the first.
"""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from updater.errors import ConfigurationError
from updater.model.report import Warned
from updater.registry.configuration_entry import EntryReader, FieldProblem, mapping_fields
from updater.registry.endpoints import Endpoint, TagSortMode

TLS_FOLDER = "/app/config/tls"
"""Where ``argocd-tls-certs-cm`` is mounted: one CA file per API host (``registries.md`` 1.8)."""


@dataclass(frozen=True, slots=True)
class RegistryConfiguration:
    """Configured endpoints in file order, and what an operator should mend although the file loads."""

    endpoints: tuple[Endpoint, ...] = ()
    warnings: tuple[Warned, ...] = ()


def load_registries(path: str, *, tls_folder: str = TLS_FOLDER) -> RegistryConfiguration:
    """The configuration in a file; an empty ``path`` or a missing file means the built-in registries alone.

    Raises ``ConfigurationError`` with code ``registries_invalid`` for a file that is there and cannot be used.
    """
    if not path:
        return RegistryConfiguration()
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        reason = "is a directory" if error.errno == errno.EISDIR else "does not exist"
        warning = Warned("registries_missing", f"{path} {reason}: only the built-in registries are known")
        return RegistryConfiguration(warnings=(warning,))
    except OSError as error:
        raise _invalid(path, [error.strerror or "it cannot be read"]) from error
    except UnicodeDecodeError as error:
        raise _invalid(path, ["it is not UTF-8 text"]) from error
    return parse_registries(text, path, tls_folder=tls_folder)


def parse_registries(text: str, path: str, *, tls_folder: str = TLS_FOLDER) -> RegistryConfiguration:
    """The configuration in a text; ``path`` is for messages. Raises as ``load_registries`` does."""
    try:
        document = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise _invalid(path, [_yaml_problem(error)]) from error
    try:
        nodes = _entries(document)
    except FieldProblem as problem:
        raise _invalid(path, [str(problem)]) from problem
    readers = [EntryReader(node, number, tls_folder) for number, node in enumerate(nodes, start=1)]
    endpoints = [reader.read() for reader in readers]
    problems = [problem for reader in readers for problem in reader.problems]
    problems += _problems_between(endpoints)
    if problems:
        raise _invalid(path, problems)
    warnings = [warning for reader in readers for warning in reader.warnings]
    return RegistryConfiguration(tuple(endpoints), (*warnings, *_warnings_between(endpoints)))


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


def _yaml_problem(error: Exception) -> str:
    """The YAML library's complaint without the excerpt it quotes, which may hold what nobody should read."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: {error.problem or error.context}"
    return "it is not YAML"


def _invalid(path: str, problems: list[str]) -> ConfigurationError:
    return ConfigurationError(
        f"Could not load registry configuration from {path}: {'; '.join(problems)}", code="registries_invalid"
    )
