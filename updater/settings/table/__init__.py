"""The table of options, one module per subject; ``OPTIONS`` is all of it in the order of the documentation.

Belongs here: rows. Never: code that reads them. The rules behind the rows are ``runtime.md`` 1.3 to 1.5 and 1.10,
``write-back.md`` 1.8 and 6.1, ``registries.md`` 5.6, ``argocd-api.md`` 6.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from updater.settings.model import Option
from updater.settings.table.argocd import ARGOCD
from updater.settings.table.fleet import FLEET
from updater.settings.table.git import GIT
from updater.settings.table.plan import PLAN
from updater.settings.table.process import PROCESS
from updater.settings.table.registries import REGISTRIES
from updater.settings.table.rounds import ROUNDS
from updater.settings.table.test import TEST
from updater.settings.table.webhooks import WEBHOOKS

SECTIONS: tuple[tuple[str, tuple[Option, ...]], ...] = (
    ("Which tag", TEST),
    ("The plan", PLAN),
    ("Argo CD", ARGOCD),
    ("Applications", FLEET),
    ("Rounds", ROUNDS),
    ("Registries", REGISTRIES),
    ("Logs, ports and output", PROCESS),
    ("Git write-back", GIT),
    ("Webhooks", WEBHOOKS),
)

OPTIONS: tuple[Option, ...] = tuple(option for _, options in SECTIONS for option in options)


_FLAGS_OF: Mapping[str, str] = MappingProxyType({"plan": "run", "doctor": "run"})
"""Commands that know every row of another one, beside their own."""


def knows(command: str, option: Option) -> bool:
    """Whether a command knows a row."""
    return command in option.commands or _FLAGS_OF.get(command) in option.commands


def options_of(command: str) -> tuple[Option, ...]:
    """The rows that a command knows."""
    return tuple(option for option in OPTIONS if knows(command, option))
