"""What is remembered of changes that the cluster has not followed yet."""

from __future__ import annotations

import pytest

from updater.engine import awaited
from updater.engine.awaited import Awaited
from updater.model.applications import ApplicationKey


def test_applications_that_come_and_go_for_months_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awaited, "MAX_REMEMBERED", 3)
    memory = Awaited()
    keys = [ApplicationKey("argocd", f"preview-{number}") for number in range(4)]
    for key in keys:
        place = (key, "web", "ghcr.io/acme/web")
        assert memory.is_image_news(place, "ghcr.io/acme/web:1.0.1")
        memory.arrived(place)

    assert not memory.take_news(keys[0])
    assert memory.take_news(keys[3])
    assert not memory.take_news(keys[3])
