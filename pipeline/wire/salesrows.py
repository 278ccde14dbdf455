"""Rows of Sales read back by their ids, and writes that are sent once (reference A.9 to A.12)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx
import orjson

from pipeline.wire import multipart
from pipeline.wire.dataverse import ROOT
from pipeline.wire.json_body import (
    MalformedError,
    check_rows,
    read_done,
    read_json_object,
    read_next_link,
)
from pipeline.wire.links import Links
from pipeline.wire.multipart import BatchRequest, PartAnswer
from pipeline.wire.once import Declined, refuse_batch
from pipeline.wire.system import System

T = TypeVar("T")

ETAG: Final = "@odata.etag"
_JSON: Final = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    "OData-Version": "4.0",
    "OData-MaxVersion": "4.0",
}
_IDS_AT_ONCE: Final = 200
"""Ids in one query: a URL may have 32,768 characters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SalesRows:
    """Dataverse, for whoever writes rows; ``options`` are the headers of every write."""

    system: System
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The name for messages."""
        return self.system.label

    @property
    def root(self) -> str:
        """The API's root, as requests inside a batch spell it."""
        return f"{str(self.system.client.base_url).rstrip('/')}/{ROOT}"

    def query(
        self, entity_set: str, columns: Sequence[str], condition: str, top: int = 0
    ) -> list[dict[str, Any]]:
        """The rows that meet a condition; with ``top``, so many at most.

        Each has these columns, blank or not, and its version. Raises ``SystemStopped``.
        """
        more = f"&$top={top}" if top else ""
        chosen = f"$select={','.join(columns)}&$filter={quote(condition, safe='')}"
        url: str | None = f"{ROOT}{entity_set}?{chosen}{more}"
        subject = f"{entity_set} read back"
        links = Links(self.system.client.base_url, self.label, entity_set)
        read = partial(_read_versions, columns)
        found: list[dict[str, Any]] = []
        while url is not None:
            rows, link = self.system.ask("GET", url, read, subject=subject, headers=_JSON)
            found += rows
            url = links.checked(link) if link is not None and not top else None
        return found

    def found(
        self, entity_set: str, key: str, columns: Sequence[str], ids: Iterable[str]
    ) -> dict[str, dict[str, Any]]:
        """Id → row, of the rows that are there. Raises ``SystemStopped``."""
        there: dict[str, dict[str, Any]] = {}
        for part in _split(list(ids)):
            listed = ",".join(f'"{one}"' for one in part)
            condition = f"Microsoft.Dynamics.CRM.In(PropertyName='{key}',PropertyValues=[{listed}])"
            rows = self.query(entity_set, [key, *columns], condition)
            there |= {str(row[key]).lower(): row for row in rows}
        return there

    def caller(self) -> str:
        """The id of the user that we are."""
        return str(
            self.system.ask(
                "GET", f"{ROOT}WhoAmI", read_json_object, subject="login", headers=_JSON
            ).get("UserId", "")
        ).lower()

    def patch(self, path: str, etag: str, changes: Mapping[str, Any]) -> None:
        """Update one row, if it still has this version.

        Raises ``LostAnswer``, ``Busy``, ``Declined``, else ``Stopped``.
        """
        headers = {**_JSON, **self.options, "If-Match": etag}
        content = orjson.dumps(changes)
        self._send("PATCH", ROOT + path, read_done, "guarded updates", headers, content)

    def batch(self, request: BatchRequest, count: int) -> dict[int, PartAnswer]:
        """Send a ``$batch`` of ``count`` operations; their answers by number.

        Raises as ``patch`` does.
        """
        headers = {
            **_JSON,
            "Content-Type": request.content_type,
            "Accept": "multipart/mixed",
            "Prefer": "odata.continue-on-error",
        }
        read = partial(_parse, count)
        try:
            return self._send("POST", f"{ROOT}$batch", read, "$batch", headers, request.body)
        except Declined as declined:
            raise refuse_batch(declined) from declined

    def action(self, path: str, body: bytes) -> None:
        """Send an action without a result. Raises as ``patch`` does."""
        self._send(
            "POST",
            ROOT + path,
            read_done,
            path.rpartition(".")[2],
            {**_JSON, **self.options},
            body,
        )

    def hold(self, subject: str, seconds: float) -> None:
        """Let nobody send anything for so many seconds, as Sales asked."""
        self.system.hold(subject, seconds)

    def _send(
        self,
        method: str,
        url: str,
        read: Callable[[httpx.Response], T],
        subject: str,
        headers: Mapping[str, str],
        content: bytes,
    ) -> T:
        return self.system.send_once(
            method, url, read, subject=subject, headers=headers, content=content
        )


def _read_versions(
    columns: Sequence[str], response: httpx.Response
) -> tuple[list[dict[str, Any]], str | None]:
    """The rows of a page, each with these columns and its version, and where the next page is."""
    answer = read_json_object(response)
    rows = check_rows(answer, (*columns, ETAG))
    if not all(isinstance(row[ETAG], str) and row[ETAG] for row in rows):
        raise MalformedError(f"a row whose {ETAG} is no version")
    return rows, read_next_link(answer)


def _split(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + _IDS_AT_ONCE] for start in range(0, len(ids), _IDS_AT_ONCE))


def _parse(count: int, response: httpx.Response) -> dict[int, PartAnswer]:
    return multipart.parse_answers(
        response.headers.get("Content-Type", ""), response.content, count
    )
