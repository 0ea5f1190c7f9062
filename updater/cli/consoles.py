"""Where results for people are drawn: the one place that decides whether they may hold escape codes."""

from __future__ import annotations

import os
from typing import TextIO

from rich.console import Console


def console_on(stream: TextIO, *, width: int | None = None, soft_wrap: bool = False) -> Console:
    """A console that writes to ``stream``, without any escape code where that is no terminal or ``NO_COLOR`` is set.

    The library itself keeps bold, which is an escape code too, for those who ask for no colours.
    """
    is_plain = bool(os.environ.get("NO_COLOR"))
    return Console(
        file=stream, width=width, soft_wrap=soft_wrap, highlight=False, color_system=None if is_plain else "auto"
    )
