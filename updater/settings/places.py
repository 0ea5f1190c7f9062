"""Defaults of special places to run in, by option name, written as flags are."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

BESIDE_ARGOCD_SERVER: Mapping[str, str] = MappingProxyType(
    {
        "applications-api": "argocd",
        "argocd-server-addr": "localhost:8080",
        "argocd-grpc-web": "true",
        "argocd-plaintext": "true",
        "disable-kubernetes": "true",
        "health-port": "8090",
        "metrics-port": "8091",
    }
)
"""A container in the pod of argocd-server, whose ports 8080 and 8083 are taken (``runtime.md`` 8.9)."""
