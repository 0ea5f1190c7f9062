"""Manifests out of kustomize and helm, never handed on before kubeconform has judged them."""

from __future__ import annotations

import json
import os
from pathlib import Path

from docs.chart import CHART
from tests.deployment.documents import CONFIG, Document, read_documents
from tests.deployment.schemas import LOCATION
from tests.deployment.tools import need_built, need_schemas, render, run_tool

ARGOCD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: argocd-server}
spec:
  replicas: 1
  selector: {matchLabels: {app.kubernetes.io/name: argocd-server}}
  template:
    metadata: {labels: {app.kubernetes.io/name: argocd-server}}
    spec:
      containers:
        - name: argocd-server
          image: argocd
          ports: [{containerPort: 8080}, {containerPort: 8083}]
          volumeMounts: [{name: tmp, mountPath: /tmp}]
      volumes: [{name: tmp, emptyDir: {}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cmd-params-cm}
data: {server.log.format: json}
"""
"""What a component beside argocd-server is put on: the parts of Argo CD's manifests that matter to it."""


def build(folder: Path) -> str:
    """What kustomize makes of a folder."""
    return render([need_built("kustomize"), "build", str(folder)])


def build_with(tmp_path: Path, kustomization: Document) -> list[Document]:
    """What a kustomization of a user builds, which names folders of ours as the pages do, and ``argo-cd``."""
    (tmp_path / "argo-cd").mkdir()
    (tmp_path / "argo-cd" / "kustomization.yaml").write_text("resources: [server.yaml]\n")
    (tmp_path / "argo-cd" / "server.yaml").write_text(ARGOCD)
    near = os.path.relpath(CONFIG, tmp_path)
    (tmp_path / "kustomization.yaml").write_text(json.dumps(kustomization).replace('"config/', f'"{near}/'))
    text = build(tmp_path)
    check_schemas(text)
    return read_documents(text)


def check_schemas(text: str, *, status: int = 0) -> str:
    """kubeconform's words about manifests, judged by each release of Kubernetes that there are schemas of."""
    said = [
        run_tool(
            [need_built("kubeconform"), "-strict", "-summary", "-schema-location", f"{folder}/{LOCATION}"], text, status
        )
        for folder in need_schemas()
    ]
    return "".join(said)


def template(tmp_path: Path, values: Document, *, chart: Path = CHART) -> list[Document]:
    """What the chart renders with these values."""
    path = tmp_path / "values.json"
    path.write_text(json.dumps(values))
    text = render([need_built("helm"), "template", "shop", str(chart), "-n", "argocd", "-f", str(path)])
    check_schemas(text)
    return read_documents(text)
