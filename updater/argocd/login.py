"""Whether the server accepts the token (``argocd-api.md`` 5.3)."""

from __future__ import annotations

from updater.argocd.client import ArgoCDClient
from updater.clock import Deadline
from updater.errors import ArgoCDUnauthenticated


def require_login(client: ArgoCDClient, deadline: Deadline) -> str:
    """The name of the account. Raises ``ArgoCDUnauthenticated`` when the server does not know the token.

    Where anonymous access is on, a bad token silently gets the anonymous user's rights; therefore the server is asked.
    """
    user = client.fetch_user(deadline)
    if user.loggedIn:
        return user.username
    # Where anonymous access is off this call fails, and says what is wrong with the token.
    client.fetch_permission("get", "*/*", deadline)
    raise ArgoCDUnauthenticated(
        "the server does not accept the token",
        where=f"checking the token at {client.server}",
        hint="it is missing, expired, deleted, or of another Argo CD: set ARGOCD_TOKEN to a new one from "
        "'argocd account generate-token'",
    )
