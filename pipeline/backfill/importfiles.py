"""A backfill from files, carried out: files to import in Sales, in their order.

The counter's row comes first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow.parquet as pq

from pipeline.backfill.counter import NEXT
from pipeline.backfill.results import PLAN, RESULT
from pipeline.backfill.shares import COLUMNS, TASK
from pipeline.errors import during
from pipeline.run.facts import Numbers
from pipeline.run.files import TableWriter, atomic, hash_file, replace_file
from pipeline.run.folder import RunFolder
from pipeline.run.private import make_folder
from schemas.run import OUTCOMES

FOLDER: Final = "import"
"""In the run folder: what is to be imported."""

_COUNTER_FILE: Final = "1-msdynce_p2cautonumbers.csv"
_FILES: Final = {
    "number": "2-contacts-number.csv",
    "both": "3-contacts-number-and-flag.csv",
    "activate": "4-contacts-flag.csv",
    "other": "5-contacts-company-flag.csv",
}
_README: Final = (
    (
        "Import these files in Sales in the order of their names, before anybody makes a contact: "
        "the first moves the counter forward."
    ),
    "Each file updates rows by their id (first column) and changes its other columns only.",
    "Then export contacts again and plan the load from that export.",
)
_README_OF_UNDO: Final = (
    (
        "Import these files in Sales: each updates rows by their id (first column) and changes its "
        "other columns only."
    ),
    (
        "An empty cell stands for a value that was empty before. Look at one such contact first: "
        "an import may leave it as it is."
    ),
    "The counter is not set back: numbers that were handed out once stay a gap.",
)
_ROWS_AT_ONCE: Final = 65_536


def write_imports(
    folder: RunFolder, numbers: Numbers | None
) -> tuple[Counter[str], dict[str, str]]:
    """Write the files, ``backfill.parquet`` and ``outcomes.parquet``.

    Written again, they are the same byte for byte.

    Args:
        folder: the run.
        numbers: ``backfill`` of ``run.json``; null for an undo, which leaves the counter alone.

    Returns:
        Rows by outcome; file in the run folder → SHA-256.
    """
    target = folder.path / FOLDER
    with during("writing files to import"):
        make_folder(target)
    if numbers is not None and numbers.count:
        replace_file(target / _COUNTER_FILE, _render_counter(numbers).encode())
    for action, name in _FILES.items():
        _write_contacts(folder.path / PLAN, action, target / name)
    replace_file(
        target / "README.txt",
        ("\n".join(_README if numbers is not None else _README_OF_UNDO) + "\n").encode(),
    )
    counts = _write_results(folder)
    files = [folder.path / RESULT, folder.outcomes, *sorted(target.iterdir())]
    return counts, {path.relative_to(folder.path).as_posix(): hash_file(path) for path in files}


def _render_counter(numbers: Numbers) -> str:
    following = numbers.base + numbers.count
    if numbers.counter is not None:
        return f"msdynce_p2cautonumberid,{NEXT}\n{numbers.counter},{following}\n"
    columns = f"msdynce_entityname,msdynce_prefix,{NEXT},msdynce_suffixlength"
    return f"{columns}\ncontact,{numbers.prefix},{following},{numbers.suffix_length}\n"


def _write_contacts(plan: Path, action: str, target: Path) -> None:
    """The contacts of one action.

    Columns that none of them changes are left out, and a file without rows is, too.
    """
    changed = {name: stem for name, stem in COLUMNS.items() if _has_changes(plan, action, stem)}
    if not changed:
        return
    with atomic(target) as file:
        for place, part in enumerate(_read_parts(plan)):
            rows = part.filter(pl.col("action") == action).select(
                "contactid",
                *(
                    _render_cell(f"{stem}_after", part.schema).alias(name)
                    for name, stem in changed.items()
                ),
            )
            rows.write_csv(file, include_header=place == 0)


def _has_changes(plan: Path, action: str, stem: str) -> bool:
    differs = pl.col(f"{stem}_before").ne_missing(pl.col(f"{stem}_after"))
    return bool(
        pl.scan_parquet(plan, glob=False)
        .filter(pl.col("action") == action)
        .select(differs.any())
        .collect()
        .item()
    )


def _render_cell(name: str, schema: Mapping[str, pl.DataType]) -> pl.Expr:
    """Two options by their labels, as imports in Sales take them."""
    if schema[name] != pl.Boolean():
        return pl.col(name)
    return pl.when(pl.col(name)).then(pl.lit("Yes")).when(~pl.col(name)).then(pl.lit("No"))


def _read_parts(plan: Path) -> Iterator[pl.DataFrame]:
    with pq.ParquetFile(plan) as file:
        for batch in file.iter_batches(_ROWS_AT_ONCE):
            yield pl.DataFrame(batch)


def _write_results(folder: RunFolder) -> Counter[str]:
    schema = pl.Schema(pl.read_parquet_schema(folder.path / PLAN))
    counts: Counter[str] = Counter()
    with (
        TableWriter(folder.path / RESULT, schema) as results,
        TableWriter(folder.outcomes, OUTCOMES) as outcomes,
    ):
        for part in _read_parts(folder.path / PLAN):
            is_written = pl.col("action") != "none"
            marked = part.with_columns(outcome=pl.when(is_written).then(pl.lit("written")))
            results.write(marked.select(schema.names()))
            written = marked.filter(is_written)
            counts["written"] += written.height
            outcomes.write(
                written.select(
                    "contactid",
                    pl.lit(TASK).alias("task"),
                    pl.col("contactid").alias("destination_key"),
                    pl.lit(None, pl.Int32).alias("batch"),
                    "outcome",
                    pl.lit(None, pl.String).alias("code"),
                    pl.lit(None, pl.String).alias("message"),
                )
            )
    return counts
