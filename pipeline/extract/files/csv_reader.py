"""CSV of any common dialect → chunks of text columns with the physical line of every record.

Blocks in which everything is in its place go to Arrow whole; the others are read record by record,
to the same result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa
import pyarrow.csv as pc

from pipeline.extract.files.csv_artefacts import may_be_wrapped, unwrap_formulas
from pipeline.extract.files.csv_bounds import Bounds, Dialect, find_bounds
from pipeline.extract.files.csv_escapes import Backslashes, EscapeProof
from pipeline.extract.files.csv_header import NoRows, find_no_rows, read_header
from pipeline.extract.files.csv_short import ShortRows
from pipeline.extract.files.csv_strict import Record, read_strict
from pipeline.extract.files.csv_text import CsvText, mend_blocks
from pipeline.extract.files.encoding import read_text_blocks
from pipeline.extract.files.packed import Content
from pipeline.extract.headers import ColumnSelection
from pipeline.extract.records import Chunk, Note, ReadOptions, UnreadableRow
from pipeline.extract.spellings import Cells

_BOM: Final = "\ufeff".encode()
_LARGEST: Final = 2**31 - 1


def read_csv_file(
    content: Content,
    name: str,
    selection: ColumnSelection,
    options: ReadOptions,
    *,
    header: Sequence[str] | None = None,
    delimiter: str = ",",
) -> Iterator[Chunk]:
    """Read a CSV file.

    Args:
        content: the file, packed or not.
        name: what messages and findings call it.
        selection: the columns that are wanted.
        options: limits.
        header: the columns of a file without header line. Cells that are missing at a row's end
            are null where ``csv_short`` lets the row pass.
        delimiter: of a file without header line.

    Yields:
        Chunks, at least one; the first has the columns even if there are no rows.

    Raises:
        SourceError: it is empty, binary, in another encoding, or its header lacks what is needed.
    """
    blocks = mend_blocks(read_text_blocks(content, name, options), options.row_limit)
    text = CsvText(blocks, name, options.row_limit)
    is_headerless = header is not None
    dialect = Dialect(delimiter=delimiter, line_end=text.find_line_end())
    if header is None:
        dialect, header = read_header(text, selection)
    places = {written: place for place, written in reversed(list(enumerate(header)))}
    picked = {
        column: tuple(places[written] for written in spellings)
        for column, spellings in selection.pick(header, name).items()
    }
    backslashes = Backslashes(dialect=dialect, width=len(header), limit=options.row_limit)
    none = find_no_rows(text, dialect, header, picked, selection.table)
    rows = _Rows(
        text=text,
        none=None if is_headerless or options.every_row else none,
        escapes=EscapeProof(text, backslashes, content, options),
        dialect=dialect,
        width=len(header),
        picked=picked,
        selection=selection,
        short=ShortRows(header, is_headerless=is_headerless),
    )
    yield from rows.read_chunks()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rows:
    """Everything after the header.

    ``picked``: canonical column → the places of its spellings among ``width`` cells. ``none``: what
    is no row in a file with a header line.
    """

    text: CsvText
    none: NoRows | None
    escapes: EscapeProof
    dialect: Dialect
    width: int
    picked: Mapping[str, tuple[int, ...]]
    selection: ColumnSelection
    short: ShortRows

    def read_chunks(self) -> Iterator[Chunk]:
        """All rows."""
        yield self._make_chunk([])
        while self.text.read_more() or self.text.rest:
            self.escapes.look()
            found = self._read_fast()
            yield found if found is not None else self._read_strict()
        if self.escapes.is_open:
            note = Note(code="backslash_kept", detail=self.text.name, source_file=self.text.name)
            yield replace(self._make_chunk([]), notes=(note,))

    def _read_fast(self) -> Chunk | None:
        """The whole records at hand by Arrow.

        None if one is out of the ordinary, or none is whole.
        """
        text = self.text
        block = text.rest
        if text.ended and not block.endswith(self.dialect.line_end):
            block += self.dialect.line_end
        if block.startswith(_BOM):  # Arrow would drop it
            return None
        found = find_bounds(block, self.dialect)
        if found is None or not len(found.lines) or found.longest > text.limit:
            return None
        if self.none is not None and self.none.may_be_blank(block, found.shortest):
            return None
        cells = _read_in_bulk(block, found, self)
        if cells is None or (self.none is not None and self.none.repeat_header(cells)):
            return None
        self.short.pass_whole()
        lines = pa.array(found.lines + text.line)
        text.take(found.end, found.breaks)
        return Chunk(table=pa.table({**cells, "source_line": lines}))

    def _read_strict(self) -> Chunk:
        """The whole records at hand one by one."""
        text = self.text
        read = read_strict(text.rest, self.dialect, text.limit, is_last=text.ended)
        is_cut = text.ended and not text.rest.endswith(self.dialect.line_end)
        rows = read.records if self.none is None else self.none.drop(read.records, text.line)
        chunk = self._make_chunk(rows, is_cut=is_cut)
        text.take(read.end, read.breaks)
        if read.continues:
            text.skip_line(self.dialect.line_end)
        return chunk

    def _make_chunk(self, records: Sequence[Record], *, is_cut: bool = False) -> Chunk:
        rows: list[Sequence[str]] = []
        lines: list[int] = []
        unreadable: list[UnreadableRow] = []
        for record, trouble in self._judge(records, is_cut=is_cut):
            line = record.line + self.text.line
            if trouble is not None:
                unreadable.append(
                    UnreadableRow(source_file=self.text.name, source_line=line, detail=trouble)
                )
                continue
            rows.append([*record.fields, *[""] * (self.width - len(record.fields))])
            lines.append(line)
        used = {place for places in self.picked.values() for place in places}
        cells = self.merge(
            {place: pa.array([row[place] or None for row in rows], pa.string()) for place in used},
            is_wrapped=may_be_wrapped(self.text.rest),
        )
        return Chunk(
            table=pa.table({**cells, "source_line": pa.array(lines, pa.int64())}),
            unreadable=tuple(unreadable),
        )

    def merge(self, cells: Mapping[int, Cells], *, is_wrapped: bool) -> dict[str, Cells]:
        """Place → cells: one column out of the spellings of each."""
        if is_wrapped:
            cells = {place: unwrap_formulas(one) for place, one in cells.items()}
        finish = self.escapes.finish
        return {
            name: self.selection.merge(name, [finish(cells[place]) for place in places])
            for name, places in self.picked.items()
        }

    def _judge(
        self, records: Sequence[Record], *, is_cut: bool
    ) -> Iterator[tuple[Record, str | None]]:
        """Records, and why each cannot be read; none where it can."""
        whole = [record for record in records if record.trouble is None]
        is_cut = is_cut and records[-1].trouble is None if records else is_cut
        troubles = self.short.explain([len(one.fields) for one in whole], is_cut=is_cut)
        judged = iter(troubles)
        for record in records:
            yield record, record.trouble if record.trouble is not None else next(judged)


def _read_in_bulk(block: bytes, found: Bounds, rows: _Rows) -> dict[str, Cells] | None:
    """All records at once; none if one has a wrong number of fields."""
    names = [str(place) for place in range(rows.width)]
    used = sorted({place for places in rows.picked.values() for place in places})
    try:
        table = pc.read_csv(
            pa.py_buffer(memoryview(block)[: found.end]),
            read_options=pc.ReadOptions(
                column_names=names, block_size=min(2 * found.end, _LARGEST)
            ),
            parse_options=pc.ParseOptions(
                delimiter=rows.dialect.delimiter, newlines_in_values=True
            ),
            convert_options=pc.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=[str(place) for place in used],
                strings_can_be_null=True,
                null_values=[""],
                quoted_strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != len(found.lines):
        return None
    return rows.merge(
        {place: table[str(place)] for place in used}, is_wrapped=may_be_wrapped(block)
    )
