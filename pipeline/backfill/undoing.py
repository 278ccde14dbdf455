"""``undo`` of a backfill: a plan that restores what the run wrote and nobody changed since.

The rows are read back now. Those that still have exactly what the run wrote get their old values,
guarded by the version that was read. The counter is not set back: numbers that were handed out stay
a gap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import polars as pl
import pyarrow.parquet as pq

from pipeline.backfill.results import PLAN, RESULT
from pipeline.backfill.shares import COLUMNS
from pipeline.errors import UsageError
from pipeline.plan.undo import undo_facts
from pipeline.run.facts import Kind
from pipeline.run.files import TableWriter, write_table
from pipeline.run.folder import Clock, RunFolder, build_run, make_run_id
from pipeline.run.summary import PLANNED, Summary, make_equation
from pipeline.run.vouching import write_plan
from pipeline.wire.salesrows import ETAG
from schemas.codes import find_code
from schemas.run import BATCHES, FINDINGS, OUTCOME_NAMES, OUTCOMES

ACTIONS: Final = ("number", "activate", "both", "other", "none")
_LEFT: Final = ("changed_since_run", "gone_from_sales")
_ROWS_AT_ONCE: Final = 10_000


class ContactLookup(Protocol):
    """Where contacts are looked up: Sales itself, or an export of it."""

    def found(
        self, entity_set: str, key: str, columns: Sequence[str], ids: Iterable[str]
    ) -> Mapping[str, Mapping[str, object]]:
        """Id → row, of those that are there."""
        ...


def plan_undo(
    of: RunFolder,
    sales: ContactLookup,
    versions: Mapping[str, str],
    clock: Clock,
    *,
    live: bool = True,
) -> RunFolder:
    """Make the plan that undoes an applied backfill.

    Args:
        of: the backfill's run.
        sales: where it was written, or what was exported since.
        versions: of p2c and what decides its output, for the plan's record.
        clock: the time.
        live: whether the plan is written into Sales; else applying it leaves files to import.

    Raises:
        UsageError: the run was not applied, or is not a backfill.
        SystemStopped: Sales failed; nothing is left behind.
    """
    facts, before = of.facts(), of.read_summary()
    if facts.kind is not Kind.BACKFILL or not before.applied:
        raise UsageError("only applied backfills are undone here.", where=str(of.run))
    run = make_run_id(clock, of.path.parent)
    made = undo_facts(facts, versions, run, clock(), live=live)
    with build_run(of.path.parent, made) as folder:
        counts = _write(of, folder, sales)
        files = (folder.run_json, folder.findings, folder.path / PLAN)
        write_plan(folder, _make_summary(run, of, counts), files, clock)
    return RunFolder(of.path.parent / run)


def _write(of: RunFolder, folder: RunFolder, sales: ContactLookup) -> Counter[str]:
    """Write the plan's rows: those that the run wrote.

    Returns their number by action, and by the code of those that are left alone.
    """
    source = of.path / RESULT
    schema = pl.Schema(
        {**pl.read_parquet_schema(source), "suffix": pl.String(), "code": pl.String()}
    )
    counts: Counter[str] = Counter()
    with (
        TableWriter(folder.path / PLAN, schema) as writer,
        TableWriter(folder.findings, FINDINGS) as findings,
    ):
        for part in _read_written(source):
            there = sales.found("contacts", "contactid", tuple(COLUMNS), part["contactid"])
            rows = [_turn(row, there.get(row["contactid"])) for row in part.iter_rows(named=True)]
            counts.update(str(row["action"]) for row in rows)
            left = [(row["contactid"], str(row["code"])) for row in rows if row["code"] is not None]
            counts.update(name for _, name in left)
            writer.write(pl.DataFrame(rows, schema=schema))
            findings.write(pl.DataFrame([_make_finding(*one) for one in left], schema=FINDINGS))
    write_table(folder.outcomes, OUTCOMES.to_frame())
    write_table(folder.batches, BATCHES.to_frame())
    return counts


def _read_written(source: Path) -> Iterator[pl.DataFrame]:
    with pq.ParquetFile(source) as file:
        for batch in file.iter_batches(_ROWS_AT_ONCE):
            yield pl.DataFrame(batch).filter(pl.col("outcome").is_in(["updated", "written"]))


def _make_finding(contactid: object, name: str) -> dict[str, object]:
    said = {
        "contactid": contactid,
        "severity": str(find_code(name).severity),
        "code": name,
        "message": find_code(name).message(),
    }
    return {**dict.fromkeys(FINDINGS.names()), **said}


def _turn(row: Mapping[str, object], now: Mapping[str, object] | None) -> dict[str, object]:
    """A row the other way round; there is nothing to do for one that is gone or was changed."""
    turned = {**row, "rank": None, "suffix": None, "outcome": None, "code": None}
    for stem in COLUMNS.values():
        turned[f"{stem}_before"], turned[f"{stem}_after"] = (
            row[f"{stem}_after"],
            row[f"{stem}_before"],
        )
    written = {
        name: stem
        for name, stem in COLUMNS.items()
        if row[f"{stem}_before"] != row[f"{stem}_after"]
    }
    if now is None:
        return {**turned, "action": "none", "code": "gone_from_sales"}
    if all(now.get(name) == row[f"{stem}_before"] for name, stem in written.items()):
        return {**turned, "action": "none"}
    if any(now.get(name) != row[f"{stem}_after"] for name, stem in written.items()):
        return {**turned, "action": "none", "code": "changed_since_run"}
    return {**turned, "etag": now.get(ETAG)}


def _make_summary(run: str, of: RunFolder, counts: Counter[str]) -> Summary:
    planned = sum(counts[action] for action in ACTIONS if action != "none")
    outcomes = dict.fromkeys(OUTCOME_NAMES, 0) | {"pending": planned}
    left = {name: counts[name] for name in _LEFT if counts[name]}
    return Summary(
        run=run,
        kind=Kind.UNDO,
        undo_of=of.run,
        applied=False,
        verdict="attention" if left else "clean",
        balanced=True,
        equations=(make_equation(PLANNED, planned, outcomes),),
        counts={action: counts[action] for action in ACTIONS},
        findings=left,
        outcomes=outcomes,
    )
