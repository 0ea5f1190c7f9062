"""Events against the Applications that use what they are about."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.model.applications import ApplicationKey, ApplicationSnapshot
from updater.planning.memory import PlanMemory
from updater.planning.plans import PlanOptions
from updater.planning.watched import watched_repositories
from updater.schedule.users import RepositoryUsers


def comparable(expect: list[str]) -> list[str]:
    return sorted(expect)


def _matched(vector: Vector) -> Any:
    users, memory = RepositoryUsers(), PlanMemory()
    for app in vector.given["apps"]:
        snapshot = ApplicationSnapshot(ApplicationKey(app["namespace"], app["name"]), annotations=app["annotations"])
        users.put(str(snapshot.key), watched_repositories(snapshot, PlanOptions(), memory))
    event = vector.given["event"]
    return list(users.find(event["registry_url"], event["repository"]).keys)


ADAPTERS = {"webhook_match": _matched}
