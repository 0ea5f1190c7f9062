"""Writing to Git from its settings: remotes with their credentials, the batched writer, the template of messages."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from pathlib import Path

from updater.assembly.forges import RequestParts, build_requests, read_request_templates
from updater.assembly.git_admission import build_admission
from updater.assembly.surroundings import Surroundings
from updater.clock import Backoff
from updater.errors import ConfigurationError, GitError
from updater.git.authentication import CredentialedAccess
from updater.git.credentials import CredentialBook, CredentialPlaces
from updater.git.options import Committer, FetchMode, GitOptions, Signing, SigningMethod
from updater.git.processes import ProcessLimits
from updater.git.remotes import MirroredRemotes
from updater.manifests.messages import DEFAULT_BATCH_SUBJECT, parse_message_template
from updater.manifests.override_seed import OverrideMode
from updater.manifests.templates.functions import CORE, EXTENDED
from updater.ports.git import GitSecrets
from updater.ports.log import EventLog
from updater.settings.git_parts import BatchSettings, CommitSettings, GitRetrySettings, GitWriteSettings
from updater.settings.template_files import MISSING_CODE, read_template_file
from updater.writeback.git import GitWriteBack
from updater.writeback.git_making import IntentOptions
from updater.writeback.git_options import GitWriteOptions
from updater.writeback.git_requests_text import RequestTemplates

_FACTOR_OF_LIMIT = 4.0
_LEAST_BATCH_S = 300.0
"""For one batch: listing, fetch, commit and push may each take a process's time, and a lost race takes them again."""


@dataclass(frozen=True, slots=True)
class GitParts:
    """What writes to Git, and what it is made from. ``close`` once, after the last write."""

    write_back: GitWriteBack
    intents: IntentOptions
    remotes: MirroredRemotes
    access: CredentialedAccess
    requests: RequestParts
    abandoned: threading.Event

    def reconfigure(self, settings: GitWriteSettings, around: Surroundings) -> IntentOptions:
        """Commit under another name from the next batch on; how changes become commits, for the rounds.

        Raises ``ConfigurationError`` for a template of no use; then nothing has changed.
        """
        intents = replace(_intents(settings, around.log), requests_show_labels=self.intents.requests_show_labels)
        self.remotes.identify(_committer(settings.commit, around))
        return intents

    def abandon(self) -> None:
        """End running processes and requests, and begin no more: the time for an orderly end is over. Any thread."""
        self.abandoned.set()
        self.requests.clients.close()

    def close(self) -> None:
        """Remove what is private. Idempotent."""
        self.abandon()
        self.access.close()
        self.remotes.close()


@dataclass(frozen=True, slots=True)
class GitTexts:
    """The operator's templates of commit messages and pull requests, parsed."""

    intents: IntentOptions
    requests: RequestTemplates


def read_git_texts(settings: GitWriteSettings, log: EventLog) -> GitTexts:
    """What is read first at a start (``runtime.md`` 3.1). Raises ``ConfigurationError`` for a template of no use."""
    intents = _intents(settings, log)
    requests = read_request_templates(settings, intents.functions)
    return GitTexts(replace(intents, requests_show_labels=requests.show_labels), requests)


def build_git(  # noqa: PLR0913 - what callers decide, each by name
    settings: GitWriteSettings,
    around: Surroundings,
    stopping: threading.Event,
    *,
    writers: int,
    secrets: GitSecrets | None = None,
    texts: GitTexts | None = None,
    is_dry_run: bool = False,
) -> GitParts:
    """A writer that has started nothing yet.

    writers: batches that are written at a time. secrets: those of the cluster, None where there is none. texts: the
    templates where they have been read already. is_dry_run: nothing will be committed. Raises ``ConfigurationError``
    for a template, a signing key or an allowed repository of no use.
    """
    options = replace(_options(settings, around), makes_commits=not is_dry_run)
    texts = texts or read_git_texts(settings, around.log)
    abandoned = threading.Event()
    access = CredentialedAccess(
        CredentialBook(_places(settings, around, secrets)), options, around.environment, around.clock, around.log
    )
    remotes = _open_remotes(options, access, around, abandoned)
    write_options = _write_options(settings, writers)
    requests = build_requests(settings, access, around, texts.requests, write_options.backoff)
    write_back = GitWriteBack(
        remotes, write_options, around.clock, around.log, stopping, metrics=around.metrics, requests=requests.writer
    )
    return GitParts(write_back, texts.intents, remotes, access, requests, abandoned)


def _open_remotes(
    options: GitOptions, access: CredentialedAccess, around: Surroundings, abandoned: threading.Event
) -> MirroredRemotes:
    try:
        return MirroredRemotes(options, access, around.environment, around.clock, around.log, abandoned)
    except GitError as error:
        raise _unusable(error) from error


def _unusable(error: GitError) -> ConfigurationError:
    """The settings that made the opening of remotes fail."""
    if error.code == "disk_failed":
        what, flag = "mirrors of repositories cannot be kept", "--git-cache-dir"
    else:
        what, flag = "commits cannot be signed", "--git-commit-signing-key"
    hint = error.hint or f"see {flag}"
    return ConfigurationError(
        f"{what}: {error.what}", where=f"{flag} {error.where}".strip(), hint=hint, code=error.code
    )


def load_message_template(settings: CommitSettings, log: EventLog) -> str | None:
    """The operator's text, None for the built-in one. Raises ``ConfigurationError`` for a file that cannot be read."""
    if not settings.message_path:
        return None
    try:
        return read_template_file(settings.message_path)
    except ConfigurationError as error:
        if error.code != MISSING_CODE:
            raise
        if settings.is_path_chosen:
            text = f"--git-commit-message-path: {error}; the built-in template is used"
            log.warning("setting_remarked", kind=error.code, text=text)
        return None


def _intents(settings: GitWriteSettings, log: EventLog) -> IntentOptions:
    functions = EXTENDED if settings.commit.functions == "extended" else CORE
    template = parse_message_template(load_message_template(settings.commit, log), functions)
    return IntentOptions(template, functions, OverrideMode(settings.override_mode))


def _options(settings: GitWriteSettings, around: Surroundings) -> GitOptions:
    places, retry = settings.places, settings.retry
    return GitOptions(
        cache_folder=Path(places.cache) if places.cache else None,
        mode=FetchMode(settings.checkout_mode),
        limits=ProcessLimits(retry.soft_s, retry.fatal_s),
        committer=_committer(settings.commit, around),
        admission=build_admission(settings, around.log),
        ssh_folder=Path(places.ssh),
        tls_folder=Path(places.tls),
        app_token_s=settings.app_token_s,
        request_timeout_s=retry.request_s,
        uses_api=settings.commit.method == "api",
        max_fetch_bytes=settings.max_fetch_bytes,
    )


def _committer(commit: CommitSettings, around: Surroundings) -> Committer:
    signing = None
    if commit.signing_key:
        home = around.environment.get("GNUPGHOME", "") or commit.gnupg_home
        signing = Signing(SigningMethod(commit.signing_method), commit.signing_key, Path(home) if home else None)
    default = Committer()
    return Committer(commit.user or default.name, commit.email or default.email, commit.signs_off, signing)


def _places(settings: GitWriteSettings, around: Surroundings, secrets: GitSecrets | None) -> CredentialPlaces:
    places = settings.places
    return CredentialPlaces(
        environment=around.environment,
        file=Path(places.credentials) if places.credentials else None,
        mounted=Path(places.secrets) if places.secrets else None,
        secrets=secrets,
        further_namespaces=settings.secret_namespaces,
    )


def _write_options(settings: GitWriteSettings, writers: int) -> GitWriteOptions:
    batch: BatchSettings = settings.batch
    return GitWriteOptions(
        backoff=_backoff(settings.retry),
        commits_per_application=batch.commit == "per-app",
        resets_write_branch=settings.branch_strategy == "reset",
        subject=batch.subject or DEFAULT_BATCH_SUBJECT,
        is_batching=not batch.is_disabled,
        max_batch=batch.max_size,
        flush_interval_s=batch.flush_interval_s,
        writers=max(1, writers),
        batch_timeout_s=max(_LEAST_BATCH_S, _FACTOR_OF_LIMIT * settings.retry.soft_s),
    )


def _backoff(retry: GitRetrySettings) -> Backoff:
    return Backoff(retry.attempts, retry.base_s, retry.cap_s or float("inf"), factor=float(retry.factor))
