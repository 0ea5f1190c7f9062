from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.errors import RegistryProtocolError
from updater.registry.links import next_page_url

PAGE = "https://reg.test/v2/team/app/tags/list?n=2"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param('<?n=2&last=a,b>; rel="next"', "n=2&last=a,b", id="comma inside the brackets"),
        pytest.param('<?last=x>; title="a; rel=prev"; rel=next', "last=x", id="quoted parameter before rel"),
        pytest.param('<?last=x>;rel=prev, <?last=y>;rel="NEXT"', "last=y", id="several values, any case"),
        pytest.param('<?last=%2F+x>; rel="next"', "last=%2F+x", id="bytes of the query stay"),
        pytest.param('<?last=x#part>; rel="next"', "last=x", id="fragment is dropped"),
    ],
)
def test_only_the_query_of_the_link_is_used(line: str, expected: str) -> None:
    assert next_page_url(PAGE, [line]) == f"https://reg.test/v2/team/app/tags/list?{expected}"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("<http://[::1/v2/team/app/tags/list?last=x>; rel=next", id="no URL"),
        pytest.param("<?last=a b>; rel=next", id="blank in the query"),
        pytest.param("</v2/team/app/tags/list>; rel=next", id="no query"),
        pytest.param("<?last=\u00e9>; rel=next", id="not ASCII"),
    ],
)
def test_a_link_that_is_no_page_of_tags_fails(line: str) -> None:
    with pytest.raises(RegistryProtocolError) as raised:
        next_page_url(PAGE, [line])
    assert raised.value.code == "bad_link"


@given(st.lists(st.text(alphabet=st.sampled_from('<>;,= "relnext?&/:#[]\\')) | st.text()))
def test_no_header_leads_off_our_own_path(lines: list[str]) -> None:
    with contextlib.suppress(RegistryProtocolError):
        following = next_page_url(PAGE, lines)
        assert following is None or following.startswith("https://reg.test/v2/team/app/tags/list?")
