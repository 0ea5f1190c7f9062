"""Stands for a process of the program that ``starter`` forks. Imports little, because each start pays for it."""

import json
import os
import signal
import socket
import sys

PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def main() -> None:
    address, module, *words = sys.argv[1:]
    starter = socket.socket(socket.AF_UNIX)
    starter.connect(address)
    # The starter expects the wish first.
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
    for number in PASSED_ON:
        signal.signal(number, lambda received, _: starter.send(bytes([received])))
    body = json.dumps([module, words, dict(os.environ), os.getcwd()]).encode()  # noqa: PTH109 - pathlib is slow to import
    socket.send_fds(starter, [f"{len(body):08}".encode()], [0, 1, 2])
    starter.sendall(body)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
    status = b""
    while part := starter.recv(64):
        status += part
    end(int(status))


def end(status: int) -> None:
    if status < 0:
        if -status != signal.SIGKILL:  # has no handler, and must not be given one
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


if __name__ == "__main__":
    main()
