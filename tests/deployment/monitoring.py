"""The alerts and the dashboard, as tests look at them."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.deployment.documents import CONFIG, Document, load

RULES = load("monitoring/argocd-image-updater-prometheusrule.yaml")[0]["spec"]
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
DASHBOARD = json.loads((CONFIG / "monitoring" / "argocd-image-updater.json").read_text())
_PLACEHOLDERS = {"$__rate_interval": "5m", "$__range": "1h", "$datasource": "default"}


def panels(dashboard: Document = DASHBOARD) -> list[Any]:
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def targets() -> list[tuple[str, str]]:
    """Title of the panel and expression of everything that the dashboard shows."""
    return [(panel["title"], target["expr"]) for panel in panels() for target in panel["targets"]]


def filled(expression: str) -> str:
    """The expression as Grafana sends it."""
    for name, value in _PLACEHOLDERS.items():
        expression = expression.replace(name, value)
    return re.sub(r"\$\w+", ".*", expression)
