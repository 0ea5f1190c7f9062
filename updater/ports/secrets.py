"""Kubernetes Secrets, as far as credentials need them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from updater.clock import Deadline


@dataclass(frozen=True, slots=True)
class KubernetesSecret:
    """One Secret as it was read. ``fields`` are decoded and never shown."""

    namespace: str
    name: str
    fields: Mapping[str, bytes] = field(default_factory=dict, repr=False)


class SecretSource(Protocol):
    """Reads Secrets from a cluster. Thread-safe."""

    def fetch_secret(self, namespace: str, name: str, deadline: Deadline) -> KubernetesSecret:
        """The Secret as it is now.

        Raises ``CredentialError`` with code ``secret_not_found``, ``secret_forbidden``, or ``kubernetes_unavailable``.
        """
