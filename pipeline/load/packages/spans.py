"""Which rows each batch of a plan spans, so that its package can be built apart from the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InvariantBroken, during
from pipeline.run.handed import PartModel
from pipeline.run.ledger import Place

_PLACE: Final = ["legal_entity", "batch"]
_ROW: Final = "place:"
"""A column of ours; names of SCM have no colon."""


class BatchSpan(PartModel):
    """A batch, and the planned rows of its task that it lies between.

    ``first`` and ``last`` count through all files of the task; both rows are the batch's own.
    """

    task: str
    legal_entity: str
    batch: int
    rows: int
    first: int
    last: int

    @property
    def package_file(self) -> str:
        """The name of its package."""
        return f"{self.legal_entity}-{self.batch}.zip"


class RowsFile(PartModel):
    """A file of planned rows; ``first`` counts through all files of the task."""

    path: Path
    first: int
    rows: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RowGroup:
    """Planned rows that were written together; ``first`` counts as in ``RowsFile``."""

    path: Path
    number: int
    first: int
    rows: int

    def read(self, columns: list[str] | None = None) -> pl.DataFrame:
        """The rows, or some of their columns. Raises as ``open_rows`` does."""
        with open_rows(self.path) as file:
            return pl.DataFrame(file.read_row_group(self.number, columns))


@contextmanager
def open_rows(path: Path) -> Iterator[pq.ParquetFile]:
    """A file of planned rows.

    Raises:
        InvariantBroken: it is not whole.
        Stopped: the disk failed.
    """
    try:
        with during("reading the planned rows"), pq.ParquetFile(path) as file:
            yield file
    except pa.ArrowInvalid as error:
        raise InvariantBroken(
            "is not a whole Parquet file; the run folder was altered", where=str(path)
        ) from error


def place_files(paths: Iterable[Path]) -> tuple[RowsFile, ...]:
    """The files of a task, in source order."""
    found = []
    first = 0
    for path in paths:
        with open_rows(path) as file:
            found.append(RowsFile(path=path.resolve(), first=first, rows=file.metadata.num_rows))
        first += found[-1].rows
    return tuple(found)


def _list_groups(file: RowsFile) -> Iterator[RowGroup]:
    with open_rows(file.path) as opened:
        metadata = opened.metadata
        sizes = [metadata.row_group(one).num_rows for one in range(metadata.num_row_groups)]
    first = file.first
    for number, rows in enumerate(sizes):
        yield RowGroup(path=file.path, number=number, first=first, rows=rows)
        first += rows


def find_spans(task: str, files: Iterable[RowsFile]) -> list[BatchSpan]:
    """The batches of a task, in the order of their last rows: so packages are built.

    Raises:
        InvariantBroken: a row of a batch has no legal entity, or a file is not whole.
    """
    found: dict[Place, BatchSpan] = {}
    for group in chain.from_iterable(map(_list_groups, files)):
        for entity, batch, rows, first, last in _count_rows(group).iter_rows():
            if entity is None:
                raise InvariantBroken(f"a planned row of batch {batch} has no legal entity")
            before = found.get((entity, batch))
            found[entity, batch] = BatchSpan(
                task=task,
                legal_entity=entity,
                batch=batch,
                rows=rows + (0 if before is None else before.rows),
                first=first if before is None else before.first,
                last=last,
            )
    return sorted(found.values(), key=lambda one: one.last)


def _count_rows(group: RowGroup) -> pl.DataFrame:
    """Of each batch: legal_entity, batch, rows, first, last."""
    rows = group.read(_PLACE).with_row_index(_ROW, offset=group.first)
    batches = rows.filter(pl.col("batch").is_not_null()).group_by(_PLACE)
    return batches.agg(rows=pl.len(), first=pl.col(_ROW).min(), last=pl.col(_ROW).max())


def read_span(files: Iterable[RowsFile], span: BatchSpan) -> Iterator[pl.DataFrame]:
    """The rows of a batch, in their order."""
    near = (one for one in files if _overlaps(one, span))
    for group in chain.from_iterable(map(_list_groups, near)):
        if _overlaps(group, span):
            yield group.read().filter(
                pl.col("legal_entity") == span.legal_entity, pl.col("batch") == span.batch
            )


def _overlaps(rows: RowsFile | RowGroup, span: BatchSpan) -> bool:
    return rows.first <= span.last and span.first < rows.first + rows.rows
