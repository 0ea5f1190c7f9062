"""Batches: what may share a commit, and what may not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.git.bench import intent_for
from updater.model.applications import ApplicationKey
from updater.writeback.git_intents import GitIntent
from updater.writeback.git_messages import commit_message
from updater.writeback.git_plan import plan_batches

_URL = "https://h.test/a"


def _in_namespace(intent: GitIntent, namespace: str) -> GitIntent:
    key = ApplicationKey(namespace, intent.change_set.application.name)
    return replace(intent, change_set=replace(intent.change_set, application=key))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"credentials": "secret:team/git"}, id="credentials"),
        pytest.param({"project": "team"}, id="project"),
        pytest.param({"revision": "dev"}, id="base"),
        pytest.param({"write_branch": "updates"}, id="push branch"),
    ],
)
def test_targets_that_differ_never_share_a_batch(other: dict[str, str]) -> None:
    assert len(plan_batches([intent_for(_URL, "1"), intent_for(_URL, "1", app="b", **other)], 1000)) == 2


def test_a_named_secret_is_not_shared_across_namespaces() -> None:
    intents = [intent_for(_URL, "1", app=app, credentials="secret:team/git") for app in "ab"]
    assert len(plan_batches(intents, 1000)) == 1
    assert len(plan_batches([intents[0], _in_namespace(intents[1], "other")], 1000)) == 2


_INTENTS = st.lists(
    st.builds(
        lambda app, revision, url: intent_for(url, "1", app=app, revision=revision),
        st.sampled_from("abcdef"),
        st.sampled_from(["", "main", "dev"]),
        st.sampled_from([_URL, "https://H.test/a.git", "https://h.test/b"]),
    ),
    max_size=30,
)


@given(_INTENTS, st.integers(1, 7))
def test_every_intent_is_in_exactly_one_batch(intents: list[GitIntent], size: int) -> None:
    batches = plan_batches(intents, size)
    placed = [intent for batch in batches for intent in (*batch.intents, *batch.superseded)]
    assert sorted(map(id, placed)) == sorted(map(id, intents))
    assert all(len(batch.intents) <= size for batch in batches)
    for batch in batches:
        keys = {(intent.change_set.application, intent.target.path) for intent in batch.intents}
        assert len(keys) == len(batch.intents)


def test_a_blank_message_gets_words() -> None:
    assert commit_message([replace(intent_for(_URL, "1"), message=" \n\n")]) == "build: update of application shop\n"


def test_two_files_of_one_application_count_as_one() -> None:
    intents = [intent_for(_URL, "1"), intent_for(_URL, "1", path="other.yaml")]
    assert commit_message(intents) == commit_message(intents[:1])
