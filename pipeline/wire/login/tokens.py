"""Access tokens that were given to us: what can be read of one without asking anybody.

A token is never verified here, and nothing of it is shown but when it expires.
"""

from __future__ import annotations

import base64
import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from pipeline.errors import ConfigurationError
from pipeline.wire.login.auth import AccessToken
from pipeline.wire.login.settings import hide_unusual

_FOREVER: Final = 2**53
_PARTS: Final = 3
"""Of a JSON web token: header, claims, signature."""


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class GivenToken:
    """A token as we were given it; it cannot be renewed.

    ``variable`` is the environment variable that it comes from.
    """

    token: str
    expires_on: int = _FOREVER
    variable: str = ""

    def get_token(self, *_scopes: str, **_: Any) -> AccessToken:
        """The token itself."""
        return self

    def explain_refusal(self, now: float) -> str:
        """What to do once a system refuses the token; ``now`` in seconds since 1970."""
        name = hide_unusual(self.variable)
        if self.expires_on < now:
            return f"{_describe_end(name, self.expires_on)} {_RENEW}"
        if read_claims(self.token) is None:
            return (
                f"What the variable {name} holds is not an access token: a token has three parts "
                f"with dots between them. {_RENEW}"
            )
        return (
            f"The access token in the variable {name} has not expired, but may be for another "
            "system or another tenant. Get one for this url, and check that its user or "
            "application is known in this environment."
        )


_RENEW: Final = "Get a new token and put it into that variable."


def _describe_end(name: str, expires_on: int) -> str:
    moment = dt.datetime.fromtimestamp(expires_on, dt.UTC)
    return f"The access token in the variable {name} expired at {moment:%Y-%m-%d %H:%M} UTC."


def take_token(token: str, variable: str, now: float) -> GivenToken:
    """The token that a variable holds.

    Raises:
        ConfigurationError: it cannot stand in a header, or it has expired.
    """
    name = hide_unusual(variable)
    if not is_token(token):
        raise ConfigurationError(
            f"the environment variable {name} holds line ends or characters that no token has.",
            where="auth.token_env",
        )
    expires_on = _read_end(read_claims(token) or {})
    if expires_on < now:
        raise ConfigurationError(
            f"{_describe_end(name, expires_on)} {_RENEW}", where="auth.token_env"
        )
    return GivenToken(token=token, expires_on=expires_on, variable=variable)


def is_token(value: object) -> bool:
    """Whether a value can stand in a header as a token."""
    return isinstance(value, str) and value.isascii() and value.isprintable() and bool(value)


def read_claims(token: str) -> Mapping[str, object] | None:
    """What a JSON web token says; null if the text is not one."""
    parts = token.split(".")
    if len(parts) != _PARTS:
        return None
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    return claims if isinstance(claims, dict) else None


def _read_end(claims: Mapping[str, object]) -> int:
    """When a token expires, in seconds since 1970."""
    end = claims.get("exp")
    if isinstance(end, bool) or not isinstance(end, int | float) or not math.isfinite(end):
        return _FOREVER
    return max(0, min(int(end), _LATEST))


_LATEST: Final = 253_402_300_799
"""The last second of the year 9999, in seconds since 1970."""
