"""Reading the file of a commit message template; what its text means is not looked at here."""

from __future__ import annotations

from pathlib import Path

from updater.errors import ConfigurationError
from updater.transport.redaction import cap_text

MISSING_CODE = "template_missing"
MAX_TEMPLATE_BYTES = 64 * 1024
"""The limit of the template language itself (``write-back.md`` appendix A)."""


def read_template_file(path: str) -> str:
    """The text. Raises ``ConfigurationError``: ``template_missing`` when there is no such file, else unreadable."""
    try:
        with Path(path).open("rb") as stream:
            content = stream.read(MAX_TEMPLATE_BYTES + 1)
    except FileNotFoundError as error:
        raise _unusable(path, "no such file or directory", MISSING_CODE) from error
    except OSError as error:
        raise _unusable(path, cap_text(error.strerror or str(error))) from error
    if len(content) > MAX_TEMPLATE_BYTES:
        raise _unusable(path, f"it is larger than {MAX_TEMPLATE_BYTES} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise _unusable(path, "it is not UTF-8") from error


def _unusable(path: str, why: str, code: str = "template_unreadable") -> ConfigurationError:
    return ConfigurationError(f"the commit message template cannot be used: {why}", where=path, code=code)
