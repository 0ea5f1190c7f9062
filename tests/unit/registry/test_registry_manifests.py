from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.errors import RegistryProtocolError
from updater.registry.contents import IndexEntry, IndexFacts
from updater.registry.creation_times import parse_created_ns
from updater.registry.digests import digest_of, is_digest, is_sha256, names
from updater.registry.manifests import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    parse_config,
    parse_manifest,
)
from updater.rules.platforms import Platform

DIGEST = f"sha256:{'a' * 64}"
TYPES = (OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST, "application/json", "")


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        pytest.param("1970-01-01T00:00:00Z", 0, id="the epoch"),
        pytest.param("1970-01-01T00:00:01.5Z", 1_500_000_000, id="a fraction"),
        pytest.param("1970-01-01T00:00:00.000000001Z", 1, id="a nanosecond"),
        pytest.param("1970-01-01T00:00:00.0000000019Z", 1, id="finer digits are cut"),
        pytest.param("1970-01-01T02:00:00+02:00", 0, id="an offset"),
        pytest.param("1969-12-31T23:59:59.25Z", -750_000_000, id="before the epoch"),
        pytest.param("1970-01-01t00:00:00z", 0, id="small letters"),
        pytest.param("0001-01-01T00:00:00Z", -62_135_596_800_000_000_000, id="the zero of Go"),
        pytest.param("2026-02-30T00:00:00Z", None, id="no such day"),
        pytest.param("2026-01-01T00:00:00", None, id="no zone"),
        pytest.param("2026-01-01 00:00:00Z", None, id="a blank"),
        pytest.param("", None, id="empty"),
        pytest.param(7, None, id="a number"),
        pytest.param(None, None, id="absent"),
    ],
)
def test_a_date_is(text: object, ns: int | None) -> None:
    assert parse_created_ns(text) == ns


@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)))  # noqa: DTZ001 - made aware below
def test_dates_keep_their_order_and_value(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    since = aware - datetime(1970, 1, 1, tzinfo=UTC)
    expected = ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000
    assert parse_created_ns(aware.isoformat()) == expected


@given(st.text() | st.none() | st.integers())
def test_no_text_breaks_the_reader_of_dates(text: object) -> None:
    parse_created_ns(text)


@pytest.mark.parametrize(
    ("text", "is_legal"),
    [
        (DIGEST, True),
        (f"sha512:{'0' * 128}", True),
        (f"sha384:{'0' * 96}", False),
        (f"sha256:{'A' * 64}", False),
        (f"sha256:{'a' * 63}", False),
        (f"sha256:{'a' * 64}\n", False),
        ("sha256:../../etc/passwd", False),
    ],
)
def test_a_digest_is_legal_or_not(text: str, is_legal: bool) -> None:  # noqa: FBT001 - a table
    assert is_digest(text) is is_legal
    assert is_sha256(text) is (is_legal and text.startswith("sha256"))


@given(st.binary(), st.binary())
def test_a_digest_names_one_content(one: bytes, other: bytes) -> None:
    assert names(digest_of(one), one)
    assert names(digest_of(one), other) is (one == other)


def test_longer_digests_are_computed_as_they_say() -> None:
    # The empty text, as FIPS 180-4's examples have it.
    empty = (
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
        "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
    )
    assert names(f"sha512:{empty}", b"")
    assert not names(f"sha512:{empty}", b"x")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
documents = st.fixed_dictionaries(
    {"schemaVersion": st.just(2) | json_values},
    optional={
        "mediaType": st.sampled_from(TYPES) | json_values,
        "config": st.fixed_dictionaries({}, optional={"digest": st.just(DIGEST) | json_values, "size": json_values})
        | json_values,
        "manifests": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "mediaType": st.sampled_from(TYPES),
                    "digest": st.just(DIGEST) | json_values,
                    "platform": json_values,
                    "annotations": json_values,
                },
            )
            | json_values,
            max_size=4,
        )
        | json_values,
        "annotations": json_values,
        "created": json_values,
        "history": json_values,
        "os": json_values,
        "architecture": json_values,
        "variant": json_values,
    },
)


def code_of(parse: Callable[[], object]) -> str:
    """The code of the named error, empty for facts."""
    try:
        parse()
    except RegistryProtocolError as error:
        return error.code
    return ""


@given(st.sampled_from(TYPES) | st.text(), documents.map(json.dumps).map(str.encode) | st.binary())
def test_any_document_is_facts_or_a_named_error(content_type: str, body: bytes) -> None:
    codes = {"", "bad_response", "bad_manifest", "unsupported_manifest"}
    assert code_of(lambda: parse_manifest(content_type, body, "r.test/app")) in codes


@given(documents.map(json.dumps).map(str.encode) | st.binary())
def test_any_config_is_facts_or_a_named_error(body: bytes) -> None:
    assert code_of(lambda: parse_config(body, "r.test/app")) in {"", "bad_response"}


def entry(**fields: Any) -> dict[str, Any]:
    return {"mediaType": OCI_MANIFEST, "digest": DIGEST, "size": 2, **fields}


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        pytest.param(
            entry(platform={"os": "linux", "architecture": "arm64", "variant": "v8"}),
            IndexEntry(DIGEST, Platform("linux", "arm64")),
            id="an image",
        ),
        pytest.param(entry(), IndexEntry(DIGEST), id="without platform"),
        pytest.param(entry(mediaType=OCI_INDEX), IndexEntry(DIGEST, is_index=True), id="an index"),
        pytest.param(entry(platform={"os": "unknown", "architecture": "unknown"}), None, id="unknown platform"),
        pytest.param(
            entry(
                platform={"os": "linux", "architecture": "amd64"},
                annotations={"vnd.docker.reference.type": "attestation-manifest"},
            ),
            None,
            id="an attestation",
        ),
        pytest.param(entry(mediaType="application/vnd.example+json"), None, id="no image"),
    ],
)
def test_an_entry_of_an_index_is(raw: dict[str, Any], kept: IndexEntry | None) -> None:
    body = json.dumps({"schemaVersion": 2, "manifests": [raw]}).encode()
    assert parse_manifest(OCI_INDEX, body, "r.test/app") == IndexFacts((kept,) if kept else ())
