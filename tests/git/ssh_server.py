"""OpenSSH's server on a high port: keys, host keys, and git's own programs behind it."""

from __future__ import annotations

import getpass
import os
import subprocess
from pathlib import Path

from tests.git.programs import Server, need_program
from tests.ports import free_port

_CONFIGURATION = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile {folder}/sshd.pid
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
AcceptEnv GIT_PROTOCOL
SetEnv SHLVL=1
"""
"""The level of the shell keeps bash from reading the .bashrc of whoever runs the tests, which it does under sshd."""


class SshServer:
    """Serves the whole file system to the holder of ``key``, as the user that runs the tests."""

    def __init__(self, folder: Path) -> None:
        sshd, keygen = need_program("sshd", "openssh-server"), need_program("ssh-keygen", "openssh-client")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port = folder, free_port()
        for name in ("host_key", "client_key", "other_key"):
            subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        (folder / "authorized_keys").write_text((folder / "client_key.pub").read_text())
        (folder / "sshd_config").write_text(_CONFIGURATION.format(port=self.port, folder=folder))
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        self._arguments = (sshd, "-D", "-e", "-f", folder / "sshd_config")
        self.start()

    def start(self) -> None:
        """Take connections, at the address it had before if it was stopped."""
        self.server = Server(self._arguments, "Server listening on", self.folder / "sshd.log")

    @property
    def key(self) -> str:
        return (self.folder / "client_key").read_text()

    def known_hosts(self, key_name: str = "host_key") -> str:
        kind, key, *_ = (self.folder / f"{key_name}.pub").read_text().split()
        return f"[127.0.0.1]:{self.port} {kind} {key}\n"

    def url(self, repository: Path) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{repository}"

    def login(self, url: str) -> dict[str, object]:
        """An entry for ``url`` of the credential file."""
        return {"url": url, "sshPrivateKey": self.key, "sshKnownHosts": self.known_hosts()}

    def close(self) -> None:
        self.server.stop()
