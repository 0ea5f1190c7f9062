"""Which repositories may be written, from the settings of the operator (``write-back.md`` 3.2)."""

from __future__ import annotations

from updater.errors import ConfigurationError
from updater.git.options import Admission
from updater.model.git_prefixes import GitPrefix, parse_git_prefix
from updater.model.git_remotes import IllegalGitRemote
from updater.ports.log import EventLog
from updater.settings.git_parts import GitWriteSettings
from updater.transport.redaction import cap_text, redact


def build_admission(settings: GitWriteSettings, log: EventLog) -> Admission:
    """The rule for addresses; raises ``ConfigurationError`` for an allowed repository that no address begins with."""
    prefixes = tuple(_prefix(text) for text in settings.allowed_repositories)
    if settings.allows_local and not any(prefix.is_local for prefix in prefixes):
        _remark_local(log, is_bounded=bool(prefixes))
    return Admission(settings.allows_http, settings.allows_local, prefixes)


def _prefix(text: str) -> GitPrefix:
    try:
        return parse_git_prefix(text)
    except IllegalGitRemote as error:
        hint = "write the beginning of an address as git gets it"
        where = f"--git-allowed-repositories {redact(cap_text(text))}"
        raise ConfigurationError(str(error), where=where, hint=hint, code="repo_url_refused") from error


def _remark_local(log: EventLog, *, is_bounded: bool) -> None:
    """A local repository runs its own hooks as this process, so an operator should have said which may."""
    if is_bounded:
        kind, what = "local_repositories_unused", "no folder of this machine, so that no local repository is written"
    else:
        kind = "local_repositories_unbounded"
        what = "nothing: owners may name any repository of this machine, and its hooks run as this process"
    text = f"--git-allow-local-repositories is set, and --git-allowed-repositories names {what}"
    log.warning("setting_remarked", kind=kind, text=text)
