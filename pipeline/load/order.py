"""What a load is asked for: which plan, where to, how."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

import polars as pl

from pipeline.events import Listener
from pipeline.load import remember
from pipeline.load.packages.limits import ImportLimits
from pipeline.load.packages.package import PackageSpec
from pipeline.mapping.compile import CompiledTemplate
from pipeline.run.folder import RunFolder
from pipeline.run.journal import Journal
from pipeline.run.ledger import Place, Unit
from pipeline.wire.scm import Scm
from schemas.catalogue import Column

Way = Literal["packages", "odata"]

_ALWAYS: Final = ["legal_entity", "destination_key", "action"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadOptions:
    """How to load.

    ``auto_rows``: with ``auto``, a task's rows for one legal entity go over OData up to this many,
    else as packages. Nobody has measured where packages begin to pay; the number is a guess.
    ``odata_rows``: rows of one request. ``odata_requests``: requests at the same time.
    ``parallel_imports``: more than one needs the framework parameter *Enhanced parallel package
    import* in SCM.
    """

    load: Literal["packages", "odata", "auto"]
    auto_rows: int = 500
    odata_rows: int = 100
    odata_requests: int = 4
    parallel_imports: int = 1
    compares: bool = True
    patience: ImportLimits = field(default_factory=ImportLimits)

    def way(self, rows: int) -> Way:
        """How so many rows of one task and one legal entity are sent."""
        if self.load == "auto":
            return "odata" if rows <= self.auto_rows else "packages"
        return self.load


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadTask:
    """One task of the plan: its mapping, and the spec of a package by legal entity and batch."""

    mapping: CompiledTemplate
    spec: Callable[[str, int], PackageSpec]

    @property
    def name(self) -> str:
        """Its name in the plan."""
        return self.mapping.template.task

    @property
    def columns(self) -> dict[str, Column]:
        """The destination columns that the mapping fills, in its order."""
        return {one.name: one.column for one in self.mapping.targets}


@dataclass(frozen=True, kw_only=True)
class LoadOrder:
    """One load: what, where to, how, and who watches it.

    ``destination`` is the name under which rows are remembered.
    """

    folder: RunFolder
    destination: str
    tasks: Sequence[LoadTask]
    options: LoadOptions
    scm: Scm
    journal: Journal
    clock: Callable[[], dt.datetime]
    listener: Listener
    undoes: bool = False
    """Whether the plan takes back what another run loaded."""

    @cached_property
    def planned(self) -> pl.DataFrame:
        """The batches of the plan: task, legal_entity, batch, rows."""
        return pl.read_parquet(
            self.folder.batches, columns=["task", "legal_entity", "batch", "rows"], glob=False
        )

    def places(self, task: str) -> dict[Place, int]:
        """Rows of each batch of a task, in the order of the plan."""
        mine = self.planned.filter(pl.col("task") == task)
        return {
            (entity, batch): rows
            for entity, batch, rows in mine.select("legal_entity", "batch", "rows").iter_rows()
        }

    def way(self, task: str, legal_entity: str) -> Way:
        """How a task's rows for a legal entity are sent."""
        return self.options.way(
            sum(rows for (entity, _), rows in self.places(task).items() if entity == legal_entity)
        )

    def rows(self, unit: Unit, columns: Iterable[str]) -> pl.DataFrame:
        """The planned rows of a batch, in source order.

        They have these columns, legal_entity, destination_key and action.
        """
        mine = (pl.col("legal_entity") == unit.legal_entity) & (pl.col("batch") == unit.batch)
        names = list(dict.fromkeys([*_ALWAYS, *columns]))
        planned = pl.scan_parquet(self.folder.rows_files(unit.task), glob=False)
        return planned.filter(mine).select(names).collect()

    def known(self, task: LoadTask) -> frozenset[str]:
        """Keys of a task that other runs loaded, where the plan could not tell what is there."""
        files = self.folder.rows_files(task.name)
        if not files:  # An undo has only the tasks of which it takes something back.
            return frozenset()
        planned = pl.scan_parquet(files, glob=False)
        if not planned.select((pl.col("action") == "upsert").any()).collect().item():
            return frozenset()
        runs, run = self.folder.path.parent, str(self.folder.run)
        return remember.find_loaded_before(runs, self.destination, task.name, run)
