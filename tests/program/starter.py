"""Forks the program for each stub that asks; ends when its standard input does."""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_LENGTH_BYTES = 8


@dataclass(frozen=True)
class Wish:
    """What a stub was started with."""

    module: str
    words: list[str]
    environment: dict[str, str]
    folder: str
    streams: list[int]


class Starter:
    """Serves stubs in one thread, because only a process with one thread may be forked."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._selector = selectors.DefaultSelector()
        self._stubs: dict[int, socket.socket] = {}
        self._ended: dict[int, int] = {}

    def serve(self) -> Wish | None:
        """Returns in every process that was forked, with what it has to do; in the starter itself with None."""
        self._selector.register(0, selectors.EVENT_READ, lambda: None)
        self._selector.register(self._listening, selectors.EVENT_READ, self._accept)
        while True:
            for key, _ in self._selector.select():
                if key.fd == 0:
                    return None
                # The end of a program takes its stub away, of which something may have come at the same moment.
                is_served = self._selector.get_map().get(key.fd) is key
                wish = key.data() if is_served else None
                if wish is not None:
                    return wish

    def _accept(self) -> Wish | None:
        stub, _ = self._listening.accept()
        wish = _read_wish(stub)
        if wish is None:
            stub.close()
            return None
        pid = os.fork()
        if pid == 0:
            for other in (self._listening, stub, *self._stubs.values()):
                other.close()
            for number in self._ended.values():
                os.close(number)
            self._selector.close()
            return wish
        for stream in wish.streams:
            os.close(stream)
        self._stubs[pid] = stub
        self._ended[pid] = ended = os.pidfd_open(pid)
        self._selector.register(ended, selectors.EVENT_READ, lambda: self._report(pid))
        self._selector.register(stub, selectors.EVENT_READ, lambda: self._obey(pid, stub))
        return None

    def _obey(self, pid: int, stub: socket.socket) -> None:
        """A byte is a signal to pass on; the end of the stub is the end of the program."""
        numbers = stub.recv(64)
        for number in numbers or bytes([signal.SIGKILL]):
            os.kill(pid, number)
        if not numbers:
            self._selector.unregister(stub)

    def _report(self, pid: int) -> None:
        ended = self._ended.pop(pid)
        self._selector.unregister(ended)
        os.close(ended)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        stub = self._stubs.pop(pid)
        if stub in self._selector.get_map():
            self._selector.unregister(stub)
        with stub:
            _send(stub, status)


def _send(stub: socket.socket, status: int) -> None:
    try:
        stub.sendall(str(status).encode())
    except OSError as error:
        os.write(2, f"the stub has gone: {error}\n".encode())


def _read_wish(stub: socket.socket) -> Wish | None:
    """None when the stub was killed before it had said everything."""
    head, streams, _, _ = socket.recv_fds(stub, _LENGTH_BYTES, 3)
    size, body = int(head or b"0"), b""
    while len(body) < size and (part := stub.recv(size - len(body))):
        body += part
    if not body or len(body) < size:
        for stream in streams:
            os.close(stream)
        return None
    return Wish(*json.loads(body), streams)


def become(wish: Wish) -> Callable[[], Any]:
    """Take on the place of the stub; returns the entrance to go in by."""
    for number, stream in enumerate(wish.streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(wish.folder)
    os.environ.clear()
    os.environ.update(wish.environment)
    sys.argv = [wish.module, *wish.words]
    # They stay open as long as the process.
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    entry = importlib.import_module("updater.cli.entry")
    entrance: Callable[[], Any] = entry.main_beside_server if wish.module == "sidecar" else entry.main
    return entrance


def import_everything() -> None:
    for package in ("updater", "sidecar"):
        for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if not found.name.endswith("__main__"):
                importlib.import_module(found.name)
    assert threading.active_count() == 1
    gc.freeze()


if __name__ == "__main__":
    import_everything()
    with socket.socket(fileno=int(sys.argv[1])) as asked:
        wanted = Starter(asked).serve()
    if wanted is not None:
        become(wanted)()
