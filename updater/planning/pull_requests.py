"""The annotations ``git-pull-request``, ``-labels`` and ``-mode``: who serves requests, and how they look.

Grammar: ``write-back.md`` 6.1 and 6.2. A rules document hands its block over under the same names, labels one per line.
"""

from __future__ import annotations

from collections.abc import Mapping

from updater.errors import PlanError
from updater.model.git_remotes import GitRemote
from updater.model.pull_requests import ForgeProvider, PullRequestMode, PullRequestSettings
from updater.planning import annotation_keys as keys

MAX_LABELS = 100
MAX_LABEL = 255
"""Characters of one label; both limits are those of the custom resource."""

PER_CHANGE_BRANCH = "image-updater-{{.TargetKey}}-{{.SHA256}}"
ROLLING_BRANCH = "image-updater-{{.TargetKey}}"

_AUTO = "auto"
_PROVIDERS = {provider.value: provider for provider in ForgeProvider}
_MODES = {mode.value: mode for mode in PullRequestMode}
_HOSTED = {
    "github.com": ForgeProvider.GITHUB,
    "ssh.github.com": ForgeProvider.GITHUB,
    "gitlab.com": ForgeProvider.GITLAB,
    "altssh.gitlab.com": ForgeProvider.GITLAB,
    "dev.azure.com": ForgeProvider.AZURE_DEVOPS,
    "ssh.dev.azure.com": ForgeProvider.AZURE_DEVOPS,
    "vs-ssh.visualstudio.com": ForgeProvider.AZURE_DEVOPS,
    "bitbucket.org": ForgeProvider.BITBUCKET,
    "altssh.bitbucket.org": ForgeProvider.BITBUCKET,
}
_VISUAL_STUDIO = ".visualstudio.com"
_HINT = f"write one of {', '.join(_PROVIDERS)}, or {_AUTO} for a well-known host"


def read_pull_request(own: Mapping[str, str], remote: GitRemote, branch_template: str) -> PullRequestSettings | None:
    """What the owner wants of requests, None when commits go to their branch directly.

    own: settings by the names of their annotations. branch_template: that of ``git-branch``, empty when there is none.
    Raises ``PlanError`` ``pr_config_invalid``.
    """
    word = own.get(keys.GIT_PULL_REQUEST, "").strip()
    if not word:
        return None
    return PullRequestSettings(
        provider=_provider(word, remote),
        mode=_mode(own.get(keys.GIT_PULL_REQUEST_MODE, "").strip()),
        labels=parse_labels(own.get(keys.GIT_PULL_REQUEST_LABELS, "")),
        names_own_branches=not branch_template,
    )


def head_template(settings: PullRequestSettings | None, branch_template: str) -> str:
    """The template of the branch that is pushed: the owner's, else the one of the mode; empty without requests."""
    if branch_template or settings is None:
        return branch_template
    return ROLLING_BRANCH if settings.is_rolling else PER_CHANGE_BRANCH


def hosted_provider(host: str) -> ForgeProvider | None:
    """The provider behind a host that everybody knows, None for all others."""
    if host.endswith(_VISUAL_STUDIO):
        return ForgeProvider.AZURE_DEVOPS
    return _HOSTED.get(host)


def parse_labels(text: str) -> tuple[str, ...]:
    """Labels between commas, or one per line where there is a line end; raises ``PlanError`` ``pr_config_invalid``."""
    separator = "\n" if "\n" in text.strip(" ") else ","
    labels = tuple(dict.fromkeys(label.strip() for label in text.split(separator) if label.strip()))
    too_long = [label for label in labels if len(label) > MAX_LABEL or not label.isprintable()]
    if len(labels) > MAX_LABELS or too_long:
        raise _invalid(
            "git-pull-request-labels holds more than is taken",
            f"write at most {MAX_LABELS} printable labels of at most {MAX_LABEL} characters",
        )
    return labels


def _provider(word: str, remote: GitRemote) -> ForgeProvider:
    known = hosted_provider(remote.host)
    if word == _AUTO:
        if known is None and remote.host.startswith("gitlab."):
            return ForgeProvider.GITLAB
        if known is None:
            raise _invalid(f"git-pull-request is auto, and nothing is known of the host {remote.host!r}", _HINT)
        return known
    provider = _PROVIDERS.get(word)
    if provider is None:
        raise _invalid(f"git-pull-request {word[:80]!r} is no provider", _HINT)
    if known not in (None, provider):
        raise _invalid(f"git-pull-request is {word}, and {remote.host} belongs to {known.value}", _HINT)
    return provider


def _mode(word: str) -> PullRequestMode:
    if not word:
        return PullRequestMode.PER_CHANGE
    mode = _MODES.get(word)
    if mode is None:
        raise _invalid(f"git-pull-request-mode {word[:80]!r} is no mode", f"write one of {', '.join(_MODES)}")
    return mode


def _invalid(what: str, hint: str) -> PlanError:
    return PlanError(what, hint=hint, code="pr_config_invalid")
