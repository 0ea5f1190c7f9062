"""The other end of the ask-pass helper: answers git's questions, each login only for its own host and git command.

A login is registered right before git runs and forgotten right after (``write-back.md`` 4.5). A question about another
host than the registered one is refused: a redirect or a submodule must not carry a password elsewhere.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import shutil
import socket
import socketserver
import struct
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from updater.errors import GitError
from updater.git import askpass_helper
from updater.git.workplaces import make_folder
from updater.ports.log import EventLog
from updater.transport.redaction import Secret, cap_text

_PROMPT = re.compile(
    r"(?P<what>Username|Password) for '(?P<scheme>https?)://(?:[^@/']*@)?(?P<host>[^/']+)(?:/[^']*)?': ?"
)
_NONCE_BYTES = 16
_PEER = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and password for one origin; ``host`` has its port where the URL has one."""

    scheme: str
    host: str
    username: str
    password: Secret

    def answer(self, prompt: str) -> str:
        """What to tell git; raises ``ValueError`` for a question that is not about this origin."""
        match = _PROMPT.fullmatch(prompt)
        if match is None:
            raise ValueError("this is no question for a user name or password")
        if (match["scheme"], match["host"].lower()) != (self.scheme, self.host.lower()):
            raise ValueError(f"the credentials are not for {cap_text(match['host'], 100)}")
        value = (self.username or "x-access-token") if match["what"] == "Username" else self.password.reveal()
        if not value or "\n" in value or "\0" in value:
            raise ValueError("the stored value is empty or has several lines")
        return value


class AskPass:
    """Owns the socket, its threads and the script that git runs. Thread-safe; starts when it is first used."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._logins: dict[str, Login] = {}
        self._server: _Server | None = None
        self._folder: Path | None = None

    @contextmanager
    def registered(self, login: Login) -> Iterator[Mapping[str, str]]:
        """The environment with which git finds its answers, for the time of a ``with`` block.

        Raises ``GitError`` ``disk_failed`` for a temporary folder of no use.
        """
        nonce = secrets.token_hex(_NONCE_BYTES)
        with self._lock:
            folder = self._started()
            self._logins[nonce] = login
        try:
            yield {
                "GIT_ASKPASS": str(folder / "ask-pass"),
                askpass_helper.SOCKET_VARIABLE: str(folder / "socket"),
                askpass_helper.NONCE_VARIABLE: nonce,
            }
        finally:
            with self._lock:
                del self._logins[nonce]

    def close(self) -> None:
        """Stop answering and remove the socket."""
        with self._lock:
            server, folder, self._server, self._folder = self._server, self._folder, None, None
        if server is not None:
            server.shutdown()
            server.server_close()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def answer(self, line: bytes) -> dict[str, str]:
        """The reply to one request line; nothing that is asked makes it fail."""
        try:
            request = json.loads(line)
            nonce, prompt = str(request["nonce"]), str(request["prompt"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return {"error": "the request cannot be read"}
        with self._lock:
            login = self._logins.get(nonce)
        if login is None:
            return {"error": "this question is not expected"}
        try:
            return {"value": login.answer(prompt)}
        except ValueError as error:
            self._log.warning("git_question_refused", error=str(error))
            return {"error": str(error)}

    def _started(self) -> Path:
        if self._folder is not None:
            return self._folder
        folder = make_folder(None)
        script = folder / "ask-pass"
        words = " ".join(shlex.quote(word) for word in (sys.executable, "-I", askpass_helper.__file__))
        script.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        script.chmod(0o700)
        if not os.access(script, os.X_OK):
            shutil.rmtree(folder, ignore_errors=True)
            raise _no_place_to_run(folder.parent)
        self._server = _Server(str(folder / "socket"), self)
        (folder / "socket").chmod(0o600)
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="ask-pass", daemon=True).start()
        self._folder = folder
        return folder


def _no_place_to_run(folder: Path) -> GitError:
    """Otherwise git would say that the remote has refused the credentials."""
    return GitError(
        "programs may not run from the temporary folder, so git cannot ask us for user name and password",
        where=str(folder),
        hint="mount it without noexec ('docker run --tmpfs /tmp:exec'), or name another folder with TMPDIR",
        code="disk_failed",
    )


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def __init__(self, path: str, answers: AskPass) -> None:
        self.answers = answers
        super().__init__(path, _Handler)

    def verify_request(self, request: socket.socket | tuple[bytes, socket.socket], _address: object) -> bool:
        """Only ourselves, where the system can tell."""
        option = getattr(socket, "SO_PEERCRED", None)
        if option is None or not isinstance(request, socket.socket):
            return True
        _, user, _ = _PEER.unpack(request.getsockopt(socket.SOL_SOCKET, option, _PEER.size))
        return bool(user == os.getuid())

    def handle_error(self, _request: object, _address: object) -> None:
        """A caller that went away has no answer coming; the helper reports its own end."""


class _Handler(socketserver.StreamRequestHandler):
    timeout = askpass_helper.TIMEOUT_S

    def handle(self) -> None:
        line = self.rfile.readline(askpass_helper.MAX_LINE_BYTES)
        server = self.server
        if isinstance(server, _Server):
            self.wfile.write(json.dumps(server.answers.answer(line)).encode() + b"\n")
