"""Settings of one image, type and eligibility of an Application, pull secrets and platforms."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.errors import PlanError
from updater.model.applications import (
    ANNOTATION_PREFIX,
    ApplicationKey,
    ApplicationSnapshot,
    SourceLayout,
    SourceSnapshot,
)
from updater.model.credential_sources import SourceType
from updater.planning.annotation_keys import own_annotations
from updater.planning.annotations import ImageSettings, read_settings
from updater.planning.plans import PlanOptions, plan_application
from updater.planning.pull_secrets import parse_pull_secret
from updater.rules.name_patterns import compile_name_patterns
from updater.rules.platforms import parse_platform, parse_platform_filter

_KEY = ApplicationKey("argocd", "shop")


def _prefixed(annotations: dict[str, str]) -> dict[str, str]:
    return {f"{ANNOTATION_PREFIX}{key}": value for key, value in annotations.items()}


def _settings(vector: Vector) -> Any:
    settings = read_settings(own_annotations(_prefixed(vector.given["annotations"])), vector.given["alias"])
    values = _rendered(settings)
    defaults = _rendered(ImageSettings())
    return {key: value for key, value in values.items() if value != defaults[key]}


def _rendered(settings: ImageSettings) -> dict[str, Any]:
    return {
        "update_strategy": settings.strategy.value,
        "allow_tags": settings.allow_tags or None,
        "ignore_tags": list(settings.ignore_tags),
        "force_update": settings.force_update,
        "pull_secret": settings.pull_secret or None,
        "platforms": list(settings.platforms) or "runtime",
        "helm": {
            "image-spec": settings.helm_spec or None,
            "image-name": settings.helm_name or None,
            "image-tag": settings.helm_tag or None,
        },
        "kustomize_image_name": settings.kustomize_name or None,
        "semver_constraint": settings.semver_constraint or None,
    }


def _application_type(vector: Vector) -> Any:
    given = vector.given
    texts = {"image-list": "redis", "write-back-target": given["write_back_target"]}
    texts["write-back-method"] = given["write_back_method"]
    types = tuple(given["status_source_types"] or ())
    snapshot = ApplicationSnapshot(
        _KEY,
        annotations=_prefixed({key: value for key, value in texts.items() if value is not None}),
        layout=SourceLayout.MULTIPLE if given["multi_source"] else SourceLayout.SINGLE,
        sources=(SourceSnapshot(),) * max(1, len(types)),
        source_type=given["status_source_type"] or "",
        source_types=types,
    )
    plan = plan_application(snapshot, PlanOptions())
    if plan.problem_code and plan.choice is None:
        return {"error": plan.problem_code}
    return plan.choice.kind.value if plan.choice else "Unsupported"


def _eligible(vector: Vector) -> Any:
    snapshot = ApplicationSnapshot(
        ApplicationKey("argocd", vector.given["name"]),
        annotations=_prefixed(vector.given["annotations"]),
        layout=SourceLayout.SINGLE,
        sources=(SourceSnapshot(),),
        source_type=vector.given["source_type"],
    )
    options = PlanOptions(name_patterns=compile_name_patterns(vector.given["name_patterns"]))
    return not plan_application(snapshot, options).skipped


def _pull_secret(vector: Vector) -> Any:
    try:
        found = parse_pull_secret(vector.given)
    except PlanError:
        return None
    value = {SourceType.ENV: "variable", SourceType.EXT: "path"}
    rendered: dict[str, str] = {"type": found.type.value}
    if found.type in value:
        rendered[value[found.type]] = found.value
    else:
        rendered |= {"namespace": found.namespace, "name": found.secret_name, "field": found.secret_field}
    return rendered | ({"registry": found.registry} if found.registry else {})


def _wants_platform(vector: Vector) -> Any:
    return parse_platform_filter(vector.given["configured"]).accepts(parse_platform(vector.given["manifest"]))


ADAPTERS = {
    "settings": _settings,
    "application_type": _application_type,
    "eligible": _eligible,
    "pull_secret": _pull_secret,
    "wants_platform": _wants_platform,
}
