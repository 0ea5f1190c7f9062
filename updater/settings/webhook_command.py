"""The command ``webhook`` from its settings: a ``run`` without polling, warm-up and probes (``runtime.md`` 1.4)."""

from __future__ import annotations

from updater.settings.git_parts import git_settings
from updater.settings.model import Settings
from updater.settings.parts import (
    FaceSettings,
    RunSettings,
    connection_settings,
    filter_settings,
    log_settings,
    registry_settings,
)
from updater.settings.webhooks import webhook_settings


def webhook_command_settings(settings: Settings) -> RunSettings:
    """All that ``webhook`` needs. It follows the fleet as continuous mode does, and attempts what webhooks name."""
    return RunSettings(
        connection=connection_settings(settings),
        filters=filter_settings(settings),
        registry=registry_settings(settings),
        log=log_settings(settings),
        applications_api=settings.text("applications_api"),
        argocd_namespace=settings.text("argocd_namespace"),
        is_dry_run=settings.is_on("dry_run"),
        max_concurrency=settings.integer("max_concurrency"),
        shutdown_timeout_s=settings.seconds("image_updater_shutdown_timeout"),
        are_pull_secrets_strict=settings.is_on("strict_pull_secrets"),
        mode="continuous",
        is_warmed_up=False,
        is_polling=False,
        git=git_settings(settings),
        face=FaceSettings(
            metrics_port=settings.integer("metrics_port") or None,
            per_application=settings.is_on("metrics_per_application"),
            has_aliases=settings.is_on("image_updater_metric_aliases"),
            has_scope_detail=settings.is_on("image_updater_metric_scope_detail"),
        ),
        webhooks=webhook_settings(settings),
    )
