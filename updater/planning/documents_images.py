"""What a rule says of images: ``images``, ``commonUpdateSettings``, ``manifestTargets`` and ``imagesVerification``.

The values follow the grammars of the annotations of the same meaning (``runtime.md`` 9.2 to 9.5).
"""

from __future__ import annotations

import re

from updater.errors import PlanError
from updater.model.images import Strategy
from updater.model.references import IllegalReference, parse_repository, split_reference
from updater.planning.advice import entry_hint
from updater.planning.annotations import RENAMED_STRATEGIES, STRATEGIES
from updater.planning.documents import (
    HelmNames,
    KustomizeName,
    ManifestTarget,
    PluginNames,
    RuleImage,
    UpdateSettings,
    Verification,
    refined,
    refined_verification,
)
from updater.planning.documents_fields import Fields
from updater.planning.image_list import ImageEntry
from updater.planning.pull_secrets import parse_pull_secret

IMAGE_FIELDS = ("alias", "imageName", "commonUpdateSettings", "manifestTargets", "imagesVerification")
_SETTINGS_FIELDS = ("updateStrategy", "forceUpdate", "allowTags", "ignoreTags", "pullSecret", "platforms")
_NAME_FIELDS = ("name", "tag", "spec")
_ALIAS = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-._]*")
_VARIABLE_LIMIT = 253
"""Characters of the name of an environment variable (``runtime.md`` 9.4)."""


def read_image(fields: Fields, outer: UpdateSettings, verification: Verification | None) -> RuleImage | None:
    """One image; ``outer`` and ``verification`` are those of its rule. None when it cannot be used."""
    alias = fields.text("alias", is_required=True)
    if alias and not _ALIAS.fullmatch(alias):
        fields.complain("alias", "expected letters, digits, '-', '.' and '_', beginning with a letter or digit")
    settings = refined(outer, read_settings_block(fields))
    target = _read_target(fields)
    verification = refined_verification(verification, read_verification(fields))
    check_verification(fields, verification)
    text = fields.text("imageName", is_required=True)
    if not alias or not text:
        return None
    parts = split_reference(text)
    try:
        repository = parse_repository(parts.name.strip())
    except IllegalReference as problem:
        fields.complain("imageName", f"{text[:120]!r} is not an image: {problem.what}; {_image_hint(text)}")
        return None
    constraint, digest = (parts.tag or "").strip(), (parts.digest or "").strip()
    return RuleImage(ImageEntry(text, alias, repository, constraint, digest), settings, verification, target)


def _image_hint(text: str) -> str:
    if "=" in text.partition(":")[0]:
        return "the alias has a field of its own"
    return entry_hint(text).replace("[alias=]", "")


def read_settings_block(outer: Fields) -> UpdateSettings:
    """The block ``commonUpdateSettings`` of a specification, a rule or an image."""
    block = outer.block("commonUpdateSettings", _SETTINGS_FIELDS)
    if block is None:
        return UpdateSettings()
    return UpdateSettings(
        update_strategy=_read_strategy(block),
        force_update=block.boolean("forceUpdate"),
        allow_tags=block.text("allowTags"),
        ignore_tags=block.texts("ignoreTags"),
        pull_secret=_read_pull_secret(block),
        platforms=block.texts("platforms"),
    )


def _read_strategy(block: Fields) -> str | None:
    text = block.text("updateStrategy")
    if text is None:
        return None
    name = text.lower()
    if name not in STRATEGIES and name not in RENAMED_STRATEGIES:
        block.complain("updateStrategy", f"expected one of {', '.join(strategy.value for strategy in Strategy)}")
    return name


def _read_pull_secret(block: Fields) -> str | None:
    text = block.text("pullSecret")
    if text:
        try:
            parse_pull_secret(text)
        except PlanError as problem:
            block.complain("pullSecret", str(problem))
    return text


def _read_target(image: Fields) -> ManifestTarget | None:
    kinds = ("helm", "kustomize", "plugin")
    block = image.block("manifestTargets", kinds)
    if block is None:
        return None
    helm, plugin = block.block("helm", _NAME_FIELDS), block.block("plugin", _NAME_FIELDS)
    kustomize = block.block("kustomize", ("name",))
    if sum(target is not None for target in (helm, kustomize, plugin)) != 1:
        block.complain("", f"expected exactly one of {', '.join(kinds)}")
    if helm is not None:
        return HelmNames(*_read_names(helm))
    if kustomize is not None:
        return KustomizeName(kustomize.text("name") or "")
    return None if plugin is None else _read_plugin(plugin)


def _read_names(block: Fields) -> tuple[str, str, str]:
    name, tag, spec = (block.text(field) or "" for field in _NAME_FIELDS)
    return name, tag, spec


def _read_plugin(block: Fields) -> PluginNames:
    names = PluginNames(*_read_names(block))
    if not names.name and not names.spec:
        block.complain("", "expected the name of an environment variable in 'name' or in 'spec'")
    for field in _NAME_FIELDS:
        if len(getattr(names, field)) > _VARIABLE_LIMIT:
            block.complain(field, f"expected at most {_VARIABLE_LIMIT} characters")
    return names


def read_verification(outer: Fields) -> Verification | None:
    """The block ``imagesVerification``, None when it is not there."""
    block = outer.block("imagesVerification", ("enabled", "cosignKey"))
    if block is None:
        return None
    enabled = block.boolean("enabled")
    key = block.block("cosignKey", ("secretName", "key", "file"))
    if key is None:
        return Verification(enabled)
    return Verification(enabled, key.text("secretName"), key.text("key"), key.text("file"))


def check_verification(owner: Fields, merged: Verification | None) -> None:
    """Complain when signatures are asked for without a key to check them with."""
    if merged is not None and merged.is_on and not merged.has_key:
        owner.complain("imagesVerification", "expected cosignKey.secretName and cosignKey.key, or cosignKey.file")
