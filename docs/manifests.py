"""``config/install.yaml``: the resources of ``config/base`` in one file, for ``kubectl apply -f``.

Their texts are joined as they stand, so that comments survive; ``config/base`` transforms nothing, which
``tests/deployment`` checks against kustomize itself.
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


def install_manifest() -> str:
    """The text of ``config/install.yaml``."""
    texts = [path.read_text(encoding="utf-8") for path in resource_files(CONFIG / "base")]
    return "---\n".join([_INTRODUCTION, *texts])


def resource_files(folder: Path) -> Iterator[Path]:
    """The files of manifests that a folder with a ``kustomization.yaml`` names, in order, through its subfolders."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    for name in kustomization["resources"]:
        path = folder / name
        if path.is_dir():
            yield from resource_files(path)
        else:
            yield path
