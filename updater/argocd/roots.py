"""Where the API server is published, when it is not where the settings say (``argocd-api.md`` 6.2).

argocd-server writes its ``--rootpath`` into the page it serves, as the base of all links.
"""

from __future__ import annotations

import re
from dataclasses import replace

from updater.argocd.connect import ConnectionOptions
from updater.argocd.transports import Transports
from updater.clock import Clock, Deadline
from updater.errors import ArgoCDError, ArgoCDForeignAnswer, ConfigurationError
from updater.transport.errors import TransportError
from updater.transport.http import HttpOptions, HttpRequest, HttpTransport

_BASE = re.compile(
    rb"""<base\s[^>]{0,200}?href=["'](?:https?://[^/"'>]{1,255})?/?([A-Za-z0-9._~/-]{0,200})["']""", re.IGNORECASE
)
_PAGE_BYTES = 64 * 1024
_TIMEOUT_S = 20.0


def find_other_root(
    connection: ConnectionOptions, transports: Transports, clock: Clock, error: ArgoCDError
) -> ArgoCDForeignAnswer | None:
    """What to say when the server answers under another root path; None when it does not."""
    written = connection.wire.address.root_path
    guesses = dict.fromkeys(["", _published_root(connection, clock)])
    for root in guesses:
        if root != written and _answers(connection, transports, clock, root):
            place = f"under /{root}" if root else "without a root path"
            change = f"set --argocd-grpc-web-root-path {root}" if root else "drop the root path"
            return ArgoCDForeignAnswer(
                f"Argo CD is not under /{written}, it is published {place}",
                where=error.where,
                hint=change,
                code="root_path_wrong",
            )
    return None


def _answers(connection: ConnectionOptions, transports: Transports, clock: Clock, root: str) -> bool:
    address = replace(connection.wire.address, root_path=root)
    client = transports.connect(replace(connection, wire=replace(connection.wire, address=address)))
    try:
        client.fetch_version(Deadline.after(clock, _TIMEOUT_S))
    except ArgoCDError:
        return False
    else:
        return True
    finally:
        client.close()


def _published_root(connection: ConnectionOptions, clock: Clock) -> str:
    """The root path that the server's own page names, empty when it names none."""
    transport = HttpTransport(HttpOptions(connection.tls, connection.proxies), clock)
    address = replace(connection.wire.address, root_path="")
    request = HttpRequest("GET", f"{address.base_url}/", {"User-Agent": connection.wire.user_agent})
    try:
        with transport.open(request, Deadline.after(clock, _TIMEOUT_S)) as exchange:
            return root_in_page(exchange.read_start(_PAGE_BYTES))
    except (TransportError, ConfigurationError):
        # No page, no hint: the failed call stays the finding.
        return ""
    finally:
        transport.close()


def root_in_page(page: bytes) -> str:
    """The root path that the base of a page names, without outer slashes; empty when it names none."""
    found = _BASE.search(page)
    root = found[1].decode("ascii").strip("/") if found else ""
    # What no address accepts is no hint either.
    return "" if {"", ".."} & set(root.split("/")) else root
