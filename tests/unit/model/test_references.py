"""The reference grammar and its canonical form."""

from __future__ import annotations

import pytest

from updater.model.references import (
    IllegalReference,
    ImageReference,
    ImageRepository,
    canonical_name,
    parse_reference,
    parse_repository,
)

_SHA256 = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "registry", "name", "tag", "digest"),
    [
        pytest.param("redis", "", "redis", "", "", id="name alone"),
        pytest.param("redis:7.2", "", "redis", "7.2", "", id="tag"),
        pytest.param(f"redis@{_SHA256}", "", "redis", "", _SHA256, id="digest"),
        pytest.param(f"quay.io/a/b:1@{_SHA256}", "quay.io", "a/b", "1", _SHA256, id="tag and digest"),
        pytest.param("host:5000/web", "host:5000", "web", "", "", id="port is no tag"),
        pytest.param("[::1]:5000/web:1", "[::1]:5000", "web", "1", "", id="IPv6"),
        pytest.param("docker.io/library/redis:7", "docker.io", "redis", "7", "", id="explicit Docker Hub"),
        pytest.param("index.docker.io/library/redis", "", "redis", "", "", id="index host"),
        pytest.param("index.docker.io/x.y/a", "docker.io", "x.y/a", "", "", id="host kept where the path reads as one"),
        pytest.param("library/redis", "", "library/redis", "", "", id="typed namespace stays"),
        pytest.param("docker.io/library/a/b", "docker.io", "library/a/b", "", "", id="nested under library stays"),
        pytest.param("r.io/a__b.c-d---e_f", "r.io", "a__b.c-d---e_f", "", "", id="separators"),
        pytest.param("r.io/" + "a" * 255, "r.io", "a" * 255, "", "", id="longest path"),
        pytest.param("redis:" + "t" * 128, "", "redis", "t" * 128, "", id="longest tag"),
        pytest.param("redis@sha512:" + "b" * 128, "", "redis", "", "sha512:" + "b" * 128, id="sha512"),
    ],
)
def test_reference_is_parsed(text: str, registry: str, name: str, tag: str, digest: str) -> None:
    assert parse_reference(text) == ImageReference(ImageRepository(registry, name), tag, digest, text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("", "no name", id="empty"),
        pytest.param("r.io/", "no name", id="host alone"),
        pytest.param("a/Web", "lower case", id="upper case"),
        pytest.param("a//b", "repository path", id="empty component"),
        pytest.param("a/b-", "repository path", id="separator at the end"),
        pytest.param("a...b", "repository path", id="two dots"),
        pytest.param("-r.io/a", "registry host", id="host begins with a hyphen"),
        pytest.param("r.io:port/a", "registry host", id="port of letters"),
        pytest.param("r.io/" + "a" * 256, "longer than 255", id="path too long"),
        pytest.param("redis:", "not a tag", id="empty tag"),
        pytest.param("redis:~1", "not a tag", id="constraint"),
        pytest.param("redis:" + "t" * 129, "not a tag", id="tag too long"),
        pytest.param("redis@sha256:abc", "digest", id="short digest"),
        pytest.param("redis@" + _SHA256.upper(), "digest", id="upper-case digest"),
        pytest.param("a" * 64, "64 hexadecimal", id="bare identifier"),
        pytest.param("redis\n", "repository path", id="newline"),
    ],
)
def test_illegal_reference_says_why(text: str, why: str) -> None:
    with pytest.raises(IllegalReference) as caught:
        parse_reference(text)
    assert why in caught.value.what
    assert "\n" not in str(caught.value)


def test_error_names_the_text() -> None:
    with pytest.raises(IllegalReference, match="'a/Web' is not an image reference"):
        parse_repository("a/Web")


@pytest.mark.parametrize("text", ["nginx", "library/nginx", "docker.io/nginx", "index.docker.io/library/nginx"])
def test_spellings_of_docker_hub_share_one_name(text: str) -> None:
    assert canonical_name(text) == "nginx"


@pytest.mark.parametrize(
    "text", ["quay.io/library/nginx", "library/a/b", "a/b", "", "Not A Name", "localhost/nginx", "docker.io/x.y/a"]
)
def test_other_names_are_their_own_canonical_name(text: str) -> None:
    assert canonical_name(text) == text


def test_registry_is_not_doubled_in_the_full_name() -> None:
    assert ImageRepository("r.io", "r.io/web").full_name == "r.io/web"
    assert ImageRepository("r.io", "web").full_name == "r.io/web"


@pytest.mark.parametrize(
    ("tag", "digest", "full", "combined", "text"),
    [
        pytest.param("", "", "web", "", "", id="nothing known"),
        pytest.param("1", "", "web:1", "1", "1", id="tag"),
        pytest.param("", _SHA256, f"web@{_SHA256}", f"latest@{_SHA256}", _SHA256, id="digest"),
        pytest.param("1", _SHA256, f"web:1@{_SHA256}", f"1@{_SHA256}", _SHA256, id="both"),
    ],
)
def test_reference_is_rendered(tag: str, digest: str, full: str, combined: str, text: str) -> None:
    reference = ImageReference(ImageRepository("", "web"), tag, digest)
    assert (reference.full_reference, reference.tag_with_digest, reference.tag_text) == (full, combined, text)
