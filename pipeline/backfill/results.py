"""The outcomes of a plan's rows, in the order of the plan.

They stand in ``backfill.parquet`` and ``outcomes.parquet``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow.parquet as pq

from pipeline.backfill.shares import TASK, Numbering
from pipeline.run.files import TableWriter
from pipeline.run.folder import RunFolder
from pipeline.run.ledger import REFUSED, EndedUnit
from schemas.run import OUTCOMES

PLAN: Final = "backfill-plan.parquet"
RESULT: Final = "backfill.parquet"

_ROWS_AT_ONCE: Final = 65_536
_SHARE: Final = "share"


def write_backfill_results(
    folder: RunFolder, units: list[EndedUnit], size: int, numbering: Numbering | None
) -> Counter[str]:
    """Write both tables once every share has ended.

    Args:
        folder: the run.
        units: the shares that ended.
        size: rows of a share.
        numbering: the reservation; null when the plan has no ranks.

    Returns:
        Rows by outcome.
    """
    files = {
        one.unit.batch: folder.path / str(one.facts["file"]) for one in units if "file" in one.facts
    }
    plan = folder.path / PLAN
    counts: Counter[str] = Counter()
    schema = pl.Schema(pl.read_parquet_schema(plan))
    with (
        TableWriter(folder.path / RESULT, schema) as results,
        TableWriter(folder.outcomes, OUTCOMES) as outcomes,
    ):
        for part in _number_shares(plan, size):
            found = _add_outcomes(part, _read_refused(part, files), numbering)
            results.write(found.select(schema.names()))
            written = found.filter(pl.col(_SHARE).is_not_null())
            outcomes.write(_as_outcomes(written))
            counts.update(dict(written["outcome"].value_counts().iter_rows()))
    return counts


def _number_shares(plan: Path, size: int) -> Iterator[pl.DataFrame]:
    """The plan, morsel by morsel, with the number of each row's share.

    Null for rows that are not written.
    """
    seen = 0
    with pq.ParquetFile(plan) as file:
        for batch in file.iter_batches(_ROWS_AT_ONCE):
            part = pl.DataFrame(batch)
            is_written = pl.col("action") != "none"
            place = is_written.cum_sum().cast(pl.Int64) + (seen - 1)
            part = part.with_columns(pl.when(is_written).then(place // size + 1).alias(_SHARE))
            seen += part[_SHARE].count()
            yield part


def _read_refused(part: pl.DataFrame, files: Mapping[int, Path]) -> pl.DataFrame:
    """``REFUSED`` of the shares that these rows are of."""
    numbers = part[_SHARE].drop_nulls().unique().to_list()
    return pl.concat(
        [
            REFUSED.to_frame(),
            *(pl.read_parquet(files[number], glob=False) for number in numbers if number in files),
        ]
    )


def _add_outcomes(
    part: pl.DataFrame, refused: pl.DataFrame, numbering: Numbering | None
) -> pl.DataFrame:
    answers = refused.rename({"destination_key": "contactid"})
    joined = part.drop("outcome", "code").join(
        answers, on="contactid", how="left", maintain_order="left"
    )
    is_written = pl.col(_SHARE).is_not_null()
    outcome = pl.when(is_written).then(pl.coalesce("outcome", pl.lit("updated")))
    return joined.with_columns(outcome=outcome).with_columns(_number(numbering))


def _number(numbering: Numbering | None) -> pl.Expr:
    """The number that a row has now.

    With a rank: its number if it was written, else none. Without one: as planned.
    """
    if numbering is None:
        return pl.col("number_after")
    digits = (pl.col("rank") + numbering.base).cast(pl.String).str.zfill(5)
    text = pl.concat_str(pl.lit(f"{numbering.prefix}-"), digits, pl.lit("-"), pl.col("suffix"))
    got = pl.when(pl.col("outcome").is_in(["updated", "unknown"])).then(text)
    return (
        pl.when(pl.col("rank").is_not_null())
        .then(got)
        .otherwise("number_after")
        .alias("number_after")
    )


def _as_outcomes(written: pl.DataFrame) -> pl.DataFrame:
    return written.select(
        "contactid",
        pl.lit(TASK).alias("task"),
        pl.col("contactid").alias("destination_key"),
        pl.col(_SHARE).cast(pl.Int32).alias("batch"),
        "outcome",
        "code",
        "message",
    )
