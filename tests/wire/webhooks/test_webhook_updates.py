"""From a webhook to a written spec: in both modes, as a command of its own, and when the process ends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from served import WAIT_S, Served, pushed

from updater.playground.showcase import Showcase
from updater.transport.redaction import Secret

pytestmark = pytest.mark.wire

Serve = Callable[..., Served]
ACCEPTED = (200, "Webhook received and processing")
COMMAND = {"is_polling": False, "interval_s": 0.0}
"""How the command ``webhook`` runs."""


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"mode": "continuous"}, id="continuous"),
        pytest.param({"mode": "cycle"}, id="cycle"),
        pytest.param(COMMAND, id="command"),
    ],
)
def test_a_webhook_updates_who_uses_the_repository_long_before_his_turn(
    showcase: Showcase, serve: Serve, options: dict[str, object]
) -> None:
    served = serve(**options)
    if options.get("mode") == "cycle":
        served.log.wait("cycle_finished")
    if options.get("mode") == "continuous":
        served.log.wait("application_succeeded", 2)
        served.log.wait("application_failed")
    written = served.next_write()
    showcase.push_release("web", "1.0.1")

    assert served.send(pushed("web", "1.0.1")) == ACCEPTED

    written.get(timeout=WAIT_S)
    result = served.log.wait("webhook_finished")
    assert served.tag_of("shop-web") == "1.0.1"
    assert len(showcase.world.calls_of("UpdateSpec")) == 1
    assert len(showcase.world.calls_of("List")) == 1
    # shop-typo uses the repository as well, with a constraint that nobody can follow.
    assert {key: result[key] for key in ("processed", "updated", "errors")} == {
        "processed": 2,
        "updated": 1,
        "errors": 1,
    }
    assert {fields["application"] for fields in served.log.of("webhook_triggered")} == {
        "argocd/shop-web",
        "argocd/shop-typo",
    }


def test_the_command_attempts_nothing_by_itself(showcase: Showcase, serve: Serve) -> None:
    showcase.push_release("web", "1.0.1")
    served = serve(**COMMAND)
    assert served.send(pushed("unused", "1.0.1")) == ACCEPTED
    assert served.log.wait("webhook_matched")["applications"] == 0
    assert served.send(pushed("api", "1.0.0")) == ACCEPTED
    served.log.wait("webhook_finished")
    assert {asked.path for asked in showcase.registry.requests} == {"/v2/shop/api/tags/list"}
    assert showcase.world.calls_of("UpdateSpec") == ()


def test_a_poll_that_finds_a_changed_list_nudges_the_others(showcase: Showcase, serve: Serve) -> None:
    served = serve(interval_s=1.0, max_concurrency=4)
    showcase.registry.wait_for_requests(3, timeout_s=WAIT_S)
    written = served.next_write()
    showcase.push_release("web", "1.0.1")
    written.get(timeout=WAIT_S)
    told = served.log.wait("tags_changed")
    assert told["applications"] == 2
    assert told["repository"] == "registry.example.com/shop/web"


def test_events_wait_until_the_fleet_is_known(showcase: Showcase, serve: Serve) -> None:
    gate, entered = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        assert gate.wait(WAIT_S)

    showcase.world.before_next("List", hold)
    served = serve(**COMMAND)
    assert entered.wait(WAIT_S)
    showcase.push_release("web", "1.0.1")
    assert served.send(pushed("web", "1.0.1")) == ACCEPTED
    assert served.send(pushed("web", "1.0.1")) == ACCEPTED
    assert served.log.of("webhook_processed") == []
    gate.set()
    assert served.log.wait("webhook_finished")["updated"] == 1
    assert len(served.log.of("webhook_processed")) == 1, "events about one repository are merged while they wait"


@pytest.mark.parametrize("mode", ["cycle", "continuous"])
def test_events_wait_until_the_caches_are_warm(showcase: Showcase, serve: Serve, mode: str) -> None:
    gate, entered = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        assert gate.wait(WAIT_S)

    showcase.world.before_next("List", hold)
    served = serve(mode=mode, is_warmed_up=True)
    assert entered.wait(WAIT_S)
    assert served.log.of("warmup_started")
    assert served.send(pushed("web", "1.0.1")) == ACCEPTED
    assert served.log.of("webhook_processed") == []
    gate.set()
    assert served.log.wait("webhook_finished")["processed"] == 2
    order = [event for _, event, _ in served.log.records if event in ("warmup_finished", "webhook_processed")]
    assert order == ["warmup_finished", "webhook_processed"]


def test_a_secret_that_changes_while_it_runs_holds_at_once(serve: Serve) -> None:
    served = serve(**COMMAND)
    event = pushed("unused", "1")
    webhooks = replace(served.settings.webhooks, secrets={"native": Secret("another")})
    served.runtime.reconfigure(replace(served.settings, webhooks=webhooks))
    assert served.send(event)[0] == 400
    assert served.send(event, headers={"X-Webhook-Secret": "another"}) == ACCEPTED
    assert served.send(event, "/webhook?type=docker.io")[1].endswith("Supported types: native")


@pytest.mark.parametrize("mode", ["cycle", "continuous"])
def test_what_was_accepted_is_finished_before_the_end(showcase: Showcase, serve: Serve, mode: str) -> None:
    served = serve(mode=mode)
    showcase.registry.wait_for_requests(3, timeout_s=WAIT_S)
    if mode == "cycle":
        served.log.wait("cycle_finished")
    gate, entered = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        assert gate.wait(WAIT_S)

    showcase.push_release("web", "1.0.1")
    showcase.world.before_next("UpdateSpec", hold)
    assert served.send(pushed("web", "1.0.1")) == ACCEPTED
    assert entered.wait(WAIT_S)
    showcase.push_release("api", "1.0.1")
    assert served.send(pushed("api", "1.0.1")) == ACCEPTED
    served.runtime.stop()
    assert served.send(pushed("web", "1.0.1"))[0] == 503
    assert served.send(b"", "/healthz", method="GET") == (200, "OK")
    gate.set()
    assert served.end()
    assert served.tag_of("shop-web") == "1.0.1"
    images = showcase.world.application("shop-api").spec.source.kustomize.images
    assert [image for image in images if image.endswith("shop/api:1.0.1")]


def test_a_cycle_that_runs_at_the_end_makes_room_for_events(showcase: Showcase, serve: Serve) -> None:
    gate, entered = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        assert gate.wait(WAIT_S)

    showcase.push_release("web", "1.0.1")
    showcase.push_release("api", "1.0.1")
    showcase.world.before_next("UpdateSpec", hold)
    served = serve(mode="cycle", max_concurrency=1)
    assert entered.wait(WAIT_S)
    assert served.send(pushed("web", "1.0.1")) == ACCEPTED
    served.log.wait("webhook_matched")
    served.runtime.stop()
    gate.set()
    assert served.end()
    written = [call.request.name for call in showcase.world.calls_of("UpdateSpec")]
    assert written == ["shop-api", "shop-web"], "the cycle ended after its first write, and the event was finished"
    assert served.log.wait("webhook_finished")["updated"] == 1


def test_a_listener_that_dies_ends_the_process_in_order(serve: Serve) -> None:
    served = serve()
    assert served.send(b"", "/healthz", method="GET") == (200, "OK")
    server = served.runtime._parts.webhooks._listener._server
    server.listening.shutdown(socket.SHUT_RDWR)
    assert served.ended.result(WAIT_S)
    assert served.runtime.lost_listener == "webhook"


def test_remarks_at_the_start_name_what_is_believed_and_what_cannot_be(serve: Serve) -> None:
    secrets = {"native": Secret("ends with a line break\n"), "quay.io": Secret("good")}
    remarks = serve(webhooks={"secrets": secrets, "requires_secret": False}).log.of("setting_remarked")
    texts = {str(remark["kind"]): str(remark["text"]) for remark in remarks}
    assert (
        "acr, aliyun-acr, cloudevents, docker.io, ghcr.io, gitlab, harbor, registry"
        in texts["unauthenticated_webhooks"]
    )
    assert "type native" in texts["secret_with_blanks"]
    assert "line break" not in texts["secret_with_blanks"].partition("begins")[0]
    nobody = serve(webhooks={"secrets": {}})
    assert [remark["kind"] for remark in nobody.log.of("setting_remarked")] == ["no_handlers"]


def test_a_stop_without_events_ends_at_once(serve: Serve) -> None:
    served = serve()
    assert served.end()
    assert served.log.of("webhook_events_unfinished") == []
