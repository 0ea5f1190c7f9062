"""Manifests as tests look at them: the documents of files and folders, and the containers in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config"

Document = Mapping[str, Any]


def read_documents(text: str) -> list[Document]:
    """Every document of a stream that holds something."""
    return [document for document in yaml.safe_load_all(text) if document is not None]


def load(path: Path | str) -> list[Document]:
    """The documents of a file below ``config``."""
    return read_documents((CONFIG / path).read_text(encoding="utf-8"))


def find(documents: Iterable[Document], kind: str, name: str = "") -> Document:
    """The one document of a kind, and perhaps of a name."""
    found = [
        document for document in documents if document["kind"] == kind and name in ("", document["metadata"]["name"])
    ]
    assert len(found) == 1, [document["metadata"]["name"] for document in found]
    return found[0]


@dataclass(frozen=True)
class Container:
    """A container of ours, the pod it is in, and the command it runs."""

    name: str
    spec: Document
    pod: Document
    command: str

    @property
    def words(self) -> list[str]:
        """The arguments after the command's name."""
        return [word for word in self.spec.get("args", []) if word != self.command]

    @property
    def references(self) -> dict[str, tuple[str, str, str]]:
        """Variable to (kind of reference, name, key) of every variable that a key is behind."""
        return {entry["name"]: _reference(entry["valueFrom"]) for entry in self._entries if entry.get("valueFrom")}

    @property
    def literals(self) -> dict[str, str]:
        return {entry["name"]: entry["value"] for entry in self._entries if "value" in entry}

    @property
    def ports(self) -> dict[str, int]:
        return {port["name"]: port["containerPort"] for port in self.spec["ports"] if "name" in port}

    @property
    def mounts(self) -> dict[str, Document]:
        """The mounts by path."""
        return {mount["mountPath"]: mount for mount in self.spec["volumeMounts"]}

    @property
    def volumes(self) -> dict[str, Document]:
        return {volume["name"]: volume for volume in self.pod["volumes"]}

    @property
    def _entries(self) -> list[Document]:
        return list(self.spec["env"])


def container(deployment: Document, name: str, command: str = "run") -> Container:
    """A container of a Deployment, or of a patch of one."""
    pod = deployment["spec"]["template"]["spec"]
    specs = {spec["name"]: spec for spec in pod["containers"]}
    return Container(name, specs[name], pod, command)


def _reference(source: Document) -> tuple[str, str, str]:
    (kind, reference), *rest = source.items()
    assert not rest
    assert reference["optional"] is True
    return kind, reference["name"], reference["key"]


def folders_of_kustomize() -> list[Path]:
    """Every folder below ``config`` that kustomize can build or take as a component."""
    return [path.parent for path in sorted(CONFIG.rglob("kustomization.yaml"))]
