"""The functions that templates may call.

The core is what Go's ``text/template`` has; ``EXTENDED`` are those that an operator can switch on
(``--git-template-functions=extended``, ``write-back.md`` 1.5). ``and`` and ``or`` are not here: they leave operands
unevaluated, so the evaluator does them. Every function raises ``Mistake`` for arguments it cannot take.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from urllib.parse import quote_plus

from updater.manifests.templates.formatting import format_text, text_of
from updater.manifests.templates.values import Mistake, Record, Value, is_true, type_name

Arguments = Sequence[Value]
TemplateFunction = Callable[[Arguments], Value]

_HTML = {'"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;", "\0": "\ufffd"}
_HTML_CHARACTERS = re.compile(r"[\"'&<>\0]")
_REPLACED_LIMIT = 1024 * 1024
"""Characters that ``replace`` may make; the budget is asked only afterwards."""


def _take(name: str, arguments: Arguments, least: int, most: int | None = None) -> None:
    if len(arguments) < least or (most is not None and len(arguments) > most):
        wanted = str(least) if most == least else f"{least} to {most}" if most else f"at least {least}"
        raise Mistake(f"{name} takes {wanted} arguments, got {len(arguments)}")


def _not(arguments: Arguments) -> Value:
    _take("not", arguments, 1, 1)
    return not is_true(arguments[0])


def _equal(arguments: Arguments) -> Value:
    _take("eq", arguments, 2)
    return any(_is_equal(arguments[0], other) for other in arguments[1:])


def _not_equal(arguments: Arguments) -> Value:
    _take("ne", arguments, 2, 2)
    return not _is_equal(arguments[0], arguments[1])


def _is_equal(one: Value, other: Value) -> bool:
    for value in (one, other):
        if isinstance(value, Record | tuple | Mapping):
            raise Mistake(f"a {type_name(value)} cannot be compared")
    if one is None or other is None:
        return one is other
    _check_kinds(one, other)
    return one == other


def _check_kinds(one: Value, other: Value) -> None:
    if type_name(one) != type_name(other):
        raise Mistake(f"a {type_name(one)} and a {type_name(other)} cannot be compared")


def _compared(name: str, holds: Callable[[int], bool]) -> TemplateFunction:
    def compare(arguments: Arguments) -> Value:
        _take(name, arguments, 2, 2)
        one, other = arguments
        _check_kinds(one, other)
        if isinstance(one, str) and isinstance(other, str):
            return holds((one > other) - (one < other))
        if isinstance(one, int | float) and isinstance(other, int | float) and not isinstance(one, bool):
            return holds((one > other) - (one < other))
        raise Mistake(f"a {type_name(one)} has no order")

    return compare


def _length(arguments: Arguments) -> Value:
    _take("len", arguments, 1, 1)
    value = arguments[0]
    if isinstance(value, str):
        return len(_bytes(value))
    if isinstance(value, tuple | Mapping):
        return len(value)
    raise Mistake(f"a {type_name(value)} has no length")


def _bytes(text: str) -> bytes:
    """Go counts the bytes of texts, not the characters."""
    return text.encode("utf-8", "surrogatepass")


def _index(arguments: Arguments) -> Value:
    _take("index", arguments, 1)
    value, *keys = arguments
    if value is None:
        raise Mistake("there is nothing to index")
    for key in keys:
        value = _item(value, key)
    return value


def _item(value: Value, key: Value) -> Value:
    if isinstance(value, Mapping):
        if not isinstance(key, str):
            raise Mistake(f"a map is indexed with a string, got a {type_name(key)}")
        return value.get(key, "")
    if not isinstance(value, tuple | str):
        raise Mistake(f"a {type_name(value)} cannot be indexed")
    items: Sequence[Value] = tuple(_bytes(value)) if isinstance(value, str) else value
    return items[_position(key, len(items) - 1)]


def _position(key: Value, most: int) -> int:
    if not isinstance(key, int) or isinstance(key, bool):
        raise Mistake(f"an index is a number, got a {type_name(key)}")
    if not 0 <= key <= most:
        raise Mistake(f"index {key} is out of range")
    return key


def _slice(arguments: Arguments) -> Value:
    _take("slice", arguments, 1, 4)
    value, *bounds = arguments
    if not isinstance(value, tuple | str):
        raise Mistake(f"a {type_name(value)} cannot be sliced")
    if isinstance(value, str) and len(bounds) > 2:
        raise Mistake("a string is sliced with two indexes")
    whole: bytes | tuple[Value, ...] = _bytes(value) if isinstance(value, str) else value
    limit = _position(bounds[2], len(whole)) if len(bounds) > 2 else len(whole)
    end = _position(bounds[1], limit) if len(bounds) > 1 else len(whole)
    start = _position(bounds[0], end) if bounds else 0
    part = whole[start:end]
    return part.decode("utf-8", "replace") if isinstance(part, bytes) else part


def _print(arguments: Arguments) -> Value:
    """Blanks stand only between two values that are no texts."""
    text = ""
    for index, value in enumerate(arguments):
        is_bare = index and not isinstance(value, str) and not isinstance(arguments[index - 1], str)
        text += (" " if is_bare else "") + text_of(value)
    return text


def _print_line(arguments: Arguments) -> Value:
    return " ".join(text_of(value) for value in arguments) + "\n"


def _print_formatted(arguments: Arguments) -> Value:
    _take("printf", arguments, 1)
    return format_text(_text("printf", arguments[0]), arguments[1:])


def _html(arguments: Arguments) -> Value:
    return _HTML_CHARACTERS.sub(lambda match: _HTML[match.group()], str(_print(arguments)))


def _url_query(arguments: Arguments) -> Value:
    return quote_plus(str(_print(arguments)), safe="", errors="replace")


def _text(name: str, value: Value) -> str:
    if not isinstance(value, str):
        raise Mistake(f"{name} takes a text, got a {type_name(value)}")
    return value


def _on_text(name: str, change: Callable[[str], str]) -> TemplateFunction:
    def changed(arguments: Arguments) -> Value:
        _take(name, arguments, 1, 1)
        return change(_text(name, arguments[0]))

    return changed


def _on_texts(name: str, change: Callable[[str, str], str]) -> TemplateFunction:
    """A function whose last argument is the text it changes, so that texts can be piped into it."""

    def changed(arguments: Arguments) -> Value:
        _take(name, arguments, 2, 2)
        return change(_text(name, arguments[1]), _text(name, arguments[0]))

    return changed


def _truncate(arguments: Arguments) -> Value:
    """The first so many characters; with a negative number the last."""
    _take("trunc", arguments, 2, 2)
    width, text = arguments[0], _text("trunc", arguments[1])
    if not isinstance(width, int) or isinstance(width, bool):
        raise Mistake(f"trunc takes a number first, got a {type_name(width)}")
    if width >= 0:
        return text[:width]
    return text[width:] if -width < len(text) else text


def _replace(arguments: Arguments) -> Value:
    _take("replace", arguments, 3, 3)
    old, new, text = (_text("replace", value) for value in arguments)
    if text.count(old) * len(new) > _REPLACED_LIMIT:
        raise Mistake(f"replace makes at most {_REPLACED_LIMIT} characters")
    return text.replace(old, new)


def _default(arguments: Arguments) -> Value:
    _take("default", arguments, 1, 2)
    return arguments[1] if len(arguments) > 1 and is_true(arguments[1]) else arguments[0]


CORE: Mapping[str, TemplateFunction] = MappingProxyType(
    {
        "not": _not,
        "eq": _equal,
        "ne": _not_equal,
        "lt": _compared("lt", lambda order: order < 0),
        "le": _compared("le", lambda order: order <= 0),
        "gt": _compared("gt", lambda order: order > 0),
        "ge": _compared("ge", lambda order: order >= 0),
        "len": _length,
        "index": _index,
        "slice": _slice,
        "print": _print,
        "println": _print_line,
        "printf": _print_formatted,
        "html": _html,
        "urlquery": _url_query,
    }
)
LAZY = frozenset(("and", "or"))
EXTENDED: Mapping[str, TemplateFunction] = MappingProxyType(
    {
        **CORE,
        "lower": _on_text("lower", str.lower),
        "upper": _on_text("upper", str.upper),
        "trim": _on_text("trim", str.strip),
        "trimPrefix": _on_texts("trimPrefix", str.removeprefix),
        "trimSuffix": _on_texts("trimSuffix", str.removesuffix),
        "trunc": _truncate,
        "replace": _replace,
        "default": _default,
    }
)
