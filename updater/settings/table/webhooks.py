"""The webhook server."""

from __future__ import annotations

from updater.settings.model import Bounds, Kind, Option

_TLS_VERSIONS = ("1.1", "1.2", "1.3", "tls1.1", "tls1.2", "tls1.3")
_SENDERS = (
    ("docker", "Docker Hub"),
    ("ghcr", "the GitHub Container Registry"),
    ("harbor", "Harbor"),
    ("quay", "Quay"),
    ("acr", "the Azure Container Registry"),
    ("aliyun-acr", "the Alibaba Cloud Container Registry"),
    ("cloudevents", "CloudEvents"),
    ("registry", "the distribution registry"),
    ("gitlab", "GitLab"),
    ("native", "our own format"),
)


def _secret(sender: str, title: str) -> Option:
    return Option(
        f"{sender}-webhook-secret",
        Kind.STRING,
        "",
        f"Secret of webhooks from {title}; prefer the variable, arguments can be read by others",
        variable=f"{sender}-webhook-secret".replace("-", "_").upper(),
        config_key=f"webhook.{sender}-secret",
        is_secret=True,
    )


WEBHOOKS = (
    Option(
        "enable-webhook",
        Kind.BOOL,
        False,
        "Start the webhook server too",
        variable="ENABLE_WEBHOOK",
        config_key="webhook.enable",
        commands=frozenset({"run"}),
    ),
    Option(
        "webhook-port",
        Kind.INT,
        8082,
        "Port of the webhook server; 0 starts none",
        variable="WEBHOOK_PORT",
        config_key="webhook.port",
        bounds=Bounds(0, 65_535, code="bad_port"),
        default_in=(("webhook", 8080),),
    ),
    *(_secret(sender, title) for sender, title in _SENDERS),
    Option(
        "webhook-require-secret",
        Kind.BOOL,
        True,
        "Only accept webhooks of registries that have a secret",
        variable="WEBHOOK_REQUIRE_SECRET",
        config_key="webhook.require-secret",
    ),
    Option(
        "webhook-ratelimit-allowed",
        Kind.INT,
        0,
        "Events that are processed per hour; 0 is no limit",
        variable="WEBHOOK_RATELIMIT_ALLOWED",
        config_key="webhook.ratelimit-allowed",
        bounds=Bounds(0),
    ),
    Option(
        "disable-tls",
        Kind.BOOL,
        None,
        "Serve webhooks without TLS; without this flag TLS is used when a certificate is mounted",
        variable="DISABLE_TLS",
        config_key="disable-tls",
    ),
    Option(
        "tlsminversion",
        Kind.STRING,
        "1.3",
        "Lowest TLS version of the webhook server: 1.1, 1.2 or 1.3; empty leaves it to the library",
        variable="TLS_MIN_VERSION",
        config_key="tls.min-version",
        choices=_TLS_VERSIONS,
        may_be_empty=True,
        ignores_case=True,
        code="tls_invalid",
    ),
    Option(
        "tlsmaxversion",
        Kind.STRING,
        "1.3",
        "Highest TLS version of the webhook server: 1.1, 1.2 or 1.3; empty leaves it to the library",
        variable="TLS_MAX_VERSION",
        config_key="tls.max-version",
        choices=_TLS_VERSIONS,
        may_be_empty=True,
        ignores_case=True,
        code="tls_invalid",
    ),
    Option(
        "tlsciphers",
        Kind.STRING,
        "",
        "Cipher suites of the webhook server up to TLS 1.2, colon-separated",
        variable="TLS_CIPHERS",
        config_key="tls.ciphers",
    ),
    Option("enable-http2", Kind.BOOL, False, "Accepted, without effect"),
)
