"""The owner's ``pull-secret``: which sources an Application may name (``images-and-strategies.md`` 5.6).

The grammar is ``updater.model.credential_sources``. The operator's own sources are refused here; so are variables with
secrets of the updater itself, because an owner also chooses the registry that they would be sent to; and with
``--strict-pull-secrets`` (``registries.md`` D11) everything but the Secrets of the Application's own namespace. The
check is on the parsed source, so that no spelling goes around it, and a text that does not parse is never shown.
"""

from __future__ import annotations

from updater.errors import PlanError
from updater.model.credential_sources import (
    KUBERNETES_TYPES,
    OPERATOR_TYPES,
    OWNER_FORMS,
    CredentialSource,
    IllegalCredentialSource,
    SourceType,
    is_own_secret,
    is_proxy,
    parse_source,
)


def parse_pull_secret(text: str, *, only_namespace: str | None = None) -> CredentialSource:
    """The source that an owner names; raises ``PlanError`` (``invalid_pull_secret``, ``pull_secret_refused``).

    ``only_namespace``: the namespace of the Application where pull secrets are strict, None where they are not.
    """
    try:
        source = parse_source(text)
    except IllegalCredentialSource as problem:
        raise PlanError(
            f"pull-secret is not a credential reference: {problem.reason}",
            hint=f"write {problem.form}",
            code="invalid_pull_secret",
        ) from problem
    if source.type in OPERATOR_TYPES:
        raise PlanError(
            f"pull-secret names a source of type {source.type.value!r}, which is the operator's alone",
            hint=f"write {OWNER_FORMS}, or have the operator name it in registries.conf",
            code="invalid_pull_secret",
        )
    if source.type is SourceType.ENV and (is_own_secret(source.value) or is_proxy(source.value)):
        raise PlanError(
            f"pull-secret names the variable {source.value!r}, which is the updater's own and holds no registry's",
            hint="name a variable that was made for this registry",
            code="pull_secret_refused",
        )
    if only_namespace is not None:
        _check_strictly(source, only_namespace)
    return source


def _check_strictly(source: CredentialSource, namespace: str) -> None:
    if source.type in KUBERNETES_TYPES and source.namespace == namespace:
        return
    raise PlanError(
        f"pull-secret {source} is not a Secret of the Application's namespace",
        hint=f"name a Secret in {namespace!r}; the updater runs with --strict-pull-secrets",
        code="pull_secret_refused",
    )
