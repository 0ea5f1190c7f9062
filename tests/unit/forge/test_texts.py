from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from updater.forge.texts import TextLimits, fitted, stored_text
from updater.ports.forge import RequestText


@given(st.text(max_size=400), st.text(max_size=600), st.integers(50, 300), st.integers(100, 500))
def test_texts_keep_their_limits_and_short_ones_stay(title: str, body: str, most: int, size: int) -> None:
    cut = fitted(RequestText(title, body), TextLimits(most, size))
    assert len(cut.title) <= most
    assert len(cut.body) <= size
    assert cut.title.splitlines() in ([], [cut.title])
    if len(body) <= size:
        assert cut.body == body.replace("\r\n", "\n").strip()
    assert stored_text(cut.title, cut.body.replace("\n", "\r\n")) == cut
    assert fitted(cut, TextLimits(most, size)) == cut
