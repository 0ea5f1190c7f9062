"""Log levels: the words of the settings, the numbers of the standard library, the words in records."""

from __future__ import annotations

import logging
from types import MappingProxyType

TRACE = 5
NUMBERS = MappingProxyType(
    {"trace": TRACE, "debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
)
"""Numbers by the word of the setting, in lower case."""


def level_word(number: int) -> str:
    """The word in a record; numbers between the known ones count as the next lower one."""
    for floor, word in (
        (logging.CRITICAL, "fatal"),
        (logging.ERROR, "error"),
        (logging.WARNING, "warning"),
        (logging.INFO, "info"),
        (logging.DEBUG, "debug"),
    ):
        if number >= floor:
            return word
    return "trace"
