"""Who is believed: the mechanisms of ``runtime.md`` 7.3, and the order of checks of 7.4."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.webhooks.request import WebhookRequest
from sidecar.webhooks.sender import Sender
from sidecar.webhooks.senders import SENDERS
from updater.errors import WebhookRejected
from updater.ports.nudges import PushEvent

SECRET = "kä=s/cr&t "
NATIVE = b'{"name": "ghcr.io/acme/api", "tag": "1"}'
BATCH = json.dumps(
    {"events": [{"action": "push", "target": {"repository": "a/b", "tag": "1"}, "request": {"host": "r.io"}}]}
).encode()
JSON = {"content-type": "application/vnd.docker.distribution.events.v1+json"}


def sender(kind: str) -> Sender:
    return next(each for each in SENDERS if each.type == kind)


def signature(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def code_of(kind: str, request: WebhookRequest, secret: str = SECRET) -> str:
    try:
        sender(kind).parse(request, secret)
    except WebhookRejected as error:
        return error.code
    return "accepted"


def native(headers: Mapping[str, str], body: bytes = NATIVE) -> WebhookRequest:
    return WebhookRequest("POST", {}, headers, body)


def batch(headers: Mapping[str, str], query: Mapping[str, str]) -> WebhookRequest:
    return WebhookRequest("POST", query, {**JSON, **headers}, BATCH)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        pytest.param({}, "missing_secret", id="nothing"),
        pytest.param({"x-webhook-secret": SECRET}, "accepted", id="secret"),
        pytest.param({"x-webhook-secret": SECRET.strip()}, "bad_secret", id="nearly the secret"),
        pytest.param({"x-hub-signature-256": f"sha256={signature(NATIVE)}"}, "accepted", id="signature"),
        pytest.param({"x-hub-signature-256": signature(NATIVE)}, "bad_signature", id="signature without prefix"),
        pytest.param(
            {"x-hub-signature-256": "sha256=0", "x-webhook-secret": SECRET}, "bad_signature", id="signature first"
        ),
    ],
)
def test_native_takes_a_signature_else_the_secret(headers: dict[str, str], code: str) -> None:
    assert code_of("native", native(headers)) == code


@pytest.mark.parametrize("kind", ["registry", "gitlab"])
@pytest.mark.parametrize(
    ("headers", "query", "code"),
    [
        pytest.param({}, {}, "missing_secret", id="nothing"),
        pytest.param({"authorization": SECRET}, {}, "accepted", id="the secret"),
        pytest.param({"authorization": f"Bearer {SECRET}"}, {}, "accepted", id="bearer"),
        pytest.param({"authorization": f"bearer {SECRET}"}, {}, "bad_secret", id="bearer in lower case"),
        pytest.param({}, {"secret": SECRET}, "accepted", id="query"),
        pytest.param({"authorization": "x"}, {"secret": SECRET}, "bad_secret", id="header first"),
        pytest.param({}, {"secret": "x"}, "bad_secret", id="wrong in the query"),
    ],
)
def test_notifications_take_a_header_else_the_query(
    kind: str, headers: dict[str, str], query: dict[str, str], code: str
) -> None:
    assert code_of(kind, batch(headers, query)) == code


@pytest.mark.parametrize("prefix", ["", "sha256=", "Bearer "])
def test_harbor_takes_a_signature_in_three_spellings(prefix: str) -> None:
    body = (
        b'{"type":"PUSH_ARTIFACT","event_data":{"resources":[{"tag":"1","resource_url":"h.io/a/b:1"}],'
        b'"repository":{"repo_full_name":"a/b"}}}'
    )
    headers = {"content-type": "application/json", "authorization": prefix + signature(body)}
    assert code_of("harbor", WebhookRequest("POST", {}, headers, body)) == "accepted"
    headers["authorization"] = prefix + signature(body + b" ")
    assert code_of("harbor", WebhookRequest("POST", {}, headers, body)) == "bad_secret"


@pytest.mark.parametrize("kind", [each.type for each in SENDERS])
def test_a_request_without_the_secret_learns_nothing_of_its_body(kind: str) -> None:
    headers = {"content-type": "application/json", "x-github-event": "package"}
    bodies = (b"", b"{", b"[" * 100_000, b"\xff\xfe", NATIVE, BATCH)
    codes = {code_of(kind, WebhookRequest("POST", {}, headers, body)) for body in bodies}
    assert len(codes) == 1
    assert codes <= {"missing_secret", "missing_signature"}


@pytest.mark.parametrize("kind", [each.type for each in SENDERS])
def test_the_method_comes_before_everything(kind: str) -> None:
    assert code_of(kind, WebhookRequest("PUT", {}, {}, b"")) == "method_not_allowed"


@pytest.mark.parametrize("kind", [each.type for each in SENDERS])
def test_no_error_shows_the_secret(kind: str) -> None:
    query = {"secret": "guessed-by-somebody"}
    headers = {
        "content-type": "application/json",
        "x-github-event": "package",
        "authorization": "guessed-by-somebody",
        "x-webhook-secret": "guessed-by-somebody",
        "x-hub-signature-256": "sha256=guessed-by-somebody",
    }
    request = WebhookRequest("POST", query, headers, NATIVE)
    with pytest.raises(WebhookRejected) as caught:
        sender(kind).parse(request, SECRET)
    assert "guessed" not in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "guessed" not in repr(request)


def test_bytes_that_are_no_text_are_compared_as_bytes() -> None:
    assert code_of("native", native({"x-webhook-secret": "\udcff"})) == "bad_secret"
    assert code_of("native", native({"x-webhook-secret": "\udcff"}), "\udcff") == "accepted"


def test_a_native_name_may_begin_with_a_host() -> None:
    def read(body: bytes) -> tuple[PushEvent, ...]:
        return sender("native").parse(native({}, body), "")

    assert read(NATIVE) == (PushEvent("ghcr.io", "acme/api", "1"),)
    assert read(b'{"name":"acme/api","tag":"1"}') == (PushEvent("", "acme/api", "1"),)
    assert read(b'{"name":"api","tag":"1","host":"r.io:5000"}') == (PushEvent("r.io:5000", "api", "1"),)
    assert read(b'{"name":"r.io:5000/api","tag":"1","digest":"sha256:0"}') == (
        PushEvent("r.io:5000", "api", "1", "sha256:0"),
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b'{"tag":"1"}', "missing_repository", id="no name"),
        pytest.param(b'{"name":"ghcr.io/","tag":"1"}', "missing_repository", id="a host alone"),
        pytest.param(b'{"name":"a"}', "missing_tag", id="no tag"),
        pytest.param(b'{"name":1,"tag":"1"}', "bad_json", id="name of another type"),
        pytest.param(b'{"name":"a","tag":"1","host":[]}', "bad_json", id="host of another type"),
        pytest.param(b'"text"', "bad_json", id="no object"),
        pytest.param(b"[" * 500_000, "bad_json", id="nested without end"),
        pytest.param(b'{"name":' + b'{"a":' * 200_000, "bad_json", id="objects nested without end"),
        pytest.param(b'{"name":' + b"9" * 100_000 + b"}", "bad_json", id="a number without end"),
        pytest.param(b"\xff\xfe{", "bad_json", id="no text"),
        pytest.param(b"", "bad_json", id="nothing"),
    ],
)
def test_what_is_no_native_event_is_refused(body: bytes, code: str) -> None:
    assert code_of("native", native({}, body), "") == code


@pytest.mark.parametrize(
    ("unused", "code"),
    [
        pytest.param(b"[" * 98 + b"]" * 98, "accepted", id="deep"),
        pytest.param(b"[" * 100 + b"]" * 100, "bad_json", id="too deep"),
        pytest.param(b'{"a":' * 100 + b"1" + b"}" * 100, "bad_json", id="objects too deep"),
        pytest.param(b'"' + b"[" * 500 + b'\\\\\\"' + b"{" * 500 + b'"', "accepted", id="brackets in a text"),
        pytest.param(b"[" + b"[]," * 5_000 + b"[]]", "accepted", id="many and flat"),
        pytest.param(b'"' * 300_001, "bad_json", id="quotes"),
        pytest.param(b'\\"' * 300_000, "bad_json", id="escaped quotes"),
        pytest.param(b"[" * 101 + b'"' + b"\\" * 300_000, "bad_json", id="a text without an end"),
    ],
)
def test_only_so_much_nesting_is_read(unused: bytes, code: str) -> None:
    body = b'{"name":"a","tag":"1","unused":' + unused + b"}"
    assert code_of("native", native({}, body), "") == code


def check_every_sender(body: bytes) -> None:
    """A body is events, or a rejection in one printable line."""
    headers = {"content-type": "application/json", "x-github-event": "package"}
    texts = []
    for each in SENDERS:
        try:
            assert each.parse(WebhookRequest("POST", {}, headers, body), "")
        except WebhookRejected as error:
            texts.append(str(error))
    assert "".join(texts).isprintable()


@settings(max_examples=25)
@given(
    st.binary(max_size=200) | st.recursive(st.none() | st.text(), st.lists).map(lambda each: json.dumps(each).encode())
)
def test_no_body_is_anything_but_an_event_or_a_rejection(body: bytes) -> None:
    check_every_sender(body)


fields = st.sampled_from(
    ["events", "action", "target", "repository", "tag", "request", "host", "package", "owner", "login", "name", "type"]
)
nested = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["push", "published", "container", "", "\ud800\r\n"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(fields, inner, max_size=6),
    max_leaves=20,
)


@settings(max_examples=25)
@given(st.dictionaries(fields, nested))
def test_fields_of_any_type_never_break_a_reader(document: dict[str, object]) -> None:
    check_every_sender(json.dumps(document).encode())


def test_a_batch_is_one_event_per_repository_and_tag() -> None:
    def event(action: str, repository: str, tag: str, host: str = "r.io:5000") -> dict[str, object]:
        return {
            "action": action,
            "target": {"repository": repository, "tag": tag, "digest": f"sha256:{tag}"},
            "request": {"host": host},
        }

    events = [
        event("push", "a/b", "1"),
        {"action": "push", "target": {"repository": "a/b", "mediaType": "application/octet-stream"}},
        event("pull", "a/c", "1"),
        event("push", "a/b", "1"),
        event("push", "a/b", "2"),
        event("push", "a/b", "1", host=""),
    ]
    request = WebhookRequest(
        "POST", {"registry_url": "https://front.io/x"}, JSON, json.dumps({"events": events}).encode()
    )
    assert sender("gitlab").parse(request, "") == (
        PushEvent("r.io:5000", "a/b", "1", "sha256:1"),
        PushEvent("r.io:5000", "a/b", "2", "sha256:2"),
        PushEvent("front.io", "a/b", "1", "sha256:1"),
    )


@pytest.mark.parametrize(
    ("events", "code"),
    [
        pytest.param([], "ignored_action", id="none"),
        pytest.param(None, "ignored_action", id="null"),
        pytest.param([{"action": "pull", "target": {"repository": "a", "tag": "1"}}], "ignored_action", id="a pull"),
        pytest.param([{"action": "push", "target": {"repository": "a"}}], "ignored_action", id="a layer"),
        pytest.param([{"action": "push", "target": {"tag": "1"}}], "missing_repository", id="no repository"),
        pytest.param({"action": "push"}, "bad_json", id="no list"),
        pytest.param([None], "ignored_action", id="nothing in the list"),
        pytest.param(["push"], "bad_json", id="no objects"),
        pytest.param([{"action": "push", "target": "a"}], "bad_json", id="target of another type"),
    ],
)
def test_what_is_no_push_of_a_tag_is_refused(events: object, code: str) -> None:
    body = json.dumps({"events": events}).encode()
    assert code_of("registry", WebhookRequest("POST", {}, JSON, body), "") == code


def test_a_tag_that_is_null_is_no_tag() -> None:
    body = b'{"repository":"acme/api","updated_tags":[null]}'
    assert code_of("quay.io", WebhookRequest("POST", {}, {}, body), "") == "missing_tag"


def test_the_chinese_partition_of_amazon_has_its_own_domain() -> None:
    body = json.dumps(
        {
            "specversion": "1.0",
            "type": "com.amazon.ecr.image.push",
            "source": "arn:aws-cn:ecr:cn-north-1:111122223333:repository/a",
            "subject": "a:1",
        }
    ).encode()
    (event,) = sender("cloudevents").parse(WebhookRequest("POST", {}, {"content-type": "application/json"}, body), "")
    assert event.registry == "111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn"
