"""What git runs to ask for a user name or password: fetches the answer over a private socket and prints it.

Git calls it with one argument, the prompt. Neither its environment nor its arguments hold a secret; the nonce is worth
nothing after the git command it was made for. Also the command ``argocd-image-updater ask-pass``. Standard library
only, because it starts for every question.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence

SOCKET_VARIABLE = "ARGOCD_ASK_PASS_SOCK"
NONCE_VARIABLE = "ARGOCD_GIT_ASKPASS_NONCE"
EXIT_FAILED = 20
"""``runtime.md`` 1.1."""
TIMEOUT_S = 5.0
MAX_LINE_BYTES = 65_536


def ask(prompt: str, environment: Mapping[str, str]) -> str:
    """The answer to a prompt; raises ``OSError`` or ``ValueError`` when there is none."""
    path, nonce = environment.get(SOCKET_VARIABLE, ""), environment.get(NONCE_VARIABLE, "")
    if not path or not nonce:
        raise ValueError(f"{SOCKET_VARIABLE} and {NONCE_VARIABLE} are not set: this is for git to call")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(TIMEOUT_S)
        connection.connect(path)
        connection.sendall(json.dumps({"nonce": nonce, "prompt": prompt}).encode() + b"\n")
        with connection.makefile("rb") as stream:
            line = stream.readline(MAX_LINE_BYTES)
    answer = json.loads(line)
    value = answer.get("value") if isinstance(answer, dict) else None
    if not isinstance(value, str) or not value:
        said = answer.get("error") if isinstance(answer, dict) else None
        raise ValueError(str(said or "the updater gave no answer"))
    return value


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Print the answer to the prompt in ``arguments``; the exit status."""
    if len(arguments) != 1:
        sys.stderr.write("ask-pass: expected one argument, the prompt\n")
        return EXIT_FAILED
    try:
        value = ask(arguments[0], environment)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"ask-pass: {error}\n")
        return EXIT_FAILED
    sys.stdout.write(f"{value}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
