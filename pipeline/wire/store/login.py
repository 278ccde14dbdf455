"""A login of ours, as obstore asks for tokens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pipeline.errors import LoginAway, P2cError
from pipeline.wire.login.auth import AccessToken, Credential
from pipeline.wire.retry import RetryPolicy, draw_jitter

if TYPE_CHECKING:
    from obstore.store import AzureBearerToken

SCOPE: Final = "https://storage.azure.com/.default"
"""What tokens for Azure storage and OneLake are requested for."""

_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


class StoreLogin:
    """Gives tokens for a store, and remembers why it could not."""

    def __init__(
        self,
        make: Callable[[], Credential],
        scope: str = SCOPE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._make = make
        self._sleep = sleep
        self._scope = scope
        self._credential: Credential | None = None
        self._lock = threading.Lock()
        self.failure: P2cError | None = None
        """Why the last token could not be had."""

    def token(self) -> AccessToken:
        """A token. Raises ``SystemStopped``, and ``ConfigurationError`` for a missing secret.

        A failure of the login service that passes is waited for, as long as for other systems.
        """
        policy, failed, begun = RetryPolicy(), 0, time.monotonic()
        with self._lock:
            self._credential = self._credential or self._make()
            while True:
                try:
                    return self._credential.get_token(self._scope)
                except LoginAway as error:
                    failed += 1
                    spent = time.monotonic() - begun
                    wait = policy.wait(error, failed, spent, was_there=False, chance=draw_jitter)
                    if wait is None:
                        raise
                self._sleep(wait)

    def __call__(self) -> AzureBearerToken:
        """A token, when obstore needs one; it asks again before that one expires."""
        self.failure = None
        try:
            given = self.token()
        except P2cError as error:
            self.failure = error
            raise
        lasts = given.expires_on < _LATEST
        return {
            "token": given.token,
            "expires_at": datetime.fromtimestamp(given.expires_on, UTC) if lasts else None,
        }
