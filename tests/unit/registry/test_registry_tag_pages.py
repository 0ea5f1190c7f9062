from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.errors import RegistryProtocolError
from updater.registry.answers import Answer
from updater.registry.tag_pages import parse_tag_page, refuses_page_size


@pytest.mark.parametrize(
    ("body", "tags"),
    [
        pytest.param(b'{"name":"a","tags":["2","1"]}', ("2", "1"), id="order is kept"),
        pytest.param(b'{"name":"a","tags":null}', (), id="null"),
        pytest.param(b'{"name":"a"}', (), id="absent"),
        pytest.param(b'{"tags":[],"manifest":{},"child":[]}', (), id="fields of Google"),
        pytest.param(b'{"tags":["ok","-no","","a b","x/y","' + b"x" * 129 + b'"]}', ("ok",), id="illegal names"),
        pytest.param(b'{"tags":null,"errors":[]}', (), id="empty error list"),
    ],
)
def test_a_page_lists_legal_names(body: bytes, tags: tuple[str, ...]) -> None:
    assert parse_tag_page(Answer(200, body=body), "x").tags == tags


def test_a_page_counts_what_was_listed() -> None:
    page = parse_tag_page(Answer(200, {"link": ("<?a>",)}, b'{"tags":["ok","a b"]}'), "x")
    assert (page.listed, page.last, page.size_bytes, page.links) == (2, "a b", 21, ("<?a>",))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<html>", id="page"),
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="list"),
        pytest.param(b'{"tags":{}}', id="object for the list"),
        pytest.param(b'{"tags":[1]}', id="number for a name"),
        pytest.param(b'{"tags":[null]}', id="null for a name"),
        pytest.param(b'{"errors":[{"code":"DENIED"}]}', id="errors under 200"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"tags":["\xff"]}', id="no UTF-8"),
        pytest.param(b'{"tags":[' + b"9" * 5000 + b"]}", id="giant number"),
    ],
)
def test_another_shape_is_an_error(body: bytes) -> None:
    with pytest.raises(RegistryProtocolError) as raised:
        parse_tag_page(Answer(200, body=body), "r.test/app")
    assert raised.value.code == "bad_response"
    assert "r.test/app" in str(raised.value)


@given(st.binary())
def test_no_body_breaks_the_reader(body: bytes) -> None:
    try:
        page = parse_tag_page(Answer(200, body=body), "x")
    except RegistryProtocolError:
        return
    assert len(page.tags) <= page.listed


@pytest.mark.parametrize(
    ("status", "body", "refused"),
    [
        (400, b"", "yes"),
        (405, b"", "yes"),
        (406, b"", "yes"),
        (501, b'{"errors":[{"code":"UNSUPPORTED"}]}', "yes"),
        (404, b'{"errors":[{"code":"PAGINATION_NUMBER_INVALID"}]}', "yes"),
        (404, b"", "no"),
        (503, b"", "no"),
        (200, b'{"errors":[{"code":"UNSUPPORTED"}]}', "no"),
    ],
)
def test_some_answers_mean_that_the_page_size_is_refused(status: int, body: bytes, refused: str) -> None:
    assert refuses_page_size(Answer(status, body=body)) is (refused == "yes")
