from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from updater.clock import Deadline
from updater.errors import RegistryUnavailable, RepositoryUnknown
from updater.registry.listing import Listing
from updater.registry.polls import PollKey, SharedPolls

KEY = PollKey("https://r.test/v2/app/tags/list", "anonymous")
OTHER = PollKey("https://r.test/v2/app/tags/list", "somebody")


class Polls:
    """Shared polls of a registry whose list grows with every poll."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.shared = SharedPolls(clock, 60)
        self.count = 0

    def fetch(self, key: PollKey = KEY) -> int:
        return len(self.shared.fetch(key, Deadline.after(self.clock, 30), self.poll))

    def poll(self) -> Listing:
        self.count += 1
        return Listing(("tag",) * self.count)


@pytest.fixture
def polls(clock: Any) -> Polls:
    return Polls(clock)


def test_a_list_serves_until_it_is_old(polls: Polls) -> None:
    assert [polls.fetch(), polls.fetch()] == [1, 1]
    polls.clock.at_s += 61
    assert polls.fetch() == 2


def test_other_credentials_see_their_own_list(polls: Polls) -> None:
    assert [polls.fetch(), polls.fetch(OTHER), polls.fetch()] == [1, 2, 1]


def test_forgetting_covers_all_credentials(polls: Polls) -> None:
    polls.fetch()
    polls.fetch(OTHER)
    polls.shared.forget(KEY.tags_url)
    assert [polls.fetch(), polls.fetch(OTHER)] == [3, 4]


def test_a_poll_that_runs_while_its_repository_is_forgotten_is_not_kept(polls: Polls) -> None:
    def poll() -> Listing:
        polls.shared.forget(KEY.tags_url)
        return Listing(("old",))

    deadline = Deadline.after(polls.clock, 30)
    assert polls.shared.fetch(KEY, deadline, poll) == ("old",)
    assert polls.shared.fetch(KEY, deadline, lambda: Listing(("new",))) == ("new",)


def test_who_comes_after_a_repository_was_forgotten_does_not_join_a_poll_from_before(polls: Polls) -> None:
    deadline = Deadline.after(polls.clock, 30)

    def poll() -> Listing:
        polls.shared.forget(KEY.tags_url)
        with ThreadPoolExecutor(1) as pool:
            later = pool.submit(polls.shared.fetch, KEY, deadline, lambda: Listing(("new",)))
            assert later.result(10) == ("new",)
        return Listing(("old",))

    assert polls.shared.fetch(KEY, deadline, poll) == ("old",)
    assert polls.shared.fetch(KEY, deadline, poll) == ("new",), "the list from before does not replace the newer one"


def test_only_lasting_failures_are_kept(polls: Polls) -> None:
    deadline = Deadline.after(polls.clock, 30)

    def unavailable() -> Listing:
        raise RegistryUnavailable("later")

    def unknown() -> Listing:
        raise RepositoryUnknown("never heard of it")

    with pytest.raises(RegistryUnavailable):
        polls.shared.fetch(KEY, deadline, unavailable)
    with pytest.raises(RepositoryUnknown):
        polls.shared.fetch(KEY, deadline, unknown)
    with pytest.raises(RepositoryUnknown):
        polls.fetch()
    assert polls.count == 0


def test_lists_are_given_up_when_they_serve_for_another_time(polls: Polls) -> None:
    polls.fetch()
    polls.shared.share_for(5)
    assert [polls.fetch(), polls.fetch()] == [2, 2]
    polls.clock.at_s += 6
    assert polls.fetch() == 3
