"""Addresses of repositories: what is admitted, and which spellings are the same."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.model.git_remotes import (
    GitScheme,
    IllegalGitRemote,
    is_prefix_of,
    normalise_git_url,
    parse_git_remote,
)


@pytest.mark.parametrize(
    ("text", "scheme", "host", "port", "path"),
    [
        pytest.param(
            "https://Git.Example.com/acme/a.git", GitScheme.HTTPS, "git.example.com", None, "acme/a", id="https"
        ),
        pytest.param("https://u:p@h.test:8443/a", GitScheme.HTTPS, "h.test", 8443, "a", id="user and port"),
        pytest.param("git@h.test:acme/a.git", GitScheme.SSH, "h.test", None, "acme/a", id="scp"),
        pytest.param("ssh://git@h.test:2222/a", GitScheme.SSH, "h.test", 2222, "a", id="ssh"),
        pytest.param("ssh://git@[::1]:22/a", GitScheme.SSH, "::1", 22, "a", id="IPv6"),
        pytest.param("/srv/git/a.git", GitScheme.LOCAL, "", None, "srv/git/a", id="path"),
        pytest.param("file:///srv/git/a.git", GitScheme.LOCAL, "", None, "srv/git/a", id="file"),
        pytest.param("http://h.test/a", GitScheme.HTTP, "h.test", None, "a", id="http"),
    ],
)
def test_an_address_is_taken_apart(text: str, scheme: GitScheme, host: str, port: int | None, path: str) -> None:
    remote = parse_git_remote(text)
    assert (remote.scheme, remote.host, remote.port, remote.path) == (scheme, host, port, path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-oProxyCommand=x",
        "--upload-pack=touch /tmp/x",
        "ext::sh -c touch",
        "fd::17",
        "git://h.test/a",
        "https://h.test",
        "https:///a",
        "https://h.test/a?x=1",
        "https://h.test/a#x",
        "https://-h.test/a",
        "ssh://-oProxyCommand=x/a",
        "ssh://-l@h.test/a",
        "ssh://$(touch x)/a",
        "ssh://`id`/a",
        "ssh://h;id/a",
        "ssh://%24(id)/a",
        "https://h|id/a",
        "git@h.test:-x",
        "-x@h.test:a",
        "git@-h.test:a",
        "file://h.test/a",
        "https://h.test/a\nb",
        "https://h.test:x/a",
        "a/b",
        "./a:b",
        "C:\\x",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with suppress(IllegalGitRemote):
        remote = parse_git_remote(text)
        pytest.fail(f"taken as {remote}")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://user:secret@h.test/a", "https://h.test/a"),
        ("ssh://user:secret@h.test:22/a", "ssh://user@h.test:22/a"),
    ],
)
def test_a_password_in_an_address_goes_no_further(text: str, url: str) -> None:
    remote = parse_git_remote(text)
    assert "secret" not in f"{remote!r} {remote}"
    assert remote.url == url


@pytest.mark.parametrize(
    ("prefix", "url", "covers"),
    [
        ("https://h.test", "https://h.test/a", True),
        ("https://h.test/ac", "https://h.test/acme", True),
        ("https://h.test", "https://h.test.evil.test/a", False),
        ("https://h.test", "https://h.test:8443/a", False),
        ("https://h.test", "http://h.test/a", False),
        ("git@h.test:acme", "ssh://git@h.test/acme/a.git", True),
        ("https://h.test/a", "https://h.test@evil.test/a", False),
    ],
)
def test_a_prefix_ends_at_the_host(prefix: str, url: str, covers: bool) -> None:  # noqa: FBT001 - a column of the table
    assert is_prefix_of(normalise_git_url(prefix), normalise_git_url(url)) is covers


@given(st.text(max_size=60) | st.from_regex(r"(https|ssh|file)://[a-z@:/.\[\]-]{0,30}", fullmatch=True))
def test_no_text_crashes_the_parser_and_nothing_taken_looks_like_an_option(text: str) -> None:
    try:
        remote = parse_git_remote(text)
    except IllegalGitRemote:
        return
    assert not remote.url.startswith("-")
    assert not remote.host.startswith("-")
    assert remote.url.isprintable()


@given(st.from_regex(r"(https://h\.test/|git@h\.test:)[a-z/]{0,20}", fullmatch=True))
def test_suffix_and_trailing_slash_make_no_difference(url: str) -> None:
    assert normalise_git_url(f"{url}x.git/") == normalise_git_url(f"{url}x")
