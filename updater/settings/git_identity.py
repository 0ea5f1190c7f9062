"""Who commits: what git refuses, and what it writes otherwise than it was given.

Git takes nearly any text. It drops angle brackets and line ends, and certain characters at both ends (tried with git
2.39, whose source calls them crud); a name of which nothing is left ends every commit with status 128. An address is
never refused, neither by git nor by the checks that forges make of objects, but nobody can be told by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from updater.errors import ConfigurationError
from updater.model.report import Warned
from updater.settings.model import Setting
from updater.settings.validation import name_source

BAD_IDENTITY = "bad_git_identity"

_CRUD = "".join(map(chr, range(33))) + ".,:;<>\"\\'"
_DROPPED = re.compile(r"[<>\n]")
_ADDRESS = re.compile(r"[^\s@\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f]+")
_SHOWN = 80


def as_git_writes(text: str) -> str:
    """A name or address as it comes into commits; runs of blanks and line ends were one blank before git saw them."""
    return _DROPPED.sub("", " ".join(text.split()).strip(_CRUD))


def check_identity(found: Mapping[str, Setting]) -> None:
    """Raises ``ConfigurationError`` (``bad_git_identity``) for what no commit can be made with."""
    for key in ("git_commit_user", "git_commit_email"):
        text = str(found[key].value)
        if "\0" in text:
            raise _refused(found[key], "it holds a NUL character")
    name = str(found["git_commit_user"].value)
    if name.strip() and not as_git_writes(name):
        raise _refused(found["git_commit_user"], "nothing is left of it once git has dropped what it keeps no name of")


def identity_remarks(found: Mapping[str, Setting]) -> Iterator[Warned]:
    """What will stand in commits otherwise than it was meant."""
    name, email = found["git_commit_user"], found["git_commit_email"]
    if (written := _changed(name)) is not None:
        yield _remark(
            name, f"git makes {written[:_SHOWN]!r} of it; leave out angle brackets, and punctuation at its ends"
        )
    if (written := _changed(email)) is not None:
        yield _remark(email, f"git makes {written[:_SHOWN]!r} of it; give the bare address, without name and brackets")
    elif str(email.value).strip() and not _ADDRESS.fullmatch(str(email.value).strip()):
        yield _remark(email, "it is no mail address; git takes it, but no forge knows by it who commits")


def _changed(setting: Setting) -> str | None:
    """What git makes of a value; None where that is the value."""
    text = str(setting.value).strip()
    written = as_git_writes(text)
    return None if written == text else written


def _remark(setting: Setting, what: str) -> Warned:
    return Warned(BAD_IDENTITY, f"{name_source(setting)} {str(setting.value)[:_SHOWN]!r}: {what}")


def _refused(setting: Setting, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"git refuses the identity {str(setting.value)[:_SHOWN]!r}: {why}",
        where=name_source(setting),
        hint="give letters or digits",
        code=BAD_IDENTITY,
    )
