"""Change tracking: an earlier run's landed table, refreshed by what happened since (reference A.7).

Rows that changed are replaced, new ones added, deleted ones marked ``isdelete``; what changed and
was deleted is looked up again, because the two lists do not say which came last.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import AnswerUnreadable, RequestRefused, during
from pipeline.extract.dataverse.assembly import MEMORY, Assembly
from pipeline.extract.dataverse.checkpoint import TableWork, begin_folder, write_checkpoint
from pipeline.extract.dataverse.page import DataversePage, PageReader
from pipeline.extract.dataverse.page_fast import open_engine
from pipeline.wire.dataverse import LOOKUP_TYPE, Sales
from pipeline.wire.failures import describe_refusal
from pipeline.wire.links import Links
from pipeline.wire.meter import Traffic
from schemas.text import GUID
from sql.query import query
from sql.session import Session, session

_EXPIRED: Final = "0x80044352"
_ID, _REASON = "id", "reason"
_DELETED: Final = f"(?P<id>{GUID})"
"""How the entry of a deleted row names it."""
_AT_ONCE: Final = 50
"""Ids in one condition."""


class LinkContent(TypedDict):
    """A table in ``changes.json``."""

    link: str
    names: dict[str, str]
    begun: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DeltaLink:
    """Where the changes of one table begin.

    The server's link, the columns it was made for, and since when.
    """

    link: str
    names: Mapping[str, str]
    begun: str

    def to_json(self) -> LinkContent:
        """For ``changes.json``."""
        return {"link": self.link, "names": dict(self.names), "begun": self.begun}

    @classmethod
    def from_json(cls, content: LinkContent) -> DeltaLink:
        """From ``changes.json``."""
        return cls(
            link=str(content["link"]), names=dict(content["names"]), begun=str(content["begun"])
        )


def write_links(path: Path, home: str, links: Mapping[str, DeltaLink]) -> None:
    """Write ``changes.json``: of which Sales, and where the changes of each table begin."""
    tables = {name: one.to_json() for name, one in links.items()}
    write_checkpoint(path, {"home": home, "tables": tables})


def read_links(path: Path, home: str) -> dict[str, DeltaLink]:
    """What an earlier run remembered of this Sales; nothing if it read another one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["home"] != home:
            return {}
        return {name: DeltaLink.from_json(one) for name, one in content["tables"].items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}


@dataclass(frozen=True, kw_only=True, slots=True)
class RefreshResult:
    """Rows by what became of them, and where the next changes begin."""

    kept: DeltaLink
    added: int
    changed: int
    deleted: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Refresh:
    """One table to be refreshed. ``work`` is a folder for what is under way."""

    sales: Sales
    assembly: Assembly
    work: Path
    page_rows: int

    def run(
        self, kept: DeltaLink | None, old: Path, progress: Callable[[int], None], begun: str
    ) -> RefreshResult | str:
        """Refresh the table that lies at ``old``.

        Returns:
            What became of it, or why all of it must be read.

        Raises:
            SystemStopped: the server failed; the same command resumes.
        """
        reason = self._find_obstacle(kept, old)
        if kept is None or reason:
            return reason
        with open_engine() as engine:
            return self._refresh(engine, kept, old, progress, begun)

    def _refresh(
        self,
        engine: Session,
        kept: DeltaLink,
        old: Path,
        progress: Callable[[int], None],
        begun: str,
    ) -> RefreshResult | str:
        try:
            link = self._drain(engine, kept.link, progress)
        except RequestRefused as refused:
            said = refused.refusal
            expired = said.code.lower() == _EXPIRED or "expired" in said.cause.lower()
            return (
                "the change token has expired"
                if expired
                else f"the change token was {describe_refusal('refused', said)}"
            )
        if link is None:
            return "a changed row cannot be read"
        counts = self._merge(engine, old)
        return RefreshResult(kept=DeltaLink(link=link, names=kept.names, begun=begun), **counts)

    def _find_obstacle(self, kept: DeltaLink | None, old: Path) -> str:
        names = self.assembly.names
        if kept is None:
            return "there is no change token from an earlier run"
        if dict(kept.names) != self.assembly.columns.names:
            return "other columns are wanted than in the earlier run"
        if not old.is_file() or not {*names} <= {*pq.read_schema(old).names}:
            return "the table of the earlier run is gone"
        return ""

    def _drain(self, engine: Session, link: str, progress: Callable[[int], None]) -> str | None:
        """Write all changes down; where the next ones begin, null if a row cannot be read."""
        columns = self.assembly.columns
        reader = PageReader([*columns.wire_names, _ID, _REASON], columns.amounts, engine)
        links = Links(
            self.sales.system.client.base_url, self.sales.system.label, columns.table.name
        )
        following: str | None = links.checked(link)
        delta: str | None = None
        rows = 0
        with during("extracting changes"):
            begin_folder(self.work, (self._changes, self._deletions))
            with (
                pq.ParquetWriter(self._changes, self._make_schema(), compression="lz4") as changes,
                pq.ParquetWriter(self._deletions, pa.schema([("id", pa.string())])) as deletions,
            ):
                while following is not None:
                    page = self._get_page(following, reader)
                    if page.unreadable:
                        return None
                    links.note([page.rows] if page.slots else [])
                    self._write(page, rows, changes, deletions)
                    rows += page.slots
                    progress(rows)
                    delta = page.delta_link
                    following = None if page.next_link is None else links.checked(page.next_link)
        return links.checked(delta) if delta else self._refuse_unfinished()

    def _refuse_unfinished(self) -> str:
        table = self.assembly.columns.table.name
        sentence = (
            f"ends the changes of {table} without saying where the next ones begin. Run the "
            "same command again to continue."
        )
        raise AnswerUnreadable(sentence, where=self.sales.system.label)

    def _get_page(self, link: str, reader: PageReader) -> DataversePage:
        columns = self.assembly.columns
        prefer = [f"odata.maxpagesize={self.page_rows}"]
        prefer += [f'odata.include-annotations="{LOOKUP_TYPE}"'] if columns.has_lookup_types else []
        page: DataversePage = self.sales.get(
            link,
            lambda response: reader.read(response.content),
            subject=columns.table.name,
            prefer=prefer,
        )
        self.sales.system.meter.add(columns.table.name, Traffic(rows=page.slots))
        return page

    def _make_schema(self) -> pa.Schema:
        return pa.schema(
            [*((name, pa.string()) for name in self.assembly.columns.names), ("place", pa.int64())]
        )

    def _write(
        self,
        page: DataversePage,
        begun: int,
        changes: pq.ParquetWriter,
        deletions: pq.ParquetWriter,
    ) -> None:
        is_gone = pc.is_valid(page.rows[_REASON])
        names = self.assembly.columns.names
        found = page.rows.filter(pc.invert(is_gone))
        if found[names[self.assembly.columns.key]].null_count:
            raise self._make_untrue_error("a changed row without an id")
        lacking = page.lacks - {_ID, _REASON}
        if found.num_rows and lacking:
            raise self._make_untrue_error(f"a changed row without {min(lacking)}")
        cells = {name: found[wire] for name, wire in names.items()}
        changes.write_table(
            pa.table({**cells, "place": pc.add(found["line"], begun)}, schema=self._make_schema())
        )
        ids = pc.struct_field(pc.extract_regex(page.rows.filter(is_gone)[_ID], _DELETED), "id")
        if ids.null_count:
            raise self._make_untrue_error("a deleted row without an id")
        deletions.write_table(pa.table({"id": pc.utf8_lower(ids)}))

    def _make_untrue_error(self, what: str) -> AnswerUnreadable:
        sentence = (
            f"gives {what} in {self.assembly.columns.table.name}. Run the same command again to "
            "continue."
        )
        return AnswerUnreadable(sentence, where=self.sales.system.label)

    def _merge(self, engine: Session, old: Path) -> dict[str, int]:
        """Land the old rows with the changes."""
        names = self.assembly.columns.names
        key = self.assembly.columns.key
        with session(memory=MEMORY, scratch=self.work / "scratch") as here:
            here.parquet("changes", self._changes)
            here.parquet("deletions", self._deletions)
            self._settle(engine, here)
            here.parquet("known", old)
            here.view("latest", query("extract/latest", key=key, columns=list(names)))
            counts = here.frame(query("extract/change_counts", key=key)).row(0, named=True)
            with during(f"landing {self.assembly.columns.table.name}"):
                if any(counts.values()):
                    text = query("extract/refreshed", key=key, columns=list(names))
                    here.view("extracted", text)
                    work = TableWork(folder=self.work, asked={}, begun="", tracked=True)
                    self.assembly.sort(here, work)
                else:
                    self.assembly.copy(old)
        return {name: int(count) for name, count in counts.items()}

    def _settle(self, engine: Session, here: Session) -> None:
        """Make the view ``settled``: rows that changed and were deleted are looked up again.

        Those that are there now count as changed, the others as deleted.
        """
        key = self.assembly.columns.key
        doubtful = here.frame(query("extract/changed_and_deleted", key=key))["id"].to_list()
        found = [
            row
            for begin in range(0, len(doubtful), _AT_ONCE)
            for row in self._ask(engine, doubtful[begin : begin + _AT_ONCE])
        ]
        schema = self._make_schema()
        here.register("again", pa.concat_tables(found) if found else schema.empty_table())
        here.view("settled", query("extract/settled", key=key, columns=schema.names))

    def _ask(self, engine: Session, ids: list[str]) -> list[pa.Table]:
        """Those rows as they are now."""
        columns = self.assembly.columns
        reader = PageReader(columns.wire_names, columns.amounts, engine)
        condition = "%20or%20".join(f"{columns.key}%20eq%20{row_id}" for row_id in ids)
        page = self._get_page(
            f"{columns.table.name}?$select={columns.select}&$filter={condition}", reader
        )
        if page.unreadable or page.next_link is not None:
            raise AnswerUnreadable(
                f"does not give the rows of {columns.table.name} that were asked for. Run the "
                "same command again to continue.",
                where=self.sales.system.label,
            )
        cells = {name: page.rows[wire] for name, wire in columns.names.items()}
        return [pa.table({**cells, "place": page.rows["line"]}, schema=self._make_schema())]

    @property
    def _changes(self) -> Path:
        return self.work / "changes.parquet"

    @property
    def _deletions(self) -> Path:
        return self.work / "deletions.parquet"
