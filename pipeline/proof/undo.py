"""``undo`` of a load into SCM: the pack that says, key by key, what can be taken back and what cannot, as a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from pipeline.errors import UsageError
from pipeline.folder import Clock, RunFolder, TableWriter, building, facts_digest, new_run, read_json, sha256_of, write_json
from pipeline.journal import Journal, read
from pipeline.proof.spreadsheet import write_csv
from pipeline.proof.visible import made_visible
from sql.session import Session, literal, query, session

SCHEMA: Final = pl.Schema(
    {
        "contactid": pl.String,
        "task": pl.String,
        "legal_entity": pl.String,
        "destination_key": pl.String,
        "batch": pl.Int32,
        "done": pl.String,
        "action": pl.String,
        "outcome": pl.String,
    }
)
"""``undo.parquet``: one row per planned row of the run that is undone; ``done`` is what that run did."""

ACTIONS: Final = {
    "delete": "created by OData: can be deleted again",
    "restore": "updated, and what SCM had before was kept: can be written back",
    "by_hand": "created by a package: packages delete nothing; delete the keys of undo.csv in SCM by hand",
    "lost": "updated, and nobody kept what SCM had before: cannot be undone",
    "unknown": "whether it arrived is not known: confirm or finish the run first",
    "none": "nothing was changed in SCM: nothing to undo",
}
"""What taking a row back means."""

_ROWS: Final = 131_072
_ODATA: Final = "odata"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pack:
    """The plan that was made, and rows by action."""

    folder: RunFolder
    counts: Mapping[str, int]


def packed(of: RunFolder, versions: Mapping[str, str], clock: Clock) -> Pack:
    """Make the undo plan of an applied run.

    Before-images are looked for in ``before/<task>.parquet`` of the run: destination columns and destination_key, as
    SCM had them. Those of rows that would be restored are copied into the pack.

    Args:
        of: the run to undo.
        versions: of p2c and what decides its output, for the plan's record.
        clock: the time.

    Raises:
        UsageError: the run was not applied, or is itself no load.
    """
    facts, before = of.facts(), read_json(of.summary)
    if before["kind"] not in ("main", "retry") or not before.get("applied"):
        raise UsageError("only applied loads are undone.", where=str(of.run))
    run = new_run(clock)
    with building(of.path.parent, run) as folder:
        counts = _write(of, folder)
        write_json(folder.run_json, {**_facts(facts, of, str(run), clock), "versions": dict(versions)})
        summary = _summary(str(run), of, counts)
        files = {
            path.relative_to(folder.path).as_posix(): sha256_of(path) for path in sorted(folder.path.rglob("*")) if path.is_file()
        }
        with Journal.open(folder.journal, clock) as journal:
            summary["journal"] = journal.append(
                "planned", run=str(run), undo_of=str(of.run), files=files, summary=facts_digest(summary)
            )
        write_json(folder.summary, summary)
    return Pack(folder=RunFolder(of.path.parent / run), counts=counts)


def _by_odata(of: RunFolder) -> pl.DataFrame:
    """The batches that went by OData: the journal has a line for each of their requests."""
    ended = [entry.payload for entry in read(of.journal).entries if entry.payload.get("effect") == _ODATA]
    keys = pl.Schema({"task": pl.String(), "legal_entity": pl.String(), "batch": pl.Int32()})
    return pl.DataFrame([{name: one.get(name) for name in keys} for one in ended], schema=keys).unique()


def _write(of: RunFolder, folder: RunFolder) -> dict[str, int]:
    counts: Counter[str] = Counter()
    tasks = (
        pl.scan_parquet(of.outcomes, glob=False).select(pl.col("task").unique(maintain_order=True)).collect()["task"].to_list()
    )
    listed = folder.path / "undo.parquet"
    with session(memory="500MB", scratch=folder.path / "scratch") as here, TableWriter(listed, SCHEMA) as writer:
        here.view("outcomes", f"SELECT * FROM read_parquet({literal(str(of.outcomes))})")
        here.register("by_odata", _by_odata(of))
        for task in tasks:
            images = of.path / "before" / f"{task}.parquet"
            _name_images(here, images)
            for batch in here.stream(query("audit/undo"), _ROWS, task=task):
                frame = pl.DataFrame(batch)
                counts.update(dict(frame["action"].value_counts().iter_rows()))
                writer.write(frame)
    _remove_empty(folder.path / "scratch")
    for task in tasks:
        _copy_images(of, folder, task)
    keys = (
        pl.scan_parquet(listed, glob=False)
        .filter(pl.col("action") == "by_hand")
        .select("task", "legal_entity", "destination_key", "contactid")
    )
    write_csv(folder.path / "undo.csv", [made_visible(keys.collect())])
    return {action: counts[action] for action in ACTIONS}


def _name_images(here: Session, images: Path) -> None:
    there = f"SELECT DISTINCT destination_key FROM read_parquet({literal(str(images))})"
    here.view("before", there if images.is_file() else "SELECT CAST(NULL AS VARCHAR) AS destination_key WHERE false")


def _copy_images(of: RunFolder, folder: RunFolder, task: str) -> None:
    images = of.path / "before" / f"{task}.parquet"
    if not images.is_file():
        return
    wanted = pl.scan_parquet(folder.path / "undo.parquet", glob=False).filter(
        (pl.col("task") == task) & (pl.col("action") == "restore")
    )
    rows = pl.scan_parquet(images, glob=False).join(
        wanted.select("destination_key"), on="destination_key", how="semi", maintain_order="left"
    )
    frame = rows.collect()
    with TableWriter(folder.path / "before" / f"{task}.parquet", frame.schema) as writer:
        writer.write(frame)


def _remove_empty(scratch: Path) -> None:
    if scratch.is_dir():
        for path in scratch.iterdir():
            path.unlink(missing_ok=True)
        scratch.rmdir()


def _facts(facts: Mapping[str, Any], of: RunFolder, run: str, clock: Clock) -> dict[str, Any]:
    return {
        "run": run,
        "kind": "undo",
        "command": "undo",
        "undo_of": str(of.run),
        "started_at": clock().isoformat(),
        **{key: facts[key] for key in ("fingerprints", "settings", "project", "destination")},
        "live_source": False,
        "sources": [],
    }


def _summary(run: str, of: RunFolder, counts: Mapping[str, int]) -> dict[str, Any]:
    total = sum(counts.values())
    equation = f"planned = {' + '.join(counts)}"
    people = counts["by_hand"] + counts["lost"] + counts["unknown"]
    return {
        "run": run,
        "kind": "undo",
        "undo_of": str(of.run),
        "applied": False,
        "verdict": "attention" if people else "clean",
        "balanced": True,
        "equations": [{"equation": equation, "left": total, "right": total, "terms": dict(counts), "balanced": True}],
        "counts": dict(counts),
        "reasons": {},
        "findings": {},
        "outcomes": {},
        "forecast": {},
    }


def told(pack: Pack, of: RunFolder) -> str:
    """The pack as lines: what can be undone, and plainly what cannot."""
    lines = [f"Undo of {of.run}, planned as {pack.folder.run}."]
    lines += [f"  {rows:>9,}  {action}: {ACTIONS[action]}" for action, rows in pack.counts.items() if rows]
    if not any(pack.counts[action] for action in ("delete", "restore")):
        lines.append("Nothing of this run can be undone by p2c.")
    return "\n".join(lines)
