"""A refusal: the gRPC status with which a call ends instead of an answer."""

from __future__ import annotations

import grpc


class Refusal(Exception):
    """Raised by the world and the services, turned into a status by whichever transport carried the call."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class ConnectionLost(Exception):
    """The call was carried out, and then the connection is cut in place of an answer."""


def permission_denied(message: str = "permission denied") -> Refusal:
    return Refusal(grpc.StatusCode.PERMISSION_DENIED, message)


def invalid_argument(message: str) -> Refusal:
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)


def unauthenticated(message: str) -> Refusal:
    return Refusal(grpc.StatusCode.UNAUTHENTICATED, message)


def not_found(name: str) -> Refusal:
    return Refusal(grpc.StatusCode.NOT_FOUND, f'applications.argoproj.io "{name}" not found')
