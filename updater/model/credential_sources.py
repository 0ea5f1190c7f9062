"""Where credentials come from, as text: ``[registry "="] type ":" value`` (``registries.md`` 2.1).

One grammar for both writers of such texts: operators in ``registries.conf`` and owners in annotations and rules
documents. A text that does not parse is never shown, because people paste ``user:password`` where a source belongs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

DOCKER_CONFIG_FIELD = ".dockerconfigjson"
"""The field of a Secret of type ``kubernetes.io/dockerconfigjson``; the legacy ``.dockercfg`` is not read."""


class SourceType(Enum):
    """Types of source, by the word in front of the colon. The last four only exist in the operator's places."""

    SECRET = "secret"  # noqa: S105 - the word of the grammar
    PULL_SECRET = "pullsecret"  # noqa: S105 - the word of the grammar
    ENV = "env"
    EXT = "ext"
    FILE = "file"
    ECR = "ecr"
    GAR = "gar"
    ACR = "acr"


OPERATOR_TYPES = frozenset({SourceType.FILE, SourceType.ECR, SourceType.GAR, SourceType.ACR})
"""They name files and identities of the process, which an owner must not reach."""
KUBERNETES_TYPES = frozenset({SourceType.SECRET, SourceType.PULL_SECRET})

OWNER_FORMS = "secret:<namespace>/<name>#<field>, pullsecret:<namespace>/<name>, env:<variable> or ext:<absolute path>"
_PART = r"[^/#:\s]+"
_SHAPES = {
    SourceType.SECRET: (re.compile(f"{_PART}/{_PART}#{_PART}"), "secret:<namespace>/<name>#<field>"),
    SourceType.PULL_SECRET: (re.compile(f"{_PART}/{_PART}"), "pullsecret:<namespace>/<name>"),
    SourceType.ENV: (re.compile(r"[^:\n]+"), "env:<variable>"),
    SourceType.EXT: (re.compile(r"/.+"), "ext:<absolute path>"),
    SourceType.FILE: (re.compile(r"/.+"), "file:<absolute path>"),
    SourceType.ECR: (re.compile(r"[a-z0-9-]+"), "ecr:default or ecr:<region>"),
    SourceType.GAR: (re.compile(r"default|/.+"), "gar:default or gar:<absolute path>"),
    SourceType.ACR: (re.compile(r"[A-Za-z0-9-]+"), "acr:default or acr:<client id>"),
}
_OWN_SECRETS = re.compile(
    r"ARGOCD_(?:(?:AUTH_)?TOKEN|HEADERS)|GIT_(?:PASSWORD|BEARER_TOKEN)|.*WEBHOOK.*SECRET.*", re.IGNORECASE
)
_PROXIES = re.compile(r"(?:HTTPS?|ALL)_PROXY", re.IGNORECASE)
_TYPES = {known.value: known for known in SourceType}


def is_own_secret(variable: str) -> bool:
    """Whether a variable holds what the updater itself is trusted with: Argo CD's token and headers, Git, webhooks."""
    return _OWN_SECRETS.fullmatch(variable) is not None


def is_proxy(variable: str) -> bool:
    """Whether a variable names a proxy: its URL may hold a password, and reads as ``user:password``."""
    return _PROXIES.fullmatch(variable) is not None


class IllegalCredentialSource(ValueError):
    """A text that names no source. ``reason`` and ``form`` (what to write) hold nothing of the text.

    Not of the tree in ``updater.errors``, which is a neighbour of this floor: who knows where the text stood says so.
    """

    def __init__(self, reason: str, form: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.form = form


@dataclass(frozen=True, slots=True)
class CredentialSource:
    """A place that holds credentials. ``value`` names the place and is no secret; ``registry`` has no meaning."""

    type: SourceType
    value: str
    registry: str = field(default="", compare=False)

    @property
    def namespace(self) -> str:
        """The namespace of the Kubernetes Secret, empty for another type of source."""
        return self.value.partition("/")[0] if self.type in KUBERNETES_TYPES else ""

    @property
    def secret_name(self) -> str:
        """The name of the Kubernetes Secret, empty for another type of source."""
        rest = self.value.partition("/")[2] if self.type in KUBERNETES_TYPES else ""
        return rest.partition("#")[0]

    @property
    def secret_field(self) -> str:
        """The field of the Kubernetes Secret, empty for another type of source."""
        if self.type is SourceType.PULL_SECRET:
            return DOCKER_CONFIG_FIELD
        return self.value.partition("#")[2] if self.type is SourceType.SECRET else ""

    def __str__(self) -> str:
        return f"{self.type.value}:{self.value}"


def parse_source(text: str, *, forms: str = OWNER_FORMS) -> CredentialSource:
    """The source that a text names; raises ``IllegalCredentialSource``. ``forms`` is offered for an unknown type.

    White space around the text does not count, the type word may be in capitals, and a path may hold ``=`` and ``:``.
    """
    registry, spec = _split_registry(text.strip())
    word, _, value = spec.partition(":")
    source_type = _TYPES.get(word.lower())
    if source_type is None:
        raise IllegalCredentialSource("it does not start with a known type", forms)
    shape, form = _SHAPES[source_type]
    if not shape.fullmatch(value):
        raise IllegalCredentialSource(f"what follows {source_type.value!r} has the wrong shape", form)
    return CredentialSource(source_type, value, registry)


def _split_registry(spec: str) -> tuple[str, str]:
    """The registry name before the first ``=`` and the rest; a path or variable that holds ``=`` has no such name."""
    registry, _, rest = spec.partition("=")
    is_name = bool(registry and rest) and registry.partition(":")[0].lower() not in _TYPES
    return (registry, rest) if is_name else ("", spec)
