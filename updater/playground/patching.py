"""Patch on an Application: through the JSON form of Kubernetes and back onto the message."""

from __future__ import annotations

import json
from typing import Any

import grpc

from generated.application_messages_pb2 import Application
from updater.playground.json_patch import PatchFailed, apply_json_patch, apply_merge_patch
from updater.playground.kubernetes_json import UndeclaredName, from_json, to_json
from updater.playground.refusals import Refusal, invalid_argument


def patched(message: Application, patch: str, patch_type: str) -> Application:
    """The Application after a ``json`` (also ``""``) or ``merge`` patch; the argument is not changed."""
    document = to_json(message)
    try:
        match patch_type:
            case "json" | "":
                result = apply_json_patch(document, _parse(patch))
            case "merge":
                result = apply_merge_patch(document, _parse(patch))
            case other:
                raise invalid_argument(f"Patch type '{other}' is not supported")
        return from_json(Application, result)
    except PatchFailed as error:
        raise Refusal(grpc.StatusCode.UNKNOWN, f"error applying patch: {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise invalid_argument(f"the patched application does not fit its schema: {error}") from error
    except UndeclaredName as error:
        raise Refusal(grpc.StatusCode.UNIMPLEMENTED, f"the simulated server does not know {error}") from error


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise PatchFailed(f"the patch is not JSON: {error}") from error
