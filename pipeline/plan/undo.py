"""``undo`` of a load into SCM.

The pack that says, key by key, what can be taken back and what cannot, as a plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.errors import InvariantBroken, UsageError
from pipeline.project.settings import DestinationSettings
from pipeline.run.facts import Kind, RunFacts
from pipeline.run.files import TableWriter, hash_file, write_table
from pipeline.run.folder import Clock, RunFolder, RunId, build_run, make_run_id
from pipeline.run.journal import list_recorded_hashes, read_journal
from pipeline.run.summary import PLANNED, PlannedRowCount, Summary, make_equation
from pipeline.run.vouching import write_plan
from pipeline.show.spreadsheet import write_csv
from schemas.run import BATCHES, FINDINGS, OUTCOME_NAMES, OUTCOMES
from sql.query import query
from sql.session import Session, session

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
"""``undo.parquet``: one row per planned row of the run that is undone; ``done`` is what that run
did."""

ACTIONS: Final = {
    "delete": "created by OData: is deleted again",
    "restore": "updated, and what SCM had before was kept: is written back",
    "by_hand": (
        "created by a package: packages delete nothing; delete the keys of undo.csv in SCM by hand"
    ),
    "lost": "updated, and what SCM had before was not kept: cannot be undone",
    "unknown": "whether it arrived is not known: confirm or finish the run first",
    "none": "nothing was changed in SCM: nothing to undo",
}
"""What taking a row back means."""

EQUATION: Final = f"rows = {' + '.join(ACTIONS)}"
UNDONE: Final = ("delete", "restore")
"""Actions that applying the pack carries out."""

_PLANNED: Final = pl.Schema(
    {
        "task": pl.String,
        "legal_entity": pl.String,
        "batch": pl.Int32,
        "action": pl.String,
        "rows": pl.Int64,
    }
)
"""Rows that are taken back, counted."""

_IMAGES: Final = pl.Schema({"destination_key": pl.String()})
"""What is read of before-images: which keys have one."""

_ROWS: Final = 131_072
_ODATA: Final = "odata"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pack:
    """The plan that was made, and rows by action."""

    folder: RunFolder
    counts: Mapping[str, int]

    @property
    def undoable(self) -> int:
        """Rows that applying the pack takes back."""
        return sum(self.counts[action] for action in UNDONE)


def make_undo(of: RunFolder, versions: Mapping[str, str], clock: Clock) -> Pack:
    """Make the undo plan of an applied run.

    What is taken back stands in the pack as planned rows: in ``rows/<task>/`` what the run wrote,
    in batches of its own, and in ``before/<task>.parquet`` what SCM had before (destination columns
    as text, destination_key), for rows that are restored.

    Args:
        of: the run to undo.
        versions: of p2c and what decides its output, for the plan's record.
        clock: the time.

    Raises:
        UsageError: the run was not applied, is not a load, or its planned rows were purged.
        InvariantBroken: the files of the run that the pack is made of were altered.
    """
    facts, before = of.facts(), of.read_summary()
    if not before.kind.is_load or not before.applied:
        raise UsageError(
            "only applied loads are undone, and this plan sent nothing: leave it, or make another.",
            where=str(of.run),
        )
    _refuse_altered(of)
    run = make_run_id(clock, of.path.parent)
    with build_run(of.path.parent, undo_facts(facts, versions, run, clock())) as folder:
        rows = facts.text("destination.batch_rows") or DestinationSettings().batch_rows
        counts, planned = _write(of, folder, int(rows))
        files = [path for path in sorted(folder.path.rglob("*")) if path.is_file()]
        write_table(folder.batches, _make_batches(planned))
        write_table(folder.outcomes, OUTCOMES.to_frame())
        write_plan(folder, _summarize(run, of, counts, planned), files, clock)
    return Pack(folder=RunFolder(of.path.parent / run), counts=counts)


def undo_facts(
    of: RunFacts, versions: Mapping[str, str], run: RunId, began: datetime, *, live: bool = False
) -> RunFacts:
    """``run.json`` of the undo of a run: settings and destination are those of that run."""
    return RunFacts(
        run=run,
        kind=Kind.UNDO,
        command="undo",
        undo_of=of.run,
        undo_of_kind=Kind.BACKFILL if of.kind is Kind.BACKFILL else None,
        started_at=began,
        versions=versions,
        fingerprints=of.fingerprints,
        settings=of.settings,
        project=of.project,
        live_source=live,
        destination=of.destination,
    )


def _refuse_altered(of: RunFolder) -> None:
    """What the pack is made of must be what the journal vouches for: it decides what is deleted."""
    known = list_recorded_hashes(read_journal(of.journal).entries)
    rows = [path for task in _list_tasks(of) for path in of.rows_files(task)]
    images = [path for task in _list_tasks(of) for path in _list_images(of, task)]
    for path in [of.outcomes, *rows, *images]:
        name = path.relative_to(of.path).as_posix()
        if known.get(name) is not None and (not path.is_file() or hash_file(path) != known[name]):
            raise InvariantBroken(
                f"{name} is not as the run left it. `p2c verify {of.run}` says more.",
                where=str(of.run),
            )


def _list_tasks(of: RunFolder) -> list[str]:
    return sorted(path.name for path in (of.path / "rows").glob("*") if path.is_dir())


def _list_odata_batches(of: RunFolder) -> pl.DataFrame:
    """The batches that went by OData: the journal has a line for each of their requests."""
    ended = [
        entry.payload
        for entry in read_journal(of.journal).entries
        if entry.payload.get("effect") == _ODATA
    ]
    keys = pl.Schema({"task": pl.String(), "legal_entity": pl.String(), "batch": pl.Int32()})
    return pl.DataFrame(
        [{name: one.get(name) for name in keys} for one in ended], schema=keys
    ).unique()


def _write(
    of: RunFolder, folder: RunFolder, batch_rows: int
) -> tuple[dict[str, int], pl.DataFrame]:
    """The pack's tables.

    Rows by action, and those to take back by task, legal_entity, batch and action.
    """
    counts: Counter[str] = Counter()
    turned: set[str] = set()
    planned = [_PLANNED.to_frame()]
    tasks = (
        pl.scan_parquet(of.outcomes, glob=False)
        .select(pl.col("task").unique(maintain_order=True))
        .collect()["task"]
        .to_list()
    )
    listed = folder.path / "undo.parquet"
    with (
        session(memory="500MB", scratch=folder.path / "scratch") as here,
        TableWriter(listed, SCHEMA) as writer,
    ):
        here.parquet("outcomes", of.outcomes)
        here.register("by_odata", _list_odata_batches(of))
        for task in tasks:
            here.parquet("before", _list_images(of, task), schema=_IMAGES)
            for batch in here.stream(query("plan/undo"), _ROWS, task=task):
                frame = pl.DataFrame(batch)
                found = dict(frame["action"].value_counts().iter_rows())
                counts.update(found)
                turned |= {task} if found.keys() & set(UNDONE) else set()
                writer.write(frame)
    if turned:
        with session(memory="500MB", scratch=folder.path / "scratch") as here:
            here.parquet("listed", listed)
            planned += [
                _write_rows(here, of, folder, task, batch_rows) for task in tasks if task in turned
            ]
    _remove_empty(folder.path / "scratch")
    for task in tasks:
        _copy_images(of, folder, task)
    keys = (
        pl.scan_parquet(listed, glob=False)
        .filter(pl.col("action") == "by_hand")
        .select("task", "legal_entity", "destination_key", "contactid")
    )
    write_csv(folder.path / "undo.csv", [keys.collect()], visible=True)
    write_table(folder.findings, FINDINGS.to_frame())
    return {action: counts[action] for action in ACTIONS}, pl.concat(planned)


def _write_rows(
    here: Session, of: RunFolder, folder: RunFolder, task: str, batch_rows: int
) -> pl.DataFrame:
    """The rows of one task that are taken back, as planned rows.

    How many there are of each kind.
    """
    files = of.rows_files(task)
    if not files:
        raise UsageError(
            f"the planned rows of {task} were removed: what was sent is not known.",
            where=str(of.run),
        )
    here.parquet("planned", files, places=True)
    path = folder.rows(task) / files[0].name
    counts = []
    schema = pl.Schema(pl.read_parquet_schema(files[0]))
    with TableWriter(path, schema) as writer:
        for batch in here.stream(query("plan/undo_rows"), _ROWS, task=task, size=batch_rows):
            frame = pl.DataFrame(batch).select(schema.names()).cast(schema)
            writer.write(frame)
            counts.append(
                frame.group_by("legal_entity", "batch", "action").agg(rows=pl.len().cast(pl.Int64))
            )
    places = ["legal_entity", "batch", "action"]
    whole = pl.concat(counts).group_by(places).agg(pl.col("rows").sum()).sort(places)
    return whole.select(pl.lit(task).alias("task"), *places, "rows")


def _list_images(of: RunFolder, task: str) -> list[Path]:
    """What SCM had under the keys that a run updated, the nearest to the update first.

    Requests keep it as they are sent; for packages there is what the plan saw.
    """
    kept = (of.path / "before" / f"{task}.parquet", of.present(task))
    return [path for path in kept if path.is_file()]


def _copy_images(of: RunFolder, folder: RunFolder, task: str) -> None:
    images = _list_images(of, task)
    if not images:
        return
    wanted = (
        pl.scan_parquet(folder.path / "undo.parquet", glob=False)
        .filter((pl.col("task") == task) & (pl.col("action") == "restore"))
        .select("destination_key")
    )
    schema = pl.Schema(pl.read_parquet_schema(images[0]))
    with TableWriter(folder.path / "before" / f"{task}.parquet", schema) as writer:
        for path in images:
            rows = pl.scan_parquet(path, glob=False).select(schema.names())
            mine = rows.join(wanted, on="destination_key", how="semi", maintain_order="left")
            for frame in mine.collect_batches(maintain_order=True):
                writer.write(frame)
            taken = pl.scan_parquet(path, glob=False).select("destination_key")
            wanted = wanted.join(taken, on="destination_key", how="anti")


def _remove_empty(scratch: Path) -> None:
    if scratch.is_dir():
        for path in scratch.iterdir():
            path.unlink(missing_ok=True)
        scratch.rmdir()


def _make_batches(planned: pl.DataFrame) -> pl.DataFrame:
    """``BATCHES`` of a plan: what will be sent together."""
    whole = planned.group_by("task", "legal_entity", "batch", maintain_order=True).agg(
        pl.col("rows").sum()
    )
    rows = [{**dict.fromkeys(BATCHES.names()), **one} for one in whole.iter_rows(named=True)]
    return pl.DataFrame(rows, schema=BATCHES)


def _summarize(
    run: RunId, of: RunFolder, counts: Mapping[str, int], planned: pl.DataFrame
) -> Summary:
    people = counts["by_hand"] + counts["lost"] + counts["unknown"]
    undone = sum(counts[action] for action in UNDONE)
    outcomes = dict.fromkeys(OUTCOME_NAMES, 0) | {"pending": undone}
    actions = planned.group_by("task", "legal_entity", "action", maintain_order=True).agg(
        pl.col("rows").sum()
    )
    return Summary(
        run=run,
        kind=Kind.UNDO,
        undo_of=of.run,
        applied=False,
        verdict="attention" if people else "clean",
        balanced=True,
        equations=(
            make_equation(EQUATION, sum(counts.values()), counts),
            make_equation(PLANNED, undone, outcomes),
        ),
        counts=dict(counts),
        outcomes=outcomes,
        actions=tuple(PlannedRowCount(**one) for one in actions.iter_rows(named=True)),
    )


def render_undo(pack: Pack, of: RunFolder) -> str:
    """The pack as lines: what can be undone, and plainly what cannot."""
    lines = [f"Undo of {of.run}, planned as {pack.folder.run}."]
    lines += [
        f"  {rows:>9,}  {action}: {ACTIONS[action]}" for action, rows in pack.counts.items() if rows
    ]
    if pack.undoable:
        lines.append(
            f"What was changed in SCM since is left alone. `p2c apply {pack.folder.run}` does it, "
            "by OData."
        )
    else:
        lines.append("Nothing of this run can be undone by p2c.")
    return "\n".join(lines)
