from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.errors import ConfigurationError, ForgeError
from updater.forge.places import ApiUrl, ForgePlace, encoded, find_place, parse_api_url
from updater.model.git_remotes import IllegalGitRemote, parse_git_remote
from updater.model.pull_requests import ForgeProvider


def _find(word: str, url: str, *urls: str) -> ForgePlace:
    return find_place(ForgeProvider(word), parse_git_remote(url), [parse_api_url(text) for text in urls])


@pytest.mark.parametrize(
    ("word", "url", "place"),
    [
        ("github", "https://github.com/acme/deploy.git", ForgePlace("https://api.github.com", "acme", "deploy")),
        ("github", "git@github.com:acme/deploy.git", ForgePlace("https://api.github.com", "acme", "deploy")),
        ("github", "ssh://git@ssh.github.com:443/acme/deploy", ForgePlace("https://api.github.com", "acme", "deploy")),
        ("github", "https://corp.ghe.com/acme/deploy", ForgePlace("https://api.corp.ghe.com", "acme", "deploy")),
        ("github", "https://GHE.corp/acme/deploy/", ForgePlace("https://ghe.corp/api/v3", "acme", "deploy")),
        ("github", "https://ghe.corp:8443/acme/deploy", ForgePlace("https://ghe.corp:8443/api/v3", "acme", "deploy")),
        ("github", "ssh://git@ghe.corp:2222/acme/deploy", ForgePlace("https://ghe.corp/api/v3", "acme", "deploy")),
        ("gitlab", "git@gitlab.com:acme/team/deploy", ForgePlace("https://gitlab.com/api/v4", "acme/team", "deploy")),
        ("gitlab", "https://git.corp/a/b/c/d.git", ForgePlace("https://git.corp/api/v4", "a/b/c", "d")),
        ("gitea", "http://git.corp:3000/acme/deploy", ForgePlace("http://git.corp:3000/api/v1", "acme", "deploy")),
        ("forgejo", "git@codeberg.org:acme/deploy.git", ForgePlace("https://codeberg.org/api/v1", "acme", "deploy")),
        ("forgejo", "https://[::1]:3000/acme/deploy", ForgePlace("https://[::1]:3000/api/v1", "acme", "deploy")),
        (
            "bitbucket",
            "https://bot@bitbucket.org/acme/deploy.git",
            ForgePlace("https://api.bitbucket.org/2.0", "acme", "deploy"),
        ),
        (
            "bitbucket-server",
            "https://bb.corp/scm/OPS/deploy.git",
            ForgePlace("https://bb.corp/rest/api/1.0", "OPS", "deploy"),
        ),
        (
            "bitbucket-server",
            "ssh://git@bb.corp:7999/~jane/deploy.git",
            ForgePlace("https://bb.corp/rest/api/1.0", "~jane", "deploy"),
        ),
        (
            "azuredevops",
            "https://acme@dev.azure.com/acme/My%20Shop/_git/deploy",
            ForgePlace("https://dev.azure.com", "acme", "deploy", "My Shop"),
        ),
        (
            "azuredevops",
            "https://dev.azure.com/acme/_git/shop",
            ForgePlace("https://dev.azure.com", "acme", "shop", "shop"),
        ),
        (
            "azuredevops",
            "git@ssh.dev.azure.com:v3/acme/shop/deploy",
            ForgePlace("https://dev.azure.com", "acme", "deploy", "shop"),
        ),
        (
            "azuredevops",
            "https://acme.visualstudio.com/DefaultCollection/shop/_git/deploy",
            ForgePlace("https://dev.azure.com", "acme", "deploy", "shop"),
        ),
        (
            "azuredevops",
            "acme@vs-ssh.visualstudio.com:v3/acme/shop/deploy",
            ForgePlace("https://dev.azure.com", "acme", "deploy", "shop"),
        ),
        (
            "azuredevops",
            "https://tfs.corp/tfs/Main/shop/_git/deploy",
            ForgePlace("https://tfs.corp", "tfs/Main", "deploy", "shop"),
        ),
    ],
)
def test_the_place_follows_from_the_address(word: str, url: str, place: ForgePlace) -> None:
    assert _find(word, url) == place


@pytest.mark.parametrize(
    ("word", "url", "urls", "place"),
    [
        pytest.param(
            "gitlab",
            "https://corp.test/gitlab/acme/deploy",
            ("gitlab=https://corp.test/gitlab/api/v4",),
            ForgePlace("https://corp.test/gitlab/api/v4", "acme", "deploy"),
            id="context path",
        ),
        pytest.param(
            "gitlab",
            "git@corp.test:gitlab/deploy",
            ("gitlab=https://corp.test/gitlab/api/v4/",),
            ForgePlace("https://corp.test/gitlab/api/v4", "gitlab", "deploy"),
            id="no context path over SSH",
        ),
        pytest.param(
            "bitbucket-server",
            "https://corp.test/bb/scm/OPS/deploy.git",
            ("bitbucket-server=https://corp.test/bb/rest/api/1.0",),
            ForgePlace("https://corp.test/bb/rest/api/1.0", "OPS", "deploy"),
            id="context path before scm",
        ),
        pytest.param(
            "gitea",
            "https://git.corp/acme/deploy",
            ("gitea=https://one.corp/api/v1", "gitea@git.corp=https://two.corp/api/v1", "github=https://x.corp"),
            ForgePlace("https://two.corp/api/v1", "acme", "deploy"),
            id="the host's own before the provider's",
        ),
        pytest.param(
            "bitbucket",
            "https://bb.corp/acme/deploy",
            ("bitbucket=https://api.bb.corp/2.0",),
            ForgePlace("https://api.bb.corp/2.0", "acme", "deploy"),
            id="cloud behind another name",
        ),
    ],
)
def test_the_operators_address_wins(word: str, url: str, urls: tuple[str, ...], place: ForgePlace) -> None:
    assert _find(word, url, *urls) == place


@pytest.mark.parametrize(
    ("word", "url"),
    [
        pytest.param("github", "https://github.com/acme", id="no name"),
        pytest.param("gitlab", "https://git.corp/deploy", id="no group"),
        pytest.param("gitea", "https://git.corp/gitea/acme/deploy", id="context path without the operator"),
        pytest.param("bitbucket", "https://bb.corp/acme/deploy", id="cloud elsewhere"),
        pytest.param("bitbucket-server", "https://bb.corp/bb/scm/OPS/deploy", id="context path before scm"),
        pytest.param("azuredevops", "https://dev.azure.com/acme/shop/deploy", id="no _git"),
        pytest.param("gitea", "/srv/git/acme/deploy", id="local path"),
    ],
)
def test_an_address_without_a_place_is_refused(word: str, url: str) -> None:
    with pytest.raises(ForgeError) as caught:
        _find(word, url)
    assert caught.value.code == "pr_config_invalid"


def test_an_api_address_names_provider_host_and_url() -> None:
    assert parse_api_url(" gitlab@Git.Corp = https://git.corp/api/v4/ ") == ApiUrl(
        ForgeProvider.GITLAB, "git.corp", "https://git.corp/api/v4"
    )
    assert parse_api_url("gitea=http://git.corp/api/v1", allows_http=True).host == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://user:password@git.corp/api/v4",
        "https://git.corp/api/v4",
        "sourcehut=https://git.corp",
        "gitlab=",
        "gitlab=http://git.corp/api/v4",
        "gitlab=ssh://git.corp",
        "gitlab=https://user:password@git.corp/api/v4",
        "gitlab=https://git.corp/api/v4?x=1",
        "gitlab=https://git.corp:x/api",
        "gitlab=https://[::1/api",
    ],
)
def test_an_api_address_that_is_none_ends_the_start_without_showing_it(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_api_url(text)
    assert "--pull-request-api-url" in str(caught.value)
    assert "password" not in str(caught.value)


@given(st.sampled_from(ForgeProvider), st.text(st.sampled_from("abc/:@.%2f~_-git scm v3"), max_size=40))
def test_no_address_breaks_the_search_or_leaves_its_segment(provider: ForgeProvider, path: str) -> None:
    try:
        remote = parse_git_remote(f"https://git.corp/{path}")
        place = find_place(provider, remote)
    except (IllegalGitRemote, ForgeError):
        return
    assert ".." not in (place.owner, place.name, place.project)
    assert "/" not in encoded(place.name)
    assert "/" not in encoded(place.owner)
