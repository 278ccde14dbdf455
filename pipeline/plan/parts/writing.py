"""The files of one attempt at a part, and how the driver reads them again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl
import pyarrow.parquet as pq

from pipeline.run.files import TableWriter
from pipeline.run.handed import name_attempt
from pipeline.transform.decide import DecidedMorsel
from schemas.run import DECISIONS, FINDINGS


class PartWriter:
    """The files of one attempt at a part. Whole when the block ends, else none are left."""

    def __init__(self, folder: Path, part: int) -> None:
        self._folder = folder
        self._part = part
        self._stack = ExitStack()
        self.decisions = self._open("decisions", DECISIONS)
        self.findings = self._open("findings", FINDINGS)
        self.rows: dict[str, TableWriter] = {}

    def _open(self, table: str, schema: pl.Schema) -> TableWriter:
        path = name_attempt(self._folder, table, self._part)
        return self._stack.enter_context(TableWriter(path, schema))

    def write(self, decided: DecidedMorsel) -> None:
        """Append a morsel. A task without rows gets no file."""
        self.decisions.write(decided.decisions)
        self.findings.write(decided.findings)
        for name, frame in decided.rows.items():
            if frame.is_empty():
                continue
            if name not in self.rows:
                self.rows[name] = self._open(name, frame.schema)
            self.rows[name].write(frame)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)


def read_groups(path: Path, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
    """The rows of a file that was written morsel by morsel, as they were written."""
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            frame = pl.from_arrow(file.read_row_group(group, columns))
            if isinstance(frame, pl.DataFrame):
                yield frame
