"""The environment and configuration of every git process (``write-back.md`` 3.2).

Built from a list of what may pass, not by taking things away: the updater's own environment holds tokens for Argo CD
and registries that neither git nor a program it starts needs to see.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_PASSED = frozenset(
    (
        "PATH",
        "TMPDIR",
        "TZ",
        "LD_LIBRARY_PATH",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "GIT_SSL_CAPATH",
        "http_proxy",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
        "no_proxy",
        "NO_PROXY",
    )
)
_PASSED_PREFIX = "GIT_TRACE"

CONFIGURATION = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "credential.helper=",
    "protocol.allow=never",
    "protocol.https.allow=always",
    "protocol.ssh.allow=always",
    "protocol.ext.allow=never",
    "protocol.version=2",
    "gc.auto=0",
    "maintenance.auto=false",
    "fetch.writeCommitGraph=false",
    "repack.writeBitmaps=false",
    "push.recurseSubmodules=no",
    "submodule.recurse=false",
    "push.gpgSign=false",
)
"""Nothing of a repository runs, nobody is asked, nothing is tidied behind our back (``Mirror`` does that)."""


def environment_for(inherited: Mapping[str, str], *, home: Path, repository: Path) -> dict[str, str]:
    """The environment for local commands on the bare repository; what a remote needs is added by its access."""
    passed = {name: value for name, value in inherited.items() if name in _PASSED or name.startswith(_PASSED_PREFIX)}
    return {
        **passed,
        "HOME": str(home),
        "GIT_DIR": str(repository),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "GIT_SSH_VARIANT": "ssh",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
    }
