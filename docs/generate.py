"""Writes the reference pages that come from the program's own tables: ``python -m docs.generate [--check]``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from docs.chart import CHART_PAGE, chart_page
from docs.manifest_settings import FILES
from docs.manifests import ARGO_CD_VALUES, INSTALL_MANIFEST, argo_cd_values, install_manifest
from updater.cli.help import default_text
from updater.settings.missing import MISSING, missing_keys
from updater.settings.model import Option
from updater.settings.table import SECTIONS
from updater.telemetry.catalogue import PREFIX, Alias, Definition
from updater.telemetry.catalogue import SECTIONS as METRIC_SECTIONS

FLAGS_PAGE = Path(__file__).parent / "reference-flags.md"
METRICS_PAGE = Path(__file__).parent / "metrics.md"

_INTRODUCTION = """\
# Flags and variables of `run`

This page is written by `make docs` from the table that also resolves the flags. A flag wins over its variable, a
variable over the file of its key in [a mounted folder](configuration.md), that over the default. *Key* is the key in
the ConfigMap of a standard deployment, or in its Secret for secrets.

Values: a duration is a number with a unit, `90s` or `1h30m`. A boolean flag alone means true and never takes the next
word: write `--dry-run=false`. A boolean variable is `true` or `false`. A `list` is comma-separated and may be
repeated, an `array` takes one element per flag. A variable that cannot be read is ignored with a warning; a flag that
cannot be read ends the program with status 1.

Rows marked with * belong to features that this release does not have: setting one ends the program with a line that
says so. The list of these features is at the end.
"""

_METRICS_INTRODUCTION = f"""\
# Metrics

This page is written by `make docs` from the table that the program measures by. Every name starts with
`{PREFIX}`. `run` serves them at `/metrics` on `--metrics-port` (8081, all interfaces, plain HTTP); [Health](health.md)
says more about the listeners. Port 0 serves nothing and measures nothing.

The format is Prometheus' text format, or OpenMetrics when the scraper asks for it. There are no `_created` series.
Beside these metrics the usual ones of a Python process are exported (`process_*`, `python_*`).

| Label | Value |
| --- | --- |
| `application` | `namespace/name` of the Application |
| `registry` | API URL of the registry, for example `https://registry-1.docker.io` |
| `argocd_server` | the configured address, host and perhaps port |
| `service` | the service that a registry names when it asks for a token |
| `scope` | `pull`; with `IMAGE_UPDATER_METRIC_SCOPE_DETAIL=true` the scope of the token, which names a repository |

`--metrics-per-application=false` leaves out every metric with the label `application`: for a fleet of many thousand
Applications. The series of an Application that is gone are dropped. `IMAGE_UPDATER_METRIC_ALIASES=false` leaves out
the other names. Metrics without labels, and those marked with *, are there with 0 from the start.
"""

_EXPRESSIONS = f"""\
## Expressions

Minutes since the last success, by Application:

```
(time() - max by (application) ({PREFIX}application_last_success_timestamp)) / 60
```

The time that nine of ten requests to a registry stay below:

```
histogram_quantile(0.9, sum by (le, registry) (rate({PREFIX}registry_request_duration_seconds_bucket[5m])))
```
"""


def metrics_page() -> str:
    """The text of ``metrics.md``."""
    parts = [_METRICS_INTRODUCTION]
    for title, definitions in METRIC_SECTIONS:
        head = [f"## {title}\n", _line("Metric", "Type", "Labels", "Meaning"), _line(*["---"] * 4)]
        rows = [row for definition in definitions for row in _metric_rows(definition)]
        parts.append("\n".join([*head, *rows, ""]))
    return "\n".join([*parts, _EXPRESSIONS])


def _metric_rows(definition: Definition) -> list[str]:
    known = dict(definition.values)
    labels = [
        f"`{label}`: {', '.join(f'`{value}`' for value in known[label])}" if label in known else f"`{label}`"
        for label in definition.labels
    ]
    mark = " *" if definition.starts_at_zero else ""
    text = definition.help
    if definition.buckets:
        text = f"{text}; buckets {' '.join(f'{bound:g}' for bound in definition.buckets)}"
    row = _line(f"`{definition.full_name}`{mark}", definition.kind.value, "; ".join(labels), text)
    return [row, *(_alias_row(definition, alias, labels) for alias in definition.aliases)]


def _alias_row(definition: Definition, alias: Alias, labels: list[str]) -> str:
    meaning = f"another name of `{definition.full_name}`" if alias.keeps_labels else f"sum of `{definition.full_name}`"
    return _line(
        f"`{PREFIX}{alias.name}`", definition.kind.value, "; ".join(labels) if alias.keeps_labels else "", meaning
    )


def flags_page() -> str:
    """The text of ``reference-flags.md``."""
    parts = [_INTRODUCTION]
    for title, options in SECTIONS:
        rows = [_row(option) for option in options if "run" in option.commands]
        if not rows:
            continue
        parts.append(
            "\n".join(
                [
                    f"## {title}\n",
                    _line("Flag or variable", "Type", "Default", "Variable", "Key", "Meaning"),
                    _line(*["---"] * 6),
                    *rows,
                    "",
                ]
            )
        )
    parts.append(_missing_section())
    return "\n".join(parts)


def _row(option: Option) -> str:
    name = f"`--{option.name}`" if option.has_flag else f"`{option.variable}`"
    mark = " *" if option.key in missing_keys() else ""
    variable = f"`{option.variable}`" if option.variable and option.has_flag else ""
    default = default_text(option)
    return _line(
        f"{name}{mark}",
        option.kind.value,
        f"`{default}`" if default else "",
        variable,
        f"`{option.config_key}`" if option.config_key else "",
        option.help.replace("|", "\\|"),
    )


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _missing_section() -> str:
    rows = [_line(missing.feature, missing.instead) for missing in MISSING]
    head = [_line("Feature", "Until then"), _line("---", "---")]
    return "\n".join(["## Not in this release\n", *head, *rows, ""])


PAGES: Mapping[Path, Callable[[], str]] = MappingProxyType(
    {
        FLAGS_PAGE: flags_page,
        METRICS_PAGE: metrics_page,
        **FILES,
        INSTALL_MANIFEST: install_manifest,
        ARGO_CD_VALUES: argo_cd_values,
        CHART_PAGE: chart_page,
    }
)


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` tell whether they are up to date."""
    is_check = "--check" in arguments
    return max([_check(page, make()) if is_check else _write(page, make()) for page, make in PAGES.items()])


def _check(page: Path, text: str) -> int:
    is_current = page.exists() and page.read_text(encoding="utf-8") == text
    print(f"{page.name}: {'up to date' if is_current else 'run make docs'}")
    return 0 if is_current else 1


def _write(page: Path, text: str) -> int:
    page.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
