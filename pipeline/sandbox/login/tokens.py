"""Access tokens: signed as Microsoft Entra ID signs them (RS256), with a published key."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

_REMEMBERED: Final = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Claims:
    """What a good token says: who may call whom, until when (seconds since 1970)."""

    application: str
    audience: str
    expires: float


class BadTokenError(Exception):
    """A token is none of ours, or its time is over; the text says which."""


class Issuer:
    """Makes tokens and reads them again. ``now`` is the clock, in seconds since 1970."""

    def __init__(self, tenant: str, now: Callable[[], float]) -> None:
        """Tokens of one tenant."""
        self._tenant = tenant
        self._now = now
        self._known: dict[str, Claims] = {}

    def issue(self, application: str, audience: str, lifetime: int, issuer: str) -> str:
        """A token for an application; ``audience`` as it was asked for."""
        begin = int(self._now())
        claims = {
            "aud": audience,
            "iss": issuer,
            "iat": begin,
            "nbf": begin,
            "exp": begin + lifetime,
            "appid": application,
            "azp": application,
            "tid": self._tenant,
            "oid": str(uuid.uuid5(uuid.NAMESPACE_URL, application)),
            "sub": str(uuid.uuid5(uuid.NAMESPACE_URL, application)),
            "ver": "1.0",
            "uti": uuid.uuid4().hex,
        }
        private, identity = _key()
        return jwt.encode(
            claims, private, algorithm="RS256", headers={"kid": identity, "x5t": identity}
        )

    def read(self, token: str) -> Claims:
        """What a token says. Raises ``BadTokenError``."""
        found = self._known.get(token) or self._check(token)
        if found.expires <= self._now():
            raise BadTokenError("The token has expired.")
        return found

    def _check(self, token: str) -> Claims:
        try:
            options: Any = {
                "verify_exp": False,
                "verify_aud": False,
                "verify_nbf": False,
                "verify_iat": False,
            }
            claims = jwt.decode(
                token, _key()[0].public_key(), algorithms=["RS256"], options=options
            )
        except jwt.InvalidTokenError as error:
            raise BadTokenError("The token's signature is invalid.") from error
        found = Claims(application=claims["appid"], audience=claims["aud"], expires=claims["exp"])
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        self._known[token] = found
        return found


@cache
def _key() -> tuple[rsa.RSAPrivateKey, str]:
    """The key that this process signs with, and its name."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, _encode(hashlib.sha1(public, usedforsecurity=False).digest())


def publish_keys() -> dict[str, Any]:
    """The public key as a JSON Web Key Set."""
    private, identity = _key()
    numbers = private.public_key().public_numbers()
    members = {
        name: _encode(value.to_bytes((value.bit_length() + 7) // 8))
        for name, value in (("n", numbers.n), ("e", numbers.e))
    }
    return {
        "keys": [
            {
                "kty": "RSA",
                "use": "sig",
                "kid": identity,
                "x5t": identity,
                "alg": "RS256",
                **members,
            }
        ]
    }


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
