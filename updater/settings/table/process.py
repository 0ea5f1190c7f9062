"""The process itself: logs, listening ports, output, folders."""

from __future__ import annotations

from updater.settings.model import Bounds, Kind, Option

_PORT = Bounds(0, 65_535, code="bad_port")
_RUN = frozenset({"run"})
LOG_LEVELS = ("trace", "debug", "info", "warn", "error")

PROCESS = (
    Option(
        "loglevel",
        Kind.STRING,
        "info",
        "Least level to log: trace, debug, info, warn or error",
        variable="IMAGE_UPDATER_LOGLEVEL",
        config_key="log.level",
        choices=LOG_LEVELS,
        ignores_case=True,
        code="bad_loglevel",
        default_in=(("plan", "warn"), ("doctor", "warn")),
    ),
    Option(
        "logformat",
        Kind.STRING,
        "text",
        "Format of log records: 'text' or 'json'",
        variable="IMAGE_UPDATER_LOGFORMAT",
        config_key="log.format",
        choices=("text", "json"),
        code="bad_logformat",
    ),
    Option(
        "ENABLE_LOG_COLORS",
        Kind.BOOL,
        True,
        "'false' keeps colours away from logs on a terminal",
        variable="ENABLE_LOG_COLORS",
        has_flag=False,
        commands=frozenset({"run", "webhook", "test"}),
    ),
    Option(
        "output",
        Kind.STRING,
        "text",
        "Format of the result on standard output: 'text' or 'json'",
        choices=("text", "json"),
        commands=frozenset({"run", "test", "version"}),
    ),
    Option("short", Kind.BOOL, False, "Print the version alone", commands=frozenset({"version"})),
    Option("health-port", Kind.INT, 8080, "Port of the health server; 0 starts none", bounds=_PORT, commands=_RUN),
    Option(
        "metrics-port",
        Kind.INT,
        8081,
        "Port of the metrics server; 0 starts none",
        bounds=_PORT,
        default_in=(("webhook", 0),),
    ),
    Option(
        "metrics-per-application",
        Kind.BOOL,
        True,
        "Export metrics that carry a label per Application",
        variable="IMAGE_UPDATER_METRICS_PER_APPLICATION",
        config_key="metrics.per_application",
    ),
    Option(
        "IMAGE_UPDATER_METRIC_ALIASES",
        Kind.BOOL,
        True,
        "Export metrics under their older names too",
        variable="IMAGE_UPDATER_METRIC_ALIASES",
        has_flag=False,
    ),
    Option(
        "IMAGE_UPDATER_METRIC_SCOPE_DETAIL",
        Kind.BOOL,
        False,
        "Export the scope of registry tokens, which names repositories, as a label",
        variable="IMAGE_UPDATER_METRIC_SCOPE_DETAIL",
        has_flag=False,
    ),
    Option(
        "status-addr",
        Kind.STRING,
        "127.0.0.1:8092",
        "Address of the status page; empty starts none",
        variable="IMAGE_UPDATER_STATUS_ADDR",
        config_key="status.addr",
        commands=_RUN,
    ),
    Option(
        "config-dir",
        Kind.STRING,
        "",
        "Folder with one file per key, as a mounted ConfigMap has",
        variable="IMAGE_UPDATER_CONFIG_DIR",
    ),
    Option(
        "HEALTH_FAIL_ON_PORT_EXHAUSTION",
        Kind.LENIENT_BOOL,
        True,
        "Fail the health check when the system runs out of ports for outgoing connections",
        variable="HEALTH_FAIL_ON_PORT_EXHAUSTION",
        has_flag=False,
    ),
    Option(
        "PORT_EXHAUSTION_WINDOW",
        Kind.DURATION,
        60.0,
        "Time in which failures by port exhaustion are counted",
        variable="PORT_EXHAUSTION_WINDOW",
        has_flag=False,
        bounds=Bounds(1, 86_400, code="bad_duration"),
    ),
    Option(
        "PORT_EXHAUSTION_THRESHOLD",
        Kind.INT,
        8,
        "Failures by port exhaustion that make the health check fail",
        variable="PORT_EXHAUSTION_THRESHOLD",
        has_flag=False,
        bounds=Bounds(1, 100_000),
    ),
)
