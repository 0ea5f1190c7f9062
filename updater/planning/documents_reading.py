"""From the content of one YAML document to ``RulesDocument`` values, or to every problem in it (``runtime.md`` 9.1).

Accepted are the kind ``ImageUpdater``, its list, and the general ``List`` that kubectl prints.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from updater.errors import PlanError
from updater.planning.documents import (
    Rule,
    RuleImage,
    RulesDocument,
    UpdateSettings,
    Verification,
    WriteBackConfig,
    refined,
    refined_verification,
)
from updater.planning.documents_choice import by_specificity
from updater.planning.documents_fields import Fields, Problems, describe
from updater.planning.documents_images import (
    IMAGE_FIELDS,
    check_verification,
    read_image,
    read_settings_block,
    read_verification,
)
from updater.planning.documents_selectors import read_selector
from updater.planning.documents_write_back import check_branch, read_write_back
from updater.rules.globs import Glob
from updater.rules.specificity import ApplicationRule

GROUP = "argocd-image-updater.argoproj.io"
KIND = "ImageUpdater"
_API_VERSION = f"{GROUP}/v1alpha1"
_LISTS = (("v1", "List"), (_API_VERSION, f"{KIND}List"))
_TOP_FIELDS = ("apiVersion", "kind", "metadata", "spec", "status")
_METADATA_FIELDS = (
    *("name", "namespace", "labels", "annotations", "generateName", "uid", "resourceVersion", "generation"),
    *("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "finalizers", "ownerReferences"),
    *("managedFields", "selfLink"),
)
_SPEC_FIELDS = ("commonUpdateSettings", "writeBackConfig", "imagesVerification", "applicationRefs")
_RULE_FIELDS = (
    *("namePattern", "labelSelectors", "useAnnotations", "commonUpdateSettings", "writeBackConfig"),
    *("imagesVerification", "images"),
)


def read_documents(value: object, origin: str, problems: Problems) -> tuple[RulesDocument, ...]:
    """The documents in ``value``: one, or several when it is a list. What is in ``problems`` makes them unusable."""
    items = _listed(value, problems)
    if items is None:
        return (_read_document(value, "", origin, problems),)
    return tuple(_read_document(item, f"items[{index}]", origin, problems) for index, item in enumerate(items))


def _listed(value: object, problems: Problems) -> list[object] | None:
    """The items of a list of documents, None when the value is none."""
    if not isinstance(value, dict) or (value.get("apiVersion"), value.get("kind")) not in _LISTS:
        return None
    Fields(value, "", problems, ("apiVersion", "kind", "metadata", "items"))
    items = value.get("items")
    if isinstance(items, list):
        return items
    problems.add("items", f"expected a list, found {describe(items)}")
    return []


def _read_document(value: object, path: str, origin: str, problems: Problems) -> RulesDocument:
    kind = value.get("kind") if isinstance(value, dict) else None
    if isinstance(kind, str) and kind != KIND:
        # The fields of another kind are none of our business.
        where = f"{path}.kind" if path else "kind"
        problems.add(where, f"expected {KIND!r}, found {kind[:80]!r}; keep other kinds in files of their own")
        return RulesDocument("")
    top = Fields(value, path, problems, _TOP_FIELDS)
    version = top.text("apiVersion", is_required=True)
    if version and version != _API_VERSION:
        top.complain("apiVersion", f"expected {_API_VERSION!r}, found {version[:80]!r}")
    top.text("kind", is_required=True)
    metadata = top.block("metadata", _METADATA_FIELDS, is_required=True)
    spec = top.block("spec", _SPEC_FIELDS, is_required=True)
    name = (metadata and metadata.text("name", is_required=True)) or ""
    namespace = (metadata and metadata.text("namespace")) or ""
    return RulesDocument(name, namespace, origin, by_specificity(_read_rules(spec)) if spec else ())


@dataclass(frozen=True, slots=True)
class _Blocks:
    """The blocks that a specification and a rule have in common."""

    settings: UpdateSettings
    write_back: WriteBackConfig
    verification: Verification | None

    def refined(self, inner: _Blocks) -> _Blocks:
        return _Blocks(
            refined(self.settings, inner.settings),
            refined(self.write_back, inner.write_back),
            refined_verification(self.verification, inner.verification),
        )


def _read_blocks(fields: Fields) -> _Blocks:
    return _Blocks(read_settings_block(fields), read_write_back(fields), read_verification(fields))


def _read_rules(spec: Fields) -> Iterator[Rule]:
    outer = _read_blocks(spec)
    check_branch(spec, outer.write_back)
    rules = spec.blocks("applicationRefs", _RULE_FIELDS)
    if not rules:
        spec.complain("applicationRefs", "expected at least one rule")
    _refuse_repeats(rules, "namePattern")
    for fields in rules:
        rule = _read_rule(fields, outer)
        if rule is not None:
            yield rule


def _read_rule(fields: Fields, outer: _Blocks) -> Rule | None:
    pattern, selector = _read_pattern(fields), read_selector(fields)
    own = _read_blocks(fields)
    merged = outer.refined(own)
    if own.write_back != WriteBackConfig():
        check_branch(fields, merged.write_back)
    images = _read_images(fields, merged)
    uses_annotations = fields.boolean("useAnnotations") or False
    if uses_annotations:
        check_verification(fields, own.verification)
    elif not fields.has("images"):
        fields.complain("images", "expected at least one image, or 'useAnnotations: true'")
    if pattern is None:
        return None
    return Rule(
        selection=ApplicationRule(pattern, selector),
        uses_annotations=uses_annotations,
        images=() if uses_annotations else images,
        write_back=merged.write_back,
        verification=own.verification if uses_annotations else merged.verification,
    )


def _read_images(rule: Fields, merged: _Blocks) -> tuple[RuleImage, ...]:
    blocks = rule.blocks("images", IMAGE_FIELDS)
    _refuse_repeats(blocks, "alias")
    images = [read_image(block, merged.settings, merged.verification) for block in blocks]
    return tuple(image for image in images if image is not None)


def _read_pattern(fields: Fields) -> Glob | None:
    text = fields.text("namePattern", is_required=True)
    if not text:
        return None
    try:
        return Glob(text)
    except PlanError as problem:
        fields.complain("namePattern", str(problem))
        return None


def _refuse_repeats(blocks: Iterable[Fields], name: str) -> None:
    """Every text in the field ``name`` may stand once among the entries of a list."""
    seen: Counter[str] = Counter()
    for block in blocks:
        text = block.peek(name)
        seen[text] += 1
        if text and seen[text] == 2:
            block.complain(name, f"{text[:80]!r} stands there twice; every entry needs its own")
