"""Platforms: does a manifest fit what an owner wants (``registries.md`` 3.8, ``images-and-strategies.md`` 5.5).

A malformed item must match nothing: it never widens the filter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_ALIASES = {
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "aarch64": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
    "i386": ("386", ""),
}
_ONLY_VARIANTS = frozenset((("arm64", "v8"), ("amd64", "v1")))
"""Variants that are the only meaning of the plain architecture name."""

_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Platform:
    """Operating system, architecture and variant (empty when none) in their canonical spelling."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        text = f"{self.os}/{self.architecture}"
        return f"{text}/{self.variant}" if self.variant else text


def make_platform(os: str, architecture: str, variant: str = "") -> Platform:
    """Canonical spelling: lower case, aliases resolved, ``arm64/v8`` and ``amd64/v1`` without variant."""
    name, implied = _ALIASES.get(architecture.lower(), (architecture.lower(), ""))
    variant = variant.lower() or implied
    return Platform(os.lower(), name, "" if (name, variant) in _ONLY_VARIANTS else variant)


def parse_platform(text: str) -> Platform | None:
    """The platform of ``os/arch[/variant]``, None when it is malformed."""
    os, _, rest = text.strip().partition("/")
    architecture, _, variant = rest.partition("/")
    if not os.strip() or not architecture.strip():
        return None
    return make_platform(os.strip(), architecture.strip(), variant.strip())


@dataclass(frozen=True, slots=True)
class PlatformFilter:
    """The wanted platforms. ``is_restricted`` stays true when every item of the filter was malformed."""

    wanted: frozenset[Platform] = frozenset()
    is_restricted: bool = False
    malformed: tuple[str, ...] = ()

    def accepts(self, candidate: Platform | None) -> bool:
        """Whether a manifest's platform fits; None is a descriptor that names none.

        ``unknown/unknown`` marks attestations, which are never images to run.
        """
        if candidate is not None and candidate.os == candidate.architecture == _UNKNOWN:
            return False
        if not self.is_restricted:
            return True
        if candidate is None:
            return False
        return candidate in self.wanted or Platform(candidate.os, candidate.architecture) in self.wanted


def parse_platform_filter(items: Iterable[str]) -> PlatformFilter:
    """The filter for items as written; no item at all restricts nothing."""
    texts = tuple(items)
    parsed = {text: parse_platform(text) for text in texts}
    return PlatformFilter(
        wanted=frozenset(platform for platform in parsed.values() if platform is not None),
        is_restricted=bool(texts),
        malformed=tuple(text for text in texts if parsed[text] is None),
    )
