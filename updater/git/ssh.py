"""The SSH command of one batch: one key, known hosts, no questions (``write-back.md`` 4.7)."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from urllib.parse import unquote

from updater.errors import GitError
from updater.git.material import Material
from updater.git.workplaces import write_private
from updater.transport.redaction import Secret

KNOWN_HOSTS_FILE = "ssh_known_hosts"
_SOCKS = re.compile(
    r"socks5h?://(?:(?P<login>[^@/]*)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(?P<port>\d{1,5})/?"
)


def ssh_command(material: Material, known_hosts: Path, folder: Path) -> str:
    """The text for ``GIT_SSH_COMMAND``, which a shell splits; writes the key into ``folder`` (private, 0700).

    Raises ``GitError`` for a proxy that is not SOCKS5, and ``disk_failed``.
    """
    words = ["ssh", "-F", "/dev/null", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15"]
    if material.ssh_private_key:
        key = folder / "ssh-key"
        write_private(key, material.ssh_private_key.reveal())
        words += ["-i", str(key), "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"]
    if material.is_unverified:
        words += ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    else:
        words += ["-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={_quoted(known_hosts)}"]
        words += ["-o", "GlobalKnownHostsFile=/dev/null"]
    if material.proxy:
        words += ["-o", f"ProxyCommand={_proxy_command(material.proxy)}"]
    return shlex.join(words)


def _quoted(path: Path) -> str:
    """For the configuration syntax of ssh, which splits at blanks."""
    return f'"{path}"'


def proxy_login(proxy: Secret) -> dict[str, str]:
    """The environment in which the proxy's program finds user and password; empty when the proxy asks for none.

    Raises ``GitError`` for a proxy that is not SOCKS5.
    """
    user, _, password = (_parts(proxy)["login"] or "").partition(":") if proxy else ("", "", "")
    login = {"SOCKS5_USER": unquote(user), "SOCKS5_PASSWD": unquote(password)} if user else {}
    if any("\0" in text for text in login.values()):
        raise _unusable()
    return login


def _parts(proxy: Secret) -> re.Match[str]:
    match = _SOCKS.fullmatch(proxy.reveal())
    if match is None:
        raise _unusable()
    return match


def _unusable() -> GitError:
    return GitError("the proxy for SSH is not of the form socks5://[user:password@]host:port", code="invalid_secret")


def _proxy_command(proxy: Secret) -> str:
    match = _parts(proxy)
    return f"connect-proxy -S {match['host']}:{match['port']} -5 %h %p"
