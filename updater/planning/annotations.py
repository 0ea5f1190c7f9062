"""What an owner asks for one image: per-image key, then application-wide key, then built-in default.

Reading rules: ``images-and-strategies.md`` 1.4. Blank means not set at every level; lists are replaced, never merged;
a value that cannot be read falls back with a warning, so that no annotation ever stops an Application.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from updater.model.images import Strategy
from updater.model.report import Warned
from updater.planning import annotation_keys as keys
from updater.rules.filters import split_ignored_tags

STRATEGIES: Mapping[str, Strategy] = MappingProxyType({strategy.value: strategy for strategy in Strategy})
RENAMED_STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {"latest": Strategy.NEWEST_BUILD, "name": Strategy.ALPHABETICAL}
)
_TRUE = frozenset(("1", "t", "T", "true", "True", "TRUE"))
_FALSE = frozenset(("0", "f", "F", "false", "False", "FALSE"))


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """The resolved settings of one image; empty texts and tuples mean not set.

    ``refused`` says why the image must not be handled as it was asked for.
    """

    strategy: Strategy = Strategy.SEMVER
    allow_tags: str = ""
    ignore_tags: tuple[str, ...] = ()
    semver_constraint: str = ""
    force_update: bool = False
    pull_secret: str = ""
    platforms: tuple[str, ...] = ()
    helm_name: str = ""
    helm_tag: str = ""
    helm_spec: str = ""
    kustomize_name: str = ""
    plugin_name: str = ""
    plugin_tag: str = ""
    plugin_spec: str = ""
    refused: str = ""
    warnings: tuple[Warned, ...] = ()


def read_settings(own: Mapping[str, str], alias: str) -> ImageSettings:
    """The settings of the image with that alias (empty: application-wide keys only).

    own: the result of ``annotation_keys.own_annotations``.
    """
    reader = _Reader(own, alias)
    return ImageSettings(
        strategy=reader.strategy(),
        allow_tags=reader.allow_tags(),
        ignore_tags=split_ignored_tags(reader.text(keys.IGNORE_TAGS)),
        semver_constraint=reader.text(keys.SEMVER_CONSTRAINT),
        force_update=reader.boolean(keys.FORCE_UPDATE),
        pull_secret=reader.text(keys.PULL_SECRET),
        platforms=tuple(item.strip() for item in reader.image_text(keys.PLATFORMS).split(",") if item),
        helm_name=reader.image_text(keys.HELM_NAME),
        helm_tag=reader.image_text(keys.HELM_TAG),
        helm_spec=reader.image_text(keys.HELM_SPEC),
        kustomize_name=reader.image_text(keys.KUSTOMIZE_NAME),
        warnings=tuple(reader.warnings),
    )


class _Reader:
    """Looks keys up for one image and collects what the owner should mend."""

    def __init__(self, own: Mapping[str, str], alias: str) -> None:
        self._own = own
        self._prefix = f"{keys.normalize_alias(alias)}." if alias else ""
        self.warnings: list[Warned] = []

    def image_text(self, key: str) -> str:
        """The per-image value only."""
        return self._own.get(self._prefix + key, "") if self._prefix else ""

    def text(self, key: str) -> str:
        """The per-image value, else the application-wide one."""
        return self.image_text(key) or self._own.get(key, "")

    def strategy(self) -> Strategy:
        text = self.text(keys.STRATEGY)
        name = text.lower()
        if name in RENAMED_STRATEGIES:
            strategy = RENAMED_STRATEGIES[name]
            self._warn("deprecated_strategy", f"update-strategy {text!r} is an old name; write {strategy.value!r}")
            return strategy
        if name and name not in STRATEGIES:
            self._warn("strategy_unknown", f"update-strategy {text[:60]!r} {_strategy_hint(name)}; semver is used")
        return STRATEGIES.get(name, Strategy.SEMVER)

    def allow_tags(self) -> str:
        value = self.text(keys.ALLOW_TAGS)
        old = self.image_text(keys.TAG_MATCH)
        if old:
            used = "it is not read beside allow-tags" if value else "it still works"
            self._warn("deprecated_key", f"{self._prefix}tag-match is an old name of allow-tags; {used}")
        return value or old

    def boolean(self, key: str) -> bool:
        text = self.text(key)
        if text and text not in _TRUE | _FALSE:
            self._warn("boolean_invalid", f"{key} {text[:60]!r} is neither 'true' nor 'false'; false is used")
        return text in _TRUE

    def _warn(self, kind: str, text: str) -> None:
        self.warnings.append(Warned(kind, text))


def _strategy_hint(name: str) -> str:
    word, colon, _ = name.partition(":")
    if colon and word in STRATEGIES:
        return "holds more than the name of a strategy; a constraint stands after the image's name"
    return f"is none of {', '.join(STRATEGIES)}"
