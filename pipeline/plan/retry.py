"""``retry``: a plan of only what was held, rejected or failed, by contactid; all gates again."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.errors import InvariantBroken, UsageError, during
from pipeline.run.files import replace_file
from pipeline.run.folder import FOLDER, RunFolder
from pipeline.run.private import close_to_others, make_folder
from pipeline.suggest import check_codes
from schemas.text import guid_of


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryScope:
    """Contacts to retry, in source order, and how many have no contactid by which they could be."""

    contactids: list[str]
    nameless: int


def choose_retried(folder: RunFolder, codes: Sequence[str] = ()) -> RetryScope:
    """The contacts of a run that were held, rejected or failed.

    Of those, the ones stopped by ``codes`` if any are given.

    Raises:
        UsageError: the run has no decisions, or a code is unknown.
        InvariantBroken: its tables cannot be read.
    """
    chosen = check_codes(codes)
    if not folder.decisions.is_file():
        raise UsageError(
            "decisions.parquet is missing: this run does not say what was held or rejected.",
            where=folder.run,
        )
    stopped = pl.col("decision").is_in(["held", "rejected"])
    failed = pl.col("outcome") == "failed"
    if chosen:
        stopped &= pl.col("reason").is_in(chosen)
        failed &= pl.col("code").is_in(chosen)
    try:
        parts = [
            pl.scan_parquet(folder.decisions, glob=False)
            .filter(stopped)
            .select("contactid")
            .collect()
        ]
        if folder.outcomes.is_file():
            parts.append(
                pl.scan_parquet(folder.outcomes, glob=False)
                .filter(failed)
                .select("contactid")
                .collect()
            )
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InvariantBroken(
            f"the tables of the run cannot be read. `p2c verify {folder.run}` says more.",
            where=folder.run,
        ) from error
    ids = pl.concat(parts).select(guid_of(pl.col("contactid"))).to_series()
    return RetryScope(
        contactids=ids.drop_nulls().unique(maintain_order=True).to_list(),
        nameless=ids.null_count(),
    )


@contextmanager
def retry_place(runs: Path, of: RunFolder) -> Iterator[Path]:
    """A new folder for what a retry is made from; it stays when the retry was planned."""
    path = runs / FOLDER / f"{of.run}-{secrets.token_hex(2)}"
    with during("preparing the retry"):
        make_folder(path)
    try:
        yield path
        with during("preparing the retry"):
            close_to_others(path)
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise


def write_only_file(folder: Path, contactids: Sequence[str]) -> Path:
    """The list of contactids, one a line, as ``--only`` reads it."""
    path = folder / "only.csv"
    lines = ["contactid", *dict.fromkeys(contactids), ""]
    replace_file(path, "\n".join(lines).encode())
    return path
