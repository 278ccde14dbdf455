"""Which contacts of a run were accepted (``p2c accept``), until when and why."""

from __future__ import annotations

from typing import Final

import polars as pl

from pipeline.plan.accepting import match_accepted
from pipeline.project.accepted import read_accepted
from pipeline.run.evidence import Evidence

MARKS: Final = pl.Schema(
    {
        "place": pl.Int64,
        "source_file": pl.String,
        "source_line": pl.Int64,
        "accepted_until": pl.Date,
        "accepted_why": pl.String,
        "accepted_by": pl.String,
    }
)
"""One row per accepted contact; ``place`` is its row in the decisions, from 0."""


def list_marks(evidence: Evidence) -> pl.DataFrame:
    """The accepted contacts of a run, as its plan counted them: ``MARKS``.

    Of several entries that accept a contact, the one that lasts longest counts. Without the list,
    or with tables that cannot be read, nobody is marked.
    """
    folder = evidence.folder
    if not folder.accepted.is_file():
        return MARKS.to_frame()
    found = read_accepted(folder.accepted)
    entries = pl.DataFrame(
        [(number, one.why, one.by) for number, one in found.entries],
        schema={"entry": pl.Int64, "accepted_why": pl.String, "accepted_by": pl.String},
        orient="row",
    )
    places = pl.scan_parquet(folder.decisions, glob=False).select("source_file", "source_line")
    try:
        matched = match_accepted(folder, found, evidence.run.started_at.date())
        rows = places.with_row_index("row").collect(engine="streaming")
    except (pl.exceptions.PolarsError, OSError):  # The evidence says which tables are damaged.
        return MARKS.to_frame()
    return (
        matched.filter("accepted")
        .select("row", "entry", accepted_until="until")
        .sort("accepted_until", "entry", descending=[True, False])
        .unique("row", keep="first", maintain_order=True)
        .join(entries, on="entry", how="inner", maintain_order="left")
        .join(rows, on="row", how="inner", maintain_order="left")
        .rename({"row": "place"})
        .select(pl.col(name).cast(kind) for name, kind in MARKS.items())
    )
