"""What an application shows to get a token.

A secret, or an assertion signed with the key of its certificate.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_plus

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_ALGORITHMS: Final = ("RS256", "PS256")


@dataclass(frozen=True, kw_only=True, slots=True)
class Application:
    """An app registration. ``certificate`` is a PEM text, or empty."""

    id: str
    secret: str
    certificate: str = ""


@dataclass(kw_only=True)
class GrantRefused(Exception):
    """No token: what Entra ID calls it, its number, its words."""

    status: int
    error: str
    number: int
    text: str


def find_application(
    form: Mapping[str, str], authorization: str, known: Mapping[str, Application]
) -> tuple[Application, str]:
    """The application that a request names, and the secret that it shows (empty with an assertion).

    Raises ``GrantRefused``.
    """
    name, secret = form.get("client_id", ""), form.get("client_secret", "")
    if authorization.lower().startswith("basic "):
        name, _, secret = (
            base64.b64decode(authorization[6:]).decode("utf-8", "replace").partition(":")
        )
        name, secret = unquote_plus(name), unquote_plus(secret)
    if not name:
        text = "The request body must contain the following parameter: 'client_id'."
        raise GrantRefused(status=400, error="invalid_request", number=900144, text=text)
    if name not in known:
        text = (
            f"Application with identifier '{name}' was not found in the directory 'Sandbox'. This "
            "can happen if the application has not been installed by the administrator of the "
            "tenant or consented to by any user in the tenant."
        )
        raise GrantRefused(status=400, error="unauthorized_client", number=700016, text=text)
    return known[name], secret


def check_grant(
    application: Application,
    secret: str,
    form: Mapping[str, str],
    here: Callable[[str], bool],
    now: float,
) -> None:
    """Let an application in that proves who it is.

    ``here``: whether an audience is this login. Raises ``GrantRefused``.
    """
    if form.get("client_assertion"):
        _check_assertion(application, form, here, now)
    elif not secret:
        text = (
            "The request body must contain the following parameter: 'client_assertion' or "
            "'client_secret'."
        )
        raise GrantRefused(status=401, error="invalid_client", number=7000218, text=text)
    elif not hmac.compare_digest(secret.encode(), application.secret.encode()):
        text = (
            "Invalid client secret provided. Ensure the secret being sent in the request is the "
            "client secret value, not the "
            f"client secret ID, for a secret added to app '{application.id}'."
        )
        raise GrantRefused(status=401, error="invalid_client", number=7000215, text=text)


def renew(application: Application, form: Mapping[str, str]) -> dict[str, str]:
    """What a refresh token brings besides an access token: the next refresh token.

    The sandbox signs in no users, so it cannot know which refresh tokens were theirs: any text is
    one, and the application's secret decides. Raises ``GrantRefused``.
    """
    if not form.get("refresh_token"):
        text = "The request body must contain the following parameter: 'refresh_token'."
        raise GrantRefused(status=400, error="invalid_request", number=900144, text=text)
    digest = hashlib.sha256(f"{application.id} {form['refresh_token']}".encode()).digest()
    return {"refresh_token": f"1.A{base64.urlsafe_b64encode(digest * 4).decode().rstrip('=')}"}


def _check_assertion(
    application: Application, form: Mapping[str, str], here: Callable[[str], bool], now: float
) -> None:
    if form.get("client_assertion_type") != ASSERTION:
        text = f"Client assertion type must be '{ASSERTION}'."
        raise GrantRefused(status=400, error="invalid_request", number=50027, text=text)
    claims = _assertion(application, form["client_assertion"])
    if claims.get("iss") != application.id or claims.get("sub") != application.id:
        text = (
            "Client assertion is not within its valid issuer: 'iss' and 'sub' must be the client "
            "id."
        )
        raise GrantRefused(status=401, error="invalid_client", number=700021, text=text)
    if not here(str(claims.get("aud", ""))):
        text = "Client assertion audience claim does not match Realm issuer."
        raise GrantRefused(status=401, error="invalid_client", number=700023, text=text)
    if float(claims.get("exp", 0)) <= now:
        text = "Client assertion is not within its valid time range."
        raise GrantRefused(status=401, error="invalid_client", number=700024, text=text)


def _assertion(application: Application, assertion: str) -> dict[str, Any]:
    try:
        key = x509.load_pem_x509_certificate(application.certificate.encode()).public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise jwt.InvalidKeyError("the certificate's key is not RSA")
        options: Any = {
            "verify_aud": False,
            "verify_exp": False,
            "verify_iat": False,
            "verify_nbf": False,
        }
        return dict(jwt.decode(assertion, key, algorithms=list(_ALGORITHMS), options=options))
    except (jwt.InvalidTokenError, ValueError) as error:
        text = "Client assertion failed signature validation."
        raise GrantRefused(status=401, error="invalid_client", number=700027, text=text) from error
