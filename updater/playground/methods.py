"""The methods the server offers, by full path, and whether they need a login (``argocd-api.md`` 1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType


class Login(Enum):
    """What the authentication step makes of a missing or bad token."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


METHODS: Mapping[str, Login] = MappingProxyType(
    {
        "/application.ApplicationService/List": Login.REQUIRED,
        "/application.ApplicationService/Get": Login.REQUIRED,
        "/application.ApplicationService/Watch": Login.REQUIRED,
        "/application.ApplicationService/UpdateSpec": Login.REQUIRED,
        "/application.ApplicationService/Patch": Login.REQUIRED,
        "/application.ApplicationService/Sync": Login.REQUIRED,
        "/application.ApplicationService/Rollback": Login.REQUIRED,
        "/application.ApplicationService/GetApplicationSyncWindows": Login.REQUIRED,
        "/version.VersionService/Version": Login.OPTIONAL,
        "/session.SessionService/Create": Login.NONE,
        "/session.SessionService/GetUserInfo": Login.OPTIONAL,
        "/account.AccountService/CanI": Login.REQUIRED,
        "/cluster.SettingsService/Get": Login.OPTIONAL,
    }
)


def method_path(name: str) -> str:
    """The full path of a method named by its last part or by its full path; ``ValueError`` for an unknown one.

    ``Get`` is the one of ApplicationService, the first in the table; SettingsService's needs its full path.
    """
    if name in METHODS:
        return name
    for path in METHODS:
        if path.rpartition("/")[2] == name:
            return path
    raise ValueError(f"unknown method {name!r}: expected one of {', '.join(METHODS)}")
