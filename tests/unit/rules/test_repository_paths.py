from __future__ import annotations

import pytest

from updater.errors import PlanError
from updater.rules.repository_paths import join_path, normalise_path


def _outcome(path: str, base: str | None = None) -> str:
    try:
        return normalise_path(path) if base is None else join_path(base, path)
    except PlanError as error:
        return error.code


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        *(
            ("", "."),
            (".", "."),
            ("a//b/./c/..", "a/b"),
            ("a/..", "."),
            (".gitignore", ".gitignore"),
            ("a/.github", "a/.github"),
        ),
        *(("..", "path_escapes_repo"), ("a/../../b", "path_escapes_repo"), ("/a", "path_escapes_repo")),
        *(
            (".git", "path_in_git_dir"),
            ("a/.Git/b", "path_in_git_dir"),
            ("a\\b", "invalid_path"),
            ("a\0", "invalid_path"),
        ),
        ("{{ .AppName }}/x", "{{ .AppName }}/x"),
        (".git/..", "."),
    ],
)
def test_a_path_stays_in_the_repository(path: str, outcome: str) -> None:
    assert _outcome(path) == outcome


@pytest.mark.parametrize(
    ("base", "path", "outcome"),
    [
        ("apps/shop", "../../base", "base"),
        ("apps/shop", "/base", "base"),
        ("apps/shop", "//base", "base"),
        ("./apps/", "x", "apps/x"),
        ("", "x", "x"),
        ("/apps", "x", "apps/x"),
        ("apps", "../../x", "path_escapes_repo"),
    ],
)
def test_a_path_is_seen_from_its_base(base: str, path: str, outcome: str) -> None:
    assert _outcome(path, base) == outcome
