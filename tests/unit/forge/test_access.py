from __future__ import annotations

import base64

import pytest

from updater.forge.access import ForgeAccess, TokenKind, authorization
from updater.model.pull_requests import ForgeProvider
from updater.transport.redaction import Secret


def _basic(pair: str) -> str:
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


@pytest.mark.parametrize(
    ("word", "kind", "username", "name", "value"),
    [
        ("github", TokenKind.PASSWORD, "bot", "Authorization", "Bearer t-1"),
        ("github", TokenKind.INSTALLATION, "", "Authorization", "Bearer t-1"),
        ("gitlab", TokenKind.PASSWORD, "oauth2", "PRIVATE-TOKEN", "t-1"),
        ("gitlab", TokenKind.BEARER, "", "Authorization", "Bearer t-1"),
        ("gitea", TokenKind.PASSWORD, "bot", "Authorization", "token t-1"),
        ("forgejo", TokenKind.BEARER, "", "Authorization", "token t-1"),
        ("bitbucket", TokenKind.PASSWORD, "bot", "Authorization", _basic("bot:t-1")),
        ("bitbucket", TokenKind.PASSWORD, "x-token-auth", "Authorization", "Bearer t-1"),
        ("bitbucket", TokenKind.SCM, "bot", "Authorization", "Bearer t-1"),
        ("bitbucket-server", TokenKind.PASSWORD, "bot", "Authorization", "Bearer t-1"),
        ("azuredevops", TokenKind.PASSWORD, "bot", "Authorization", _basic(":t-1")),
        ("azuredevops", TokenKind.SCM, "", "Authorization", _basic(":t-1")),
        ("azuredevops", TokenKind.BEARER, "", "Authorization", "Bearer t-1"),
    ],
)
def test_the_token_travels_in_the_header_of_its_forge(
    word: str, kind: TokenKind, username: str, name: str, value: str
) -> None:
    access = ForgeAccess(kind, Secret("t-1"), username)
    assert authorization(ForgeProvider(word), access) == {name: value}
    assert "t-1" not in repr(access)
