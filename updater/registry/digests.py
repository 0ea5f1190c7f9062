"""Digests: their syntax, and whether content is what a digest names (``registries.md`` 3.9).

Descriptors come from the network, so a digest is checked before it enters a URL.
"""

from __future__ import annotations

import hashlib
import re

_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
_SHA512 = re.compile(r"sha512:[0-9a-f]{128}")


def is_digest(text: str) -> bool:
    """Whether the text is a sha256 or sha512 digest in its one legal spelling."""
    return _SHA256.fullmatch(text) is not None or _SHA512.fullmatch(text) is not None


def is_sha256(text: str) -> bool:
    """Whether the text is a sha256 digest: the only kind that registries give to what is asked for by tag."""
    return _SHA256.fullmatch(text) is not None


def digest_of(content: bytes) -> str:
    """The sha256 digest of some bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def names(digest: str, content: bytes) -> bool:
    """Whether the digest, a legal one, is that of the content; its algorithm is the digest's own."""
    algorithm, _, wanted = digest.partition(":")
    return hashlib.new(algorithm, content).hexdigest() == wanted
