"""Whatever a server answers, a client gives a result or an error of our tree."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.forge.conftest import ForgeBench
from tests.contract.forge.fakes.server import Reply
from updater.errors import ForgeError
from updater.ports.forge import NewRequest, OpenRequest, RequestText

pytestmark = [pytest.mark.wire, pytest.mark.slow]

_LISTS = ("values", "value", "next", "nextPageStart", "isLastPage", "links", "self", "href", "html_url", "web_url")
_NUMBERS = ("number", "iid", "id", "pullRequestId", "version", "repo_id", "source_project_id", "target_project_id")
_SIDES = ("head", "base", "repo", "ref", "source", "destination", "branch", "repository", "fromRef", "toRef", "project")
_TEXTS = ("name", "full_name", "slug", "key", "title", "body", "source_branch", "target_branch", "sourceRefName")
_NAMES = st.sampled_from((*_LISTS, *_NUMBERS, *_SIDES, *_TEXTS))
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
_VALUES = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=6))
_REPLIES = st.builds(
    Reply,
    st.sampled_from([200, 201, 204, 304, 400, 401, 403, 404, 409, 422, 429]),
    _VALUES,
    st.dictionaries(
        st.sampled_from(["Link", "Retry-After", "Location", "X-RateLimit-Remaining"]), st.from_regex(r"[ -~]{0,20}")
    ),
)
_REQUEST = OpenRequest(1, "", "bump/a", "main", RequestText("t", "b"))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(replies=st.lists(_REPLIES, min_size=6, max_size=6))
def test_no_answer_breaks_a_client(bench: ForgeBench, replies: list[Reply]) -> None:
    bench.fake.faults[:] = replies
    with bench.open(within_s=3.0, attempts=1) as forge:
        for call in (
            lambda: forge.find_open("bump/a", "main"),
            lambda: forge.list_open("main", "bump/"),
            lambda: forge.create(NewRequest("bump/a", "main", RequestText("t", "b"), ("l",))),
            lambda: forge.update(_REQUEST, RequestText("x", "y")),
            lambda: forge.label(_REQUEST, ["l"]),
            lambda: forge.close(_REQUEST, "why"),
        ):
            with suppress(ForgeError):
                call()
