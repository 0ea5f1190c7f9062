"""A small installation for the demo: one API server on both transports, one registry, four Applications."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from updater.model.applications import ANNOTATION_PREFIX
from updater.playground.applications import Sample, helm_application, kustomize_application, multi_source_application
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.native_server import NativeServer
from updater.playground.registry import PlaygroundRegistry
from updater.playground.world import World

REGISTRY_HOST = "registry.example.com"
"""The name in image references; ``registries_conf`` sends it to loopback."""

RUNNING_TAG = "1.0.0"
_OLD_TAGS = ("0.9.5", RUNNING_TAG, "1.1.0", "2.0.0-rc.1", "latest", "main-4f1d2c7")


class Showcase:
    """Starts everything on loopback with ``with``, and leaves nothing behind."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.world = World()
        self.token = self.world.issue_token()
        self.keys = [
            self.world.add_application(sample.message, base_images=sample.base_images) for sample in _samples()
        ]

    def __enter__(self) -> Self:
        self.web = self._stack.enter_context(GrpcWebServer(self.world))
        self.native = self._stack.enter_context(NativeServer(self.world))
        self.registry = self._stack.enter_context(PlaygroundRegistry())
        for name in ("web", "api", "worker"):
            for tag in _OLD_TAGS:
                self.registry.push(f"shop/{name}", tag)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def registries_conf(self) -> str:
        """What an operator would write for this registry."""
        return f"registries:\n- name: playground\n  prefix: {REGISTRY_HOST}\n  api_url: {self.registry.address}\n"

    def push_release(self, name: str, tag: str) -> str:
        """A new tag appears; returns the reference that people would pull."""
        self.registry.push(f"shop/{name}", tag)
        return f"{REGISTRY_HOST}/shop/{name}:{tag}"

    def follow(self) -> None:
        """Let the controller roll out what the specs say."""
        for key in self.keys:
            self.world.reconcile(key)

    def live_images(self) -> dict[str, tuple[str, ...]]:
        """What runs, by Application."""
        return {str(key): tuple(self.world.application(key).status.summary.images) for key in self.keys}


def _samples() -> tuple[Sample, ...]:
    return (
        helm_application("shop-web"),
        kustomize_application("shop-api"),
        multi_source_application(
            "shop-worker",
            helm_image=f"{REGISTRY_HOST}/shop/worker:{RUNNING_TAG}",
            annotations={f"{ANNOTATION_PREFIX}image-list": f"worker={REGISTRY_HOST}/shop/worker:~1.0"},
        ),
        helm_application(
            "shop-typo",
            annotations={f"{ANNOTATION_PREFIX}image-list": f"web={REGISTRY_HOST}/shop/web:~one.two"},
        ),
    )
