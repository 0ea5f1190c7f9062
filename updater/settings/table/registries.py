"""Registries: their file, and the limits of the HTTP client."""

from __future__ import annotations

from updater.settings.model import Bounds, Kind, Option

DEFAULT_CONF_PATH = "/app/config/registries.conf"
"""Where a standard deployment mounts the file."""

_CLIENT = frozenset({"run", "webhook", "test"})
_HOUR_S = 3_600.0
_DAY_S = 86_400.0


def _duration(name: str, default_s: float, text: str, bounds: tuple[float, float]) -> Option:
    limits = Bounds(*bounds, code="bad_duration")
    return Option(name, Kind.DURATION, default_s, text, variable=name, has_flag=False, bounds=limits, commands=_CLIENT)


def _count(name: str, default: int, text: str, most: int) -> Option:
    limits = Bounds(1, most)
    return Option(name, Kind.INT, default, text, variable=name, has_flag=False, bounds=limits, commands=_CLIENT)


REGISTRIES = (
    Option(
        "registries-conf-path",
        Kind.STRING,
        DEFAULT_CONF_PATH,
        "File that describes registries; empty or missing leaves the built-in ones",
        config_key="registries.conf",
    ),
    Option(
        "registry-cache-dir",
        Kind.STRING,
        "",
        "Folder that keeps what registries said across restarts; empty keeps it in memory",
        variable="REGISTRY_CACHE_DIR",
    ),
    Option(
        "strict-pull-secrets",
        Kind.BOOL,
        False,
        "Only use pull secrets of the namespace of the Application",
        variable="IMAGE_UPDATER_STRICT_PULL_SECRETS",
    ),
    _duration("REGISTRY_RESPONSE_HEADER_TIMEOUT", 60.0, "How long an answer may take to begin", (1, _HOUR_S)),
    _duration("REGISTRY_TLS_HANDSHAKE_TIMEOUT", 10.0, "How long a connection may take to stand", (1, _HOUR_S)),
    _duration("REGISTRY_IDLE_CONN_TIMEOUT", 90.0, "How long an idle connection is kept; 0 is no limit", (0, _DAY_S)),
    _count("REGISTRY_MAX_CONNS_PER_HOST", 30, "Connections to one host", 10_000),
    _count("REGISTRY_MAX_IDLE_CONNS", 1_000, "Idle connections in all", 100_000),
    _count("REGISTRY_MAX_IDLE_CONNS_PER_HOST", 200, "Idle connections to one host", 100_000),
    _duration(
        "REGISTRY_TRANSPORT_JANITOR_INTERVAL", 300.0, "How often idle connections are closed; 0 never", (0, _DAY_S)
    ),
    _count("REGISTRY_MAX_INFLIGHT", 15, "Requests to one registry at the same time", 1_000),
    _count("REGISTRY_TAG_ATTEMPTS", 3, "Attempts to list tags", 100),
    _duration("REGISTRY_TAG_TIMEOUT", 60.0, "Time for one attempt to list tags", (1, _HOUR_S)),
    _count("REGISTRY_MANIFEST_ATTEMPTS", 3, "Attempts to read a manifest", 100),
    _duration("REGISTRY_MANIFEST_TIMEOUT", 60.0, "Time for one attempt to read a manifest", (1, _HOUR_S)),
    _count("REGISTRY_JWT_ATTEMPTS", 7, "Attempts to get a token", 100),
    _duration("REGISTRY_JWT_RETRY_BASE", 0.2, "First pause between attempts to get a token", (0, _HOUR_S)),
    _duration("REGISTRY_JWT_RETRY_MAX", 3.0, "Longest pause between attempts to get a token", (0, _HOUR_S)),
    Option(
        "REGISTRY_TAGS_IMMUTABLE",
        Kind.BOOL,
        False,
        "Never ask again about a tag that is known",
        variable="REGISTRY_TAGS_IMMUTABLE",
        has_flag=False,
        commands=_CLIENT,
    ),
    Option(
        "REGISTRY_ALLOW_HOSTS",
        Kind.LIST,
        (),
        "Hosts that may be asked, as a comma list of patterns; empty allows all",
        variable="REGISTRY_ALLOW_HOSTS",
        has_flag=False,
        commands=_CLIENT,
    ),
)
