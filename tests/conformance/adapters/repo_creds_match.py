"""Repository secrets, templates and a URL give the credentials that are used."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.errors import CredentialError
from updater.git.matching import CredentialEntry, match_credentials
from updater.model.git_remotes import parse_git_remote


def _repo_creds_match(vector: Vector) -> Any:
    given = vector.given
    try:
        match = match_credentials(
            parse_git_remote(given["repo_url"]),
            [_entry(raw) for raw in given["repositories"]],
            [_entry(raw) for raw in given["templates"]],
            given["project"],
        )
    except CredentialError as error:
        return {"error": error.code, "repository": None}
    if match is None:
        return {"error": "no_credentials", "repository": None}
    return {"repository": match.repository or None, "template": match.template or None, "kind": match.kind.value}


def _entry(raw: dict[str, str]) -> CredentialEntry:
    return CredentialEntry(raw["name"], {name: value for name, value in raw.items() if name != "name"})


ADAPTERS = {"repo_creds_match": _repo_creds_match}
