"""Writing changes to Git."""

from __future__ import annotations

from updater.settings.model import Bounds, Kind, Option, Value

_HOUR_S = 3_600.0


def _variable(
    name: str, kind: Kind, default: Value, text: str, bounds: Bounds | None = None, *, is_secret: bool = False
) -> Option:
    return Option(name, kind, default, text, variable=name, has_flag=False, bounds=bounds, is_secret=is_secret)


_IDENTITY = (
    Option(
        "git-commit-user",
        Kind.STRING,
        "argocd-image-updater",
        "Name of the committer",
        variable="GIT_COMMIT_USER",
        config_key="git.user",
    ),
    Option(
        "git-commit-email",
        Kind.STRING,
        "noreply@argoproj.io",
        "Mail address of the committer",
        variable="GIT_COMMIT_EMAIL",
        config_key="git.email",
    ),
    Option(
        "git-commit-message-path",
        Kind.STRING,
        "/app/config/commit.template",
        "File with the template of commit messages; empty or missing uses the built-in one",
        config_key="git.commit-message-template",
    ),
    Option(
        "git-commit-signing-key",
        Kind.STRING,
        "",
        "Key to sign commits with: GnuPG key id, certificate of gpgsm, or path of an SSH private key",
        variable="GIT_COMMIT_SIGNING_KEY",
        config_key="git.commit-signing-key",
    ),
    Option(
        "git-commit-signing-method",
        Kind.STRING,
        "openpgp",
        "'openpgp', 'ssh' or 'x509'",
        variable="GIT_COMMIT_SIGNING_METHOD",
        config_key="git.commit-signing-method",
        choices=("openpgp", "ssh", "x509"),
    ),
    Option(
        "git-commit-sign-off",
        Kind.BOOL,
        False,
        "Add a sign-off line to commit messages",
        variable="GIT_COMMIT_SIGN_OFF",
        config_key="git.commit-sign-off",
    ),
    Option(
        "git-commit-method",
        Kind.STRING,
        "git",
        "'git', or 'api' for commits through the API of GitHub",
        variable="GIT_COMMIT_METHOD",
        choices=("git", "api"),
    ),
)

_TEMPLATES = (
    Option(
        "git-template-functions",
        Kind.STRING,
        "core",
        "Functions that templates of messages and branches may call: 'core' or 'extended'",
        variable="GIT_TEMPLATE_FUNCTIONS",
        choices=("core", "extended"),
        commands=frozenset({"run", "webhook", "template"}),
    ),
    Option(
        "git-batch-subject",
        Kind.STRING,
        "build: automatic update of {N} applications",
        "First line of the message of a commit for several Applications; {N} is their number",
        variable="GIT_BATCH_SUBJECT",
    ),
)

_BATCHES = (
    Option(
        "git-batch-commit",
        Kind.STRING,
        "single",
        "'single' makes one commit of a batch, 'per-app' one per Application",
        variable="GIT_BATCH_COMMIT",
        choices=("single", "per-app"),
    ),
    Option(
        "git-batch-max",
        Kind.INT,
        1_000,
        "Most changes in one push",
        variable="GIT_BATCH_MAX",
        bounds=Bounds(1, 10_000),
    ),
    Option(
        "git-batch-flush-interval",
        Kind.DURATION,
        2.0,
        "Longest time a change waits for others",
        variable="GIT_BATCH_FLUSH_INTERVAL",
        bounds=Bounds(0, _HOUR_S, code="bad_duration"),
    ),
    _variable("GIT_BATCH_DISABLE", Kind.BOOL, False, "'true' writes every Application on its own"),
)

_WORK = (
    Option(
        "git-override-mode",
        Kind.STRING,
        "seed",
        "What a new override file begins with: 'seed' or 'managed-only'",
        variable="GIT_OVERRIDE_MODE",
        choices=("seed", "managed-only"),
    ),
    Option(
        "git-write-branch-strategy",
        Kind.STRING,
        "append",
        "What happens to a write branch that exists: 'append' or 'reset'",
        variable="GIT_WRITE_BRANCH_STRATEGY",
        choices=("append", "reset"),
    ),
    Option(
        "git-checkout-mode",
        Kind.STRING,
        "partial",
        "How much is fetched: 'partial' or 'shallow'",
        variable="GIT_CHECKOUT_MODE",
        choices=("partial", "shallow"),
    ),
    Option(
        "git-cache-dir",
        Kind.STRING,
        "",
        "Folder for mirrors of repositories; empty uses a private temporary one",
        variable="GIT_CACHE_DIR",
    ),
    Option(
        "git-max-fetch-size",
        Kind.INT,
        4 * 1024**3,
        "Largest pack of objects to accept from a remote, in bytes; 0 is no limit",
        variable="GIT_MAX_FETCH_SIZE",
        bounds=Bounds(0),
    ),
    Option("git-credentials-path", Kind.STRING, "", "File with credentials for Git", variable="GIT_CREDENTIALS_PATH"),
    Option("git-secrets-dir", Kind.STRING, "", "Folder with mounted secrets for Git", variable="GIT_SECRETS_DIR"),
    Option(
        "git-secret-namespaces",
        Kind.LIST,
        (),
        "Further namespaces that git:secret: may name; * is any",
        variable="GIT_SECRET_NAMESPACES",
    ),
    Option(
        "git-allowed-repositories",
        Kind.LIST,
        (),
        "Beginnings of the URLs that may be written; empty allows all",
        variable="GIT_ALLOWED_REPOSITORIES",
    ),
    Option(
        "git-allow-local-repositories",
        Kind.BOOL,
        False,
        "Permit repositories on this machine, by path or file URL; name their folders in --git-allowed-repositories",
        variable="GIT_ALLOW_LOCAL_REPOSITORIES",
    ),
    Option(
        "git-allow-insecure-http",
        Kind.BOOL,
        False,
        "Permit repositories without TLS",
        variable="GIT_ALLOW_INSECURE_HTTP",
    ),
)

_PULL_REQUESTS = (
    Option(
        "pull-request-api-url",
        Kind.ARRAY,
        (),
        "Address of a forge's API as PROVIDER[@HOST]=URL; may be repeated, one per line in the variable",
        variable="PULL_REQUEST_API_URL",
        variable_separator="\n",
    ),
    Option(
        "pull-request-title-template",
        Kind.STRING,
        "",
        "Template for titles of pull requests; empty takes the first line of the commit message",
        variable="PULL_REQUEST_TITLE_TEMPLATE",
    ),
    Option(
        "pull-request-body-template",
        Kind.STRING,
        "",
        "Template for texts of pull requests; empty takes the rest of the commit message",
        variable="PULL_REQUEST_BODY_TEMPLATE",
    ),
    Option(
        "pull-request-close-superseded",
        Kind.BOOL,
        True,
        "Close an older pull request of the same target when a newer one is opened",
        variable="PULL_REQUEST_CLOSE_SUPERSEDED",
    ),
)

_LIMITS = (
    _variable("ARGOCD_GIT_ATTEMPTS_COUNT", Kind.INT, 3, "Attempts of a Git operation over the network", Bounds(1)),
    _variable("ARGOCD_GIT_RETRY_DURATION", Kind.DURATION, 0.5, "First pause between attempts", Bounds(0)),
    _variable(
        "ARGOCD_GIT_RETRY_MAX_DURATION", Kind.DURATION, 10.0, "Longest pause between attempts; 0 is no limit", Bounds(0)
    ),
    _variable("ARGOCD_GIT_RETRY_FACTOR", Kind.INT, 2, "Growth of the pause between attempts", Bounds(1, 100)),
    _variable("ARGOCD_GIT_REQUEST_TIMEOUT", Kind.DURATION, 15.0, "Time for an HTTP request of Git", Bounds(0.1)),
    _variable(
        "ARGOCD_EXEC_TIMEOUT", Kind.DURATION, 90.0, "Time after which a Git process is asked to end", Bounds(0.1)
    ),
    _variable("ARGOCD_EXEC_FATAL_TIMEOUT", Kind.DURATION, 10.0, "Further time until it is killed", Bounds(0)),
    _variable(
        "ARGOCD_GITHUB_APP_CREDS_EXPIRATION_DURATION", Kind.INT, 60, "Minutes a GitHub App token is kept", Bounds(0)
    ),
    _variable("ARGOCD_SSH_DATA_PATH", Kind.STRING, "/app/config/ssh", "Folder of the file ssh_known_hosts"),
    _variable("ARGOCD_TLS_DATA_PATH", Kind.STRING, "/app/config/tls", "Folder of CA files, each named after a host"),
    _variable("ARGOCD_GNUPGHOME", Kind.STRING, "/app/config/gpg/keys", "GnuPG folder when GNUPGHOME is not set"),
)

_CREDENTIALS = (
    _variable(
        "GIT_CREDENTIALS_HOST",
        Kind.STRING,
        "",
        "Hosts, separated by commas, that the following login is for; without one it is not used",
    ),
    _variable("GIT_USERNAME", Kind.STRING, "", "User name for these hosts"),
    _variable("GIT_PASSWORD", Kind.STRING, "", "Password or token", is_secret=True),
    _variable("GIT_PASSWORD_FILE", Kind.STRING, "", "File with the password or token"),
    _variable("GIT_BEARER_TOKEN", Kind.STRING, "", "Token that is sent as a bearer header", is_secret=True),
    _variable("GIT_BEARER_TOKEN_FILE", Kind.STRING, "", "File with that token"),
    _variable("GIT_SCM_TOKEN", Kind.STRING, "", "Token for pull requests beside an SSH key", is_secret=True),
    _variable("GIT_SCM_TOKEN_FILE", Kind.STRING, "", "File with that token"),
    _variable("GIT_SSH_KEY_FILE", Kind.STRING, "", "File with an SSH private key"),
    _variable("GIT_SSH_KNOWN_HOSTS_FILE", Kind.STRING, "", "File with the known hosts for SSH"),
    _variable("GIT_SSH_AGENT", Kind.STRING, "", "'true' uses the SSH agent of SSH_AUTH_SOCK"),
    _variable("GITHUB_APP_ID", Kind.STRING, "", "Id of a GitHub App"),
    _variable("GITHUB_APP_INSTALLATION_ID", Kind.STRING, "", "Its installation; found out when left out"),
    _variable("GITHUB_APP_PRIVATE_KEY_FILE", Kind.STRING, "", "File with its private key"),
    _variable("GITHUB_APP_BASE_URL", Kind.STRING, "", "Address of the API of GitHub Enterprise"),
)
"""Read by ``updater.git`` from the environment at each use; the rows make them known, and masked in logs."""

GIT = (*_IDENTITY, *_TEMPLATES, *_BATCHES, *_WORK, *_PULL_REQUESTS, *_LIMITS, *_CREDENTIALS)
