"""JSON Web Tokens signed with RS256 (RFC 7515, RFC 7519), as GitHub Apps and Google show them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from updater.errors import CredentialError
from updater.transport.redaction import Secret


def sign_token(claims: Mapping[str, object], private_key: Secret) -> Secret:
    """The compact form; raises ``CredentialError`` ``invalid_secret`` for a key that is no RSA key in PEM."""
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415 - 40 ms, and only Apps need it
    from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415 - as above

    try:
        key = serialization.load_pem_private_key(private_key.reveal().encode(), password=None)
    except (ValueError, TypeError) as error:
        raise _no_key() from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise _no_key()
    head = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
    signature = key.sign(head.encode(), padding.PKCS1v15(), hashes.SHA256())
    return Secret(f"{head}.{_base64(signature)}")


def _part(value: Mapping[str, object]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _no_key() -> CredentialError:
    return CredentialError(
        "the private key for tokens is no RSA key in PEM",
        hint="download it again from where it was made",
        code="invalid_secret",
    )
