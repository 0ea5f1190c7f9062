"""What may stand in the path of a repository's address, and when two local paths are one. Pure.

curl squashes dot segments before it asks, and servers and file systems walk them: ``https://h/a/../b`` begins like
``https://h/a`` and is ``https://h/b``. An address with them would pass a check by its beginning, or get the credentials
of one, and reach another repository (RFC 3986, 5.2.4 and 6.2.2).
"""

from __future__ import annotations

import re
from urllib.parse import unquote

_DOTS = (".", "..")
_SEPARATORS = re.compile(r"[/\\]")
"""With the one that some servers take for a slash."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SLASHES = re.compile(r"/+")
_MAX_DECODINGS = 4
"""A name is encoded once, and a proxy on the way may decode once more; what goes on after that hides something."""


def has_dot_segment(path: str) -> bool:
    """Whether a segment is ``.`` or ``..``, plainly or percent-encoded; or encoded so often that nobody can tell.

    Parameters of a segment do not count: servers in Java drop them first, so that ``..;x`` is ``..`` to them.
    """
    for _ in range(_MAX_DECODINGS):
        if any(segment.partition(";")[0] in _DOTS for segment in _SEPARATORS.split(path)):
            return True
        decoded = unquote(path)
        if decoded == path:
            return False
        path = decoded
    return True


def has_control(path: str) -> bool:
    """Whether it decodes to a control character; git decodes the addresses of SSH and of files."""
    return _CONTROL.search(unquote(path)) is not None


def local_path(text: str) -> str | None:
    """The path of a ``file`` URL, decoded as git does it, or of a plain path; None for the address of a server.

    Spellings of one folder give one text: without doubled and trailing slashes and without ``.git``. Letter case stays.
    """
    scheme, path = text[:7].lower(), text
    if scheme == "file://":
        path = unquote(text[7:])
    if not path.startswith("/"):
        return None
    return _SLASHES.sub("/", path).rstrip("/").removesuffix(".git").rstrip("/")
