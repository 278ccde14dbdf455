"""One part of a table, page by page.

What is asked, what must hold of a page, when the part is given away in halves.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import AnswerUnreadable, RequestRefused
from pipeline.extract.dataverse.checkpoint import TablePart, TableWork
from pipeline.extract.dataverse.columns import Columns
from pipeline.extract.dataverse.guids import decode_guid, encode_guid, encode_guids
from pipeline.extract.dataverse.page import DataversePage, PageReader
from pipeline.wire.dataverse import LOOKUP_TYPE, PAGE_ROWS, Sales
from pipeline.wire.json_body import read_rows
from pipeline.wire.links import Links
from pipeline.wire.meter import Traffic

_WORTH_SPLITTING: Final = 2 * PAGE_ROWS
"""Rows that must be left for another worker to be of use."""


class DisorderedError(Exception):
    """The server compares ids otherwise than it orders them, or otherwise than SQL Server does.

    Ranges would not be safe.
    """


class StaleError(Exception):
    """The server no longer knows the page at which an earlier extraction stopped."""


class Workers(Protocol):
    """The workers of the pool, as one of them sees them."""

    def are_idle(self) -> bool:
        """Whether another part would be read at once."""
        ...

    def take(self, child: TablePart) -> None:
        """Read this part as well."""
        ...


@dataclass(kw_only=True, slots=True)
class PartReader:
    """Reads one part, page by page."""

    sales: Sales
    columns: Columns
    work: TableWork
    part: TablePart
    reader: PageReader
    page_rows: int
    decoding: threading.Semaphore

    def run(self, workers: Workers, progress: Callable[[int], None]) -> None:
        """Read the part to its end.

        Args:
            workers: take half of what is left when they are idle.
            progress: hears how many rows each page had.

        Raises:
            SystemStopped: the server failed, or gave what cannot be true; what is on disk stays
                good.
            DisorderedError: ranges of ids do not work here.
        """
        links = Links(
            self.sales.system.client.base_url, self.sales.system.label, self.columns.table.name
        )
        if self.part.link is not None:
            links.checked(self.part.link)
        begins: set[str] = set()
        is_first = True
        while not self.part.is_done:
            page, first = self._read_next(links, is_first=is_first)
            is_first = False
            if first in begins:
                raise self._make_untrue_error(f"begins two pages with the same row, {first}")
            begins |= {first} if first else set()
            progress(page.slots)
            if not self.part.is_done and self._may_split() and workers.are_idle():
                self._split(workers, page)

    def _read_next(self, links: Links, *, is_first: bool) -> tuple[DataversePage, str | None]:
        """Read one more page and keep it. Its first id is returned as well."""
        page = self._get_page(is_first=is_first)
        rows, found = self._check(page)
        if page.next_link is not None:
            links.checked(page.next_link)
        self.work.keep(self.part, rows, found)
        self.sales.system.meter.add(self.columns.table.name, Traffic(rows=page.slots))
        first = rows[self.columns.key][0].as_py() if rows.num_rows else None
        links.note([self.part.slots] if page.slots else [])
        return page, first

    def _get_page(self, *, is_first: bool) -> DataversePage:
        link = self.part.link
        if link is None:
            return self._get(self._make_query())
        try:
            return self._get(link)
        except RequestRefused as refused:
            if is_first:
                raise StaleError from refused
            raise

    def _get(self, url: str) -> DataversePage:
        page: DataversePage = self.sales.get(
            url, self._decode, subject=self.columns.table.name, prefer=self._list_preferences()
        )
        return page

    def _decode(self, response: httpx.Response) -> DataversePage:
        with self.decoding:
            return self.reader.read(response.content)

    def _list_preferences(self) -> list[str]:
        preferences = [f"odata.maxpagesize={self.page_rows}"]
        if self.columns.has_lookup_types:
            preferences.append(f'odata.include-annotations="{LOOKUP_TYPE}"')
        return [*preferences, "odata.track-changes"] if self.work.tracked else preferences

    def _make_query(self) -> str:
        base = f"{self.columns.table.name}?$select={self.columns.select}"
        if self.work.tracked:
            return base
        return f"{base}&$orderby={self.columns.key}{self._make_filter()}"

    def _make_filter(self) -> str:
        """The range as a condition that splits the table in two whatever order the server has."""
        part, key = self.part, self.columns.key
        lows = [part.last] if part.last else part.lows
        terms = [f"{key} gt {low}" for low in lows] + [f"{key} le {high}" for high in part.highs]
        return f"&$filter={' and '.join(terms)}".replace(" ", "%20") if terms else ""

    def _check(self, page: DataversePage) -> tuple[pa.Table, TablePart]:
        """The rows as they are kept, and how far the part is with them."""
        part, key = self.part, self.columns.key
        names = self.columns.names
        lines = pc.add(page.rows["line"], part.slots)
        rows = pa.table({**{name: page.rows[wire] for name, wire in names.items()}, "line": lines})
        keys = encode_guids(rows[key])
        if keys is None:
            raise self._make_untrue_error("gives a row without a whole id")
        if page.lacks:
            raise self._make_untrue_error(f"gives rows without {min(page.lacks)}")
        ascend = bool((keys[1:] > keys[:-1]).all())
        if not ascend and len(np.unique(keys)) != len(keys):
            raise self._make_untrue_error("gives a row twice in one page")
        is_sorted = part.is_sorted and self._check_order(keys, ascend=ascend)
        last = rows[key][-1].as_py() if rows.num_rows else part.last
        unreadable = [(part.slots + line, why) for line, why in page.unreadable.items()]
        return rows, replace(
            part,
            pages=part.pages + 1,
            slots=part.slots + page.slots,
            last=last,
            link=page.next_link,
            delta=page.delta_link,
            is_sorted=is_sorted,
            is_done=page.next_link is None,
            unreadable=[*part.unreadable, *unreadable],
        )

    def _check_order(
        self, keys: np.ndarray[tuple[int], np.dtype[np.bytes_]], *, ascend: bool
    ) -> bool:
        """Whether ids ascend from page to page.

        Where ranges are in use they must ``ascend``, and keep to the range.
        """
        part = self.part
        if len(keys) == 0:
            return True
        follows = part.last is None or encode_guid(part.last) < int(keys[0], 16)
        if part.lows or part.highs:
            above = all(encode_guid(low) < int(keys[0], 16) for low in part.lows)
            below = all(int(keys[-1], 16) <= encode_guid(high) for high in part.highs)
            if not (ascend and follows and above and below):
                raise DisorderedError
        return ascend and follows

    def _may_split(self) -> bool:
        return (
            self.part.is_sorted
            and self.work.can_range
            and not self.work.tracked
            and self.part.last is not None
        )

    def _split(self, workers: Workers, page: DataversePage) -> None:
        """Give half of what is left away, if it is enough for two."""
        highest = self._find_highest()
        last = encode_guid(self.part.last or "")
        if highest is None or highest <= last:
            return
        first = (
            encode_guid(page.rows[self.columns.names[self.columns.key]][0].as_py())
            if page.rows.num_rows
            else last
        )
        density = page.slots / max(1, last - first)
        if density * (highest - last) < _WORTH_SPLITTING * self.page_rows / PAGE_ROWS:
            return
        workers.take(self.work.split(self.part, decode_guid((last + highest) // 2)))

    def _find_highest(self) -> int | None:
        """The last id of the range; null if there is none, or the server does not compare ids."""
        key = self.columns.key
        options = f"$select={key}&$orderby={key}%20desc&$top=1{self._make_filter()}"
        try:
            url = f"{self.columns.table.name}?{options}"
            read = partial(read_rows, columns=(key,))
            rows = self.sales.get(url, read, subject=self.columns.table.name)
        except RequestRefused:
            self.work.can_range = False
            return None
        ids = [str(row[key]) for row in rows]
        return encode_guid(ids[0]) if ids and encode_guids(pa.array(ids[:1])) is not None else None

    def _make_untrue_error(self, claim: str) -> AnswerUnreadable:
        self.work.drop()
        sentence = (
            f"{claim} in {self.columns.table.name}; that cannot be. Nothing of this table was "
            "kept; call again."
        )
        return AnswerUnreadable(sentence, where=self.sales.system.label)
