"""The closed set of annotation keys, and what to say of a key that is not in it.

Source: ``images-and-strategies.md`` 1.4, ``write-back.md`` 1.1 and 6.1. Keys stand without their prefix.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from updater.model.applications import ANNOTATION_PREFIX
from updater.model.report import Warned

IMAGE_LIST = "image-list"
WRITE_BACK_METHOD = "write-back-method"
WRITE_BACK_TARGET = "write-back-target"
WRITE_BACK_SOURCE = "write-back-source"
GIT_BRANCH = "git-branch"
GIT_REPOSITORY = "git-repository"
GIT_PULL_REQUEST = "git-pull-request"
GIT_PULL_REQUEST_LABELS = "git-pull-request-labels"
GIT_PULL_REQUEST_MODE = "git-pull-request-mode"

STRATEGY = "update-strategy"
ALLOW_TAGS = "allow-tags"
IGNORE_TAGS = "ignore-tags"
SEMVER_CONSTRAINT = "semver-constraint"
FORCE_UPDATE = "force-update"
PULL_SECRET = "pull-secret"  # noqa: S105 - the name of an annotation
TAG_MATCH = "tag-match"
PLATFORMS = "platforms"
HELM_NAME = "helm.image-name"
HELM_TAG = "helm.image-tag"
HELM_SPEC = "helm.image-spec"
KUSTOMIZE_NAME = "kustomize.image-name"

_EITHER_LEVEL = frozenset((STRATEGY, ALLOW_TAGS, IGNORE_TAGS, SEMVER_CONSTRAINT, FORCE_UPDATE, PULL_SECRET))
GIT_KEYS = frozenset(
    (
        WRITE_BACK_TARGET,
        GIT_BRANCH,
        GIT_REPOSITORY,
        GIT_PULL_REQUEST,
        GIT_PULL_REQUEST_LABELS,
        GIT_PULL_REQUEST_MODE,
    )
)
"""Keys that only the git method reads."""

APPLICATION_KEYS = _EITHER_LEVEL | GIT_KEYS | {IMAGE_LIST, WRITE_BACK_METHOD, WRITE_BACK_SOURCE}
IMAGE_KEYS = _EITHER_LEVEL | {TAG_MATCH, PLATFORMS, HELM_NAME, HELM_TAG, HELM_SPEC, KUSTOMIZE_NAME}

_RENAMED = {"image-name": HELM_NAME, "image-tag": HELM_TAG, "image-spec": HELM_SPEC}
_QUOTED_KEYS = 10
"""Unknown keys named one by one; an annotation set may hold thousands."""


def normalize_alias(alias: str) -> str:
    """The alias as it stands in keys: slashes become underscores, nothing else changes."""
    return alias.replace("/", "_")


def own_annotations(annotations: Mapping[str, str]) -> dict[str, str]:
    """Our annotations without their prefix, values trimmed, blank ones left out: blank means not set."""
    start = len(ANNOTATION_PREFIX)
    return {
        key[start:]: text
        for key, value in annotations.items()
        if key.startswith(ANNOTATION_PREFIX) and (text := value.strip())
    }


def unknown_key_warnings(keys: Iterable[str], aliases: Iterable[str]) -> tuple[Warned, ...]:
    """One warning for each key that nothing reads, with the nearest one that is read."""
    heads = {normalize_alias(alias) for alias in aliases if alias}
    unknown = sorted(key for key in keys if not _is_known(key, heads))
    warnings = [_unknown(key, heads) for key in unknown[:_QUOTED_KEYS]]
    if len(unknown) > _QUOTED_KEYS:
        warnings.append(Warned("unknown_annotation", f"and {len(unknown) - _QUOTED_KEYS} more unknown annotations"))
    return tuple(warnings)


def _is_known(key: str, heads: set[str]) -> bool:
    if key in APPLICATION_KEYS:
        return True
    head, tail = _split(key)
    return tail in IMAGE_KEYS and head in heads


def _split(key: str) -> tuple[str, str]:
    """Alias and per-image key; aliases may hold dots themselves. The tail is empty when it is no per-image key."""
    for dots in (2, 1):
        parts = key.rsplit(".", dots)
        tail = ".".join(parts[1:])
        if tail in IMAGE_KEYS:
            return parts[0], tail
    return key, ""


def _unknown(key: str, heads: set[str]) -> Warned:
    return Warned("unknown_annotation", f"annotation {ANNOTATION_PREFIX}{key[:100]} is not used; {_advice(key, heads)}")


def _advice(key: str, heads: set[str]) -> str:
    if key in IMAGE_KEYS:
        return f"it needs the alias of an image before it: <alias>.{key}"
    head, tail = _split(key)
    if tail:
        near = get_close_matches(head, sorted(heads), 1, 0.4)
        return f"did you mean {near[0]}.{tail}?" if near else f"no entry of image-list has the alias {head[:60]!r}"
    head, _, tail = key.partition(".")
    if head in heads and tail in _RENAMED:
        return f"it is now {head}.{_RENAMED[tail]}"
    if tail in APPLICATION_KEYS:
        return f"it belongs to the whole Application: {tail}"
    candidates = APPLICATION_KEYS | {f"{head}.{tail}" for head in heads for tail in IMAGE_KEYS}
    near = get_close_matches(key, sorted(candidates), 1)
    return f"did you mean {near[0]}?" if near else "remove it or look for a typing mistake"
