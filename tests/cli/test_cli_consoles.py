"""Escape codes: for terminals alone, and for nobody who asks for no colours."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from updater.cli.entry import run_program
from updater.playground.showcase import Showcase

pytestmark = [pytest.mark.wire]

_ROUND = ("run", "--once", "--dry-run", "--health-port=0", "--metrics-port=0")
_TEST = ("test", "registry.example.com/shop/web:1.0.0")
_RESULTS = [
    pytest.param(_ROUND, id="run"),
    pytest.param(("plan", "shop-web"), id="plan"),
    pytest.param(_TEST, id="test"),
    pytest.param(("demo",), id="demo", marks=pytest.mark.slow),
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(
    words: tuple[str, ...], shop: Showcase, registries: Path, monkeypatch: pytest.MonkeyPatch, **environment: str
) -> str:
    """Both streams of a command on a terminal of many colours."""
    screen = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setattr("sys.stderr", screen)
    base = {
        "APPLICATIONS_API": "argocd",
        "ARGOCD_SERVER": shop.web.url,
        "ARGOCD_GRPC_WEB": "true",
        "ARGOCD_TOKEN": shop.token,
        "NO_PROXY": "*",
    }
    for name, value in {"TERM": "xterm-256color", "NO_COLOR": "", **environment}.items():
        monkeypatch.setenv(name, value)
    name, *rest = words
    flags = () if name == "demo" else ("--disable-kubernetes", "--registries-conf-path", str(registries))
    assert run_program([name, *flags, *rest], base | environment) == 0, screen.getvalue()
    return screen.getvalue()


@pytest.mark.parametrize("words", _RESULTS)
def test_a_terminal_is_drawn_on_with_escape_codes(
    words: tuple[str, ...], shop: Showcase, shop_registries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "\x1b[" in shown(words, shop, shop_registries, monkeypatch)


@pytest.mark.parametrize("words", [*_RESULTS, pytest.param(("run", "--help"), id="help")])
def test_who_asks_for_no_colours_gets_no_escape_code_at_all(
    words: tuple[str, ...], shop: Showcase, shop_registries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = shown(words, shop, shop_registries, monkeypatch, NO_COLOR="1")
    assert len(text) > 200
    assert "\x1b" not in text
