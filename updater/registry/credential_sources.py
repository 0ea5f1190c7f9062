"""Where credentials come from, as text: ``[registry "="] type ":" value`` (``registries.md`` 2.1).

A text that does not parse is never shown: people paste ``user:password`` where a source belongs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from updater.errors import CredentialError


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

_SHAPES = {
    SourceType.SECRET: (re.compile(r"[^/#]+/[^/#]+#[^/#]+"), "secret:<namespace>/<name>#<field>"),
    SourceType.PULL_SECRET: (re.compile(r"[^/#]+/[^/#]+"), "pullsecret:<namespace>/<name>"),
    SourceType.ENV: (re.compile(r".+"), "env:<variable>"),
    SourceType.EXT: (re.compile(r"/.+"), "ext:<absolute path>"),
    SourceType.FILE: (re.compile(r"/.+"), "file:<absolute path>"),
    SourceType.ECR: (re.compile(r"[a-z0-9-]+"), "ecr:default or ecr:<region>"),
    SourceType.GAR: (re.compile(r"default|/.+"), "gar:default or gar:<absolute path>"),
    SourceType.ACR: (re.compile(r"[A-Za-z0-9-]+"), "acr:default or acr:<client id>"),
}
_PATH_TYPES = frozenset({SourceType.EXT, SourceType.FILE, SourceType.GAR})
_STARTS_WITH_PATH = re.compile(r"(?:ext|file|gar):/", re.IGNORECASE)
_FORMS = "env:<variable>, secret:<namespace>/<name>#<field>, pullsecret:<namespace>/<name> or ext:<absolute path>"


@dataclass(frozen=True, slots=True)
class CredentialSource:
    """A place that holds credentials. ``value`` names the place and is no secret."""

    type: SourceType
    value: str

    def __str__(self) -> str:
        return f"{self.type.value}:{self.value}"


@dataclass(frozen=True, slots=True)
class UnusableSource:
    """A source of ``registries.conf`` that did not parse: only its endpoint's credentials fail, when they are used."""

    problem: str


def parse_credential_source(text: str) -> CredentialSource:
    """The source that a text names; raises ``CredentialError`` with code ``credentials_invalid``.

    The registry name before ``=`` is accepted and has no meaning. A path may hold ``=`` and ``:``.
    """
    spec = text.strip()
    if not _STARTS_WITH_PATH.match(spec):
        registry, _, rest = spec.partition("=")
        spec = rest if registry and rest else spec
    word, _, value = spec.partition(":")
    source_type = next((known for known in SourceType if known.value == word.lower()), None)
    if source_type is None:
        raise _invalid("it does not start with a known type", _FORMS)
    shape, form = _SHAPES[source_type]
    if not shape.fullmatch(value) or (":" in value and source_type not in _PATH_TYPES):
        raise _invalid(f"what follows {source_type.value!r} has the wrong shape", form)
    return CredentialSource(source_type, value)


def _invalid(reason: str, form: str) -> CredentialError:
    return CredentialError(
        f"the credential source cannot be read: {reason}", hint=f"write {form}", code="credentials_invalid"
    )
