"""The examination behind ``doctor``: which chains of layers there are, each walked until its first failure."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from updater.argocd.client import ArgoCDClient
from updater.argocd.diagnosis import DiagnosisOptions, Layer, ServerDiagnosis
from updater.argocd.fleet import ArgoCDFleet, FleetOptions
from updater.assembly.connections import connection_options, token_source
from updater.assembly.diagnosis_git import MAX_REMOTES, WrittenTarget, examine_remote, left_out, written_targets
from updater.assembly.git import GitParts, build_git
from updater.assembly.registries import build_registries
from updater.assembly.surroundings import Surroundings
from updater.clock import Deadline
from updater.errors import UpdaterError
from updater.model.applications import ANNOTATION_PREFIX, ApplicationSnapshot
from updater.model.findings import Finding, Seen, Verdict
from updater.planning import annotation_keys as keys
from updater.planning.git_settings import GitScope
from updater.planning.plans import PlanOptions
from updater.ports.fleet import FleetSource
from updater.registry.access_check import Access
from updater.registry.client import RegistryClient
from updater.registry.endpoints import Endpoint, EndpointSource
from updater.rules.label_selectors import parse_label_selector
from updater.rules.name_patterns import compile_name_patterns
from updater.settings.parts import RunSettings
from updater.settings.rules_files import RuleFiles

_SERVER = "Argo CD"
_REGISTRY_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Chain:
    """Layers of one subject; each rests on those before it."""

    subject: str
    layers: tuple[Layer, ...]

    def walk(self) -> Iterator[Finding]:
        """One finding per layer; after a failure the rest is skipped."""
        has_failed = False
        for name, examine in self.layers:
            seen = Seen("", Verdict.SKIPPED) if has_failed else _seen(examine)
            has_failed = has_failed or seen.verdict is Verdict.FAILED
            yield Finding(self.subject, name, seen)


class Diagnosis:
    """Everything that a round would talk to. ``findings`` once; ``close`` at the end, from any thread."""

    def __init__(self, settings: RunSettings, around: Surroundings) -> None:
        self._settings = settings
        self._around = around
        self._closing: list[Callable[[], None]] = []
        self._snapshots: tuple[ApplicationSnapshot, ...] = ()

    def findings(self) -> Iterator[Finding]:
        """Findings in the order of the layers, as they are made."""
        yield from self._server()
        yield from self._registries()
        yield from self._git()

    def close(self) -> None:
        """Close every connection; what is under way ends with an error."""
        self._around.clock.stop()
        while self._closing:
            self._closing.pop()()

    def _server(self) -> Iterator[Finding]:
        around, settings = self._around, self._settings
        found: list[ServerDiagnosis] = []

        def address() -> Seen:
            options = DiagnosisOptions(
                connection_options(settings.connection, around), not settings.is_dry_run, self._is_written
            )
            made = ServerDiagnosis(options, token_source(settings.connection), around.clock)
            self._closing.append(made.close)
            found.append(made)
            return Seen(str(options.connection.wire.address))

        first = Chain(_SERVER, (("address", address),))
        yield from first.walk()
        if found:
            yield from Chain(_SERVER, found[0].layers(self._fleet)).walk()
            self._snapshots = found[0].snapshots

    def _fleet(self, client: ArgoCDClient) -> FleetSource:
        filters = self._settings.filters
        return ArgoCDFleet(client, FleetOptions(self._settings.connection.projects, filters.label_selector))

    def _is_written(self, snapshot: ApplicationSnapshot) -> bool:
        method = snapshot.annotations.get(f"{ANNOTATION_PREFIX}{keys.WRITE_BACK_METHOD}", "")
        is_chosen = (
            bool(self._settings.filters.rules) or f"{ANNOTATION_PREFIX}{keys.IMAGE_LIST}" in snapshot.annotations
        )
        return is_chosen and not method.strip().startswith("git")

    def _registries(self) -> Iterator[Finding]:
        loaded: list[tuple[RegistryClient, Sequence[Endpoint]]] = []

        def load() -> Seen:
            registries = build_registries(self._settings.registry, self._around)
            self._closing.append(registries.client.close)
            configured = [
                endpoint
                for endpoint in registries.live.configuration.table.endpoints
                if endpoint.source is EndpointSource.CONFIGURED
            ]
            loaded.append((registries.client, configured))
            path = self._settings.registry.conf_path
            return Seen(f"{len(configured)} configured" + (f" in {path}" if configured else ", the built-in ones hold"))

        yield from Chain("Registries", (("registries.conf", load),)).walk()
        for client, configured in loaded:
            for endpoint in configured:
                yield from Chain(
                    f"Registry {endpoint.name}", (("access", _access(client, endpoint, self._around)),)
                ).walk()

    def _git(self) -> Iterator[Finding]:
        """Only when an Application is written to Git: nothing is started otherwise."""
        if not any(self._may_be_git(snapshot) for snapshot in self._snapshots):
            return
        made: list[tuple[GitParts, tuple[WrittenTarget, ...]]] = []

        def settings() -> Seen:
            git = build_git(self._settings.git, self._around, threading.Event(), writers=1)
            self._closing.append(git.close)
            targets = written_targets(self._snapshots, self._plan_options())
            made.append((git, targets))
            return Seen("1 remote is written to" if len(targets) == 1 else f"{len(targets)} remotes are written to")

        yield from Chain("Git", (("settings", settings),)).walk()
        for git, targets in made:
            for written in targets[:MAX_REMOTES]:
                examine = partial(examine_remote, git.remotes, written, self._around.clock)
                yield from Chain(f"Git {written[0].remote}", (("access", examine),)).walk()
            if len(targets) > MAX_REMOTES:
                yield Finding("Git", "more", left_out(len(targets) - MAX_REMOTES))

    def _may_be_git(self, snapshot: ApplicationSnapshot) -> bool:
        method = snapshot.annotations.get(f"{ANNOTATION_PREFIX}{keys.WRITE_BACK_METHOD}", "")
        return bool(self._settings.filters.rules) or method.strip().startswith("git")

    def _plan_options(self) -> PlanOptions:
        filters = self._settings.filters
        return PlanOptions(
            name_patterns=compile_name_patterns(filters.name_patterns),
            label_selector=parse_label_selector(filters.label_selector),
            rules=RuleFiles(filters.rules).current,
            follows_annotations=filters.follows_annotations,
            git=GitScope(self._settings.argocd_namespace, frozenset(self._settings.git.secret_namespaces)),
        )


def _access(client: RegistryClient, endpoint: Endpoint, around: Surroundings) -> Callable[[], Seen]:
    def examine() -> Seen:
        access = client.check_access(endpoint, Deadline.after(around.clock, _REGISTRY_TIMEOUT_S))
        text = f"{endpoint.api_url} {access.value}"
        if access is Access.NEEDS_CREDENTIALS:
            return Seen(text, Verdict.WARNED, "name them as credentials in registries.conf, or as pull-secret")
        return Seen(text)

    return examine


def _seen(examine: Callable[[], Seen]) -> Seen:
    try:
        return examine()
    except UpdaterError as error:
        text = f"{error.where}: {error.what}" if error.where else error.what
        return Seen(text, Verdict.FAILED, error.hint, error.code)
