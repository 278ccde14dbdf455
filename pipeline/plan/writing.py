"""Decided contacts into the run folder, morsel by morsel in source order."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import polars as pl

from pipeline.events import Step
from pipeline.flow.threads import get_result
from pipeline.mapping.compile import CompiledTemplate
from pipeline.plan.record import tabulate_unreadable
from pipeline.plan.request import Planning
from pipeline.run.files import TableWriter
from pipeline.run.findings import RunFinding, frame_run_findings
from pipeline.transform.decide import DecidedMorsel
from schemas.run import DECISIONS, FINDINGS, PLANNED


def write_decided(
    planning: Planning,
    write: Callable[[TableWriter], None],
    last: Callable[[], list[RunFinding]],
) -> None:
    """Write what was decided.

    Args:
        planning: the plan; it gets the hashes of what was written.
        write: writes decisions and planned rows, whole, and is given where findings of contacts go.
        last: gives the findings of the run, once decisions and planned rows are whole.
    """
    with TableWriter(planning.folder.findings, FINDINGS) as findings:
        findings.write(tabulate_unreadable(planning.source.landed))
        write(findings)
        findings.write(frame_run_findings(last()))
    planning.hashes[findings.path] = findings.sha256


def write_morsels(
    planning: Planning, morsels: Generator[DecidedMorsel], total: int, findings: TableWriter
) -> None:
    """Write decided contacts, morsel after morsel, in a thread of its own.

    ``total`` contact rows, for progress.
    """
    folder, done = planning.folder, 0
    decisions = TableWriter(folder.decisions, DECISIONS)
    rows = {
        name: TableWriter(folder.rows(name) / "part-00001.parquet", make_rows_schema(mapping))
        for name, mapping in planning.mappings.items()
    }
    writers = [decisions, *rows.values()]
    with contextlib.ExitStack() as stack:
        for writer in writers:
            stack.enter_context(writer)
        # Entered after the writers: its thread ends before a writer closes.
        pool = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="writer"))
        stack.enter_context(contextlib.closing(morsels))
        pending: Future[None] | None = None
        for decided in morsels:
            if pending is not None:
                get_result(pending)
            pending = pool.submit(_append, decided, decisions, findings, rows)
            done += decided.read
            planning.listener(Step(name="planning", done=done, total=total))
        if pending is not None:
            get_result(pending)
    planning.hashes.update((one.path, one.sha256) for one in writers)


def _append(
    decided: DecidedMorsel,
    decisions: TableWriter,
    findings: TableWriter,
    rows: Mapping[str, TableWriter],
) -> None:
    decisions.write(decided.decisions)
    findings.write(decided.findings)
    for name, frame in decided.rows.items():
        rows[name].write(frame)


def make_rows_schema(mapping: CompiledTemplate) -> pl.Schema:
    """The columns of a task's planned rows."""
    return pl.Schema({**{one.name: one.column.dtype for one in mapping.targets}, **PLANNED})
