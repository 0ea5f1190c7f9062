"""``served`` can be imported by every test below; servers are started by its fixtures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from served import Served

from updater.playground.showcase import Showcase


@pytest.fixture
def showcase() -> Iterator[Showcase]:
    with Showcase() as running:
        yield running


@pytest.fixture
def serve(showcase: Showcase, tmp_path: Path) -> Iterator[Any]:
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Served(showcase, tmp_path, **options))
