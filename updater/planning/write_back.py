"""The annotations ``write-back-method`` and ``write-back-target``: how and where changes are written.

Grammar: ``write-back.md`` 1.2 and 1.3. Here only what decides type and method; paths are resolved by who writes files.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from updater.errors import PlanError
from updater.model.applications import SourceKind
from updater.planning import annotation_keys as keys

_REPO_CREDS = "repocreds"
_SECRET = "secret"  # noqa: S105 - a word of the grammar
_PREFIXES = ("kustomization", "helmvalues")
KUSTOMIZATION_FILES = frozenset(("kustomization.yaml", "kustomization.yml", "Kustomization"))


class Method(Enum):
    """The two ways of writing."""

    ARGOCD = "argocd"
    GIT = "git"


@dataclass(frozen=True, slots=True)
class WriteBackMethod:
    """How to write. ``secret`` is ``(namespace, name)`` of the credentials, empty namespace = the Application's."""

    method: Method = Method.ARGOCD
    secret: tuple[str, str] | None = None


def parse_write_back_method(text: str) -> WriteBackMethod:
    """Parse the annotation; raises ``PlanError`` (``invalid_method``, ``invalid_credentials``)."""
    head, colon, rest = text.strip().partition(":")
    word, credentials = head.strip(), rest.strip()
    if (word == Method.ARGOCD.value and not colon) or not text.strip():
        return WriteBackMethod()
    if word != Method.GIT.value:
        raise PlanError(
            f"write-back-method {text.strip()[:80]!r} is unknown",
            hint="write argocd, git, git:repocreds or git:secret:<namespace>/<name>",
            code="invalid_method",
        )
    if not colon or credentials == _REPO_CREDS:
        return WriteBackMethod(Method.GIT)
    return WriteBackMethod(Method.GIT, _parse_secret(credentials))


def _parse_secret(credentials: str) -> tuple[str, str]:
    word, _, path = credentials.partition(":")
    parts = [part.strip() for part in path.split("/")]
    if word.strip() != _SECRET or len(parts) > 2 or not all(parts):
        raise PlanError(
            f"write-back-method names the credentials {credentials[:80]!r}, which are no reference",
            hint="write git:repocreds or git:secret:<namespace>/<name>",
            code="invalid_credentials",
        )
    return (parts[0], parts[1]) if len(parts) > 1 else ("", parts[0])


def forced_kind(own: Mapping[str, str], method: WriteBackMethod) -> SourceKind | None:
    """The source type that the target prefix fixes, for the git method only.

    Raises ``PlanError`` (``kustomization_without_prefix``, ``invalid_target``) for a bare path like a prefix.
    """
    if method.method is not Method.GIT:
        return None
    target = own.get(keys.WRITE_BACK_TARGET, "")
    word, colon, _ = target.partition(":")
    if word == "kustomization" and (colon or word == target):
        return SourceKind.KUSTOMIZE
    if word == "helmvalues" and (colon or word == target):
        return SourceKind.HELM
    _check_bare_path(target)
    return None


def _check_bare_path(target: str) -> None:
    if target.rpartition("/")[2] in KUSTOMIZATION_FILES:
        raise PlanError(
            f"write-back-target {target[:120]!r} is a kustomization file",
            hint="write kustomization:<directory>",
            code="kustomization_without_prefix",
        )
    if target.startswith(_PREFIXES) or _is_misspelt_prefix(target):
        raise PlanError(
            f"write-back-target {target[:120]!r} is neither a prefix nor a path",
            hint="write kustomization:<directory>, helmvalues:<file>, or a path",
            code="invalid_target",
        )


def _is_misspelt_prefix(target: str) -> bool:
    """Whether a target would be a path only by a slip: ``helmvalue:a.yaml`` would become a file of that name."""
    word = target.partition(":")[0]
    return word.isalpha() and bool(difflib.get_close_matches(word, _PREFIXES, n=1, cutoff=0.7))
