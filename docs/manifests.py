"""Manifests that are made of other manifests, as texts, so that comments survive.

``config/install.yaml`` holds the resources of ``config/base`` for ``kubectl apply -f``; ``config/base`` transforms
nothing, which ``tests/deployment`` checks against kustomize itself. ``values-argo-cd.yaml`` is the patch of
argocd-server for people who install Argo CD with its Helm chart.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

CONFIG = Path(__file__).resolve().parents[1] / "config"
INSTALL_MANIFEST = CONFIG / "install.yaml"

_INTRODUCTION = """\
# This file is written by `make docs` from config/base; docs/install-in-cluster.md explains it.
#   kubectl apply -n argocd -f install.yaml
# Replace the image of the Deployment by your own first, and put the token into the Secret afterwards.
"""

ARGO_CD_VALUES = CONFIG / "sidecar-argocd" / "values-argo-cd.yaml"
_PATCH = CONFIG / "sidecar-argocd" / "argocd-server-deployment.yaml"

_VALUES_INTRODUCTION = """\
# Values for Argo CD's own Helm chart (argo-cd): the updater as a container beside argocd-server. Written by `make docs`
# from the patch beside it; docs/install-sidecar.md has the steps. ConfigMap and Secret are in config/base/config.
configs:
  params:
    server.insecure: true
server:
  # Every further replica of argocd-server would bring a second updater.
  replicas: 1
  autoscaling:
    enabled: false
  extraContainers:
"""


def install_manifest() -> str:
    """The text of ``config/install.yaml``."""
    texts = [path.read_text(encoding="utf-8") for path in resource_files(CONFIG / "base")]
    return "---\n".join([_INTRODUCTION, *texts])


def argo_cd_values() -> str:
    """The text of ``values-argo-cd.yaml``: the patch's containers and volumes where the chart takes them."""
    _, _, rest = _PATCH.read_text(encoding="utf-8").partition("      containers:\n")
    return _VALUES_INTRODUCTION + "".join(line[4:] for line in rest.splitlines(keepends=True))


def resource_files(folder: Path) -> Iterator[Path]:
    """The files of manifests that a folder with a ``kustomization.yaml`` names, in order, through its subfolders."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    for name in kustomization["resources"]:
        path = folder / name
        if path.is_dir():
            yield from resource_files(path)
        else:
            yield path
