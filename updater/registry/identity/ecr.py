"""Amazon ECR, private and public: an authorisation token through the default AWS credential chain.

Rules: ``registries.md`` 2.1 and 3.13; Amazon ECR API reference, ``GetAuthorizationToken`` (a token is the base64 of
``AWS:<password>`` and holds for twelve hours). The region is the one in the source, else the one in the registry's
host, else the one of the AWS configuration. The public registry only has its service in ``us-east-1``.
"""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Hashable
from datetime import datetime
from typing import Any

from updater.clock import Clock, Deadline
from updater.errors import CredentialError
from updater.registry.credential_sources import CredentialSource
from updater.registry.credential_values import CredentialNeed, Credentials, Lease, parse_user_and_password
from updater.registry.identity.libraries import (
    BROKEN_ANSWERS,
    CONNECT_S,
    READ_S,
    identity_failed,
    lifetime_s,
    load_library,
)

EXTRA = "ecr"
TOKEN_S = 12 * 3600.0
_PUBLIC_HOSTS = frozenset({"public.ecr.aws", "ecr-public.aws.com"})
_PUBLIC_REGION = "us-east-1"
_PRIVATE_HOST = re.compile(r"[0-9]{12}\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.")
_HINT = "check the AWS identity of this process and its right to ecr:GetAuthorizationToken"


class EcrFetcher:
    """Fetches authorisation tokens. Thread-safe: clients are made one at a time, as botocore asks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()

    def key(self, source: CredentialSource, need: CredentialNeed) -> Hashable:
        """The registry too: its host decides on service and region."""
        return source, need.api_host, need.expire_s

    def fetch(self, source: CredentialSource, need: CredentialNeed, deadline: Deadline) -> Lease[Credentials]:
        """User and password for the registry; raises ``CredentialError``."""
        where = str(source)
        botocore = load_library("botocore.session", EXTRA, where)
        failures = load_library("botocore.exceptions", EXTRA, where)
        service, region = service_and_region(source.value, need.api_host)
        try:
            client = self._client(botocore, service, region, deadline)
            answer = client.get_authorization_token()
        except (failures.BotoCoreError, failures.ClientError, *BROKEN_ANSWERS) as error:
            raise identity_failed("AWS gives no authorisation token", error, where=where, hint=_HINT) from None
        token, expires_at = _token(answer, where)
        life_s = lifetime_s(expires_at, self._clock.now(), need.expire_s, default_s=TOKEN_S)
        return Lease(_decode(token, where), life_s)

    def select(self, value: Credentials, need: CredentialNeed) -> Credentials:
        """The pair itself."""
        del need
        return value

    def _client(self, botocore: Any, service: str, region: str, deadline: Deadline) -> Any:
        config = load_library("botocore.config", EXTRA, service).Config(
            connect_timeout=min(CONNECT_S, max(1.0, deadline.remaining_s())),
            read_timeout=min(READ_S, max(1.0, deadline.remaining_s())),
            retries={"total_max_attempts": 3, "mode": "standard"},
        )
        with self._lock:
            session = botocore.get_session()
            return session.create_client(service, region_name=region or None, config=config)


def service_and_region(value: str, host: str) -> tuple[str, str]:
    """Name of the AWS service and its region, empty for the region of the AWS configuration."""
    name = host.partition(":")[0]
    if name in _PUBLIC_HOSTS:
        return "ecr-public", _PUBLIC_REGION
    found = _PRIVATE_HOST.match(name)
    if value != "default":
        return "ecr", value
    return "ecr", found[1] if found else ""


def _token(answer: dict[str, Any], where: str) -> tuple[str, datetime | None]:
    """The token and its end; the private service answers with a list of one, the public one with the thing itself."""
    data: Any = answer.get("authorizationData")
    if isinstance(data, list):
        data = data[0] if data else None
    token = data.get("authorizationToken") if isinstance(data, dict) else None
    if not isinstance(token, str) or not token:
        raise CredentialError("the answer of AWS holds no token", where=where, hint=_HINT, code="identity_failed")
    expires_at = data.get("expiresAt")
    return token, expires_at if isinstance(expires_at, datetime) else None


def _decode(token: str, where: str) -> Credentials:
    try:
        pair = base64.b64decode(token, validate=True).decode("utf-8")
    except ValueError:
        # Without the cause, which holds the token.
        raise CredentialError("the token of AWS is not base64", where=where, code="identity_failed") from None
    return parse_user_and_password(pair, where=where)
