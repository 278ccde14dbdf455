"""``undo`` of a backfill: a plan that restores what the run wrote and nobody changed since.

The rows are read back now. Those that still have exactly what the run wrote get their old values,
guarded by the version that was read. The counter is not set back: numbers that were handed out stay
a gap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import polars as pl
import pyarrow.parquet as pq

from pipeline.backfill.results import PLAN, RESULT
from pipeline.backfill.shares import COLUMNS
from pipeline.errors import UsageError
from pipeline.run.facts import PLANNED, equation, facts_digest
from pipeline.run.files import TableWriter, read_json, sha256_of, write_json, write_table
from pipeline.run.folder import Clock, RunFolder, building, new_run
from pipeline.run.journal import Journal
from pipeline.wire.salesrows import ETAG
from schemas.codes import code
from schemas.run import BATCHES, FINDINGS, OUTCOME_NAMES, OUTCOMES

ACTIONS: Final = ("number", "activate", "both", "other", "none")
_LEFT: Final = ("changed_since_run", "gone_from_sales")
_ROWS_AT_ONCE: Final = 10_000


class Found(Protocol):
    """Where contacts are looked up: Sales itself, or an export of it."""

    def found(
        self, entity_set: str, key: str, columns: Sequence[str], ids: Iterable[str]
    ) -> dict[str, dict[str, Any]]:
        """Id → row, of those that are there."""
        ...


def undo_plan(
    of: RunFolder, sales: Found, versions: Mapping[str, str], clock: Clock, *, live: bool = True
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
    facts, before = of.facts(), read_json(of.summary)
    if facts["kind"] != "backfill" or not before.get("applied"):
        raise UsageError("only applied backfills are undone here.", where=str(of.run))
    run = new_run(clock)
    with building(of.path.parent, run) as folder:
        counts = _write(of, folder, sales)
        write_json(
            folder.run_json, _facts(facts, of, str(run), versions, clock) | {"live_source": live}
        )
        summary = _summary(str(run), of, counts)
        files = {
            path.name: sha256_of(path)
            for path in (folder.run_json, folder.findings, folder.path / PLAN)
        }
        with Journal.open(folder.journal, clock) as journal:
            summary["journal"] = journal.append(
                "planned",
                run=str(run),
                undo_of=str(of.run),
                files=files,
                summary=facts_digest(summary),
            )
        write_json(folder.summary, summary)
    return RunFolder(of.path.parent / run)


def _write(of: RunFolder, folder: RunFolder, sales: Found) -> Counter[str]:
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
            counts.update(row["action"] for row in rows)
            left = [row for row in rows if row["code"] is not None]
            counts.update(row["code"] for row in left)
            writer.write(pl.DataFrame(rows, schema=schema))
            findings.write(
                pl.DataFrame(
                    [_finding(row["contactid"], row["code"]) for row in left], schema=FINDINGS
                )
            )
    write_table(folder.outcomes, OUTCOMES.to_frame())
    write_table(folder.batches, BATCHES.to_frame())
    return counts


def _read_written(source: Path) -> Iterator[pl.DataFrame]:
    with pq.ParquetFile(source) as file:
        for batch in file.iter_batches(_ROWS_AT_ONCE):
            yield pl.DataFrame(batch).filter(pl.col("outcome").is_in(["updated", "written"]))


def _finding(contactid: str, name: str) -> dict[str, Any]:
    said = {
        "contactid": contactid,
        "severity": str(code(name).severity),
        "code": name,
        "message": code(name).message(),
    }
    return {**dict.fromkeys(FINDINGS.names()), **said}


def _turn(row: Mapping[str, Any], now: Mapping[str, Any] | None) -> dict[str, Any]:
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


def _facts(
    facts: Mapping[str, Any], of: RunFolder, run: str, versions: Mapping[str, str], clock: Clock
) -> dict[str, Any]:
    return {
        "run": run,
        "kind": "undo",
        "command": "undo",
        "undo_of": str(of.run),
        "undo_of_kind": "backfill",
        "started_at": clock().isoformat(),
        **{
            key: facts[key]
            for key in ("fingerprints", "settings", "project", "destination")
            if key in facts
        },
        "live_source": True,
        "sources": [],
        "versions": dict(versions),
    }


def _summary(run: str, of: RunFolder, counts: Counter[str]) -> dict[str, Any]:
    planned = sum(counts[action] for action in ACTIONS if action != "none")
    outcomes = dict.fromkeys(OUTCOME_NAMES, 0) | {"pending": planned}
    left = {name: counts[name] for name in _LEFT if counts[name]}
    return {
        "run": run,
        "kind": "undo",
        "undo_of": str(of.run),
        "applied": False,
        "verdict": "attention" if left else "clean",
        "balanced": True,
        "equations": [equation(PLANNED, planned, outcomes)],
        "counts": {action: counts[action] for action in ACTIONS},
        "reasons": {},
        "findings": left,
        "outcomes": outcomes,
        "forecast": {},
    }
