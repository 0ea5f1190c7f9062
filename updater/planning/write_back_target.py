"""The annotation ``write-back-target``: which file the git method writes (``write-back.md`` 1.3).

Paths are resolved by their text; symlinks are looked at when the commit is there. Templates mean nothing in a path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from updater.model.applications import ApplicationKey
from updater.model.git_targets import TargetFile
from updater.planning import annotation_keys as keys
from updater.planning.write_back import KUSTOMIZATION_FILES, Method, WriteBackMethod, forced_kind
from updater.rules.repository_paths import join_path, normalise_path

_PREFIXES = {"kustomization": TargetFile.KUSTOMIZATION, "helmvalues": TargetFile.HELM_VALUES}
_VALUES = "values.yaml"


@dataclass(frozen=True, slots=True)
class WrittenTarget:
    """The annotation, cut at its prefix; ``path`` is empty where none is written."""

    file: TargetFile
    path: str = ""


@dataclass(frozen=True, slots=True)
class TargetPlace:
    """What paths are relative to: the path of the source, and the values file that a bare ``helmvalues`` means.

    ``instance`` is the name that Argo CD looks for in the names of override files.
    """

    source_path: str
    instance: str
    values_path: str = ""


def instance_name(key: ApplicationKey, control_namespace: str) -> str:
    """``<namespace>_<app>`` outside of the control-plane namespace, else ``<app>``."""
    is_elsewhere = bool(key.namespace) and key.namespace != control_namespace
    return f"{key.namespace}_{key.name}" if is_elsewhere else key.name


def parse_target(own: Mapping[str, str]) -> WrittenTarget:
    """Cut the annotation; raises ``PlanError`` (``invalid_target``, ``kustomization_without_prefix``)."""
    text = own.get(keys.WRITE_BACK_TARGET, "").strip()
    if not text:
        return WrittenTarget(TargetFile.SOURCE_OVERRIDE)
    if forced_kind(own, WriteBackMethod(Method.GIT)) is None:
        return WrittenTarget(TargetFile.PARAMETERS, text)
    word, _, path = text.partition(":")
    return WrittenTarget(_PREFIXES[word], path.strip())


def resolve_target(target: WrittenTarget, place: TargetPlace) -> str:
    """The path in the repository: of a directory for a kustomization, else of a file.

    Raises ``PlanError`` (``path_escapes_repo``, ``path_in_git_dir``, ``invalid_path``).
    """
    match target.file:
        case TargetFile.SOURCE_OVERRIDE:
            return join_path(place.source_path, f".argocd-source-{place.instance}.yaml")
        case TargetFile.PARAMETERS:
            return normalise_path(target.path.lstrip("/"))
        case TargetFile.KUSTOMIZATION:
            return _directory(join_path(place.source_path, target.path))
        case TargetFile.HELM_VALUES:
            return _values_path(target.path, place)


def _directory(path: str) -> str:
    """The file itself may be named; kustomize works on its directory."""
    above, _, name = path.rpartition("/")
    return (above or ".") if name in KUSTOMIZATION_FILES else path


def _values_path(path: str, place: TargetPlace) -> str:
    if not path and place.values_path:
        return normalise_path(place.values_path)
    if not path or path.endswith("/"):
        return join_path(place.source_path, path + _VALUES)
    return join_path(place.source_path, path)
