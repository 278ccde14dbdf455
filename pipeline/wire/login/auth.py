"""Tokens for requests, taken from a credential.

They are renewed before they expire, and once more when a system refuses one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from typing import Any, Final, Protocol, runtime_checkable

import httpx

_EARLY: Final = 300.0
"""Seconds before a token expires at which it is renewed."""

REFUSED: Final = "p2c.refused"
"""The extension of a refused request that says what is wrong with its token."""


class AccessToken(Protocol):
    """What a credential gives."""

    @property
    def token(self) -> str:
        """The bearer token."""
        ...

    @property
    def expires_on(self) -> int:
        """When it expires, in seconds since 1970."""
        ...


class Credential(Protocol):
    """Any ``TokenCredential`` of azure-core."""

    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        """A token for ``scopes``."""
        ...


@runtime_checkable
class FixedCredential(Protocol):
    """A credential whose token cannot be renewed, and that can say what is wrong with it."""

    def explain_refusal(self, now: float) -> str:
        """What to do once a system refuses the token; ``now`` in seconds since 1970."""
        ...


class TokenAuth(httpx.Auth):
    """``Authorization: Bearer`` for every request.

    Args:
        make: makes a credential. Called again when a system refuses a token before it expires,
            because credentials keep a token for as long as it claims to last.
        scope: what tokens are requested for.
        clock: seconds since 1970.
    """

    def __init__(
        self, make: Callable[[], Credential], scope: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._make = make
        self._scope = scope
        self._clock = clock
        self._credential: Credential | None = None
        self._token: AccessToken | None = None
        self._lock = threading.Lock()

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Send with a token; if it is refused, once more with a new one.

        Raises what the credential raises.
        """
        token = self.token()
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return
        newer = self.token(instead_of=token)
        if newer != token:
            request.headers["Authorization"] = f"Bearer {newer}"
            yield request
        elif isinstance(self._credential, FixedCredential):
            request.extensions[REFUSED] = self._credential.explain_refusal(self._clock())

    def token(self, instead_of: str | None = None) -> str:
        """A token that is good for some minutes.

        A different one than ``instead_of``, if the credential has one.
        """
        with self._lock:
            held = self._token
            if held is not None and held.token == instead_of:
                self._credential = held = None
            if held is None or held.expires_on - self._clock() < _EARLY:
                self._credential = self._credential or self._make()
                held = self._token = self._credential.get_token(self._scope)
            return held.token
