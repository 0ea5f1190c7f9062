"""The command ``plan``, beside the flags of ``run``."""

from __future__ import annotations

from updater.settings.model import Kind, Option

_PLAN = frozenset({"plan"})

PLAN = (
    Option("check", Kind.BOOL, False, "End with status 10 when something would change", commands=_PLAN),
    Option(
        "verbose",
        Kind.BOOL,
        False,
        "Show every image, and why each candidate lost; always so for Applications that are named",
        commands=_PLAN,
    ),
)
