"""How and where an Application is written, from its annotations and its spec."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.errors import PlanError
from updater.model.applications import ApplicationKey, ApplicationSnapshot, SourceLayout, SourceSnapshot
from updater.planning.annotation_keys import own_annotations
from updater.planning.eligibility import choose_target
from updater.planning.git_settings import GitScope, GitSettings, RevisionOrigin, read_git_settings
from updater.planning.sources import select_source
from updater.planning.write_back import Method, parse_write_back_method


def _config(vector: Vector) -> Any:
    given = vector.given
    snapshot = _snapshot(given["app"], given["annotations"])
    options = given.get("options", {})
    namespaces = frozenset(options.get("secret_namespaces", ()))
    scope = GitScope(options.get("argocd_namespace", "argocd"), namespaces)
    own = own_annotations(snapshot.annotations)
    try:
        method = parse_write_back_method(own.get("write-back-method", ""))
        if method.method is Method.ARGOCD:
            return {"method": "argocd"}
        choice = choose_target(snapshot, own, method, server_supports_hydrator=True, allows_plugin=False)
        settings = read_git_settings(snapshot, own, method, select_source(snapshot, choice, ()), scope)
    except PlanError as error:
        return {"error": error.code}
    return _rendered(settings)


def _rendered(settings: GitSettings) -> dict[str, Any]:
    kind, _, reference = settings.credentials.partition(":")
    namespace, _, name = reference.partition("/")
    is_default = settings.origin is RevisionOrigin.DEFAULT_BRANCH
    return {
        "method": "git",
        "credentials": {"kind": kind, **({"namespace": namespace, "name": name} if reference else {})},
        "repo_url": settings.remote.url,
        "base_branch": None if is_default else settings.revision,
        "base_branch_from": settings.origin.value,
        "write_branch_template": settings.branch_template or None,
        "target": {"kind": settings.file.value, "path": settings.path},
    }


def _snapshot(app: dict[str, Any], annotations: dict[str, str]) -> ApplicationSnapshot:
    spec, status = app["spec"], app["status"]
    sources = spec.get("sources") or [spec["source"]]
    return ApplicationSnapshot(
        ApplicationKey(app["namespace"], app["name"]),
        annotations=annotations,
        layout=SourceLayout.MULTIPLE if "sources" in spec else SourceLayout.SINGLE,
        sources=tuple(_source(raw) for raw in sources),
        source_type=status.get("sourceType", ""),
        source_types=tuple(status.get("sourceTypes", ())),
    )


def _source(raw: dict[str, Any]) -> SourceSnapshot:
    return SourceSnapshot(
        repo_url=raw["repoURL"],
        path=raw.get("path", ""),
        target_revision=raw.get("targetRevision", ""),
        chart=raw.get("chart", ""),
        ref=raw.get("ref", ""),
        value_files=tuple(raw.get("helm", {}).get("valueFiles", ())),
    )


ADAPTERS = {"write_back_config": _config}
