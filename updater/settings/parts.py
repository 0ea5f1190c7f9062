"""The small values that the parts of the program are built from, so that no part sees all settings."""

from __future__ import annotations

from dataclasses import dataclass, field

from updater.argocd.address import Dialect, dialect_of
from updater.settings.git_parts import GitWriteSettings, git_settings
from updater.settings.headers import parse_header
from updater.settings.model import OriginKind, Settings
from updater.settings.webhooks import WebhookSettings, webhook_settings
from updater.transport.redaction import Secret


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """How to reach the Argo CD API.

    ``server`` is the text of the operator, with or without scheme, port and path. ``token`` wins over
    ``token_file``; both empty means no token. ``timeout_s`` 0 leaves deadlines to the calls. ``write`` is
    ``update`` or ``patch``; ``user_agent`` empty means our own.
    """

    server: str
    is_grpc_web: bool = False
    is_insecure: bool = False
    is_plaintext: bool = False
    root_path: str = ""
    server_crt: str = ""
    client_crt: str = ""
    client_crt_key: str = ""
    headers: tuple[tuple[str, Secret], ...] = ()
    user_agent: str = ""
    timeout_s: float = 0.0
    max_message_size: int = 209_715_200
    token: Secret = field(default_factory=lambda: Secret(""))
    token_file: str = ""
    projects: tuple[str, ...] = ()
    is_validating: bool = False
    write: str = "update"
    max_conflict_retries: int = 7

    @property
    def dialect(self) -> Dialect:
        """How the server is spoken to, whichever of these decides it."""
        return dialect_of(self.server, plaintext=self.is_plaintext, grpc_web=self.is_grpc_web, root_path=self.root_path)


@dataclass(frozen=True, slots=True)
class FilterSettings:
    """Which Applications are looked at: name patterns (any fits) and a label selector that is known to be valid.

    ``rules`` are files and folders of rules documents; ``follows_annotations`` says what counts for the Applications
    that no document matches. ``names`` are Applications asked for by name, as ``namespace/name`` or ``name``; without
    them all count.
    """

    name_patterns: tuple[str, ...] = ()
    label_selector: str = ""
    rules: tuple[str, ...] = ()
    follows_annotations: bool = True
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """Limits of the registry client, and the path of the registries' file (empty: built-in registries only).

    ``cache_folder`` empty keeps what registries said in memory; ``interval_s`` 0 means that rounds do not repeat.
    """

    conf_path: str = ""
    cache_folder: str = ""
    interval_s: float = 0.0
    response_header_timeout_s: float = 60.0
    tls_handshake_timeout_s: float = 10.0
    idle_connection_timeout_s: float = 90.0
    janitor_interval_s: float = 300.0
    max_connections_per_host: int = 30
    max_idle_connections: int = 1_000
    max_idle_connections_per_host: int = 200
    max_inflight: int = 15
    tag_attempts: int = 3
    tag_timeout_s: float = 60.0
    manifest_attempts: int = 3
    manifest_timeout_s: float = 60.0
    tags_are_immutable: bool = False
    allowed_hosts: tuple[str, ...] = ()
    token_attempts: int = 7
    token_retry_base_s: float = 0.2
    token_retry_max_s: float = 3.0
    port_exhaustion_window_s: float = 60.0
    port_exhaustion_threshold: int = 8


@dataclass(frozen=True, slots=True)
class TagTestSettings:
    """What ``test`` is asked, as written. ``rate_limit`` None leaves the registry its own; 0 means no limit.

    ``conf_path`` empty means the file of a standard deployment, if there is one.
    """

    strategy: str = "semver"
    constraint: str = ""
    allow_tags: str = ""
    ignore_tags: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    credentials: str = field(default="", repr=False)
    rate_limit: int | None = None
    conf_path: str = ""


@dataclass(frozen=True, slots=True)
class LogSettings:
    """``level`` is one of ``trace debug info warn error``, ``format`` is ``text`` or ``json``."""

    level: str = "info"
    format: str = "text"
    has_colors: bool = True


@dataclass(frozen=True, slots=True)
class FaceSettings:
    """What the process shows of itself over HTTP; None and an empty address stand for a listener that is off.

    ``secrets`` are taken out of what the status page shows.
    """

    health_port: int | None = None
    metrics_port: int | None = None
    status_addr: str = ""
    fails_without_ports: bool = True
    per_application: bool = True
    has_aliases: bool = True
    has_scope_detail: bool = False
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class RunSettings:
    """One ``run``. ``interval_s`` 0 means one round; ``max_concurrency`` 0 means by the number of processors.

    ``is_polling`` False: only what webhooks name is processed, in continuous mode (the command ``webhook``).
    """

    connection: ConnectionSettings
    filters: FilterSettings = FilterSettings()
    registry: RegistrySettings = RegistrySettings()
    log: LogSettings = LogSettings()
    applications_api: str = "argocd"
    argocd_namespace: str = ""
    interval_s: float = 0.0
    is_dry_run: bool = False
    max_concurrency: int = 10
    shutdown_timeout_s: float = 20.0
    are_pull_secrets_strict: bool = False
    mode: str = "cycle"
    schedule: str = "default"
    cooldown_s: float = 0.0
    per_repo_cap: int = 0
    is_warmed_up: bool = True
    git: GitWriteSettings = field(default_factory=GitWriteSettings)
    face: FaceSettings = FaceSettings()
    webhooks: WebhookSettings = field(default_factory=WebhookSettings)
    is_polling: bool = True


def run_settings(settings: Settings) -> RunSettings:
    """All that ``run`` needs."""
    return RunSettings(
        connection=connection_settings(settings),
        filters=filter_settings(settings),
        registry=registry_settings(settings),
        log=log_settings(settings),
        applications_api=settings.text("applications_api"),
        argocd_namespace=settings.text("argocd_namespace"),
        interval_s=settings.seconds("interval"),
        is_dry_run=settings.is_on("dry_run"),
        max_concurrency=settings.integer("max_concurrency"),
        shutdown_timeout_s=settings.seconds("image_updater_shutdown_timeout"),
        are_pull_secrets_strict=settings.is_on("strict_pull_secrets"),
        mode=settings.text("mode"),
        schedule=settings.text("schedule"),
        cooldown_s=settings.seconds("cooldown"),
        per_repo_cap=settings.integer("per_repo_cap"),
        is_warmed_up=settings.is_on("warmup_cache"),
        git=git_settings(settings),
        face=face_settings(settings),
        webhooks=webhook_settings(settings),
    )


def face_settings(settings: Settings) -> FaceSettings:
    """The listeners for health, metrics and status."""
    return FaceSettings(
        health_port=settings.integer("health_port") or None,
        metrics_port=settings.integer("metrics_port") or None,
        status_addr=settings.text("status_addr"),
        fails_without_ports=settings.is_on("health_fail_on_port_exhaustion"),
        per_application=settings.is_on("metrics_per_application"),
        has_aliases=settings.is_on("image_updater_metric_aliases"),
        has_scope_detail=settings.is_on("image_updater_metric_scope_detail"),
        secrets=secret_values(settings),
    )


def filter_settings(settings: Settings) -> FilterSettings:
    """The choice of Applications."""
    return FilterSettings(
        name_patterns=settings.texts("match_application_name"),
        label_selector=settings.text("match_application_label"),
        rules=settings.texts("rules"),
        follows_annotations=settings.is_on("annotations"),
    )


def connection_settings(settings: Settings) -> ConnectionSettings:
    """The connection to the Argo CD API. A mounted token is read by its file, so that it may be rotated."""
    token = settings["argocd_auth_token"]
    is_mounted = token.origin.kind is OriginKind.FILE
    return ConnectionSettings(
        server=settings.text("argocd_server_addr"),
        is_grpc_web=settings.is_on("argocd_grpc_web"),
        is_insecure=settings.is_on("argocd_insecure"),
        is_plaintext=settings.is_on("argocd_plaintext"),
        root_path=settings.text("argocd_grpc_web_root_path"),
        server_crt=settings.text("argocd_server_crt"),
        client_crt=settings.text("argocd_client_crt"),
        client_crt_key=settings.text("argocd_client_crt_key"),
        headers=tuple(parse_header(header, "--argocd-header") for header in settings.secrets("argocd_header")),
        user_agent=settings.text("argocd_user_agent"),
        timeout_s=settings.seconds("argocd_timeout"),
        max_message_size=settings.integer("argocd_max_message_size"),
        token=Secret("") if is_mounted else settings.secret("argocd_auth_token"),
        token_file=token.origin.name if is_mounted else settings.text("argocd_auth_token_file"),
        projects=settings.texts("argocd_projects"),
        is_validating=settings.is_on("argocd_validate"),
        write=settings.text("argocd_write"),
        max_conflict_retries=settings.integer("override_max_retries"),
    )


def registry_settings(settings: Settings) -> RegistrySettings:
    """The registry client."""
    has_probes = "port_exhaustion_window" in settings.by_key
    return RegistrySettings(
        conf_path=settings.text("registries_conf_path"),
        cache_folder=settings.text("registry_cache_dir") if "registry_cache_dir" in settings.by_key else "",
        interval_s=settings.seconds("interval") if "interval" in settings.by_key else 0.0,
        response_header_timeout_s=settings.seconds("registry_response_header_timeout"),
        tls_handshake_timeout_s=settings.seconds("registry_tls_handshake_timeout"),
        idle_connection_timeout_s=settings.seconds("registry_idle_conn_timeout"),
        janitor_interval_s=settings.seconds("registry_transport_janitor_interval"),
        max_connections_per_host=settings.integer("registry_max_conns_per_host"),
        max_idle_connections=settings.integer("registry_max_idle_conns"),
        max_idle_connections_per_host=settings.integer("registry_max_idle_conns_per_host"),
        max_inflight=settings.integer("registry_max_inflight"),
        tag_attempts=settings.integer("registry_tag_attempts"),
        tag_timeout_s=settings.seconds("registry_tag_timeout"),
        manifest_attempts=settings.integer("registry_manifest_attempts"),
        manifest_timeout_s=settings.seconds("registry_manifest_timeout"),
        tags_are_immutable=settings.is_on("registry_tags_immutable"),
        allowed_hosts=settings.texts("registry_allow_hosts"),
        token_attempts=settings.integer("registry_jwt_attempts"),
        token_retry_base_s=settings.seconds("registry_jwt_retry_base"),
        token_retry_max_s=settings.seconds("registry_jwt_retry_max"),
        port_exhaustion_window_s=settings.seconds("port_exhaustion_window") if has_probes else 60.0,
        port_exhaustion_threshold=settings.integer("port_exhaustion_threshold") if has_probes else 8,
    )


def tag_test_settings(settings: Settings) -> TagTestSettings:
    """The command ``test``."""
    return TagTestSettings(
        strategy=settings.text("update_strategy"),
        constraint=settings.text("semver_constraint"),
        allow_tags=settings.text("allow_tags"),
        ignore_tags=settings.texts("ignore_tags"),
        platforms=settings.texts("platforms"),
        credentials=settings.text("credentials"),
        rate_limit=settings.integer("rate_limit") if settings["rate_limit"].origin.is_explicit else None,
        conf_path=settings.text("registries_conf_path"),
    )


def log_settings(settings: Settings) -> LogSettings:
    """The log."""
    return LogSettings(settings.text("loglevel").lower(), settings.text("logformat"), has_log_colors(settings))


def has_log_colors(settings: Settings) -> bool:
    """Whether a terminal may show colours; ``NO_COLOR`` counts with any value, as no-color.org asks."""
    return settings.is_on("enable_log_colors") and not settings.text("no_color")


def secret_values(settings: Settings) -> tuple[str, ...]:
    """Every secret text in the settings, for the redaction of logs and output."""
    found: list[str] = []
    for setting in settings.by_key.values():
        values = setting.value if isinstance(setting.value, tuple) else (setting.value,)
        found += [value.reveal() for value in values if isinstance(value, Secret) and value]
    if "argocd_header" in settings.by_key:
        # A header is known as a whole by now; others repeat its value alone.
        found += [header.reveal().partition(":")[2].strip() for header in settings.secrets("argocd_header")]
    return tuple(text for text in found if text)
