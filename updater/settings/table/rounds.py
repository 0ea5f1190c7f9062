"""When and how a round over the Applications is made."""

from __future__ import annotations

from updater.settings.model import Bounds, Kind, Option

_RUN = frozenset({"run"})

ROUNDS = (
    Option("once", Kind.BOOL, False, "Make one round and end", commands=_RUN),
    Option(
        "fail-on-error",
        Kind.BOOL,
        False,
        "End a single round with status 1 when an Application or image had an error",
        variable="IMAGE_UPDATER_FAIL_ON_ERROR",
        commands=_RUN,
    ),
    Option(
        "interval",
        Kind.DURATION,
        120.0,
        "Time between rounds, for example 90s or 1h30m; 0 makes one round",
        variable="IMAGE_UPDATER_INTERVAL",
        config_key="interval",
        bounds=Bounds(0, code="negative_interval"),
        commands=_RUN,
    ),
    Option("dry-run", Kind.BOOL, False, "Decide, and write nothing"),
    Option(
        "max-concurrency",
        Kind.INT,
        10,
        "Applications worked on at the same time; 0 chooses by the number of processors",
        variable="IMAGE_UPDATER_MAX_CONCURRENCY",
        config_key="max_concurrency",
        bounds=Bounds(0, code="negative_concurrency"),
    ),
    Option(
        "mode",
        Kind.STRING,
        "cycle",
        "'cycle' works through all Applications in rounds, 'continuous' gives each its own period",
        variable="IMAGE_UPDATER_MODE",
        config_key="mode",
        choices=("cycle", "continuous"),
        code="bad_mode",
        commands=_RUN,
    ),
    Option(
        "schedule",
        Kind.STRING,
        "default",
        "Order of Applications: 'default', 'lru' (longest without success first), 'fail-first'",
        variable="IMAGE_UPDATER_SCHEDULE",
        config_key="schedule",
        choices=("default", "lru", "fail-first"),
        code="bad_schedule",
        commands=_RUN,
    ),
    Option(
        "cooldown",
        Kind.DURATION,
        0.0,
        "Put Applications that succeeded within this time behind the others",
        variable="IMAGE_UPDATER_COOLDOWN",
        config_key="cooldown",
        bounds=Bounds(0, code="bad_duration"),
        commands=_RUN,
    ),
    Option(
        "per-repo-cap",
        Kind.INT,
        0,
        "Applications of one Git repository per pass; 0 is no cap",
        variable="IMAGE_UPDATER_PER_REPO_CAP",
        config_key="per_repo_cap",
        bounds=Bounds(0, 100_000),
        commands=_RUN,
    ),
    Option("warmup-cache", Kind.BOOL, True, "Fill the caches with a dry run before the first round", commands=_RUN),
    Option(
        "IMAGE_UPDATER_SHUTDOWN_TIMEOUT",
        Kind.DURATION,
        20.0,
        "How long running work may take to end after a signal; the process has ended 5s later",
        variable="IMAGE_UPDATER_SHUTDOWN_TIMEOUT",
        has_flag=False,
        bounds=Bounds(0, 600, code="bad_duration"),
    ),
)
