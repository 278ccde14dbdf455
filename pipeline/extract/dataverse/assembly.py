"""Pages on disk → a landed table: one Parquet file, in the order of ids, no id twice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import AnswerUnreadable, during
from pipeline.extract.dataverse.checkpoint import TablePart, TableWork
from pipeline.extract.dataverse.columns import Columns
from pipeline.extract.dataverse.guids import encode_guid, encode_guids
from pipeline.extract.landing import LandedTable, SourceFile
from pipeline.extract.records import UnreadableRow
from pipeline.extract.writing import LandedFile
from pipeline.run.private import copy_file, make_folder
from sql.query import query
from sql.session import Session, session

DELETED: Final = "isdelete"
_ROWS: Final = 50_000
MEMORY: Final = "512MB"
"""What DuckDB may use while rows are put in order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Assembly:
    """Where one table goes. ``system`` is whom messages name."""

    columns: Columns
    into: Path
    system: str

    @property
    def path(self) -> Path:
        """The landed table."""
        return self.into / f"{self.columns.table.name}.parquet"

    @property
    def names(self) -> list[str]:
        """Its columns: those that were asked for, and whether a row is gone."""
        return [*self.columns.names, *([] if DELETED in self.columns.names else [DELETED])]

    def land(self, work: TableWork) -> LandedTable:
        """Land what was read. The pages stay where they are.

        Raises:
            AnswerUnreadable: an id came twice.
        """
        table = self.columns.table.name
        with during(f"landing {table}"):
            unreadable = (
                self._land_in_order(work) if self._is_in_order(work) else self._land_sorted(work)
            )
        return self.describe(unreadable)

    def copy(self, landed: Path) -> None:
        """Land the table as an earlier run landed it."""
        make_folder(self.into)
        copy_file(landed, self.path)

    def describe(self, unreadable: tuple[UnreadableRow, ...] = ()) -> LandedTable:
        """The landed table as it lies on disk."""
        name = self.columns.table.name
        rows = pq.read_metadata(self.path).num_rows
        source = SourceFile(path=self.path, name=name, rows=rows, bytes=self.path.stat().st_size)
        return LandedTable(
            table=name,
            in_place=False,
            files=(self.path,),
            columns={column: column for column in self.names},
            rows=rows,
            sources=(source,),
            unreadable=unreadable,
        )

    def _open(self) -> LandedFile:
        return LandedFile(self.path, pa.schema([(name, pa.string()) for name in self.names]))

    def _is_in_order(self, work: TableWork) -> bool:
        return all(part.is_sorted for part in work.parts) and (
            work.can_range or len(work.parts) == 1
        )

    def _land_in_order(self, work: TableWork) -> tuple[UnreadableRow, ...]:
        """Parts one after the other: each was in order when it came, page by page.

        No two overlap.
        """
        unreadable: list[UnreadableRow] = []
        begun, last = 0, b""
        with self._open() as file:
            for part in sorted(work.parts, key=_find_lowest):
                unreadable += [
                    self._make_unreadable(begun + place, why) for place, why in part.unreadable
                ]
                for page in work.pages(part):
                    ends = encode_guids(
                        page[self.columns.key].take([0, len(page) - 1])
                        if len(page)
                        else page[self.columns.key]
                    )
                    if ends is None or (len(ends) and bytes(ends[0]) <= last):
                        raise self._make_repeated_error(work, page[self.columns.key][0].as_py())
                    last = bytes(ends[-1]) if len(ends) else last
                    self._add(file, page, pc.add(page["line"], begun))
                begun += part.slots
        return tuple(unreadable)

    def _land_sorted(self, work: TableWork) -> tuple[UnreadableRow, ...]:
        """Parts in no known order: all rows are put in order.

        Those that cannot be read come after them.
        """
        raw = work.folder / "unsorted.parquet"
        columns = pa.schema([(name, pa.string()) for name in self.columns.names])
        with pq.ParquetWriter(raw, columns, compression="lz4") as writer:
            for part in work.parts:
                for page in work.pages(part):
                    writer.write_table(page.select(columns.names))
        with session(memory=MEMORY, scratch=work.folder / "scratch") as here:
            here.parquet("extracted", raw)
            rows = self.sort(here, work)
        unreadable = [why for part in work.parts for _, why in part.unreadable]
        return tuple(
            self._make_unreadable(rows + number, why)
            for number, why in enumerate(unreadable, start=1)
        )

    def sort(self, here: Session, work: TableWork) -> int:
        """Land the rows of the relation ``extracted`` in the order of ids, and count them.

        Raises ``AnswerUnreadable`` if an id comes twice.
        """
        rows, last = 0, b""
        with self._open() as file:
            for batch in here.stream(query("extract/sorted", key=self.columns.key), _ROWS):
                page = pa.Table.from_batches([batch])
                keys = encode_guids(page[self.columns.key])
                if (
                    keys is None
                    or (keys[1:] == keys[:-1]).any()
                    or (len(keys) and bytes(keys[0]) == last)
                ):
                    raise self._make_repeated_error(work, None)
                last = bytes(keys[-1]) if len(keys) else last
                self._add(file, page, pa.array(range(rows + 1, rows + len(page) + 1), pa.int64()))
                rows += len(page)
        return rows

    def _add(self, file: LandedFile, page: pa.Table, lines: pa.Array) -> None:
        there = [name for name in page.column_names if name in self.names]
        file.add(page.select(there).append_column("source_line", lines), self.columns.table.name)

    def _make_unreadable(self, line: int, why: str) -> UnreadableRow:
        return UnreadableRow(source_file=self.columns.table.name, source_line=line, detail=why)

    def _make_repeated_error(self, work: TableWork, row_id: str | None) -> AnswerUnreadable:
        work.drop()
        which = f"the row {row_id}" if row_id else "a row"
        sentence = (
            f"gives {which} twice in {self.columns.table.name}; that cannot be. Nothing of this "
            "table was kept; call again."
        )
        return AnswerUnreadable(sentence, where=self.system)


def _find_lowest(part: TablePart) -> int:
    return max((encode_guid(low) for low in part.lows), default=-1)
