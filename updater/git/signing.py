"""Vouching for commits: what is known of a signature before the first one is made (``write-back.md`` 1.7).

git makes signatures by calling a program for each format: ``gpg``, ``gpgsm`` and ``ssh-keygen``, or what the system's
configuration of git names instead (``gpg.x509.program`` and its siblings). Whether a key is there and needs no pass
phrase only that program knows; asking it would start an agent for commits that may never come.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from updater.clock import Clock, Deadline
from updater.errors import GitError
from updater.git.environment import environment_for
from updater.git.options import Signing, SigningMethod
from updater.git.processes import Command, ProcessRunner
from updater.transport.redaction import cap_text

_SIGNING_FAILED = "signing_failed"
_ASKING_S = 10.0
"""For git to read one value of its configuration."""
_PROGRAMS = {
    SigningMethod.OPENPGP: ("gpg", "gnupg"),
    SigningMethod.SSH: ("ssh-keygen", "openssh-client"),
    SigningMethod.X509: ("gpgsm", "gpgsm"),
}
"""By method: the program that git calls, and Debian's package with it."""
_HINTS = {
    SigningMethod.OPENPGP: "see that gpg has the secret key, and that it needs no pass phrase",
    SigningMethod.SSH: "see that the key is a private one of mode 0600, and that it needs no pass phrase",
    SigningMethod.X509: (
        "see that gpgsm --list-secret-keys shows the certificate, that its root is in trustlist.txt, that its "
        "revocation list can be had or disable-crl-checks is set, and that the key needs no pass phrase"
    ),
}


def check_key(signing: Signing) -> None:
    """Raise ``GitError`` ``signing_failed`` for a key that cannot work: at the start, not at the first commit."""
    if signing.key.startswith("-") or not signing.key.strip():
        raise GitError("the signing key is no key", code=_SIGNING_FAILED)
    if signing.method is SigningMethod.SSH and not signing.key.startswith("key::"):
        path = Path(signing.key)
        if not path.is_file() or not os.access(path, os.R_OK):
            raise GitError("the SSH signing key cannot be read", where=str(path), code=_SIGNING_FAILED)


def check_program(method: SigningMethod, runner: ProcessRunner, inherited: Mapping[str, str], clock: Clock) -> None:
    """Raise ``GitError`` ``signing_failed`` when there is no program to make such signatures with.

    ``git_missing`` when there is not even git, which is asked what to call instead when the usual program is missing.
    """
    program, package = _PROGRAMS[method]
    if shutil.which(program, path=inherited.get("PATH", os.defpath)) is not None:
        return
    key, root = f"gpg.{method.value}.program", Path("/")
    names = f"^({key}|gpg\\.program)$" if method is SigningMethod.OPENPGP else f"^{key}$"
    environment = environment_for(inherited, home=root, repository=root)
    command = Command(("git", "config", "--system", "--get-regexp", names), root, environment)
    if runner.run(command, Deadline.after(clock, _ASKING_S)).status != 0:
        hint = f"install Debian's package {package}, or name another program as {key} in the system's git configuration"
        raise GitError(f"there is no program {program}", hint=hint, code=_SIGNING_FAILED)


def refused_signature(complaint: str, method: SigningMethod) -> GitError:
    """The error for a commit that git did not sign; ``complaint`` is what it wrote to stderr."""
    text = f"the commit cannot be signed: {cap_text(complaint)}"
    return GitError(text, hint=_HINTS[method], code=_SIGNING_FAILED)
