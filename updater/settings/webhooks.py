"""The webhook server from its settings (``runtime.md`` 1.3, 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from updater.settings.model import Settings
from updater.transport.redaction import Secret

SECRET_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "docker.io": "docker_webhook_secret",
        "ghcr.io": "ghcr_webhook_secret",
        "harbor": "harbor_webhook_secret",
        "quay.io": "quay_webhook_secret",
        "acr": "acr_webhook_secret",
        "aliyun-acr": "aliyun_acr_webhook_secret",
        "cloudevents": "cloudevents_webhook_secret",
        "registry": "registry_webhook_secret",
        "gitlab": "gitlab_webhook_secret",
        "native": "native_webhook_secret",
    }
)
"""The setting that holds the secret of each type of sender."""

_NO_SECRETS: Mapping[str, Secret] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """``port`` None: no server. ``secrets`` are by type, those that are set; ``per_hour`` 0 is no limit.

    ``is_plain`` None means TLS when ``tls_folder`` holds a certificate; versions and ciphers are texts as written.
    """

    port: int | None = None
    secrets: Mapping[str, Secret] = field(default_factory=lambda: _NO_SECRETS, repr=False)
    requires_secret: bool = True
    per_hour: int = 0
    is_plain: bool | None = None
    tls_minimum: str = "1.3"
    tls_maximum: str = "1.3"
    tls_ciphers: str = ""
    tls_folder: str = "/app/config/tls"


def webhook_settings(settings: Settings) -> WebhookSettings:
    """The command ``webhook`` always serves; ``run`` when it is asked to."""
    is_asked = "enable_webhook" in settings.by_key and settings.is_on("enable_webhook")
    is_wanted = settings.command == "webhook" or is_asked
    is_plain = settings["disable_tls"].value
    secrets = {kind: settings.secret(key) for kind, key in SECRET_SETTINGS.items()}
    return WebhookSettings(
        port=(settings.integer("webhook_port") or None) if is_wanted else None,
        secrets=MappingProxyType({kind: secret for kind, secret in secrets.items() if secret}),
        requires_secret=settings.is_on("webhook_require_secret"),
        per_hour=settings.integer("webhook_ratelimit_allowed"),
        is_plain=is_plain if isinstance(is_plain, bool) else None,
        tls_minimum=settings.text("tlsminversion"),
        tls_maximum=settings.text("tlsmaxversion"),
        tls_ciphers=settings.text("tlsciphers"),
        tls_folder=settings.text("argocd_tls_data_path"),
    )
