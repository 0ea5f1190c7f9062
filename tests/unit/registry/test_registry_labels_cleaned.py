"""Labels as they leave the registry's side: few, short, on one line; and how many are kept."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updater.registry.label_memory import LabelMemory
from updater.registry.labels import MAX_KEY, MAX_LABELS, MAX_TOTAL, MAX_VALUE, clean_labels, clean_value
from updater.registry.manifests import parse_labels

_LONG = "x" * MAX_VALUE


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        pytest.param("cafe", "cafe", id="as it is"),
        pytest.param("a\nSigned-off-by: Eve <eve@h.test>\r\n", "a Signed-off-by: Eve <eve@h.test>", id="line ends"),
        pytest.param("a\x00\x1b[31mred\x1b[0m\x7fb", "a [31mred [0m b", id="terminal codes"),
        pytest.param("a\u2028b\u2029c\x85d\x0be", "a b c d e", id="line ends of Unicode"),
        pytest.param("safe\u202egnp.exe\u200b", "safe gnp.exe", id="writing direction and invisible"),
        pytest.param("half \ud800 pair", "half pair", id="half a character"),
        pytest.param("Grüße, 東京 ✓", "Grüße, 東京 ✓", id="letters of the world"),
        pytest.param(_LONG, _LONG, id="just fits"),
        pytest.param(_LONG + "x", _LONG[:-1] + "…", id="one too many"),
        pytest.param("x" + "\n" * 100_000 + "y", "x…", id="cut before it is looked at"),
        pytest.param("  ", "", id="blank"),
    ],
)
def test_a_value_is_one_line_of_what_prints(value: str, kept: str) -> None:
    assert clean_value(value) == kept


@pytest.mark.parametrize(
    "key",
    ["", "a b", "a\nb", "-a", "/merge", "@all", "a`b", "<b>", "a\ud800", "k" * (MAX_KEY + 1), "schlüssel", "[x](y)"],
)
def test_a_key_that_is_no_name_is_left_out(key: str) -> None:
    assert clean_labels({key: "x", "fine": "y"}) == (("fine", "y"),)


def test_those_of_the_image_spec_come_first_when_there_are_too_many() -> None:
    many = {f"a{number:04}": "x" for number in range(MAX_LABELS * 3)}
    kept = clean_labels({**many, "org.opencontainers.image.revision": "cafe"})
    assert len(kept) == MAX_LABELS
    assert kept[0] == ("org.opencontainers.image.revision", "cafe")
    assert [key for key, _ in kept[1:]] == sorted(many)[: MAX_LABELS - 1]


def test_what_does_not_fit_any_more_is_left_out_and_smaller_ones_are_kept() -> None:
    kept = clean_labels({f"k{number:02}": _LONG for number in range(50)} | {"z": "small"})
    assert kept[-1] == ("z", "small")
    assert sum(len(key) + len(value) for key, value in kept) <= MAX_TOTAL
    assert len(kept) == MAX_TOTAL // (MAX_VALUE + 3) + 1


@settings(max_examples=30)
@given(st.dictionaries(st.text(), st.text() | st.none() | st.integers(), max_size=20))
def test_any_labels_are_within_their_bounds(raw: dict[str, object]) -> None:
    kept = clean_labels(raw)
    assert all(raw[key] is not None and len(key) <= MAX_KEY for key, _ in kept)
    assert all(len(value) <= MAX_VALUE and (value.isprintable() or not value) for _, value in kept)
    config = {"os": "linux", "architecture": "amd64", "config": {"Labels": raw}}
    assert parse_labels(json.dumps(config).encode(), "here") == kept


def test_labels_of_very_many_images_are_not_all_kept() -> None:
    memory = LabelMemory(10_000)
    for number in range(1_000):
        memory.remember(f"sha256:{number}", (("a", "x" * 799),))
    known = [number for number in range(1_000) if memory.recall(f"sha256:{number}") is not None]
    assert 5 <= len(known) <= 10
    assert known == list(range(1_000 - len(known), 1_000)), "those that were read last"
