"""The third pass: planned rows get their batches, with the counts of the parts before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from pipeline.engine.protocol import Work
from pipeline.plan.parts.tallies import ByThree, ByTwo
from pipeline.plan.parts.tasks import PartTools, load_tools
from pipeline.plan.parts.writing import read_groups
from pipeline.run.files import TableWriter
from pipeline.run.handed import PartModel, name_attempt, read_text
from pipeline.transform.batch import Batcher, name_shapes

_ASKED = ("legal_entity", "action")


class PartNumbering(PartModel):
    """Where the batches of a part begin: its files of rows by task, and ``Batcher`` before it."""

    rows: dict[str, str]
    size: int
    counts: ByThree
    last: ByTwo
    current: ByThree

    @classmethod
    def of(cls, rows: dict[str, str], batcher: Batcher) -> PartNumbering:
        """The batcher as it is before a part."""
        return cls(
            rows=rows,
            size=batcher.rows,
            counts=tuple(batcher.counts.items()),
            last=tuple(batcher.last.items()),
            current=tuple(batcher.current.items()),
        )

    def restore(self) -> Batcher:
        """The batcher that it was."""
        return Batcher(
            rows=self.size,
            counts=dict(self.counts),
            last=dict(self.last),
            current=dict(self.current),
        )


class PartNumbered(PartModel):
    """The files of a part's planned rows by task, in the folder, and their hashes."""

    rows: dict[str, tuple[str, str]]


class NumberWork(Work[PartNumbered]):
    """Part → its planned rows with their batches; the driver wrote where they begin."""

    kit: Path

    @contextmanager
    def open(self) -> Iterator[Callable[[int], PartNumbered]]:
        """What numbers the rows of a part."""
        tools = load_tools(self.kit)
        yield lambda part: _number(tools, part)

    def read(self, answer: str) -> PartNumbered:
        """An answer out of its JSON."""
        return PartNumbered.model_validate_json(answer)


def _number(tools: PartTools, part: int) -> PartNumbered:
    folder, made = tools.kit.source.folder, {}
    numbering = PartNumbering.model_validate_json(read_text(folder / name_numbering(part)))
    batcher = numbering.restore()
    for task, name in numbering.rows.items():
        path, kept = folder / name, tools.list_kept(task)
        schema = pl.Schema(pl.read_parquet_schema(path))
        with TableWriter(name_attempt(folder, task, part), schema) as writer:
            for rows in read_groups(path):
                writer.write(rows.with_columns(number_rows(batcher, task, rows, kept)))
        made[task] = (writer.path.name, writer.sha256)
    return PartNumbered(rows=made)


def name_numbering(part: int) -> str:
    """The file that says where the batches of a part begin, in the folder."""
    return f"numbering-{part:06d}.json"


def number_rows(batcher: Batcher, task: str, rows: pl.DataFrame, kept: Sequence[str]) -> pl.Series:
    """``batch`` of planned rows; ``rows`` has what decides it: legal entity, action, ``kept``."""
    shape = [name_shapes(rows, kept)] if kept else []
    return batcher.number_rows(task, rows.select(*_ASKED, *shape))["batch"]


def advance(batcher: Batcher, task: str, path: Path, kept: Sequence[str]) -> None:
    """Let a batcher go on behind the rows of a file, of which it reads what decides batches."""
    for rows in read_groups(path, [*_ASKED, *kept]):
        number_rows(batcher, task, rows, kept)
