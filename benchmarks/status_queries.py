"""The status of 50,000 Applications over 5,000 repositories: what a record costs to keep, and a query to answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from http.client import HTTPConnection

from benchmarks.measuring import cost_of, costs_by_turns, resident_bytes, show
from sidecar.addresses import Address
from sidecar.server import Listener, ListenerOptions
from sidecar.status.application import status_application
from updater.clock import Deadline, SystemClock
from updater.model.applications import ApplicationKey
from updater.model.images import Candidate, Choice, Counter, Decision, HelmTarget, ImagePlan, Loss, Reason, TagRule
from updater.model.references import ImageReference, ImageRepository
from updater.model.report import ApplicationReport, Report
from updater.ports.log import NullLog
from updater.ports.status import Rhythm
from updater.telemetry.redactor import Redactor
from updater.telemetry.status_store import StatusStore

APPLICATIONS = 50_000
REPOSITORIES = 5_000
TAGS = 100
ROUNDS = 15
_RULE = TagRule(constraint="~1.0")
_COUNTS = frozenset((Counter.CONSIDERED,))
_PATHS = (
    ("the first 100 Applications", "/api/v1/applications"),
    ("the last 500 Applications", "/api/v1/applications?limit=500&continue=argocd%2Fservice-49499"),
    ("a search that 20 fit", "/api/v1/applications?search=service-1234"),
    ("a reason that nobody has", "/api/v1/applications?reason=write_failed"),
    ("one Application with 101 candidates", "/api/v1/applications/argocd/service-12345"),
)


def _choices() -> list[Choice]:
    losses = tuple((f"1.0.{number}", Loss.OLDER) for number in range(TAGS))
    return [Choice(Candidate(f"1.0.{TAGS}"), TAGS + 1, tuple(losses)) for _ in range(REPOSITORIES)]


def _reports(choices: list[Choice]) -> Iterator[Report]:
    for number in range(APPLICATIONS):
        key = ApplicationKey("argocd", f"service-{number:05}")
        repository = ImageRepository("registry.example.com", f"fleet/service-{number % REPOSITORIES}")
        live = ImageReference(repository, f"1.0.{TAGS}")
        plan = ImagePlan(key, "web", "web", repository, _RULE, HelmTarget(), live)
        decision = Decision(plan, Reason.UP_TO_DATE, choices[number % REPOSITORIES], counts=_COUNTS)
        yield Report((ApplicationReport(key, (decision,)),))


def _fill(store: StatusStore, choices: list[Choice]) -> None:
    for report in _reports(choices):
        store.note_attempts(report)


@contextmanager
def _listening(store: StatusStore) -> Iterator[HTTPConnection]:
    address, clock = Address("127.0.0.1"), SystemClock()
    application = status_application(store, address, NullLog(), instance="benchmark")
    listener = Listener(address, application, ListenerOptions("status"), clock, NullLog())
    listener.bind()
    listener.start()
    try:
        with closing(HTTPConnection("127.0.0.1", listener.address.port)) as connection:
            yield connection
    finally:
        listener.stop(Deadline.after(clock, 5.0))


def _ask(connection: HTTPConnection, path: str) -> None:
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, path


def main() -> None:
    choices, clock = _choices(), SystemClock()
    store = StatusStore(Rhythm("continuous", 120.0), clock, Redactor(["benchmark"]).clean)
    keys = [f"argocd/service-{number:05}" for number in range(APPLICATIONS)]
    print(f"status_queries: {APPLICATIONS} Applications, {REPOSITORIES} repositories of {TAGS + 1} tags")
    before = resident_bytes()
    for key in keys:
        store.note_known(key)
    fill: Callable[[], None] = partial(_fill, store, choices)
    fill()
    show("memory per Application", [(resident_bytes() - before) / APPLICATIONS], "bytes")
    made = [cost_of(lambda: sum(1 for _ in _reports(choices))).cpu_s for _ in range(3)]
    kept = [cost_of(fill).cpu_s for _ in range(3)]
    spent = [(whole - part) / APPLICATIONS for whole, part in zip(kept, made, strict=True)]
    show("keeping one report, CPU", [1e6 * seconds for seconds in spent], "us")
    with _listening(store) as connection:
        works = [partial(_ask, connection, path) for _, path in _PATHS]
        for (label, _), costs in zip(_PATHS, costs_by_turns(ROUNDS, *works), strict=True):
            show(f"{label}, CPU", [1000 * cost.cpu_s for cost in costs], "ms")


if __name__ == "__main__":
    main()
