"""What an answer that nobody wanted comes to as an error."""

from __future__ import annotations

import pytest

from updater.clock import SystemClock
from updater.forge.answers import Answer
from updater.forge.failures import refused


@pytest.mark.parametrize(
    ("body", "end"),
    [
        pytest.param(b"", "status 500", id="nothing said"),
        pytest.param(b" try later\n", "status 500 (try later)", id="a text"),
        pytest.param(b"<html><title>Gone</title></html>", "status 500 (Gone)", id="a page"),
    ],
)
def test_the_error_ends_with_what_the_forge_said(body: bytes, end: str) -> None:
    error = refused(Answer("GET", "https://forge.test/api", 500, {}, body), "GET /api", SystemClock())
    assert error.what == f"the API refused: {end}"
