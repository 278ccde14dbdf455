"""What becomes known of a table while its parts are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.extract.files.discover import Form
from pipeline.extract.headers import ColumnSelection
from pipeline.extract.marks import UnknownMarks
from pipeline.extract.pages import SavedPage, refuse_missing_pages
from pipeline.extract.records import Chunk, Note, UnreadableRow


@dataclass(kw_only=True, slots=True)
class Seen:
    """What became known while the parts of a table were read.

    ``rows`` are the readable ones; ``columns`` the canonical ones, ``headers`` all others.
    """

    marks: UnknownMarks
    rows: int = 0
    columns: dict[str, None] = field(default_factory=dict)
    headers: dict[str, None] = field(default_factory=dict)
    unreadable: list[UnreadableRow] = field(default_factory=list)
    pages: list[SavedPage] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @classmethod
    def of(cls, selection: ColumnSelection) -> Seen:
        """Nothing yet, of a table's columns."""
        return cls(marks=UnknownMarks(selection))

    def watch(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        """The chunks of one part, looked at."""
        for chunk in chunks:
            self.rows += chunk.table.num_rows
            self.columns |= dict.fromkeys(self.marks.count(chunk.table))
            self.headers |= dict.fromkeys(chunk.headers)
            self.unreadable += chunk.unreadable
            self.notes += chunk.notes
            self.pages += [chunk.page] if chunk.page is not None else []
            yield chunk

    def check(self, form: Form, selection: ColumnSelection, where: str) -> None:
        """What can be said of JSON and XML only when all of it was read.

        Raises:
            SourceError: a needed column is in no row, or a page is missing.
        """
        if form not in {Form.PAGES, Form.LINES, Form.RECORDS}:
            return
        if self.rows:
            selection.check(self.columns, self.headers, where)
        refuse_missing_pages(self.pages, where)
