"""Addresses of repositories: what is admitted, and which spellings are the same."""

from __future__ import annotations

import posixpath
import re
from contextlib import suppress
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.model.git_prefixes import parse_git_prefix
from updater.model.git_remotes import GitScheme, IllegalGitRemote, normalise_git_url, parse_git_remote


@pytest.mark.parametrize(
    ("text", "scheme", "host", "port", "path"),
    [
        pytest.param(
            "https://Git.Example.com/acme/a.git", GitScheme.HTTPS, "git.example.com", None, "acme/a", id="https"
        ),
        pytest.param("https://u:p@h.test:8443/a", GitScheme.HTTPS, "h.test", 8443, "a", id="user and port"),
        pytest.param("git@h.test:acme/a.git", GitScheme.SSH, "h.test", None, "acme/a", id="scp"),
        pytest.param("git@[::1]:acme/a.git", GitScheme.SSH, "::1", None, "acme/a", id="scp, IPv6"),
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
        "ext::[x]",
        "[ext::sh]:x",
        "git@::1:a",
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
        "/",
        "file:///",
        "file:///srv/%ff",
        "file:///srv/a?x",
        "file://@/srv/a",
        "ssh://h.test/a%0ab",
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
        ("https://h.test/", "https://h.test/a", True),
        ("https://h.test/ac", "https://h.test/acme", True),
        ("https://h.test/ac/", "https://h.test/acme", False),
        ("https://h.test/acme/", "https://h.test/acme/deploy.git", True),
        ("https://h.test/acme/", "https://h.test/acme", True),
        ("https://h.test/acme/deploy.git", "https://h.test/acme/deploy", True),
        ("https://h.test/acme/deploy.git", "https://h.test/acme/deploy-other", False),
        ("https://H.test/Acme", "https://h.test/acme/a", True),
        ("https://h.test/acme", "https://h.test//acme/a", False),
        ("https://h.test", "https://h.test.evil.test/a", False),
        ("https://h.test", "https://h.test:8443/a", False),
        ("https://h.test", "http://h.test/a", False),
        ("git@h.test:acme", "ssh://git@h.test/acme/a.git", True),
        ("ssh://git@h.test:22", "ssh://git@h.test:22/acme/a.git", True),
        ("git@[::1]:acme", "ssh://git@[::1]/acme/a.git", True),
        ("git@[::1]:", "git@[::12]:acme", False),
        ("https://h.test/a", "https://h.test@evil.test/a", False),
        ("/srv/git", "/srv/git/a.git", True),
        ("/srv/git/", "/srv/git-other/a.git", False),
        ("/srv/git", "file:///srv/git/a", True),
        ("file:///srv/git/", "/srv//git/a", True),
        ("/srv/git", "/srv/Git/a", False),
        ("/", "/srv/git/a", True),
        ("/", "https://h.test/a", False),
        ("https://h.test", "/srv/git/a", False),
    ],
)
def test_a_prefix_ends_at_the_host(prefix: str, url: str, covers: bool) -> None:  # noqa: FBT001 - a column of the table
    assert parse_git_prefix(prefix).covers(parse_git_remote(url)) is covers


@pytest.mark.parametrize(
    "text", ["", " ", "https://h.test/a/..", "git@h.test:../a", "/srv/./git", "https://h.test/%2E/"]
)
def test_a_prefix_that_no_address_has_is_an_error(text: str) -> None:
    with pytest.raises(IllegalGitRemote):
        parse_git_prefix(text)


BEGINNINGS = ("https://h.test/", "http://h.test:1/", "ssh://git@h.test/", "git@h.test:", "file:///srv/", "/srv/")


@pytest.mark.parametrize("beginning", BEGINNINGS)
@pytest.mark.parametrize(
    "path",
    [
        "a/../b",
        "../b",
        "a/..",
        "a/./b",
        "a/.",
        "a/%2e%2e/b",
        "a/%2E./b",
        "a/.%2e/b",
        "a/%2e/b",
        "a%2f..%2fb",
        "a%2F%2e%2E%2Fb",
        "a%5c..%5cb",
        "a/..;x=1/b",
        "a/%252e%252e/b",
        "a/%25252e%25252e/b",
        "a/" + "%25" * 3 + "25" * 90 + "2e",
    ],
)
def test_an_address_that_leads_elsewhere_than_it_says_is_refused(beginning: str, path: str) -> None:
    with pytest.raises(IllegalGitRemote, match=r"holds \. or \.\."):
        parse_git_remote(beginning + path)


@pytest.mark.parametrize("beginning", BEGINNINGS)
@pytest.mark.parametrize("path", ["a.b/..c", ".github/x", "a/...", "a%20b/c", "a/b..git", "100%/a", "a%2fb", "a;x/b"])
def test_dots_in_names_are_no_harm(beginning: str, path: str) -> None:
    assert parse_git_remote(beginning + path).path.endswith(path.removesuffix(".git"))


_PIECES = ("a", ".", "..", "/", "\\", "%2e", "%2E", "%2f", "%5C", "%", "25", ";", "x.git", "%00", "?", "@", ":")


@given(st.sampled_from(BEGINNINGS), st.lists(st.sampled_from(_PIECES), max_size=8).map("".join))
def test_no_address_that_is_taken_has_a_dot_segment(beginning: str, path: str) -> None:
    try:
        remote = parse_git_remote(beginning + path)
    except IllegalGitRemote:
        return
    path = remote.path
    for _ in range(len(path)):
        path = unquote(path).replace("\\", "/")
        plain = re.sub("/+", "/", f"./{path}").rstrip("/")
        assert posixpath.normpath(plain) == plain.removeprefix("./"), remote


@pytest.mark.parametrize(
    ("one", "other", "is_one_key", "is_one_place"),
    [
        pytest.param("https://h.test/Acme/A", "https://h.test/acme/a", True, False, id="letter case of a path"),
        pytest.param("https://H.test/a", "https://h.test/a.git/", True, True, id="letter case of a host"),
        pytest.param("HTTPS://h.test/a", "https://h.test/a", True, True, id="letter case of a scheme"),
        pytest.param("git@h.test:Acme/a", "ssh://git@H.test/Acme/a", True, True, id="two forms of SSH"),
        pytest.param("git@h.test:Acme/a", "git@h.test:acme/a", True, False, id="letter case over SSH"),
        pytest.param("https://h.test/a", "http://h.test/a", False, False, id="scheme"),
        pytest.param("/srv/Git/a", "/srv/git/a", False, False, id="letter case of a folder"),
        pytest.param("/srv/git/A.git", "file:///srv/git/A", True, True, id="path and URL"),
        pytest.param("FILE:///srv//git/A/", "/srv/git/A", True, True, id="doubled slashes of a folder"),
        pytest.param("file:///srv/a%62", "/srv/ab", True, True, id="git decodes a URL"),
        pytest.param("/srv/a%62", "/srv/ab", False, False, id="git decodes no path"),
        pytest.param("/srv/a/.git", "/srv/a", True, True, id="inside a checkout"),
    ],
)
def test_spellings_of_one_repository_have_one_key(
    one: str, other: str, *, is_one_key: bool, is_one_place: bool
) -> None:
    first, second = parse_git_remote(one), parse_git_remote(other)
    assert (first.key == second.key, first.place == second.place) == (is_one_key, is_one_place)


def test_people_see_an_address_in_the_letter_case_of_its_path() -> None:
    assert str(parse_git_remote("https://Git.Example.com/Acme/Deploy.git")) == "https://git.example.com/Acme/Deploy"


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
