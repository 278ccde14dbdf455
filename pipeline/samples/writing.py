"""Where sample rows go: CSV, equal byte for byte everywhere, or Parquet.

Both take rows in pieces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

ROW_GROUP = 122_880
"""Rows in a Parquet row group, as DuckDB likes them."""


class Sink(Protocol):
    """Takes the rows of one table."""

    def write(self, rows: pa.Table) -> None:
        """Append rows."""

    def __enter__(self) -> Self:
        """Open."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the file."""


class CsvSink:
    """UTF-8 without byte order mark, commas, LF at line ends; null is nothing.

    Only what must be quoted is quoted.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._file.write(",".join(columns) + "\n")

    def write(self, rows: pa.Table) -> None:
        """Append rows of text."""
        lines = pc.binary_join_element_wise(*map(_quote, rows.columns), ",").to_pylist()
        self._file.writelines(f"{line}\n" for line in lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def _quote(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column as CSV writes it.

    Python's own writer would leave a lone carriage return without quotes.
    """
    text = pc.fill_null(column, "")
    special = pc.match_substring_regex(text, '[",\r\n]')
    if not pc.any(special).as_py():
        return text
    doubled = pc.replace_substring(text, '"', '""')
    return pc.if_else(special, pc.binary_join_element_wise('"', doubled, '"', ""), text)


class ParquetSink:
    """One file, compressed with zstd, in row groups of ``ROW_GROUP`` rows, whatever the pieces."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")
        self._schema = schema
        self._kept: list[pa.Table] = []
        self._rows = 0

    def write(self, rows: pa.Table) -> None:
        """Append typed rows."""
        self._kept.append(rows.cast(self._schema))
        self._rows += rows.num_rows
        if self._rows >= ROW_GROUP:
            self._flush(self._rows - self._rows % ROW_GROUP)

    def _flush(self, rows: int) -> None:
        table = pa.concat_tables(self._kept)
        self._writer.write_table(table.slice(0, rows), row_group_size=ROW_GROUP)
        self._kept, self._rows = [table.slice(rows)], table.num_rows - rows

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None and self._rows:
            self._flush(self._rows)
        self._writer.close()
