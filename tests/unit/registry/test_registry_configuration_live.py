"""Reloading ``registries.conf``: by content, as a whole, and never into something broken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trustme

from updater.errors import ConfigurationError
from updater.model.references import ImageRepository
from updater.ports.log import EventLog, NullLog
from updater.ports.metrics import NoMetrics
from updater.registry.configuration_live import LiveRegistries, RegistryChange
from updater.transport.trust import TlsOptions

APP = ImageRepository("r.test", "app")


class Lines(NullLog):
    """Keeps what is logged at ``info`` and above; ``said`` holds the texts of errors."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.said: list[str] = []

    def info(self, event: str, /, **fields: Any) -> None:
        self.events.append(event)
        self.said.append(str(fields))

    def warning(self, event: str, /, **fields: Any) -> None:
        self.events.append(f"{event} {fields['kind']}")
        self.said.append(str(fields))

    def error(self, event: str, /, *, exception: BaseException | None = None, **fields: Any) -> None:
        assert exception is None
        self.events.append(event)
        self.said.append(fields["error"])


class Counts(NoMetrics):
    def __init__(self) -> None:
        self.results: list[str] = []

    def increase(self, name: str, amount: float = 1.0, /, **labels: str) -> None:
        assert (name, amount) == ("registry_config_reloads_total", 1.0)
        self.results.append(labels["result"])


class Place:
    """A file and a folder, and what is made of them."""

    def __init__(self, root: Path) -> None:
        self.path, self.folder = root / "registries.conf", root / "tls"
        self.folder.mkdir()
        self.lines, self.counts = Lines(), Counts()

    def write(self, api: str, *lines: str) -> None:
        fields = ["registries:", "- name: r", "  prefix: r.test", f"  api_url: {api}", *lines, ""]
        self.path.write_text("\n".join(fields))

    def live(self) -> LiveRegistries:
        log: EventLog = self.lines
        return LiveRegistries(str(self.path), log=log, metrics=self.counts, tls_folder=str(self.folder))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.write("https://one.test")
    return made


def api(live: LiveRegistries) -> str:
    return live.locate(APP).endpoint.api_url


def test_nothing_happens_while_the_content_is_the_same(place: Place) -> None:
    live = place.live()
    place.path.write_text(place.path.read_text() + "# only a comment\n")
    assert live.refresh() is None
    assert (place.lines.events, place.counts.results) == ([], [])


def test_a_new_content_is_swapped_in(place: Place) -> None:
    live = place.live()
    place.write("https://two.test")
    change = live.refresh()
    assert api(live) == "https://two.test"
    assert change == RegistryChange(frozenset({("https://one.test:443", TlsOptions())}))
    assert (place.lines.events, place.counts.results) == (["registries_reloaded"], ["success"])


def test_a_broken_file_keeps_serving_the_last_good_one(place: Place) -> None:
    live = place.live()
    place.write("https://two.test", "  limit: many")
    assert [live.refresh() for _ in range(3)] == [None] * 3
    assert "entry 1 (r), line 5: 'limit': expected a decimal number" in place.lines.said[0]
    assert api(live) == "https://one.test"
    assert (place.lines.events, place.counts.results) == (["registries_reload_failed"], ["failure"])
    place.write("https://two.test", "  limit: 1")
    assert live.refresh() is not None
    assert api(live) == "https://two.test"


def test_each_new_mistake_is_reported_once(place: Place) -> None:
    live = place.live()
    for lines in ("  limit: many", "  limit: many", "  insecure: 7", "  limit: many"):
        place.write("https://two.test", lines)
        live.refresh()
    assert place.lines.events == ["registries_reload_failed"] * 3


def test_a_mistake_that_comes_back_is_reported_again(place: Place) -> None:
    live = place.live()
    for lines in ("  limit: many", "  limit: 1", "  limit: many"):
        place.write("https://two.test", lines)
        live.refresh()
    assert place.lines.events == ["registries_reload_failed", "registries_reloaded", "registries_reload_failed"]


def test_a_file_that_goes_away_keeps_serving(place: Place) -> None:
    live = place.live()
    place.path.unlink()
    assert live.refresh() is None
    assert api(live) == "https://one.test"
    assert place.lines.events == ["registries_reload_failed"]


def test_a_file_may_come_later(place: Place) -> None:
    place.path.unlink()
    live = place.live()
    assert api(live) == "https://r.test"
    place.write("https://late.test")
    live.refresh()
    assert api(live) == "https://late.test"
    assert place.lines.events == ["setting_remarked registries_missing", "registries_reloaded"]


def test_a_warning_about_an_entry_names_the_file(place: Place) -> None:
    place.write("https://one.test", "- name: s", "  prefix: r.test", "  api_url: https://two.test")
    place.live()
    assert place.lines.events == ["setting_remarked registries_prefix_repeated"]
    assert str(place.path) in place.lines.said[-1]


def test_a_start_with_a_broken_file_is_an_error(place: Place) -> None:
    place.path.write_text("registries: [")
    with pytest.raises(ConfigurationError):
        place.live()


def test_a_rotated_ca_file_makes_its_connections_obsolete(place: Place, tmp_path: Path) -> None:
    own = tmp_path / "own.pem"
    trustme.CA().cert_pem.write_to_path(str(own))
    place.write("https://one.test", f"  ca_file: {own}")
    live = place.live()
    before = live.locate(APP).endpoint.tls
    trustme.CA().cert_pem.write_to_path(str(own))
    change = live.refresh()
    assert change is not None
    assert change.concerns("https://one.test:443", before)
    assert change.concerns("https://token.test:443", before)
    assert not change.concerns("https://one.test:443", live.locate(APP).endpoint.tls)
    assert not change.concerns("https://other.test:443", TlsOptions())


def test_an_entry_that_becomes_secure_gives_up_its_connections_alone(place: Place) -> None:
    other = "- name: s\n  prefix: s.test\n  api_url: https://s.test\n  insecure: true"
    place.write("https://one.test", "  insecure: true", other)
    live = place.live()
    place.write("https://one.test", other)
    change = live.refresh()
    assert change is not None
    assert change.concerns("https://one.test:443", TlsOptions(insecure=True))
    assert not change.concerns("https://s.test:443", TlsOptions(insecure=True))


def test_a_mounted_authority_is_noticed_without_a_change_of_the_file(place: Place) -> None:
    live = place.live()
    trustme.CA().cert_pem.write_to_path(str(place.folder / "inferred.test"))
    assert live.refresh() == RegistryChange()
    assert live.locate(ImageRepository("inferred.test", "app")).endpoint.ca_data
