"""Regular expressions that owners write, in the RE2 syntax of Go: linear time for every expression and text.

The only module that sees google-re2. Differences to Go that matter are closed here (``images-and-strategies.md`` 5.4).
"""

from __future__ import annotations

import re2

from updater.errors import PlanError

MAX_EXPRESSION = 4_096
"""Characters of an expression. The library is linear in the tag, not in the expression: one of 16,000 characters was
measured at 2.6 ms per tag, one of a million at 47 s."""


class Pattern:
    """A compiled expression; immutable and safe for use by several threads."""

    __slots__ = ("_expression", "_search")

    def __init__(self, expression: str) -> None:
        """Compile; raises ``PlanError`` (``invalid_pattern``)."""
        if len(expression) > MAX_EXPRESSION:
            raise _refused(expression, f"it is longer than {MAX_EXPRESSION:,} characters")
        if _has_single_byte_escape(expression):
            raise _refused(expression, "\\C is not supported")
        options = re2.Options()
        options.log_errors = False
        try:
            # Bytes, because the binding decodes every text match again and takes three times as long.
            self._search = re2.compile(expression.encode(), options).search
        except re2.error as problem:
            raise _refused(expression, _reason(problem)) from problem
        except UnicodeEncodeError as problem:
            raise _refused(expression, "it holds half a character") from problem
        self._expression = expression

    def is_found_in(self, text: str) -> bool:
        """Whether the expression matches anywhere in the text."""
        return self._search(text.encode("utf-8", "surrogatepass")) is not None

    def __repr__(self) -> str:
        return f"Pattern({self._expression!r})"


def _has_single_byte_escape(expression: str) -> bool:
    r"""Whether ``\C`` occurs outside of a ``\Q...\E`` quotation: Go refuses it, the library would take it."""
    at = expression.find("\\")
    while at >= 0:
        escaped = expression[at + 1 : at + 2]
        if escaped == "C":
            return True
        at += 2
        if escaped == "Q":
            end = expression.find("\\E", at)
            at = len(expression) if end < 0 else end + 2
        at = expression.find("\\", at)
    return False


def _refused(expression: str, reason: str) -> PlanError:
    return PlanError(
        f"regular expression {expression[:80]!r} does not compile: {reason}",
        hint="RE2 syntax has no look-around and no back-references",
        code="invalid_pattern",
    )


def _reason(problem: Exception) -> str:
    reason = problem.args[0] if problem.args else "unknown reason"
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
