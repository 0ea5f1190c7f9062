"""The API server away, cut off, unsure: the known fleet goes on being served, and the log stays readable."""

from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path

import pytest
import trustme
from fault_site import MOST_THREADS, Site

pytestmark = [pytest.mark.wire, pytest.mark.e2e, pytest.mark.slow]

NAMES = [f"app-{number}" for number in range(6)]
TEN_MINUTES_S = 600.0


def server_context(authority: trustme.CA) -> ssl.SSLContext:
    """With a certificate that nobody has seen before."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_a_server_that_is_away_at_start_and_for_ten_minutes_and_comes_back_with_a_new_certificate(
    site: Site, tmp_path: Path
) -> None:
    authority = trustme.CA()
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    site.add(NAMES)
    url = site.serve(server_context(authority)).url
    site.api.close()

    site.start(url, ca_file=str(ca_file), is_warmed_up=True)
    site.wait_for_records("fleet_unreadable")
    site.serve(server_context(authority))
    site.wait_until(lambda: set(site.attempts()) == set(NAMES), "nobody was attempted")
    assert site.world.wait_for_watchers(1, 20)

    away_s = site.clock.elapsed_s
    site.api.close()
    site.release(NAMES, "1.0.1")
    site.pass_time(TEN_MINUTES_S)
    attempts = site.attempts(away_s)
    assert min(attempts[name] for name in NAMES) >= 3, "the known fleet goes on being served"
    complaints = [each for each in site.log.complaints(away_s) if each.event in ("fleet_unreadable", "watch_failed")]
    assert 1 <= len(complaints) <= 2 * 11, complaints
    unwritten = [each for each in site.log.complaints(away_s) if each.event == "write_failed"]
    assert 1 <= len(unwritten) <= 11, "six Applications share one cause"
    assert site.most_in_a_minute(away_s) <= 2
    assert len(site.threads()) <= MOST_THREADS, site.threads()

    back_s = site.clock.elapsed_s
    site.serve(server_context(authority))
    site.wait_for_tags(NAMES, "1.0.1")
    assert site.world.wait_for_watchers(1, 20)
    assert site.clock.elapsed_s - back_s < 400


def test_a_server_that_comes_back_with_a_new_authority_is_trusted_once_its_file_says_so(
    site: Site, tmp_path: Path
) -> None:
    first, second = trustme.CA(), trustme.CA()
    ca_file = tmp_path / "ca.pem"
    first.cert_pem.write_to_path(str(ca_file))
    site.add(NAMES)
    site.serve(server_context(first))
    site.start(ca_file=str(ca_file))
    site.wait_until(lambda: set(site.attempts()) == set(NAMES), "nobody was attempted")
    site.api.close()
    site.serve(server_context(second))
    site.release(NAMES, "1.0.1")
    site.wait_for_records("watch_failed")
    second.cert_pem.write_to_path(str(ca_file))
    site.wait_for_tags(NAMES, "1.0.1")
    assert site.world.wait_for_watchers(1, 20)


def test_a_watch_that_is_cut_every_five_seconds_costs_one_list_per_interval(site: Site) -> None:
    site.add(NAMES)
    site.serve()
    site.start()
    assert site.world.wait_for_watchers(1, 20)
    began_s, lists = site.clock.elapsed_s, len(site.world.calls_of("List"))
    while site.clock.elapsed_s - began_s < TEN_MINUTES_S:
        site.world.end_watches()
        site.pass_time(5)
    minutes = (site.clock.elapsed_s - began_s) / 60
    assert len(site.world.calls_of("List")) - lists <= minutes / 2 + 1
    assert min(site.attempts(began_s)[name] for name in NAMES) >= 4
    assert site.log.complaints(began_s) == []
    assert len(site.threads()) <= MOST_THREADS, site.threads()
    site.add(["late"])
    site.wait_until(lambda: site.attempts()["late"] > 0, "the new one was not seen")


def test_a_token_that_is_rotated_in_its_file_is_used_without_a_restart(site: Site) -> None:
    site.add(NAMES)
    site.serve()
    site.start()
    assert site.world.wait_for_watchers(1, 20)
    stale = site.token_file.read_text()
    for tag in ("1.0.1", "1.0.2"):
        fresh = site.world.issue_token()
        site.token_file.write_text(fresh)
        site.world.revoke(stale)
        stale = fresh
        site.world.end_watches()
        site.release(NAMES, tag)
        site.wait_for_tags(NAMES, tag)
        assert site.world.wait_for_watchers(1, 20)
    # Two versions in a row while the Watch is cut: the second attempt may not have seen what the first one wrote.
    assert {each.event for each in site.log.complaints()} <= {"write_superseded"}


def test_of_ten_calls_one_fails_and_everybody_is_updated(site: Site) -> None:
    site.add(NAMES)
    site.serve()
    site.start()
    assert site.world.wait_for_watchers(1, 20)
    site.api.faults.answer(503, every=10)
    site.registry.faults.status(503, every=10)
    began_s = site.clock.elapsed_s
    for patch in range(1, 5):
        site.release(NAMES, f"1.0.{patch}")
        site.wait_for_tags(NAMES, f"1.0.{patch}")
    assert site.most_in_a_minute(began_s) <= 2
    assert len(site.threads()) <= MOST_THREADS, site.threads()


def test_a_wall_clock_that_steps_back_an_hour_changes_nothing(site: Site) -> None:
    site.add(NAMES)
    site.serve()
    site.start()
    site.wait_until(lambda: set(site.attempts()) == set(NAMES))
    site.clock.step = timedelta(hours=-1)
    stepped_s = site.clock.elapsed_s
    site.release(NAMES, "1.0.1")
    site.wait_for_tags(NAMES, "1.0.1")
    assert site.clock.elapsed_s - stepped_s < 300
    assert site.log.complaints() == []
