"""A package in SCM's blob storage: uploaded once, and used again while it lives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from pipeline.load.packages.dmf import PackageClient

_USUAL_LIFE: Final = dt.timedelta(minutes=30)
"""How long a URL lives that does not say so."""
_MARGIN: Final = dt.timedelta(minutes=1)


@dataclass(kw_only=True, slots=True)
class Upload:
    """A package and the URL behind which it lies, as long as there is one.

    The URL is a secret: it is kept in memory only, so another start uploads again.
    """

    api: PackageClient
    content: bytes
    clock: Callable[[], dt.datetime]
    url: str = ""
    until: dt.datetime | None = None

    def give(self, name: str) -> tuple[str, bool]:
        """The URL to import from, and whether the package was uploaded for it just now.

        Args:
            name: of the blob, if the package is uploaded now.

        Raises:
            Stopped: SCM or its blob storage cannot be reached.
        """
        if self.until is not None and self.clock() < self.until:
            return self.url, False
        self.drop()
        url = self.api.write_url(name)
        self.api.upload(url, self.content)
        self.url, self.until = url, (read_end(url) or self.clock() + _USUAL_LIFE) - _MARGIN
        return url, True

    def drop(self) -> None:
        """Use the URL no more."""
        self.url, self.until = "", None


def read_end(url: str) -> dt.datetime | None:
    """Until when a signed URL lives; null if it does not say."""
    given = parse_qs(urlsplit(url).query).get("se", [])
    try:
        end = dt.datetime.fromisoformat(given[0]) if given else None
    except ValueError:
        return None
    return end if end is not None and end.tzinfo is not None else None
