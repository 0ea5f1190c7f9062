"""The table of metrics against its page, its sources and the code that measures."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from docs.generate import METRICS_PAGE, metrics_page
from updater.telemetry.catalogue import APPLICATION, CATALOGUE, PREFIX, SECTIONS, MetricKind

ROOT = Path(__file__).parents[3]
CODE = sorted(path for name in ("updater", "sidecar") for path in (ROOT / name).rglob("*.py"))
UNMEASURED = {"k8s_api_requests_total", "k8s_api_errors_total"}
"""This release makes no call that would count: 0 is true."""
PUT_TOGETHER = {
    f"{head}_{part}_total"
    for head, parts in (("registry_cache", ("hits", "misses")), ("singleflight", ("leaders", "followers")))
    for part in parts
}
"""Their names stand nowhere as a whole; ``test_metrics_measures.py`` looks at them."""
NAMES = {
    *(name for name in CATALOGUE),
    *(alias.name for definition in CATALOGUE.values() for alias in definition.aliases),
}


def test_the_page_equals_the_table() -> None:
    assert METRICS_PAGE.read_text(encoding="utf-8") == metrics_page(), "run make docs"


def test_the_page_names_what_exists_and_nothing_else() -> None:
    named = set(re.findall(rf"{PREFIX}([a-z0-9_]+)", METRICS_PAGE.read_text(encoding="utf-8")))
    named = {name.removesuffix("_bucket") if name not in NAMES else name for name in named}
    assert named == NAMES


def test_no_name_stands_twice() -> None:
    rows = [definition.name for _, definitions in SECTIONS for definition in definitions]
    aliases = [alias.name for definition in CATALOGUE.values() for alias in definition.aliases]
    assert len(rows + aliases) == len(NAMES)


def test_names_follow_the_rules_of_prometheus() -> None:
    gauges_of_old = {"applications_watched_total", "images_watched_total"}
    for definition in CATALOGUE.values():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", definition.name)
        is_total = definition.name.endswith("_total") and definition.name not in gauges_of_old
        assert is_total == (definition.kind is MetricKind.COUNTER), definition.name
        assert bool(definition.buckets) == (definition.kind is MetricKind.HISTOGRAM)
        assert list(definition.buckets) == sorted(set(definition.buckets))


def test_the_application_is_the_only_label_where_it_is_one() -> None:
    for definition in CATALOGUE.values():
        assert not definition.is_per_application or definition.labels == (APPLICATION,)


def test_known_values_belong_to_labels() -> None:
    for definition in CATALOGUE.values():
        assert {label for label, _ in definition.values} <= set(definition.labels)


def test_code_measures_what_the_catalogue_knows_all_of_it_and_nothing_else() -> None:
    measured: set[str] = set()
    for path in CODE:
        for call in _measurements(ast.parse(path.read_text(encoding="utf-8"))):
            name = call.args[0].value  # type: ignore[attr-defined] # _measurements looked
            assert name in CATALOGUE, f"{path}:{call.lineno}"
            measured.add(name)
            labels = {keyword.arg for keyword in call.keywords}
            # None stands for labels that are handed on as a mapping.
            assert None in labels or labels == set(CATALOGUE[name].labels), f"{path}:{call.lineno}"
    assert set(CATALOGUE) - measured == UNMEASURED | PUT_TOGETHER


def _measurements(tree: ast.AST) -> Iterator[ast.Call]:
    """Calls such as ``metrics.increase("name", ...)``."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr="increase" | "set" | "observe"), args=[first, *_]):
                if ast.unparse(owner).endswith("metrics") and isinstance(first, ast.Constant):
                    yield node
