"""Every sender has its setting, its place on the page, and a payload that tests send."""

from __future__ import annotations

from pathlib import Path

from sidecar.webhooks.request import WebhookRequest
from sidecar.webhooks.senders import SENDERS
from tests.wire.webhooks.payloads import SECRET, SENT
from updater.settings.table import options_of
from updater.settings.webhooks import SECRET_SETTINGS

TYPES = [sender.type for sender in SENDERS]
PAGE = (Path(__file__).resolve().parents[3] / "docs" / "webhooks.md").read_text(encoding="utf-8")


def test_each_sender_has_a_secret_in_the_settings_of_both_commands() -> None:
    assert sorted(SECRET_SETTINGS) == sorted(TYPES)
    for command in ("run", "webhook"):
        options = {option.key: option for option in options_of(command)}
        for kind, key in SECRET_SETTINGS.items():
            assert options[key].is_secret
            assert f"| `{kind}` |" in PAGE
            assert f"`{options[key].variable}`" in PAGE


def test_each_sender_s_documented_payload_is_read() -> None:
    assert sorted(sent.type for sent in SENT) == sorted(TYPES)
    for sent in SENT:
        query = dict(part.split("=") for part in sent.query.split("&") if part)
        headers = {name.lower(): value for name, value in sent.sent_headers.items()}
        sender = next(each for each in SENDERS if each.type == sent.type)
        (event,) = sender.parse(WebhookRequest("POST", query, headers, sent.content), SECRET)
        assert (event.registry, event.repository, event.tag) == sent.read
