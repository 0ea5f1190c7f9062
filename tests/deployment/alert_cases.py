"""When an alert fires and when it does not: series in promtool's notation, one sample a minute, looked at once.

``60+1x99`` is 60, 61, 62 and so on. Wall time starts at 0, so a timestamp of 0 is as old as the test.
"""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "argocd_image_updater_"
_POD = 'namespace="argocd",pod="updater-1"'
_OTHER = 'namespace="argocd",pod="updater-2"'
_APPLICATION = f'{_POD},application="argocd/shop"'
_REGISTRY = f'{_POD},registry="https://registry.example.com"'
_SERVER = f'{_POD},argocd_server="argocd-server.argocd"'
_STEADY = "0+60x300"
"""A timestamp that is always the present minute."""


@dataclass(frozen=True)
class Case:
    """Series by name and labels; ``fires`` after ``minute`` minutes."""

    name: str
    alert: str
    series: dict[str, str]
    fires: bool
    minute: int = 120


def _watched(labels: str = _POD, values: str = "5x300") -> dict[str, str]:
    return {f"applications_watched_total{{{labels}}}": values}


def _failing(succeeded: str) -> dict[str, str]:
    return {
        f"images_errors_total{{{_APPLICATION}}}": "0+1x300",
        f"application_last_success_timestamp{{{_APPLICATION}}}": succeeded,
    }


def _of_registry(failed: str) -> dict[str, str]:
    return {
        f"registry_requests_total{{{_REGISTRY}}}": "0+100x300",
        f"registry_requests_failed_total{{{_REGISTRY}}}": failed,
    }


def _of_server(failed: str) -> dict[str, str]:
    return {
        f"argocd_api_requests_total{{{_SERVER}}}": "0+100x300",
        f"argocd_api_errors_total{{{_SERVER}}}": failed,
    }


def _errors_of_kind(kind: str, values: str) -> dict[str, str]:
    return {f'registry_errors_total{{{_REGISTRY},kind="{kind}"}}': values}


def _attempts(values: str) -> dict[str, str]:
    return {f"application_last_attempt_timestamp{{{_APPLICATION}}}": values}


def _cycle_end(values: str) -> dict[str, str]:
    return {f"update_cycle_last_end_timestamp{{{_POD}}}": values}


def _git_errors(values: str) -> dict[str, str]:
    return {f'git_writeback_errors_total{{{_POD},code="push_denied"}}': values}


def _git_queue(values: str) -> dict[str, str]:
    return {f'git_queue_length{{{_POD},repository="https://git.example.com/shop"}}': values}


def _pull_requests(result: str) -> dict[str, str]:
    return {f'git_pull_requests_total{{{_POD},provider="github",result="{result}"}}': "0+1x300"}


def _events(result: str) -> dict[str, str]:
    return {f'webhook_events_total{{{_POD},result="{result}"}}': "0+1x300"}


CASES = (
    Case("nobody publishes anything", "ImageUpdaterAbsent", {}, fires=True, minute=15),
    Case("an updater is scraped", "ImageUpdaterAbsent", _watched(), fires=False),
    Case("a restart of a minute", "ImageUpdaterAbsent", _watched(values="5x10 _x5 5x200"), fires=False, minute=20),
    Case("a second replica", "ImageUpdaterTwice", {**_watched(), **_watched(_OTHER)}, fires=True),
    Case("one replica", "ImageUpdaterTwice", _watched(), fires=False),
    Case("nothing is visible", "ImageUpdaterSeesNoApplications", _watched(values="0x300"), fires=True),
    Case("something is visible", "ImageUpdaterSeesNoApplications", _watched(), fires=False),
    Case("no attempt for long", "ImageUpdaterStalled", {**_watched(), **_attempts("60x300")}, fires=True),
    Case("attempts go on", "ImageUpdaterStalled", {**_watched(), **_attempts(_STEADY)}, fires=False),
    Case("no cycle for long", "ImageUpdaterStalled", {**_watched(), **_cycle_end("60x300")}, fires=True),
    Case(
        "a long cycle with attempts",
        "ImageUpdaterStalled",
        {**_watched(), **_attempts(_STEADY), **_cycle_end("60x300")},
        fires=False,
    ),
    Case(
        "continuous mode has no cycle",
        "ImageUpdaterStalled",
        {**_watched(), **_attempts(_STEADY), **_cycle_end("0x300")},
        fires=False,
    ),
    Case(
        "nothing to work on",
        "ImageUpdaterStalled",
        {**_watched(values="0x300"), **_attempts("60x300")},
        fires=False,
    ),
    Case("errors and no success", "ImageUpdaterApplicationFails", _failing("60x300"), fires=True, minute=180),
    Case(
        "errors and never a success",
        "ImageUpdaterApplicationFails",
        {f"images_errors_total{{{_APPLICATION}}}": "0+1x300"},
        fires=True,
    ),
    Case("errors between successes", "ImageUpdaterApplicationFails", _failing(_STEADY), fires=False),
    Case("every second call fails", "ImageUpdaterArgoCDErrors", _of_server("0+50x300"), fires=True),
    Case("one call in a hundred fails", "ImageUpdaterArgoCDErrors", _of_server("0+1x300"), fires=False),
    Case("no request arrives", "ImageUpdaterRegistryFails", _of_registry("0+100x300"), fires=True),
    Case("one request in ten fails", "ImageUpdaterRegistryFails", _of_registry("0+10x300"), fires=False),
    Case("refusals", "ImageUpdaterRegistryRefuses", _errors_of_kind("auth_error", "0+1x300"), fires=True),
    Case("other errors", "ImageUpdaterRegistryRefuses", _errors_of_kind("timeout", "0+1x300"), fires=False),
    Case("limits", "ImageUpdaterRegistryLimits", _errors_of_kind("429", "0+1x300"), fires=True, minute=200),
    Case("one limit long ago", "ImageUpdaterRegistryLimits", _errors_of_kind("429", "0 1x300"), fires=False),
    Case(
        "a file that cannot be read",
        "ImageUpdaterRegistriesFileInvalid",
        {f'registry_config_reloads_total{{{_POD},result="failure"}}': "0x110 1x50"},
        fires=True,
    ),
    Case(
        "a file that can be read",
        "ImageUpdaterRegistriesFileInvalid",
        {f'registry_config_reloads_total{{{_POD},result="success"}}': "0x110 1x50"},
        fires=False,
    ),
    Case("pushes are refused", "ImageUpdaterGitFails", _git_errors("0+1x300"), fires=True),
    Case("one push was refused", "ImageUpdaterGitFails", _git_errors("0x60 1x240"), fires=False, minute=150),
    Case("changes wait", "ImageUpdaterGitWaits", _git_queue("3x300"), fires=True),
    Case(
        "changes come and go",
        "ImageUpdaterGitWaits",
        _git_queue("3x5 0x2 4x5 0x2 1x5 0x2 3x5 0x300"),
        fires=False,
        minute=25,
    ),
    Case("a forge refuses", "ImageUpdaterPullRequestsFail", _pull_requests("denied"), fires=True),
    Case("requests are opened", "ImageUpdaterPullRequestsFail", _pull_requests("opened"), fires=False),
    Case("a full queue", "ImageUpdaterWebhooksLost", _events("dropped"), fires=True),
    Case("events of nobody", "ImageUpdaterWebhooksLost", _events("unmatched"), fires=False),
    Case("no ports", "ImageUpdaterPortExhaustion", {f"port_exhaustion_degraded{{{_POD}}}": "1x300"}, fires=True),
    Case("ports", "ImageUpdaterPortExhaustion", {f"port_exhaustion_degraded{{{_POD}}}": "0x300"}, fires=False),
    Case(
        "workers are always busy",
        "ImageUpdaterFallsBehind",
        {f'scheduler_skipped_total{{{_POD},reason="concurrency"}}': "0+3x300"},
        fires=True,
        minute=200,
    ),
    Case(
        "put off by the cooldown",
        "ImageUpdaterFallsBehind",
        {f'scheduler_skipped_total{{{_POD},reason="cooldown"}}': "0+3x300"},
        fires=False,
        minute=200,
    ),
)
