"""A login of ours, as obstore asks for tokens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pipeline.errors import P2cError
from pipeline.wire.login.auth import AccessToken, Credential

if TYPE_CHECKING:
    from obstore.store import AzureBearerToken

SCOPE: Final = "https://storage.azure.com/.default"
"""What tokens for Azure storage and OneLake are requested for."""

_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


class StoreLogin:
    """Gives tokens for a store, and remembers why it could not."""

    def __init__(self, make: Callable[[], Credential], scope: str = SCOPE) -> None:
        self._make = make
        self._scope = scope
        self._credential: Credential | None = None
        self._lock = threading.Lock()
        self.failure: P2cError | None = None
        """Why the last token could not be had."""

    def token(self) -> AccessToken:
        """A token. Raises ``SystemStopped``, and ``ConfigurationError`` for a missing secret."""
        with self._lock:
            self._credential = self._credential or self._make()
            return self._credential.get_token(self._scope)

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
