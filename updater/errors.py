"""The error tree: one root, branches that say who is at fault.

::

    UpdaterError
    ├── ConfigurationError      the operator's flags, variables, files
    ├── PlanError               what an Application's owner wrote
    ├── ArgoCDError             the Argo CD API, by what a caller would do next
    │   ├── ArgoCDUnreachable       no usable connection: DNS, TCP, TLS, proxy
    │   ├── ArgoCDForeignAnswer     something answered that is not the gRPC service
    │   ├── ArgoCDUnauthenticated   the token
    │   ├── ArgoCDDenied            RBAC, or a read the server could not do
    │   ├── ArgoCDNotFound          the Application is gone or moved
    │   ├── ArgoCDInvalid           the request or the spec was refused
    │   ├── ArgoCDConflict          somebody else wrote at the same time
    │   ├── ArgoCDExhausted         throttled, or a message over the limit
    │   ├── ArgoCDUnavailable       try again later
    │   ├── ArgoCDTimeout           our deadline passed; the outcome of a write is unknown
    │   └── ArgoCDProtocolError     bytes that break the protocol, or a bug in the server
    ├── RegistryError           a registry, by what a caller would do next
    │   ├── RegistryUnreachable     network, TLS, deadline
    │   ├── RegistryUnavailable     throttled or failing; try again later
    │   ├── RegistryAuthError       credentials missing, rejected or without access
    │   ├── RepositoryUnknown       no such repository
    │   └── RegistryProtocolError   an answer of the wrong shape or size
    ├── GitError                git, or the remote it speaks to; ``code`` is one of ``write-back.md`` 7.1
    ├── ForgeError              the API for pull requests; ``code`` is one of ``write-back.md`` 7.1
    │   └── ForgeWaits              a rate limit met before is still used up: nothing was sent
    ├── CredentialError         a credential source that cannot be read
    ├── WebhookRejected         a webhook that is no event for us; ``code`` is one of ``runtime.md`` 7.4
    └── WriteBackError          a change that could not be carried out

An error says *what* failed, *where*, and *what to do* when that is known; ``str()`` is that on one line.
``code`` is stable and meant for machines. ``retryable`` belongs to the error, the policy to its caller.
Texts from outside must be capped and redacted before they get here (``updater.transport.redaction``).
"""

from __future__ import annotations


class UpdaterError(Exception):
    """Root of everything this program raises on purpose.

    ``what`` is a clause without a final stop; ``where`` names the application, image, file or URL (without
    secrets); ``hint`` says what to change.
    """

    code: str = "error"
    retryable: bool = False

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        hint: str = "",
        code: str | None = None,
        retry_after_s: float | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint
        self.retry_after_s = retry_after_s
        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        text = f"{text}; {self.hint}" if self.hint else text
        return " ".join(text.split())


class ConfigurationError(UpdaterError):
    """A flag, variable or file of the operator; ``code`` is one of ``runtime.md`` 1.14."""

    code = "bad_configuration"


class PlanError(UpdaterError):
    """What an Application's owner wrote cannot be followed."""

    code = "plan_invalid"


class ArgoCDError(UpdaterError):
    """A call to the Argo CD API failed."""

    code = "argocd_error"


class ArgoCDUnreachable(ArgoCDError):
    """No usable connection: name, port, TLS or proxy."""

    code = "argocd_unreachable"
    retryable = True


class ArgoCDForeignAnswer(ArgoCDError):
    """Something between us and the API server answered in its place."""

    code = "argocd_foreign_answer"


class ArgoCDUnauthenticated(ArgoCDError):
    """The token is missing, malformed, expired or unknown."""

    code = "argocd_unauthenticated"


class ArgoCDDenied(ArgoCDError):
    """RBAC refused, or the server could not read the Application (``argocd-api.md`` 5.5)."""

    code = "argocd_denied"


class ArgoCDNotFound(ArgoCDError):
    """The Application does not exist, or not in the project that was named."""

    code = "argocd_not_found"


class ArgoCDInvalid(ArgoCDError):
    """The request, spec, destination or project was refused."""

    code = "argocd_invalid"


class ArgoCDConflict(ArgoCDError):
    """Somebody else wrote at the same time: read again, recompute, write again."""

    code = "argocd_conflict"
    retryable = True


class ArgoCDExhausted(ArgoCDError):
    """Throttled; or, with code ``argocd_too_large``, a message over the limit, which no retry mends."""

    code = "argocd_exhausted"
    retryable = True


class ArgoCDUnavailable(ArgoCDError):
    """The server or something before it is not available now; a write may or may not have been applied."""

    code = "argocd_unavailable"
    retryable = True


class ArgoCDTimeout(ArgoCDError):
    """The deadline passed or the call was cancelled; the outcome of a write is unknown."""

    code = "argocd_timeout"
    retryable = True


class ArgoCDProtocolError(ArgoCDError):
    """A broken answer, or an internal error of the server."""

    code = "argocd_protocol"


class RegistryError(UpdaterError):
    """A registry request failed."""

    code = "registry_error"


class RegistryUnreachable(RegistryError):
    """Network, TLS or deadline."""

    code = "registry_unreachable"
    retryable = True


class RegistryUnavailable(RegistryError):
    """Throttled or failing on the server's side."""

    code = "registry_unavailable"
    retryable = True


class RegistryAuthError(RegistryError):
    """Credentials are missing, were rejected, or do not reach this repository."""

    code = "auth_failed"


class RepositoryUnknown(RegistryError):
    """The registry has no such repository, or hides it from us."""

    code = "repository_unknown"


class RegistryProtocolError(RegistryError):
    """An answer of the wrong shape, an endless listing, or a body over its cap."""

    code = "registry_protocol"


class GitError(UpdaterError):
    """A git process or a Git remote failed; ``code`` is one of ``write-back.md`` 7.1."""

    code = "git_failed"


class ForgeError(UpdaterError):
    """A request to a forge's API failed; ``code`` is one of ``write-back.md`` 7.1."""

    code = "pr_failed"


class ForgeWaits(ForgeError):
    """Nothing was sent, because a rate limit that was met before is still used up."""


class CredentialError(UpdaterError):
    """A credential source cannot be parsed or read."""

    code = "credentials_unavailable"


class WebhookRejected(UpdaterError):
    """A request to the webhook server that is refused, or is no event for us; ``what`` is shown to its sender."""

    code = "webhook_rejected"


class WriteBackError(UpdaterError):
    """A change could not be carried out; ``code`` is one of ``write-back.md`` 7.1."""

    code = "update_failed"
