"""The side that polls: one round up to its decisions, as ``run`` has it, and fleets that are up to date."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.polling.peer import RegistryPeer
from updater.assembly.registries import build_registries
from updater.assembly.surroundings import Surroundings
from updater.clock import Deadline, SystemClock
from updater.engine.facts import Outcome, gather
from updater.engine.polls import Poller
from updater.model.applications import (
    ANNOTATION_PREFIX,
    ApplicationKey,
    ApplicationSnapshot,
    HelmParameter,
    SourceLayout,
    SourceSnapshot,
)
from updater.model.images import ImagePlan, Reason
from updater.planning.memory import PlanMemory
from updater.planning.plans import PlanOptions, plan_application
from updater.ports.log import NullLog
from updater.rules.decisions import decide
from updater.settings.parts import RegistrySettings
from updater.telemetry.metrics import PrometheusMetrics

HOST = "registry.example.com"
VERSIONS = tuple(f"1.{minor}.{patch}" for minor in range(20) for patch in range(25))
"""500 tags, of which the fleets run the last."""
WORKERS = 32
"""Twice the default of two cores: more than the registry client lets through, so that its own limit shows."""
INTERVAL_S = 120.0
_ROUND_TIMEOUT_S = 600.0
_LOGIN = "REGISTRY_LOGIN"


class StridingClock(SystemClock):
    """The real clock, moved forward by ``stride``; with ``skips_waits`` by every wait too."""

    def __init__(self, *, skips_waits: bool = False) -> None:
        super().__init__()
        self._ahead_s = 0.0
        self._skips_waits = skips_waits
        self._striding = threading.Lock()

    def stride(self, seconds: float) -> None:
        """Let so much time pass at once."""
        with self._striding:
            self._ahead_s += seconds

    def wait_s(self, seconds: float) -> bool:
        if not self._skips_waits:
            return super().wait_s(seconds)
        self.stride(seconds)
        return True

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self._ahead_s)

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self._ahead_s


class Updater:
    """One life of a process, with metrics as ``run`` has them. Closed by the caller.

    Files go below ``folder``, what is known of images too if ``keeps_facts``. ``login`` is a user and password with a
    colon between them, for a registry that wants to know who asks. ``skips_waits``: the client waits for no turn.
    """

    def __init__(
        self,
        peer: RegistryPeer,
        folder: Path,
        *,
        login: str = "",
        keeps_facts: bool = False,
        skips_waits: bool = False,
    ) -> None:
        conf = folder / "registries.conf"
        entry = f"registries:\n- name: playground\n  prefix: {HOST}\n  api_url: {peer.address}\n  limit: 0\n"
        conf.write_text(entry + (f"  credentials: env:{_LOGIN}\n" if login else ""), encoding="utf-8")
        settings = RegistrySettings(str(conf), str(folder / "facts") if keeps_facts else "", INTERVAL_S)
        self.clock = StridingClock(skips_waits=skips_waits)
        around = Surroundings({_LOGIN: login}, clock=self.clock, metrics=PrometheusMetrics())
        self._client = build_registries(settings, around).client
        self._memory = PlanMemory()

    def poll(self, fleet: Sequence[ApplicationSnapshot]) -> None:
        """One round, in which every image has to come out as up to date."""
        self.check(self.ask(self.plan(fleet)))

    def plan(self, fleet: Sequence[ApplicationSnapshot]) -> list[ImagePlan]:
        """What there is to ask for."""
        plans = [plan_application(application, PlanOptions(), self._memory) for application in fleet]
        return [image for plan in plans for image in plan.images]

    def ask(self, images: list[ImagePlan]) -> list[tuple[ImagePlan, Outcome | None]]:
        """What the registry says of each, and the choice."""
        deadline = Deadline.after(self.clock, _ROUND_TIMEOUT_S)
        poller = Poller(self._client, self._client, deadline, NullLog(), threading.Event())
        facts = gather(images, poller, self._memory.selector, workers=WORKERS)
        return [(image, facts.outcome_for(image)) for image in images]

    def check(self, outcomes: list[tuple[ImagePlan, Outcome | None]]) -> None:
        """Decide: every image must be up to date."""
        reasons = {decide(image, outcome).reason for image, outcome in outcomes}
        assert reasons == {Reason.UP_TO_DATE}, reasons

    def close(self) -> None:
        """Close every connection. Idempotent."""
        self._client.close()


def repository_name(number: int) -> str:
    """A repository that ``fleet_by_version`` uses."""
    return f"fleet/service-{number:03}"


def fleet_by_version(applications: int, repositories: int) -> list[ApplicationSnapshot]:
    """Applications that follow two of so many repositories each, by version."""
    pairs = ((2 * number % repositories, (2 * number + 1) % repositories) for number in range(applications))
    return [
        _application(f"app-{number:04}", {"app": repository_name(first), "side": repository_name(second)}, VERSIONS[-1])
        for number, (first, second) in enumerate(pairs)
    ]


def application_by_age(repository: str, newest: str) -> ApplicationSnapshot:
    """One that follows the newest build of a repository, and runs it."""
    return _application("builds", {"app": repository}, newest, {"app.update-strategy": "newest-build"})


def _application(
    name: str, repositories: dict[str, str], tag: str, settings: dict[str, str] | None = None
) -> ApplicationSnapshot:
    images = {alias: f"{HOST}/{repository}" for alias, repository in repositories.items()}
    annotations = {"image-list": ", ".join(f"{alias}={image}" for alias, image in images.items()), **(settings or {})}
    parameters: list[HelmParameter] = []
    for alias, image in images.items():
        annotations |= {f"{alias}.helm.image-name": f"{alias}.name", f"{alias}.helm.image-tag": f"{alias}.tag"}
        parameters += [HelmParameter(f"{alias}.name", image), HelmParameter(f"{alias}.tag", tag, force_string=True)]
    return ApplicationSnapshot(
        key=ApplicationKey("argocd", name),
        project="default",
        annotations={ANNOTATION_PREFIX + key: value for key, value in annotations.items()},
        layout=SourceLayout.SINGLE,
        sources=(SourceSnapshot(helm_parameters=tuple(parameters)),),
        source_type="Helm",
        live_images=tuple(f"{image}:{tag}" for image in images.values()),
    )
