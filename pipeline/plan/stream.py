"""Morsels of decided contacts into the run folder, in source order."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import polars as pl

from pipeline.events import Step
from pipeline.extract.landing import Landed
from pipeline.extract.texts import Texts
from pipeline.flow.frames import side_by_side
from pipeline.mapping.compile import Compiled
from pipeline.plan import summary
from pipeline.plan.prepare import Prepared, Routing, unused_units
from pipeline.plan.record import unreadable_rows
from pipeline.plan.request import Planning
from pipeline.run.files import TableWriter
from pipeline.run.findings import RunFinding, findings_of_run
from pipeline.transform.decide import Decided, Decider, Weighed
from schemas.run import DECISIONS, FINDINGS, PLANNED
from sql.session import Session

_WIDTH: Final = 3
"""Morsels that are decided at once: with two, the cores of a small machine are idle now and then.
Each takes 300 MB."""


def _side_by_side(
    decider: Decider, morsels: Iterator[pl.DataFrame], texts: Texts, marks: pl.DataFrame
) -> Generator[Decided]:
    """Morsels decided in source order, ``_WIDTH`` at once.

    What SQL says of each contact meets its landed text.
    """

    def weighed(routed: pl.DataFrame) -> Weighed:
        start = int(routed["source_row"][0]) if routed.height else 0
        names = {
            name: name.removeprefix("say:") for name in routed.columns if name.startswith("say:")
        }
        written = texts.rows(start, routed.height)
        told = [routed.rename(names), marks.slice(start, routed.height), written]
        return decider.weighed(pl.concat(told, how="horizontal"))

    with ThreadPoolExecutor(_WIDTH, thread_name_prefix="decider") as pool:
        for one in side_by_side(weighed, map(decider.selected, morsels), pool, _WIDTH):
            yield decider.settled(one)


def _told_at_the_end(
    planning: Planning, decider: Decider, main: Session, routing: Routing, prepared: Prepared
) -> list[RunFinding]:
    """Findings of the run, once every contact has gone by."""
    prepared.findings += [*planning.source.findings, *planning.destination.findings]
    prepared.findings += unused_units(main, routing, decider.tally.units)
    prepared.findings += summary.run_findings(decider.finished(), planning.project, prepared)
    return prepared.findings


def _write(
    planning: Planning,
    morsels: Generator[Decided],
    prepared: Prepared,
    landed: Mapping[str, Landed],
    last: Callable[[], list[RunFinding]],
) -> None:
    """Write what was decided, morsel after morsel, in a thread of its own.

    ``last`` tells the findings of the run.
    """
    folder, done = planning.folder, 0
    decisions, findings = (
        TableWriter(folder.decisions, DECISIONS),
        TableWriter(folder.findings, FINDINGS),
    )
    rows = {
        name: TableWriter(folder.rows(name) / "part-00001.parquet", _rows_schema(mapping))
        for name, mapping in planning.mappings.items()
    }
    writers = [decisions, findings, *rows.values()]
    with contextlib.ExitStack() as stack:
        for writer in writers:
            stack.enter_context(writer)
        pool = stack.enter_context(
            ThreadPoolExecutor(1, thread_name_prefix="writer")
        )  # It rests before a writer closes.
        stack.enter_context(contextlib.closing(morsels))
        findings.write(unreadable_rows(landed))
        pending: Future[None] | None = None
        for decided in morsels:
            if pending is not None:
                pending.result()
            pending = pool.submit(_append, decided, decisions, findings, rows)
            done += decided.read
            planning.listener(Step(name="planning", done=done, total=prepared.rows))
        if pending is not None:
            pending.result()
        findings.write(findings_of_run(last()))
    planning.hashes.update((writer.path, writer.sha256) for writer in writers)


def _append(
    decided: Decided, decisions: TableWriter, findings: TableWriter, rows: Mapping[str, TableWriter]
) -> None:
    decisions.write(decided.decisions)
    findings.write(decided.findings)
    for name, frame in decided.rows.items():
        rows[name].write(frame)


def _rows_schema(mapping: Compiled) -> pl.Schema:
    return pl.Schema({**{one.name: one.column.dtype for one in mapping.targets}, **PLANNED})
