"""``data.xml`` of the Configuration Migration tool and of ``pac data export``.

One file holds the records of all tables: ``<entity name="contact">``, below it one ``<record>``
for each row and in it one ``<field name= value=>`` for each column that is filled. The field of a
lookup says to which table it points. A row is numbered as the nth record of its table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Final
from xml.parsers import expat

import pyarrow as pa

from pipeline.errors import SourceError
from pipeline.extract.files.encoding import read_text_blocks
from pipeline.extract.files.packed import Content
from pipeline.extract.headers import ColumnSelection
from pipeline.extract.records import Chunk, ReadOptions, UnreadableRow, render_too_long
from schemas.catalogue import Table

_ROWS: Final = 2_000
"""Rows made into columns at once."""
_PIECE: Final = 64 * 1024
"""Bytes that the parser gets at once: what it holds back can be little more."""
_GIVE_UP: Final = 16
"""One tag may be so many times over the limit of a row."""
_HEAD: Final = 4096
"""Bytes in which the outermost element begins."""
_DOCTYPE: Final = b"<!DOCTYPE"
_NO_DOCTYPE: Final = "declares a document type, which no export does."
_DEEPEST: Final = 50
_ROOT: Final = re.compile(
    rb"\s*(?:<\?[^>]*\?>|<!--(?:[^-]|-[^-])*-->|\s)*<(?P<root>[A-Za-z_][\w:.-]*)"
)
_OTHERS: Final = {
    "Workbook": "a workbook in Excel's XML form of 2003: save it as .xlsx",
    "fetch": "a FetchXML query, not its answer: export the rows",
    "resultset": "an answer to FetchXML as XML: export CSV, JSON or a workbook",
    "feed": "an OData feed of Atom: ask for JSON",
    "Envelope": "a SOAP message: export CSV, JSON or a workbook",
    "Document": "data of SCM's Data management, not of Sales",
    "ImportExportXml": "a solution or its customizations, not data",
}


def describes_records(content: Content, name: str, options: ReadOptions) -> bool:
    """Whether an XML file is one of the tool's.

    Raises:
        SourceError: it cannot be read, or declares a document type.
    """
    first, _ = _look(read_text_blocks(content, name, options), name)
    return _find_root(first) == "entities"


def has_records(content: Content, name: str, table: Table, options: ReadOptions) -> bool:
    """Whether a file of the tool's names a table."""
    pattern = re.compile(
        rb"<entity\s[^>]*?\bname\s*=\s*[\"']" + table.singular.encode() + rb"[\"']", re.IGNORECASE
    )
    rest = b""
    for block in read_text_blocks(content, name, options):
        if pattern.search(rest + block):
            return True
        rest = block[-_PIECE:]
    return False


def read_records(
    content: Content, name: str, selection: ColumnSelection, options: ReadOptions
) -> Iterator[Chunk]:
    """Read the records of one table.

    Raises:
        SourceError: it is XML of another kind, or broken, or has nothing of the table.
    """
    first, blocks = _look(read_text_blocks(content, name, options), name)
    _refuse_others(_find_root(first), name)
    records = _Records(table=selection.table.singular, name=name, limit=options.row_limit)
    shape = _Shape(name=name, selection=selection)
    for _ in records.parse(blocks):
        if len(records.rows) >= _ROWS:
            yield shape.make_chunk(records)
    yield shape.make_chunk(records)
    if not records.is_there:
        raise SourceError(
            f"has no records of {selection.table.singular}; it has "
            f"{', '.join(records.others) or 'none at all'}.",
            where=name,
        )


def _look(blocks: Iterator[bytes], name: str) -> tuple[bytes, Iterator[bytes]]:
    """How the text begins, and all of it."""
    first = b""
    for block in blocks:
        first += block
        if len(first) >= _HEAD:
            break
    if _DOCTYPE in first:
        raise SourceError(_NO_DOCTYPE, where=name)
    return first, chain((first,), blocks)


def _find_root(text: bytes) -> str:
    """The name of the outermost element, without its namespace; blank if it is not XML."""
    found = _ROOT.match(text)
    return "" if found is None else found["root"].decode().rpartition(":")[2]


def _refuse_others(root: str, name: str) -> None:
    if root == "entities":
        return
    kind = _OTHERS.get(root, f"XML of another kind (<{root}>)" if root else "not XML")
    raise SourceError(
        f"is {kind}. Of XML files, p2c reads those of the Configuration Migration tool (data.xml).",
        where=name,
    )


@dataclass(kw_only=True, slots=True)
class _Records:
    """The records of one table, as the parser comes to them."""

    table: str
    name: str
    limit: int
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    unreadable: list[UnreadableRow] = field(default_factory=list)
    others: dict[str, None] = field(default_factory=dict)
    is_there: bool = False
    _is_inside: bool = False
    _number: int = 0
    _row: dict[str, str] | None = None
    _trouble: str | None = None
    _begun: int = 0
    _heard: int = 0
    _depth: int = 0

    def parse(self, blocks: Iterator[bytes]) -> Iterator[None]:
        """Go through the file; after each step ``rows`` may be taken out."""
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = lambda tag, cells: self._start(tag, cells, parser)
        parser.EndElementHandler = lambda tag: self._end(tag, parser)
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        done = 0
        try:
            for block in blocks:
                for start in range(0, len(block), _PIECE):
                    piece = block[start : start + _PIECE]
                    parser.Parse(piece)
                    done += len(piece)
                    self._refuse_endless(done, parser)
                    yield
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise SourceError(
                f"is not whole, or broken in line {error.lineno}: export it again.",
                where=self.name,
            ) from error

    def _start(self, tag: str, cells: dict[str, str], parser: expat.XMLParserType) -> None:
        self._heard = parser.CurrentByteIndex
        self._depth += 1
        if self._depth > _DEEPEST:
            raise SourceError(
                f"line {parser.CurrentLineNumber}: its elements lie in one another too deep.",
                where=self.name,
            )
        if tag == "entity":
            name = cells.get("name", "").casefold()
            self._is_inside = name == self.table
            self.is_there |= self._is_inside
            self.others |= {} if self._is_inside else {name: None}
        elif tag == "record" and self._is_inside:
            self._number += 1
            self._row, self._trouble, self._begun = {}, None, parser.CurrentByteIndex
            if cells.get("id"):
                self._row["id"] = cells["id"]
        elif tag == "field" and self._row is not None:
            self._add(cells)

    def _add(self, cells: dict[str, str]) -> None:
        if self._row is None:
            return
        column = cells.get("name")
        if not column:
            self._trouble = "one of its fields has no name"
        elif column in self._row and column != "id":
            self._trouble = f"it has the field {column} twice"
        else:
            self._row[column] = cells.get("value", "")
            if cells.get("lookupentity"):
                self._row[f"{column}_entitytype"] = cells["lookupentity"]

    def _end(self, tag: str, parser: expat.XMLParserType) -> None:
        self._heard = parser.CurrentByteIndex
        self._depth -= 1
        if tag == "entity":
            self._is_inside = False
        if tag != "record" or self._row is None:
            return
        if parser.CurrentByteIndex - self._begun > self.limit:
            self._trouble = render_too_long(self.limit)
        if self._trouble is None:
            self.rows.append((self._number, self._row))
        else:
            self.unreadable.append(
                UnreadableRow(source_file=self.name, source_line=self._number, detail=self._trouble)
            )
        self._row = None

    def _refuse_endless(self, done: int, parser: expat.XMLParserType) -> None:
        """Refuse a tag or text without end, which the parser would keep in memory."""
        if done - self._heard > _GIVE_UP * max(self.limit, _PIECE):
            raise SourceError(
                f"line {parser.CurrentLineNumber}: a value has no end.", where=self.name
            )

    def _refuse_doctype(self, *_: object) -> None:
        """Entities could be defined there that grow without end; the tool never writes any."""
        raise SourceError(_NO_DOCTYPE, where=self.name)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shape:
    """Records → columns."""

    name: str
    selection: ColumnSelection

    def make_chunk(self, records: _Records) -> Chunk:
        """A chunk of the records that are at hand, which are used up."""
        rows, unreadable = records.rows, records.unreadable
        records.rows, records.unreadable = [], []
        headers = tuple(dict.fromkeys(chain.from_iterable(row for _, row in rows)))
        picked = self.selection.match(headers, self.name)
        merged = {
            column: self.selection.merge(
                column,
                [pa.array([row.get(key) or None for _, row in rows], pa.string()) for key in keys],
            )
            for column, keys in picked.items()
        }
        lines = pa.array([number for number, _ in rows], pa.int64())
        return Chunk(
            table=pa.table({**merged, "source_line": lines}),
            unreadable=tuple(unreadable),
            headers=headers,
        )
