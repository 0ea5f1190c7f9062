"""What ``git push --porcelain`` answered (``write-back.md`` 3.12). Pure.

A line per ref: ``<flag> TAB <from>:<to> TAB <summary> [(<reason>)]``. Exit status 1 covers both a lost race and a
policy of the remote, so only this line tells them apart.
"""

from __future__ import annotations

import re

from updater.ports.git import HEADS, PushFate, PushResult
from updater.transport.redaction import cap_text, redact

_LINE = re.compile(r"^(?P<flag>[ *+=!-])\t[^\t]*:(?P<ref>[^\t]+)\t(?P<summary>.*)$", re.MULTILINE)
_LOST_LOCALLY = ("(fetch first)", "(non-fast-forward)", "(stale info)", "(needs force)", "(already exists)")
_LOST_REMOTELY = re.compile(
    r"failed to update ref|cannot lock ref|reference already exists|failed to lock|incorrect old value|fetch first"
    r"|stale info|but expected|TF401028",
    re.IGNORECASE,
)
_NEVER_WON = re.compile(r"exists; cannot create|directory file conflict|non-fast-forward", re.IGNORECASE)
"""Looks like a lost race, but no later attempt can win: another branch is in the place of a folder or the other way
round, or the remote lets no branch be made anew (``receive.denyNonFastForwards``); what we append is always ahead."""
_PROTECTED = re.compile(
    r"protected branch|branch is protected|GH006|GH013|not allowed to (?:force )?push|TF402455",
    re.IGNORECASE,
)
_BY_THE_DISK = re.compile(
    r"unpacker error|No space left|unable to (?:create temporary|write)|unpack failed", re.IGNORECASE
)
_FROM_THE_REMOTE = re.compile(r"^(?:remote:|error: (?=remote unpack failed:))(.*)$", re.MULTILINE)


def read_push(stdout: str, stderr: str, branch: str) -> PushResult | None:
    """The fate of the push of ``branch``; None when the remote gave no status for it."""
    line = next((each for each in _LINE.finditer(stdout) if each["ref"] == HEADS + branch), None)
    if line is None:
        return None
    if line["flag"] != "!":
        return PushResult(PushFate.LANDED)
    said = _said(line["summary"], stderr)
    if "[remote rejected]" not in line["summary"]:
        is_race = any(reason in line["summary"] for reason in _LOST_LOCALLY)
        return PushResult(PushFate.RACE if is_race else PushFate.UNKNOWN, said)
    return PushResult(_refused(line["summary"], stderr), said)


def _refused(summary: str, stderr: str) -> PushFate:
    """Why the remote, and not git on this side, did not store it."""
    if _NEVER_WON.search(summary + stderr):
        return PushFate.PROTECTED
    if _LOST_REMOTELY.search(summary):
        return PushFate.RACE
    if _BY_THE_DISK.search(summary):
        return PushFate.UNKNOWN
    return PushFate.PROTECTED if _PROTECTED.search(summary + stderr) else PushFate.DENIED


def _said(summary: str, stderr: str) -> str:
    """The status, what hooks wrote and why nothing was unpacked, one line."""
    remote = " ".join(found[1].strip() for found in _FROM_THE_REMOTE.finditer(stderr))
    return cap_text(redact(f"{summary} {remote}"))
