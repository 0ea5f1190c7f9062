"""Credentials out of a Docker configuration, for one API and repository."""

from __future__ import annotations

import json
from typing import Any

from tests.conformance.vectors import Vector
from updater.errors import CredentialError
from updater.registry.credential_docker import parse_docker_config
from updater.registry.credentials import CredentialKind


def _dockerconfig_auth(vector: Vector) -> Any:
    given = vector.given
    text = given["config"] if isinstance(given["config"], str) else json.dumps(given["config"])
    try:
        found = parse_docker_config(text, "config").credentials_for(given["api_url"], given["repository"])
    except CredentialError as error:
        return {"error": error.code}
    secret = found.password.reveal()
    match found.kind:
        case CredentialKind.PASSWORD:
            return {"username": found.user, "password": secret}
        case CredentialKind.IDENTITY_TOKEN:
            return {"identity_token": secret}
        case CredentialKind.REGISTRY_TOKEN:
            return {"registry_token": secret}


ADAPTERS = {"dockerconfig_auth": _dockerconfig_auth}
