"""A whole runtime with a webhook server, in this process, against the playground's servers."""

from __future__ import annotations

import http.client
import json
import queue
import ssl
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from updater.assembly import build_runtime
from updater.playground.showcase import REGISTRY_HOST, Showcase
from updater.ports.log import EventLog, Field
from updater.settings.parts import ConnectionSettings, FaceSettings, RegistrySettings, RunSettings
from updater.settings.webhooks import WebhookSettings
from updater.transport.redaction import Secret

WAIT_S = 20.0
LONG_S = 3600.0
SECRET = "s3cret"
SECRETS = {kind: Secret(SECRET) for kind in ("native", "registry", "docker.io")}


class Told:
    """Records of a running updater; ``wait`` takes the next of one event."""

    def __init__(self, bound: Mapping[str, Field] | None = None, shared: Told | None = None) -> None:
        self._bound = bound or {}
        self._changed = threading.Condition() if shared is None else shared._changed
        self.records: list[tuple[str, str, dict[str, Field]]] = [] if shared is None else shared.records

    def _add(self, level: str, event: str, fields: Mapping[str, Field]) -> None:
        with self._changed:
            self.records.append((level, event, {**self._bound, **fields}))
            self._changed.notify_all()

    def trace(self, event: str, /, **fields: Field) -> None:
        self._add("trace", event, fields)

    def debug(self, event: str, /, **fields: Field) -> None:
        self._add("debug", event, fields)

    def info(self, event: str, /, **fields: Field) -> None:
        self._add("info", event, fields)

    def warning(self, event: str, /, **fields: Field) -> None:
        self._add("warning", event, fields)

    def error(self, event: str, /, *, exception: BaseException | None = None, **fields: Field) -> None:
        self._add("error", event, fields)

    def bind(self, **fields: Field) -> EventLog:
        return Told({**self._bound, **fields}, self)

    def of(self, event: str) -> list[dict[str, Field]]:
        with self._changed:
            return [fields for _, each, fields in self.records if each == event]

    def wait(self, event: str, count: int = 1) -> dict[str, Field]:
        """The record number ``count`` of an event."""
        with self._changed:
            seen = self._changed.wait_for(lambda: len(self._of(event)) >= count, WAIT_S)
            assert seen, f"{event} was told {len(self._of(event))} times: {[each for _, each, _ in self.records]}"
            return self._of(event)[count - 1]

    def _of(self, event: str) -> list[dict[str, Field]]:
        return [fields for _, each, fields in self.records if each == event]


class Served:
    """Started on entering; stopped on leaving, at the latest. ``webhooks`` and ``run`` are fields of the settings."""

    def __init__(
        self, showcase: Showcase, folder: Path, *, webhooks: Mapping[str, Any] | None = None, **run: Any
    ) -> None:
        self.showcase = showcase
        conf = folder / "registries.conf"
        if not conf.exists():
            conf.write_text(showcase.registries_conf, encoding="utf-8")
        wanted = {"port": 0, "secrets": SECRETS, "tls_folder": str(folder), **(webhooks or {})}
        connection = ConnectionSettings(
            showcase.web.url, is_grpc_web=True, is_plaintext=True, token=Secret(showcase.token)
        )
        settings = RunSettings(
            connection,
            registry=RegistrySettings(conf_path=str(conf), interval_s=run.get("interval_s", LONG_S)),
            webhooks=WebhookSettings(**wanted),
            face=FaceSettings(),
            **{"interval_s": LONG_S, "is_warmed_up": False, "mode": "continuous", **run},
        )
        self.settings = settings
        self.log = Told()
        self.runtime = build_runtime(settings, log=self.log, environment={})
        self._pool = ThreadPoolExecutor(1)
        self.ended: Future[bool] | None = None

    def __enter__(self) -> Self:
        self.runtime.open()
        self.port = self.runtime.addresses["webhook"].port
        self.ended = self._pool.submit(self.runtime.run)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> bool:
        """What ``run`` returns after ``stop``."""
        assert self.ended is not None
        self.runtime.stop()
        done = self.ended.result(WAIT_S)
        self.runtime.close()
        self._pool.shutdown()
        return done

    def send(
        self,
        body: object,
        target: str = "/webhook?type=native",
        *,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
        tls: ssl.SSLContext | None = None,
    ) -> tuple[int, str]:
        """Status and text of the answer; by default of a native event with the right secret."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection: http.client.HTTPConnection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        if tls is not None:
            connection = http.client.HTTPSConnection("localhost", self.port, timeout=WAIT_S, context=tls)
        try:
            connection.request(method, target, content, {"X-Webhook-Secret": SECRET} if headers is None else headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def tag_of(self, name: str) -> str:
        parameters = self.showcase.world.application(name).spec.source.helm.parameters
        return next(entry.value for entry in parameters if entry.name == "image.tag")

    def next_write(self) -> queue.Queue[None]:
        """Gets an item when the next UpdateSpec has been carried out."""
        written: queue.Queue[None] = queue.Queue()
        self.showcase.world.after_next("UpdateSpec", lambda: written.put(None))
        return written


def pushed(name: str, tag: str) -> dict[str, str]:
    """A native event about one of the showcase's repositories."""
    return {"name": f"{REGISTRY_HOST}/shop/{name}", "tag": tag}
