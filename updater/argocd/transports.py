"""Clients over both transports of one connection, made when they are asked for: a diagnosis compares them."""

from __future__ import annotations

from dataclasses import replace

from updater.argocd.client import ArgoCDClient, ClientOptions
from updater.argocd.connect import ConnectionOptions, connect
from updater.argocd.tokens import TokenSource
from updater.clock import Backoff, Clock
from updater.ports.log import NullLog

_ONE_ATTEMPT = Backoff(attempts=1, base_s=0.0, cap_s=0.0)
"""A diagnosis says what it met; it does not try to get around it."""


class Transports:
    """Owns the clients it makes. Not thread-safe."""

    def __init__(self, connection: ConnectionOptions, tokens: TokenSource, clock: Clock) -> None:
        self._connection = connection
        self._tokens = tokens
        self._clock = clock
        self._made: dict[bool, ArgoCDClient] = {}

    @property
    def configured(self) -> ArgoCDClient:
        """The client that a round would use."""
        return self.client(over_web=self._connection.use_grpc_web)

    def client(self, *, over_web: bool) -> ArgoCDClient:
        """The client of one transport. Raises ``ConfigurationError`` as ``connect`` does."""
        if over_web not in self._made:
            self._made[over_web] = self.connect(replace(self._connection, use_grpc_web=over_web))
        return self._made[over_web]

    def connect(self, connection: ConnectionOptions) -> ArgoCDClient:
        """A client of another connection, to be closed by the caller."""
        options = ClientOptions(str(connection.wire.address), read_backoff=_ONE_ATTEMPT)
        # What such a client would remark, a finding says.
        return connect(connection, options, self._tokens, self._clock, NullLog())

    def close(self) -> None:
        """Close every connection."""
        for client in self._made.values():
            client.close()
        self._made.clear()
