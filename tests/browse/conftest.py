"""A small run that was applied, and its pages behind the guard."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx
import pytest

from pipeline.browse.guard import AddressGuard
from pipeline.browse.opening import open_pages
from pipeline.run.folder import RunFolder
from tests.scenes.applied import applied, common, home, run, source

__all__ = ["WORD", "Asking", "applied", "asking", "common", "home", "run", "source"]

WORD = "token-of-a-test"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """Asks an application in this process."""

    app: AddressGuard

    def request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Ask for a path, as a browser on this machine would."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost:8000"
            ) as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(ask())

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Read a path."""
        return self.request("GET", path, headers)


@pytest.fixture
def asking(run: RunFolder) -> Iterator[Asking]:
    """A browser in front of the pages."""
    with open_pages(run, [], "https://sales.example") as pages:
        yield Asking(app=AddressGuard(app=pages.make_app(), token=WORD, port=8000))
