"""``python -m tests.deployment.install_tools FOLDER``: helm, kustomize, kubeconform and its schemas, built by Go.

Tests use them from the folder that ``UPDATER_DEPLOYMENT_TOOLS`` names. Versions are pinned here; what is there already
is kept, so that a second run takes no time. Needs ``go`` and, the first time, a module proxy.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.deployment.schemas import write_schemas

PROGRAMS = {
    "kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0",
    "kustomize": "sigs.k8s.io/kustomize/kustomize/v5@v5.8.2",
    "helm": "helm.sh/helm/v3/cmd/helm@v3.22.0",
}
KUBERNETES = {
    "1.20": ("k8s.io/kubectl@v0.37.0", "testdata/openapi/swagger.json"),
    "1.36": ("k8s.io/kubernetes@v1.36.3", "api/openapi-spec/swagger.json"),
}
"""Descriptions of Kubernetes' API by release: what both know, every cluster in use knows. The old one is test data."""
OPERATOR = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
_DEFINITIONS = ("servicemonitors", "prometheusrules")


def main(folder: Path) -> int:
    """Install what is missing; the exit status is that of the first failure."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, module in PROGRAMS.items():
        if not (folder / name).exists():
            print(f"go install {module}", flush=True)  # noqa: T201 - the log of a build
            _go("install", module, GOBIN=str(folder.resolve()))
    schemas = folder / "schemas"
    if not schemas.exists():
        made = _write_schemas(folder / "schemas.new")
        (folder / "schemas.new").rename(schemas)
        print(f"{len(made)} schemas", flush=True)  # noqa: T201
    return 0


def _write_schemas(folder: Path) -> list[str]:
    crds = _module_folder(OPERATOR) / "example" / "prometheus-operator-crd"
    definitions = [crds / f"monitoring.coreos.com_{name}.yaml" for name in _DEFINITIONS]
    made: list[str] = []
    for release, (module, path) in KUBERNETES.items():
        made += write_schemas(_module_folder(module) / path, definitions, folder / release)
    return made


def _module_folder(module: str) -> Path:
    return Path(json.loads(_go("mod", "download", "-json", module))["Dir"])


def _go(*words: str, **environment: str) -> str:
    go = shutil.which("go", path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/go/bin")))
    if go is None:
        sys.exit("go is not installed")
    # Outside of the working tree: modules are named with their versions, and no go.mod may interfere.
    done = subprocess.run(
        [go, *words], cwd="/", env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
