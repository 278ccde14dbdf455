"""Links that a system hands out: followed as they are, only to that system, and never twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import httpx

from pipeline.errors import AnswerUnreadable

_IDLE: Final = 50
"""Pages in a row that may have nothing new; a server may filter rows after it cut pages."""


class Links:
    """The next links of one series of pages."""

    def __init__(self, home: httpx.URL, system: str, what: str) -> None:
        self._home, self._system, self._what = home, system, what
        self._seen: set[str] = set()
        self._last: Sequence[object] = ()
        self._idle = 0

    def note(self, rows: Sequence[object]) -> None:
        """Take note of a page.

        Raises:
            AnswerUnreadable: too many pages in a row are empty, or the same.
        """
        self._idle = self._idle + 1 if not rows or rows == self._last else 0
        self._last = rows
        if self._idle >= _IDLE:
            raise AnswerUnreadable(
                f"gives page after page of {self._what} with nothing new; reading would never end.",
                where=self._system,
            )

    def checked(self, link: str) -> str:
        """The link itself.

        Raises:
            AnswerUnreadable: it leads to another host, or was handed out before. Nothing is sent
                there.
        """
        try:
            url = self._home.join(link)
        except (httpx.InvalidURL, ValueError) as error:
            raise AnswerUnreadable(
                f"names a next page of {self._what} that is not an address.", where=self._system
            ) from error
        home = self._home
        if (url.scheme, url.host, url.port) != (home.scheme, home.host, home.port):
            message = (
                f"names a next page of {self._what} on another host, {url.host}; p2c does not go "
                "there. Check url and proxy."
            )
            raise AnswerUnreadable(message, where=self._system)
        if link in self._seen:
            raise AnswerUnreadable(
                f"names the same next page of {self._what} twice; reading would never end.",
                where=self._system,
            )
        self._seen.add(link)
        return link
