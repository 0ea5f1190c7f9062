"""The root path that the server's own page names."""

from __future__ import annotations

import pytest

from updater.argocd.roots import root_in_page


@pytest.mark.parametrize(
    ("page", "root"),
    [
        pytest.param(b'<html><head><base href="/argo-cd/"></head>', "argo-cd", id="as the server writes it"),
        pytest.param(b"<BASE HREF='/a/b/'/>", "a/b", id="two levels, other quotes"),
        pytest.param(b'<base target="_self" href="https://cd.example.com/x/">', "x", id="a whole address"),
        pytest.param(b'<base href="/">', "", id="the root itself"),
        pytest.param(b"<html>no base</html>", "", id="none"),
        pytest.param(b'<base href="/../../etc">', "", id="what no address accepts"),
        pytest.param(b"<base " + b"x" * 60_000, "", id="no end"),
        pytest.param(b"\xff\xfe<base href='/x\xff'>", "", id="bytes"),
    ],
)
def test_the_base_of_a_page_is_found(page: bytes, root: str) -> None:
    assert root_in_page(page) == root
