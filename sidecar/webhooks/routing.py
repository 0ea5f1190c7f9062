"""Which sender a request comes from: the types that are registered, and the one that it names (``runtime.md`` 7.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sidecar.webhooks.rejections import foreign, rejected
from sidecar.webhooks.request import WebhookRequest
from sidecar.webhooks.sender import Sender
from sidecar.webhooks.senders import SENDERS
from updater.errors import WebhookRejected
from updater.ports.nudges import PushEvent
from updater.transport.redaction import Secret

TYPE_HEADER = "X-Registry-Type"

_NO_SECRETS: Mapping[str, Secret] = MappingProxyType({})
_NONE = Secret("")


@dataclass(frozen=True, slots=True)
class Routing:
    """The registered senders. ``secrets`` are by type; a type without a secret is only there if none is required."""

    secrets: Mapping[str, Secret] = field(default_factory=lambda: _NO_SECRETS)
    requires_secret: bool = True

    @property
    def types(self) -> tuple[str, ...]:
        """The registered types, sorted."""
        return tuple(sorted(sender.type for sender in SENDERS if self._is_registered(sender)))

    @property
    def unauthenticated(self) -> tuple[str, ...]:
        """The registered types that believe everybody, sorted."""
        return tuple(each for each in self.types if not self.secrets.get(each))

    def choose(self, request: WebhookRequest) -> Sender:
        """The sender that a request names. Raises ``WebhookRejected``."""
        if not self.types:
            raise rejected("no_handlers", "no webhook handlers are registered")
        named = request.query.get("type") or request.header(TYPE_HEADER)
        if not named:
            raise self._with_types(rejected("missing_registry_type", "missing registry type parameter"))
        for sender in SENDERS:
            if sender.type == named and self._is_registered(sender):
                return sender
        raise self._with_types(foreign("unknown_registry_type", "invalid registry type", named))

    def parse(self, sender: Sender, request: WebhookRequest) -> tuple[PushEvent, ...]:
        """The events of a request of this sender. Raises ``WebhookRejected``."""
        return sender.parse(request, self.secrets.get(sender.type, _NONE).reveal())

    def _is_registered(self, sender: Sender) -> bool:
        return not self.requires_secret or bool(self.secrets.get(sender.type))

    def _with_types(self, error: WebhookRejected) -> WebhookRejected:
        return rejected(error.code, f"{error.what}. Supported types: {', '.join(self.types)}")
