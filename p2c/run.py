"""A run folder as a value: its facts, and its tables as Polars frames."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.commands.explain import explain_contact
from pipeline.commands.options import Flags
from pipeline.commands.report import report_run
from pipeline.commands.verify import verify_run
from pipeline.errors import UsageError, during
from pipeline.events import report_nothing
from pipeline.run.facts import RunFacts
from pipeline.run.folder import LATEST, RunFolder, find_run
from pipeline.run.summary import Summary
from pipeline.suggest import suggest_nearest
from schemas.run import CHANGES


@dataclass(frozen=True, slots=True)
class Run:
    """One run. Its tables are read from the folder each time they are asked for.

    The columns of the tables are listed in the docs, page *The run folder*.
    """

    folder: RunFolder

    @classmethod
    def open(cls, runs: str | Path = "runs", run: str = LATEST) -> Run:
        """Open a run.

        Args:
            runs: the folder of runs.
            run: an id, a unique prefix of one, or ``latest``.

        Raises:
            P2cError: there is no such run, or several.
        """
        return cls(find_run(Path(runs), run))

    @property
    def id(self) -> str:
        """The run's id, ``YYYYMMDDTHHMMSSZ-xxxx``."""
        return str(self.folder.run)

    @property
    def path(self) -> Path:
        """The run folder."""
        return self.folder.path

    @property
    def kind(self) -> str:
        """What it is: ``main``, ``backfill``, ``retry`` or ``undo``."""
        return str(self.folder.facts().kind)

    @property
    def facts(self) -> RunFacts:
        """``run.json``: what was known at the start."""
        return self.folder.facts()

    @property
    def summary(self) -> Summary:
        """``summary.json``: verdict, counts, reasons, outcomes, equations."""
        return self.folder.read_summary()

    @property
    def decisions(self) -> pl.DataFrame:
        """One row per contact, in source order: decision, reason, task, keys, where it was read."""
        return self._table(self.folder.decisions)

    @property
    def findings(self) -> pl.DataFrame:
        """One row per problem: contact, severity, code, column, message, file and line."""
        return self._table(self.folder.findings)

    @property
    def outcomes(self) -> pl.DataFrame:
        """One row per planned row that has ended: created, updated, written, failed and so on."""
        return self._table(self.folder.outcomes)

    @property
    def changes(self) -> pl.DataFrame:
        """One row per field that an update changes: contact, task, key, column, old and new value.

        Empty if neither SCM nor an earlier load said what is there.
        """
        path = self.folder.changes
        return self._table(path) if path.is_file() else CHANGES.to_frame()

    def rows(self, task: str) -> pl.DataFrame:
        """The planned destination rows of a task, ``ContactToCustomer`` or ``Contacts``.

        Columns are the destination's, as OData spells them, and those of the plan (contactid,
        legal_entity, destination_key, batch, action, row_hash).
        """
        folder = self.folder.path / "rows"
        tasks = [one.name for one in folder.iterdir()] if folder.is_dir() else []
        if task not in tasks:
            raise UsageError(
                f"this run has no planned rows of a task '{task}'.{suggest_nearest(task, tasks)}",
                where=self.id,
            )
        return self._frame(self.folder.rows_files(task))

    def report(self, to: str | Path | None = None, *, with_values: bool = False) -> Path:
        """Write the run as one HTML page.

        Args:
            to: where; none: ``report.html`` in the run folder.
            with_values: add source values; the page then holds personal data.

        Returns:
            The page's path.
        """
        path = Path(to) if to is not None else self.folder.path / "report.html"
        report_run(self.flags(), self.id, to=path, values=with_values, listener=report_nothing)
        return path

    def explain(self, contact: str) -> str:
        """The story of a contact, by contactid or contact number. It shows the contact's values."""
        return explain_contact(self.flags(), contact, self.id).lines(100)

    def verify(self) -> bool:
        """Whether the folder is as p2c wrote it: journal, hashes, equations."""
        return verify_run(self.flags(), self.id).exit_code == 0

    def flags(self) -> Flags:
        """The flags with which the command line finds this run."""
        return Flags(runs=self.folder.path.parent, environment=tuple(os.environ.items()))

    def _table(self, path: Path) -> pl.DataFrame:
        return self._frame([path])

    def _frame(self, paths: list[Path]) -> pl.DataFrame:
        missing = [path.name for path in paths if not path.is_file()]
        if missing:
            raise UsageError(f"{missing[0]} is missing in the run folder.", where=self.id)
        with during(f"reading {paths[0].name}"):
            return pl.read_parquet(paths, glob=False)
