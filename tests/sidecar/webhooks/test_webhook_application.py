"""Answers of the webhook server, in the words of ``runtime.md`` 7.2 and 7.4, and what its log says."""

from __future__ import annotations

import json

import pytest
from werkzeug.test import Client

from sidecar.webhooks.application import WebhookApplication
from sidecar.webhooks.processor import EventProcessor
from sidecar.webhooks.receiver import Receiver
from sidecar.webhooks.routing import Routing
from tests.sidecar.webhooks.places import ONE, ONE_BODY, HeardNudges, RecordedLog, made_place
from updater.clock import Deadline, SystemClock
from updater.telemetry.metrics import MetricsOptions, PrometheusMetrics
from updater.transport.redaction import Secret

SECRET = "ab=c&d/ä"
ALL = Routing({}, requires_secret=False)
LOCKED = Routing({"docker.io": Secret(SECRET), "native": Secret(SECRET)})
HUB = "/webhook?type=docker.io"
KNOWN = f"{HUB}&secret=ab%3Dc%26d/%C3%A4"
TYPES = ". Supported types: docker.io, native"


@pytest.mark.parametrize(
    ("method", "target", "headers", "body", "text"),
    [
        pytest.param("POST", "/webhook", {}, b"", f"missing registry type parameter{TYPES}", id="no type"),
        pytest.param("POST", "/webhook?type=a%0Db", {}, b"", f"invalid registry type: a b{TYPES}", id="unknown type"),
        pytest.param(
            "POST",
            "/webhook?type=quay.io",
            {},
            b"",
            f"invalid registry type: quay.io{TYPES}",
            id="a type without secret",
        ),
        pytest.param("GET", HUB, {}, b"", "invalid HTTP method: GET", id="method"),
        pytest.param("POST", HUB, {}, b"", "missing webhook secret", id="no secret"),
        pytest.param("POST", f"{HUB}&secret=x", {}, b"", "invalid webhook secret", id="wrong secret"),
        pytest.param("POST", KNOWN, {}, b"{", "failed to parse webhook payload", id="no JSON"),
        pytest.param("POST", KNOWN, {}, b"{}", "missing repository in webhook payload", id="no repository"),
        pytest.param(
            "POST",
            "/webhook?type=native",
            {"X-Hub-Signature-256": "x"},
            b"",
            "invalid webhook signature",
            id="signature",
        ),
    ],
)
def test_a_rejection_is_a_line_of_known_words(
    method: str, target: str, headers: dict[str, str], body: bytes, text: str
) -> None:
    answer = made_place(LOCKED).client.open(target, method=method, headers=headers, data=body)
    assert (answer.status_code, answer.text) == (400, text)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.mimetype == "text/plain"


def test_without_a_secret_nothing_is_registered_unless_the_operator_says_so() -> None:
    answer = made_place(Routing()).client.post(HUB, data=ONE_BODY)
    assert (answer.status_code, answer.text) == (400, "no webhook handlers are registered")
    assert ALL.unauthenticated == ALL.types
    assert LOCKED.unauthenticated == ()
    assert made_place(ALL).client.post(HUB, data=ONE_BODY).status_code == 200


def test_a_secret_in_a_header_may_be_any_text() -> None:
    headers = {"X-Webhook-Secret": SECRET.encode().decode("latin-1")}
    body = json.dumps({"name": "acme/api", "tag": "1"})
    answer = made_place(LOCKED).client.post("/webhook?type=native", headers=headers, data=body)
    assert (answer.status_code, answer.text) == (200, "Webhook received and processing")


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "DELETE"])
def test_its_own_health_is_always_good(method: str) -> None:
    place = made_place(Routing())
    place.application.refuse_all()
    answer = place.client.open("/healthz", method=method)
    assert (answer.status_code, answer.text) == (200, "" if method == "HEAD" else "OK")


@pytest.mark.parametrize("path", ["/", "/webhook/", "/webhooks", "//webhook", "/healthz/", "/metrics"])
def test_there_is_nothing_else(path: str) -> None:
    assert made_place(ALL).client.post(f"{path}?type=docker.io", data=ONE_BODY).status_code == 404


def test_the_cap_is_a_mebibyte() -> None:
    place = made_place(ALL)
    padded = ONE_BODY[:-1] + b" " * (1_048_576 - len(ONE_BODY)) + b"}"
    assert place.client.post(HUB, data=padded).status_code == 200
    answer = place.client.post(HUB, data=padded + b" ")
    assert (answer.status_code, answer.text) == (413, "request body too large")
    assert place.metrics.requests == [("docker.io", "accepted"), ("unknown", "body_too_large")]


def test_what_is_no_event_for_us_is_no_error() -> None:
    log = RecordedLog()
    place = made_place(ALL, log=log)
    answer = place.client.post("/webhook?type=ghcr.io", headers={"X-GitHub-Event": "ping"}, data=b"{}")
    assert (answer.status_code, answer.text) == (400, "unsupported event: ping")
    assert (log.events("info"), log.events("error")) == (["webhook_ignored"], [])


@pytest.mark.parametrize("kind", ["registry", "gitlab"])
def test_a_registry_that_repeats_what_was_refused_is_told_that_all_is_well(kind: str) -> None:
    place = made_place(ALL)
    events = [{"action": "pull", "target": {"repository": "a/b", "tag": "1"}}]
    headers = {"Content-Type": "application/json"}
    answer = place.client.post(f"/webhook?type={kind}", headers=headers, data=json.dumps({"events": events}))
    assert (answer.status_code, answer.text) == (200, "Webhook received, ignoring events: none is a push of a tag")
    assert place.metrics.requests == [(kind, "ignored_action")]
    assert place.client.post(f"/webhook?type={kind}", headers=headers, data=b"{").status_code == 400


def test_no_record_shows_a_secret_or_steers_a_terminal() -> None:
    log, nudges = RecordedLog(), HeardNudges()
    place = made_place(Routing({"docker.io": Secret("planted-right")}), log=log, nudges=nudges)
    body = b'{"push_data":{"tag":"\\u001b[2J\\ud800"},"repository":{"repo_name":"a\\r\\nlevel=fatal\\u202e"}}'
    place.client.post(f"{HUB}&secret=planted-wrong", data=body)
    place.client.post(f"{HUB}&secret=planted-right", data=body)
    place.client.post("/webhook?type=planted%0Atype&secret=planted-right", data=body)
    place.processor.start()
    place.processor.open()
    assert nudges.entered.wait(20)
    place.processor.stop()
    place.processor.join(20)
    told = [str(value) for _, _, fields in log.records for value in fields.values()]
    assert [text for text in told if "planted-" in text] == []
    assert all(text.isprintable() for text in told)
    assert nudges.heard[0].repository == "a\r\nlevel=fatal\u202e", "who matches sees what was sent"


def test_everything_that_is_counted_is_exported() -> None:
    metrics, nudges = PrometheusMetrics(MetricsOptions()), HeardNudges()
    processor = EventProcessor(nudges, 0, SystemClock(), RecordedLog(), metrics)
    receiver = Receiver(ALL, processor, SystemClock(), RecordedLog(), metrics)
    client = Client(WebhookApplication(receiver).wsgi(RecordedLog()))
    client.post(HUB, data=ONE_BODY)
    client.post(HUB, data=ONE_BODY)
    client.post("/webhook?type=made-up-by-somebody", data=ONE_BODY)
    processor.start()
    processor.open()
    assert processor.drain(Deadline.after(SystemClock(), 20))
    processor.stop()
    text = metrics.negotiate("")[0].decode()
    for line in (
        'webhook_requests_total{result="accepted",type="docker.io"} 2.0',
        'webhook_requests_total{result="unknown_registry_type",type="unknown"} 1.0',
        'webhook_events_total{result="queued"} 1.0',
        'webhook_events_total{result="merged"} 1.0',
        'webhook_events_total{result="processed"} 1.0',
        'webhook_events_total{result="dropped"} 0.0',
        "webhook_queue_length 0.0",
    ):
        assert f"argocd_image_updater_{line}\n" in text
    assert "made-up" not in text


def test_other_secrets_hold_from_the_next_request_on() -> None:
    place = made_place(LOCKED)
    place.receiver.routing = Routing({"docker.io": Secret("new")})
    assert place.client.post(f"{HUB}&secret=new", data=ONE_BODY).status_code == 200
    assert place.client.post("/webhook?type=native", data=b"{}").status_code == 400


def test_an_event_is_queued_as_it_was_read() -> None:
    nudges = HeardNudges()
    place = made_place(ALL, nudges=nudges)
    place.client.post(HUB, data=ONE_BODY)
    place.processor.start()
    place.processor.open()
    assert nudges.entered.wait(20)
    place.processor.stop()
    place.processor.join(20)
    assert nudges.heard == [ONE]
    assert place.metrics.of("webhook_events_total", result="processed") == 1
