"""The annotation ``pull-secret``: ``[registry=]type:value`` (``images-and-strategies.md`` 5.6, ``registries.md`` 2.1).

Only the sources that an Application's owner may name; the operator's own sources are refused here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from updater.errors import PlanError

_DOCKER_CONFIG_FIELD = ".dockerconfigjson"
_SECRET = re.compile(r"([^/#:]+)/([^/#:]+)#([^/#:]+)")
_OBJECT = re.compile(r"([^/#:]+)/([^/#:]+)")
_VARIABLE = re.compile(r"[^:]+")
_PATH = re.compile(r"/.+", re.DOTALL)


class PullSecretKind(Enum):
    """Where the credentials are, by the word before the colon."""

    SECRET = "secret"  # noqa: S105 - a word of the grammar
    PULL_SECRET = "pullsecret"  # noqa: S105 - a word of the grammar
    VARIABLE = "env"
    SCRIPT = "ext"


@dataclass(frozen=True, slots=True)
class PullSecretReference:
    """Where to find credentials: ``namespace``, ``name`` and ``field`` of a Secret, or ``value`` (variable, path).

    ``registry`` is the unused prefix that the grammar admits.
    """

    kind: PullSecretKind
    namespace: str = ""
    name: str = ""
    field: str = ""
    value: str = ""
    registry: str = ""


def parse_pull_secret(text: str) -> PullSecretReference:
    """Parse the value of the annotation; raises ``PlanError`` (``invalid_pull_secret``)."""
    stripped = text.strip()
    registry, source = _split_registry(stripped)
    word, _, value = source.partition(":")
    kind = next((kind for kind in PullSecretKind if kind.value == word.lower()), None)
    reference = None if kind is None else _reference(kind, value, registry)
    if reference is None:
        raise PlanError(
            f"pull-secret {stripped[:120]!r} is not a credential reference",
            hint="write secret:<namespace>/<name>#<field>, pullsecret:<namespace>/<name>, env:<variable> or ext:<path>",
            code="invalid_pull_secret",
        )
    return reference


def _split_registry(text: str) -> tuple[str, str]:
    before, _, after = text.partition("=")
    # A path or variable of a script may hold an equals sign; a registry name holds no type word.
    is_prefix = bool(before and after) and ":" in after and before.partition(":")[0].lower() not in _WORDS
    return (before, after) if is_prefix else ("", text)


_WORDS = frozenset(kind.value for kind in PullSecretKind)


def _reference(kind: PullSecretKind, value: str, registry: str) -> PullSecretReference | None:
    match kind:
        case PullSecretKind.SECRET:
            found = _SECRET.fullmatch(value)
            return found and PullSecretReference(kind, found[1], found[2], found[3], registry=registry)
        case PullSecretKind.PULL_SECRET:
            found = _OBJECT.fullmatch(value)
            return found and PullSecretReference(kind, found[1], found[2], _DOCKER_CONFIG_FIELD, registry=registry)
        case PullSecretKind.VARIABLE:
            return PullSecretReference(kind, value=value, registry=registry) if _VARIABLE.fullmatch(value) else None
        case PullSecretKind.SCRIPT:
            return PullSecretReference(kind, value=value, registry=registry) if _PATH.fullmatch(value) else None
        case unreachable:
            assert_never(unreachable)
