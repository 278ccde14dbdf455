"""Findings that a load adds to those of its plan.

What SCM said or counted of a batch, not of a contact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl
import pyarrow.parquet as pq

from pipeline.errors import during
from pipeline.run.files import DISK, TableWriter
from pipeline.run.folder import RunFolder
from pipeline.run.journal import Entry, Journal
from schemas.codes import find_code
from schemas.run import FINDINGS

ADDED: Final = "findings_added"
"""The journal's line before ``findings.parquet`` is replaced; it carries the hash of the new file.
"""

FILE: Final = pl.when(pl.all_horizontal(pl.col("contactid", "source_line").is_null())).then(
    "source_file"
)
"""The file of a finding that is about a file as a whole, null in all other findings."""

CHANGED: Final = "changed_by_scm"
"""The code of rows that SCM wrote with other values than were sent."""

CODES: Final = ("counts_disagree", "message_unplaced", "number_gap", "counter_fell_back", CHANGED)
"""Codes that a load adds."""


def add_findings(
    folder: RunFolder,
    journal: Journal,
    found: Sequence[tuple[str, str]],
    changed: pl.DataFrame | None = None,
) -> Mapping[str, int]:
    """Put the findings of a load behind those of the plan, however often it is called.

    How many there are of each code. The new file is whole before the journal names it, and takes
    its place after: a stop in between leaves either, and the journal knows both.

    Args:
        folder: the run.
        journal: its journal, open.
        found: code and detail of each.
        changed: contactid, task and, as ``message``, the columns of rows that SCM wrote with other
            values.
    """
    rows = _frame_changed(folder, changed)
    if not found and rows.is_empty():
        return {}
    added = folder.findings.with_name("findings-added.parquet")
    with TableWriter(added, FINDINGS) as writer:
        for part in _read_planned(folder):
            writer.write(part)
        writer.write(_frame_rows(found))
        writer.write(rows)
    with during("writing findings.parquet"):
        journal.append(ADDED, files={folder.findings.name: writer.sha256})
        DISK.replace(added, folder.findings)
    return Counter([*(name for name, _ in found), *rows["code"]])


def list_accepted_hashes(entries: Iterable[Entry]) -> frozenset[str]:
    """Hashes that ``findings.parquet`` may have, next to the planned one.

    They are of the findings that a load of this journal added.
    """
    added = (entry.payload["files"].values() for entry in entries if entry.event == ADDED)
    return frozenset(digest for digests in added for digest in digests)


def _read_planned(folder: RunFolder) -> Iterator[pl.DataFrame]:
    """The plan's own findings, row group by row group."""
    with during("reading findings.parquet"), pq.ParquetFile(folder.findings) as file:
        for group in range(file.num_row_groups):
            frame = pl.DataFrame(file.read_row_group(group))
            yield frame.filter(~pl.col("code").is_in(CODES))


def _frame_rows(found: Sequence[tuple[str, str]]) -> pl.DataFrame:
    nothing = dict.fromkeys(FINDINGS.names())
    rows = [
        {
            **nothing,
            "severity": str(find_code(name).severity),
            "code": name,
            "message": find_code(name).message(detail=detail),
        }
        for name, detail in found
    ]
    return pl.DataFrame(rows, schema=FINDINGS)


def _frame_changed(folder: RunFolder, changed: pl.DataFrame | None) -> pl.DataFrame:
    """A row for each column that SCM wrote with another value than was sent."""
    if changed is None or changed.is_empty():
        return FINDINGS.to_frame()
    code, sent = find_code(CHANGED), pl.col("decision").is_in(["customer", "contact"])
    places = (
        pl.scan_parquet(folder.decisions, glob=False)
        .filter(sent)
        .select("contactid", "source_file", "source_line")
        .join(changed.lazy(), on="contactid", how="inner", maintain_order="left")
        .collect(engine="streaming")
    )
    names = places.with_columns(destination=pl.col("message").str.split(", ")).explode(
        "destination"
    )
    return names.select(
        "contactid",
        "task",
        severity=pl.lit(str(code.severity)),
        code=pl.lit(CHANGED),
        column=pl.lit(None, pl.String),
        destination="destination",
        message=pl.format(code.message(column="{}"), "destination"),
        value=pl.lit(None, pl.String),
        source_file="source_file",
        source_line="source_line",
    ).cast(FINDINGS)


def frame_run_findings(findings: list[RunFinding]) -> pl.DataFrame:
    """Findings of the run as rows."""
    return pl.DataFrame(
        [
            {
                "contactid": None,
                "task": None,
                "severity": find_code(one.code).severity,
                "code": one.code,
                "column": one.column or None,
                "destination": None,
                "message": find_code(one.code).message(column=one.column, detail=one.detail),
                "value": one.value,
                "source_file": one.source_file,
                "source_line": one.source_line,
            }
            for one in findings
        ],
        schema=FINDINGS,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFinding:
    """A finding of the run or of a table's row, not of a contact."""

    code: str
    detail: str = ""
    column: str = ""
    value: str | None = None
    source_file: str | None = None
    source_line: int | None = None
    rows: int | None = None
    """How many rows it is about; null: as many as ``detail`` says, or one."""

    @property
    def concerned(self) -> int:
        """How many rows it is about."""
        return read_count(self.detail) if self.rows is None else self.rows


def read_count(detail: str) -> int:
    """The number that a finding of the run tells; one where it tells something else."""
    digits = detail.replace(",", "")
    return int(digits) if digits.isdecimal() else 1
