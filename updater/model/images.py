"""Images as data: the rule and the plan for one configured image, the choice among tags, the decision.

``ImagePlan -> Choice -> Decision``: a plan says what an owner wants, a choice which tag the registry offers for it, a
decision what follows for the Application, with one reason out of a closed set.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from updater.model.applications import ApplicationKey
from updater.model.references import ImageReference, ImageRepository


class Strategy(Enum):
    """Update strategies, by the value of the annotation."""

    SEMVER = "semver"
    NEWEST_BUILD = "newest-build"
    ALPHABETICAL = "alphabetical"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class TagRule:
    """Which tag of a repository is wanted, in the owner's words: plain data, comparable, a key for caches.

    ``constraint`` is the text after the colon of an entry, ``semver_constraint`` the annotation of that name; with
    the semver strategy both must hold. ``ignore_tags`` are globs, ``platforms`` are ``os/arch[/variant]``.
    """

    strategy: Strategy = Strategy.SEMVER
    constraint: str = ""
    semver_constraint: str = ""
    allow_tags: str = ""
    ignore_tags: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TagList:
    """The complete list of tags of one repository, as the registry gave them: unsorted, without repeats."""

    repository: ImageRepository
    tags: tuple[str, ...]


class Loss(Enum):
    """Why a tag was not chosen; the value is the text for people."""

    NOT_ALLOWED = "not matched by allow-tags"
    IGNORED = "ignored by ignore-tags"
    NOT_A_VERSION = "not a version"
    PRERELEASE = "pre-release excluded"
    OUTSIDE_CONSTRAINT = "outside the constraint"
    CONSTRAINT_UNREADABLE = "not judged: the constraint cannot be read"
    NOT_THE_TAG = "not the tag to follow"
    PLATFORM_MISSING = "platform missing"
    METADATA_UNREADABLE = "metadata unreadable"
    OLDER = "older"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tag that may be chosen, with what is known of it.

    ``created_ns`` counts nanoseconds since the epoch (``registries.md`` 3.7), None when no source gives a date.
    ``loss`` is why inspection found that the tag cannot be chosen: PLATFORM_MISSING or METADATA_UNREADABLE.
    """

    tag: str
    created_ns: int | None = None
    digest: str = ""
    loss: Loss | None = None


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a rule needs to know of tags: ``platforms`` as in ``TagRule``; creation times only if they are wanted."""

    platforms: tuple[str, ...] = ()
    wants_created: bool = True


ImageLabels = tuple[tuple[str, str], ...]
"""Labels of an image, each key once: capped, and every value on one line of printable characters."""


class Severity(Enum):
    """How loudly an outcome is reported, by the name of the log level."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Reason(Enum):
    """Why an image was or was not changed: the closed set that every planned image ends in exactly one of."""

    UPDATE = "update"
    """A wanted reference differs from the live one and from the spec."""
    UP_TO_DATE = "up_to_date"
    ALREADY_SET = "already_set"
    """The spec holds the wanted reference; the cluster has not followed yet."""
    OVERRIDDEN = "overridden"
    """A later entry of the image list writes another tag to the same place, and the later one wins."""
    NOT_LIVE = "not_live"
    INVALID_REFERENCE = "invalid_reference"
    NO_TAGS = "no_tags"
    NOTHING_FITS = "nothing_fits"
    """Every tag was filtered out or is no candidate for the strategy."""
    OUTSIDE_CONSTRAINT = "outside_constraint"
    """There are candidates, none inside the constraint."""
    INVALID_CONSTRAINT = "invalid_constraint"
    INVALID_SETTINGS = "invalid_settings"
    """An annotation other than the constraint makes the image impossible to handle."""
    ENDPOINT_UNKNOWN = "endpoint_unknown"
    CREDENTIALS_FAILED = "credentials_failed"
    TAGS_UNAVAILABLE = "tags_unavailable"
    """The registry could not be asked, or not completely: nothing is known, nothing is changed."""
    METADATA_UNKNOWN = "metadata_unknown"
    SPEC_UNREADABLE = "spec_unreadable"
    """The current reference in the spec cannot be told, so a change could not be judged."""


class Counter(Enum):
    """The counters of ``runtime.md`` 3.7, by the name in the summary line."""

    # Each member is one object. The inherited hash is that of its name, made in Python, a score of times per report.
    __hash__ = object.__hash__

    CONSIDERED = "images_considered"
    SKIPPED = "images_skipped"
    UPDATED = "images_updated"
    ERRORS = "errors"


@dataclass(frozen=True, slots=True)
class Choice:
    """What selection says: the winner or the reason for none, and why every other tag lost.

    ``considered`` counts the tags that were looked at; ``losses`` holds one entry for every tag but the winner.
    ``problem`` is the text of an owner's mistake, for example of a constraint that cannot be parsed.
    """

    winner: Candidate | None
    considered: int = 0
    losses: tuple[tuple[str, Loss], ...] = ()
    none_because: Reason | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class HelmTarget:
    """Names of Helm parameters; ``spec`` wins over the two others (``images-and-strategies.md`` 3.5)."""

    name: str = "image.name"
    tag: str = "image.tag"
    spec: str = ""


@dataclass(frozen=True, slots=True)
class KustomizeTarget:
    """The image name in the manifests (``kustomize.image-name``), empty when it is the image's own name."""

    image_name: str = ""


@dataclass(frozen=True, slots=True)
class PluginTarget:
    """Names of a plugin's environment variables, empty when not written; ``spec`` wins over the two others."""

    name: str = ""
    tag: str = ""
    spec: str = ""


OverrideTarget = HelmTarget | KustomizeTarget | PluginTarget


@dataclass(frozen=True, slots=True)
class ImagePlan:
    """What an owner wants for one entry of the image list.

    ``entry`` is the text as written; ``wanted`` holds the configured repository (its tag and digest are empty);
    ``live`` is the running reference, None when the image is not running; ``running`` are all running references of
    that image, in the order of the live list. ``in_spec`` is the reference that the spec sets now, empty when it sets
    none; ``spec_problem`` says why it cannot be told. ``overridden_by`` is the text of the entry that has precedence
    where both write the same override. ``invalid`` says why a legal plan could not be made.
    """

    application: ApplicationKey
    entry: str
    alias: str
    repository: ImageRepository
    rule: TagRule
    target: OverrideTarget
    live: ImageReference | None
    running: tuple[ImageReference, ...] = ()
    in_spec: str = ""
    spec_problem: str = ""
    overridden_by: str = ""
    is_forced: bool = False
    pull_secret: str = ""
    invalid: str = ""
    invalid_reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The one outcome of one planned image.

    ``wanted`` is set exactly when ``reason`` is UPDATE. ``problem`` is one line for people, ``error_code`` the code
    of the error behind it; both empty when there is none. ``counts`` are what ``runtime.md`` 3.7 says to add.
    """

    plan: ImagePlan
    reason: Reason
    choice: Choice | None = None
    wanted: ImageReference | None = None
    problem: str = ""
    error_code: str = ""
    counts: frozenset[Counter] = frozenset()
