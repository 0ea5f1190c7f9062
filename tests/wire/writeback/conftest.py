from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from generated.application_messages_pb2 import Application, HelmParameter
from updater.argocd.address import parse_address
from updater.argocd.client import ArgoCDClient, CallTimeouts, ClientOptions
from updater.argocd.connect import ConnectionOptions, connect
from updater.argocd.overrides import ArgoCDOverrides, OverrideOptions, WriteMode
from updater.argocd.tokens import StaticToken
from updater.argocd.webcalls import WireOptions
from updater.clock import Backoff, Deadline, SystemClock
from updater.model.applications import ApplicationKey, SourceKind
from updater.model.changes import (
    ChangeSet,
    HelmParameterEdit,
    ImageChange,
    KustomizeImageEdit,
    OverrideEdit,
    SourceChoice,
    WriteBackResult,
)
from updater.planning.drift import settings_of
from updater.playground.applications import helm_application, kustomize_application, multi_source_application
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.native_server import NativeServer
from updater.playground.world import World
from updater.ports.log import NullLog
from updater.writeback.fields import FieldWriter, FieldWriterOptions

WEB = "registry.example.com/shop/web"
API = "registry.example.com/shop/api"


@dataclass
class Bench:
    """A world with one Application, and a writer that speaks to it."""

    world: World
    key: ApplicationKey
    method: str
    client: ArgoCDClient
    store: ArgoCDOverrides
    clock: SystemClock

    def change_set(self, *edits: OverrideEdit, kind: SourceKind = SourceKind.HELM) -> ChangeSet:
        """What the engine would hand over, decided on the Application as it is now."""
        fresh = self.store.fetch_fresh(self.key, "default", Deadline.after(self.clock, 5)).snapshot
        change = ImageChange("web", WEB, "1.0.0", "1.0.1")
        return ChangeSet(self.key, "default", SourceChoice(kind), edits, (change,), settings_of(fresh))

    def write(
        self, change_set: ChangeSet, *, attempts: int = 7, dry_run: bool = False, seconds: float = 10
    ) -> WriteBackResult:
        backoff = Backoff(attempts=attempts, base_s=0.001, cap_s=0.002)
        writer = FieldWriter(self.store, FieldWriterOptions(backoff), self.clock, NullLog())
        return writer.apply(change_set, dry_run=dry_run, deadline=Deadline.after(self.clock, seconds))

    def parameters(self) -> dict[str, str]:
        source = self.world.application(self.key).spec.source
        return {entry.name: entry.value for entry in source.helm.parameters}

    def images(self) -> list[str]:
        return list(self.world.application(self.key).spec.source.kustomize.images)

    def writes(self) -> int:
        """Calls of the write method that reached the server."""
        return sum(call.method in ("UpdateSpec", "Patch") for call in self.world.calls)


def helm_edit(value: str = "1.0.1", *, seen: str | None = "1.0.0") -> HelmParameterEdit:
    return HelmParameterEdit("image.tag", value, seen)


def kustomize_edit(tag: str = "1.0.1", seen: str | None = f"{API}:1.0.0") -> KustomizeImageEdit:
    return KustomizeImageEdit("", f"{API}:{tag}", seen)


def add_parameter(name: str, value: str) -> Callable[[Application], object]:
    def edit(application: Application) -> None:
        application.spec.source.helm.parameters.append(HelmParameter(name=name, value=value, forceString=True))

    return edit


def set_parameter(name: str, value: str) -> Callable[[Application], object]:
    def edit(application: Application) -> None:
        for entry in application.spec.source.helm.parameters:
            if entry.name == name:
                entry.value = value

    return edit


@pytest.fixture(params=["update over gRPC-Web", "update over gRPC", "patch over gRPC-Web"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make_bench(transport: str) -> Iterator[Callable[[str], Bench]]:
    samples = {"helm": helm_application, "kustomize": kustomize_application, "multi": multi_source_application}
    clock = SystemClock()
    world = World()
    over_web = transport.endswith("Web")
    mode = WriteMode.PATCH if transport.startswith("patch") else WriteMode.UPDATE
    clients: list[ArgoCDClient] = []
    with GrpcWebServer(world) if over_web else NativeServer(world) as server:

        def make(kind: str) -> Bench:
            sample = samples[kind]()
            key = world.add_application(sample.message, base_images=sample.base_images)
            address = parse_address(server.address, plaintext=True)
            options = ConnectionOptions(WireOptions(address, "tests/1.0"), use_grpc_web=over_web)
            client_options = ClientOptions(
                str(address), CallTimeouts.all_of(3.0), Backoff(attempts=4, base_s=0.001, cap_s=0.002)
            )
            client = connect(options, client_options, StaticToken(world.issue_token(), "test"), clock, NullLog())
            clients.append(client)
            store = ArgoCDOverrides(client, OverrideOptions(mode), NullLog())
            method = "Patch" if mode is WriteMode.PATCH else "UpdateSpec"
            return Bench(world, key, method, client, store, clock)

        yield make
        for client in clients:
            client.close()
