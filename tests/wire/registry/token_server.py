"""A token service as the distribution project describes it, signing JSON web tokens that its registry can check.

The registry trusts the authority whose certificate it was given; the service's own certificate travels in the token.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs

import trustme
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import load_pem_x509_certificate

from updater.playground.registry_http import HttpAnswer, HttpAsked, LoopbackServer

SERVICE, ISSUER = "debian", "tokens.test"


class TokenServer:
    """Issues tokens for pulling to one user, and to nobody else. ``scopes`` are those that were asked for."""

    def __init__(self, folder: Path, login: str) -> None:
        authority = trustme.CA(key_type=trustme.KeyType.RSA)
        issued = authority.issue_cert("tokens.test", key_type=trustme.KeyType.RSA)
        authority.cert_pem.write_to_path(folder / "tokens-ca.pem")
        key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        self._key = key
        certificate = load_pem_x509_certificate(issued.cert_chain_pems[0].bytes())
        self._certificate = certificate.public_bytes(serialization.Encoding.DER)
        self._bundle = folder / "tokens-ca.pem"
        self._basic = f"Basic {base64.b64encode(login.encode()).decode()}"
        self.scopes: list[str] = []
        self._server = LoopbackServer(self, None, name="token-server")

    @property
    def registry_configuration(self) -> str:
        """The ``auth`` part of a registry's configuration that sends its callers here."""
        options = f"realm: '{self._server.address}/token', service: {SERVICE}, issuer: {ISSUER}"
        return f"auth: {{token: {{{options}, rootcertbundle: {self._bundle}}}}}"

    def answer(self, asked: HttpAsked) -> HttpAnswer:
        scopes = parse_qs(asked.query).get("scope", [])
        if asked.headers.get("Authorization") != self._basic:
            return HttpAnswer(401, body=b'{"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]}')
        self.scopes += scopes
        body = json.dumps({"token": self._token(scopes), "expires_in": 300}).encode()
        return HttpAnswer(200, {"Content-Type": "application/json"}, body)

    def close(self) -> None:
        self._server.close()

    def _token(self, scopes: list[str]) -> str:
        now = int(time.time())
        access = []
        for scope in scopes:
            kind, name, actions = scope.split(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        head = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(self._certificate).decode()]}
        claims = {"iss": ISSUER, "aud": SERVICE, "sub": "", "jti": str(now), "access": access}
        claims |= {"exp": now + 300, "nbf": now - 10, "iat": now}
        signed = f"{_part(json.dumps(head).encode())}.{_part(json.dumps(claims).encode())}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_part(signature)}"


@contextmanager
def serve_tokens(folder: Path, login: str) -> Iterator[TokenServer]:
    server = TokenServer(folder, login)
    try:
        yield server
    finally:
        server.close()


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
