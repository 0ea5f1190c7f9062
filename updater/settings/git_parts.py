"""The settings of method git as one value, so that the assembly sees nothing else of them (``write-back.md`` 1.8)."""

from __future__ import annotations

from dataclasses import dataclass, field

from updater.settings.model import Settings


@dataclass(frozen=True, slots=True)
class CommitSettings:
    """``message_path`` empty is the built-in template; ``is_path_chosen``: an operator wrote it, so it should exist.

    ``functions`` is ``core`` or ``extended``; ``signing_key`` empty is unsigned; ``method`` is ``git`` or ``api``.
    """

    user: str = ""
    email: str = ""
    message_path: str = ""
    is_path_chosen: bool = False
    functions: str = "core"
    signing_key: str = ""
    signing_method: str = "openpgp"
    gnupg_home: str = ""
    signs_off: bool = False
    method: str = "git"


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """``commit`` is ``single`` or ``per-app``; ``subject`` holds ``{N}``, empty is the built-in one."""

    commit: str = "single"
    max_size: int = 1000
    flush_interval_s: float = 2.0
    subject: str = ""
    is_disabled: bool = False


@dataclass(frozen=True, slots=True)
class GitRetrySettings:
    """``cap_s`` 0 is no limit of a pause; ``soft_s`` and ``fatal_s`` limit one process, ``request_s`` one request."""

    attempts: int = 3
    base_s: float = 0.5
    cap_s: float = 10.0
    factor: int = 2
    soft_s: float = 90.0
    fatal_s: float = 10.0
    request_s: float = 15.0


@dataclass(frozen=True, slots=True)
class GitPlaceSettings:
    """Folders and files; empty is none, or for ``cache`` a private one."""

    cache: str = ""
    credentials: str = ""
    secrets: str = ""
    ssh: str = "/app/config/ssh"
    tls: str = "/app/config/tls"


@dataclass(frozen=True, slots=True)
class RequestSettings:
    """Pull requests. ``api_urls`` as written; templates are texts, empty for what the commit message says."""

    api_urls: tuple[str, ...] = ()
    title_template: str = ""
    body_template: str = ""
    closes_superseded: bool = True


@dataclass(frozen=True, slots=True)
class GitWriteSettings:
    """All of it. ``app_token_s`` is how long a token of a GitHub App is used."""

    commit: CommitSettings = field(default_factory=CommitSettings)
    batch: BatchSettings = field(default_factory=BatchSettings)
    retry: GitRetrySettings = field(default_factory=GitRetrySettings)
    places: GitPlaceSettings = field(default_factory=GitPlaceSettings)
    requests: RequestSettings = field(default_factory=RequestSettings)
    override_mode: str = "seed"
    branch_strategy: str = "append"
    checkout_mode: str = "partial"
    secret_namespaces: tuple[str, ...] = ()
    allowed_repositories: tuple[str, ...] = ()
    allows_http: bool = False
    allows_local: bool = False
    max_fetch_bytes: int = 4 * 1024**3
    app_token_s: float = 3600.0


def git_settings(settings: Settings) -> GitWriteSettings:
    """The git method."""
    return GitWriteSettings(
        commit=_commit(settings),
        batch=BatchSettings(
            commit=settings.text("git_batch_commit"),
            max_size=settings.integer("git_batch_max"),
            flush_interval_s=settings.seconds("git_batch_flush_interval"),
            subject=settings.text("git_batch_subject"),
            is_disabled=settings.is_on("git_batch_disable"),
        ),
        retry=_retry(settings),
        places=GitPlaceSettings(
            cache=settings.text("git_cache_dir"),
            credentials=settings.text("git_credentials_path"),
            secrets=settings.text("git_secrets_dir"),
            ssh=settings.text("argocd_ssh_data_path"),
            tls=settings.text("argocd_tls_data_path"),
        ),
        requests=RequestSettings(
            api_urls=settings.texts("pull_request_api_url"),
            title_template=settings.text("pull_request_title_template"),
            body_template=settings.text("pull_request_body_template"),
            closes_superseded=settings.is_on("pull_request_close_superseded"),
        ),
        override_mode=settings.text("git_override_mode"),
        branch_strategy=settings.text("git_write_branch_strategy"),
        checkout_mode=settings.text("git_checkout_mode"),
        secret_namespaces=settings.texts("git_secret_namespaces"),
        allowed_repositories=settings.texts("git_allowed_repositories"),
        allows_http=settings.is_on("git_allow_insecure_http"),
        allows_local=settings.is_on("git_allow_local_repositories"),
        max_fetch_bytes=settings.integer("git_max_fetch_size"),
        app_token_s=60.0 * settings.integer("argocd_github_app_creds_expiration_duration"),
    )


def _commit(settings: Settings) -> CommitSettings:
    return CommitSettings(
        user=settings.text("git_commit_user"),
        email=settings.text("git_commit_email"),
        message_path=settings.text("git_commit_message_path"),
        is_path_chosen=settings["git_commit_message_path"].origin.is_explicit,
        functions=settings.text("git_template_functions"),
        signing_key=settings.text("git_commit_signing_key"),
        signing_method=settings.text("git_commit_signing_method"),
        gnupg_home=settings.text("argocd_gnupghome"),
        signs_off=settings.is_on("git_commit_sign_off"),
        method=settings.text("git_commit_method"),
    )


def _retry(settings: Settings) -> GitRetrySettings:
    return GitRetrySettings(
        attempts=settings.integer("argocd_git_attempts_count"),
        base_s=settings.seconds("argocd_git_retry_duration"),
        cap_s=settings.seconds("argocd_git_retry_max_duration"),
        factor=settings.integer("argocd_git_retry_factor"),
        soft_s=settings.seconds("argocd_exec_timeout"),
        fatal_s=settings.seconds("argocd_exec_fatal_timeout"),
        request_s=settings.seconds("argocd_git_request_timeout"),
    )
