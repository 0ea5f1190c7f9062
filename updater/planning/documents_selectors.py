"""``labelSelectors`` of a rule: ``matchLabels`` and ``matchExpressions`` in the way of Kubernetes."""

from __future__ import annotations

from updater.errors import ConfigurationError
from updater.planning.documents_fields import Fields
from updater.rules.label_selectors import LabelSelector, Operator, Requirement, parse_label_selector

_WITH_VALUES = {"In": Operator.IN, "NotIn": Operator.NOT_IN}
_WITHOUT_VALUES = {"Exists": Operator.EXISTS, "DoesNotExist": Operator.ABSENT}


def read_selector(rule: Fields) -> LabelSelector | None:
    """The selector of a rule, None when it has none; an empty one selects everything."""
    block = rule.block("labelSelectors", ("matchLabels", "matchExpressions"))
    if block is None:
        return None
    found = [
        _requirement(block, f"matchLabels.{key}", Requirement(key, Operator.EQUALS, (value,)))
        for key, value in block.text_map("matchLabels").items()
    ]
    found += [_expression(item) for item in block.blocks("matchExpressions", ("key", "operator", "values"))]
    return LabelSelector("", tuple(requirement for requirement in found if requirement is not None))


def _expression(item: Fields) -> Requirement | None:
    key = item.text("key", is_required=True)
    operator = item.text("operator", is_required=True)
    values = item.texts("values", keeps_blank=True) or ()
    if not key or not operator:
        return None
    if operator in _WITHOUT_VALUES:
        if values:
            item.complain("values", f"the operator {operator} takes none")
        return _requirement(item, "key", Requirement(key, _WITHOUT_VALUES[operator]))
    if operator not in _WITH_VALUES:
        item.complain("operator", f"expected one of {', '.join((*_WITH_VALUES, *_WITHOUT_VALUES))}")
        return None
    if not values:
        item.complain("values", f"the operator {operator} needs at least one")
        return None
    return _requirement(item, "", Requirement(key, _WITH_VALUES[operator], tuple(sorted(set(values)))))


def _requirement(block: Fields, name: str, wanted: Requirement) -> Requirement | None:
    """The requirement, if the one grammar of keys and values reads it back as it was meant."""
    try:
        read = parse_label_selector(_rendered(wanted)).requirements
    except ConfigurationError as problem:
        block.complain(name, problem.what)
        return None
    if len(read) != 1 or (read[0].key, read[0].values) != (wanted.key, wanted.values):
        block.complain(name, "expected a label key and label values")
        return None
    return wanted


def _rendered(wanted: Requirement) -> str:
    match wanted.operator:
        case Operator.EXISTS | Operator.ABSENT:
            return wanted.key
        case Operator.EQUALS:
            return f"{wanted.key}={wanted.values[0]}"
        case _:
            return f"{wanted.key} in ({','.join(wanted.values)})"
