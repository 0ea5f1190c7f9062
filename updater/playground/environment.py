"""The installation's own settings: what ``argocd-cm`` and the server's flags would say."""

from __future__ import annotations

from dataclasses import dataclass

from updater.playground.refusals import Refusal, invalid_argument

# users.session.duration's default.
DEFAULT_SESSION_S = 24 * 60 * 60
# ARGOCD_GRPC_MAX_SIZE_MB's default, each way (argocd-api.md 3.7).
MAX_MESSAGE_BYTES = 200 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Environment:
    """Settings of the simulated server; ``world.configure(...)`` replaces single ones.

    ``namespaces`` are those in which Applications are allowed besides the controller's own.
    ``answers_refresh`` says whether a controller runs that finishes a refresh; without one, ``Get`` with a present
    ``refresh`` blocks until the caller's deadline. ``invalid_because`` is what a validation of any spec finds,
    empty for nothing.
    """

    version: str = "v3.5.1"
    build_date: str = "2026-10-01T00:00:00Z"
    git_commit: str = "3f1c6d0a5f0b4f6f9b1f0c8f4f8f8d5f4b0a7c11"
    url: str = "https://argocd.example.com"
    tracking_method: str = "annotation"
    installation_id: str = ""
    controller_namespace: str = "argocd"
    namespaces: frozenset[str] = frozenset()
    is_anonymous_enabled: bool = False
    is_hydrator_enabled: bool = False
    answers_refresh: bool = True
    invalid_because: str = ""
    session_s: int = DEFAULT_SESSION_S
    max_message_bytes: int = MAX_MESSAGE_BYTES

    def allows_namespace(self, namespace: str) -> bool:
        return namespace == self.controller_namespace or namespace in self.namespaces

    def rbac_object(self, project: str, namespace: str, name: str) -> str:
        """``<project>/<name>``, with the namespace in the middle outside the controller's own."""
        if namespace in ("", self.controller_namespace):
            return f"{project}/{name}"
        return f"{project}/{namespace}/{name}"


@dataclass(frozen=True, slots=True)
class Project:
    """An AppProject, as far as it decides about calls.

    ``windows`` are (kind, schedule, duration, manual sync) of its active sync windows; a ``deny`` window without
    manual sync blocks Sync.
    """

    name: str
    namespaces: frozenset[str] = frozenset({"*"})
    windows: tuple[tuple[str, str, str, bool], ...] = ()

    def admits(self, namespace: str, controller_namespace: str) -> bool:
        return namespace == controller_namespace or bool({"*", namespace} & self.namespaces)

    @property
    def can_sync(self) -> bool:
        return not any(kind == "deny" and not manual for kind, _, _, manual in self.windows)


def project_refused(name: str) -> Refusal:
    """The answer when an Application's project is missing or does not admit its namespace (5.5)."""
    return invalid_argument(f'app is not allowed in project "{name}", or the project does not exist')
