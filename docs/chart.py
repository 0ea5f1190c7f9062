"""``config/chart/README.md``: the values of the Helm chart, from the comments in its ``values.yaml``.

A comment that begins with ``# --`` describes the key on the line after it; what has no such comment is a map of others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).resolve().parents[1] / "config" / "chart"
CHART_PAGE = CHART / "README.md"

_INDENT = 2
_MARK = "# -- "

_INTRODUCTION = """\
# Helm chart of the Argo CD image updater

```console
$ helm upgrade --install argocd-image-updater config/chart -n argocd \\
    --set image.repository=registry.example.com/argocd-image-updater
```

The names of values are those of the charts of the older tool's 0.x line. Where this release differs:

* `config.applicationsAPIKind` is `argocd`, and `kubernetes` is refused: this release has no Kubernetes client.
* `rbac.enabled` is off, for the same reason, and no token for Kubernetes is mounted.
* An unknown value is an error, so that a misspelt one is found. Keys of the configuration that have no value of their
  own go into `config.extraKeys`: `--set config.extraKeys.mode=continuous`.

[Installing in cluster](../../docs/install-in-cluster.md) has the account, the token and the certificate. This page is
written by `make docs` from `values.yaml`.

## Values

| Value | Default | Meaning |
| --- | --- | --- |
"""


@dataclass(frozen=True, slots=True)
class Described:
    """One value: its path, what it means, and its default."""

    path: tuple[str, ...]
    meaning: str
    default: object

    @property
    def name(self) -> str:
        return ".".join(self.path)


def chart_page() -> str:
    """The text of the chart's ``README.md``."""
    rows = [f"| `{value.name}` | `{json.dumps(value.default)}` | {value.meaning} |" for value in described_values()]
    return _INTRODUCTION + "\n".join(rows) + "\n"


def described_values() -> Iterator[Described]:
    """Every value that has a description, in the order of the file."""
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    defaults = yaml.safe_load(text)
    path: list[str] = []
    meaning = ""
    for line in text.splitlines():
        depth, rest = (len(line) - len(line.lstrip())) // _INDENT, line.strip()
        if rest.startswith(_MARK):
            meaning = rest.removeprefix(_MARK)
        elif ":" in rest and not rest.startswith(("#", "-")):
            path = [*path[:depth], rest.partition(":")[0]]
            if meaning:
                yield Described(tuple(path), meaning, _default(defaults, path))
            meaning = ""


def _default(values: Any, path: list[str]) -> object:
    for key in path:
        values = values[key]
    return values
