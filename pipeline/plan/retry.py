"""``retry``: a plan of only what was held, rejected or failed, by contactid; all gates again."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.errors import InvariantBroken, Stopped, UsageError, during
from pipeline.run.files import flush_tree, replace_file, try_lock
from pipeline.run.folder import FOLDER, RunFolder, find_runs
from pipeline.run.private import close_to_others, make_folder
from pipeline.suggest import check_codes
from schemas.text import guid_of

_MAKING: Final = ".making.lock"
"""In the folder of a retry until it is planned: held by its process."""


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
    """A new folder for what a retry is made from; it stays when the retry was planned.

    What retries left that were killed before that is removed first.
    """
    path = runs / FOLDER / f"{of.run}-{secrets.token_hex(2)}"
    with during("preparing the retry"):
        _sweep(runs)
        make_folder(path)
    try:
        with try_lock(path / _MAKING):
            yield path
            with during("preparing the retry"):
                (path / _MAKING).unlink(missing_ok=True)
                close_to_others(path)
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise


def flush_place(place: Path) -> None:
    """Return when all that is in the folder of a retry is on the disk."""
    with during("preparing the retry"):
        flush_tree(place)


def _sweep(runs: Path) -> None:
    """Remove folders of retries that nobody makes any more and that no run was made from."""
    for lock in (runs / FOLDER).glob(f"*/{_MAKING}"):
        with suppress(Stopped), try_lock(lock) as is_free:
            if is_free and not _is_used(runs, lock.parent.name):
                shutil.rmtree(lock.parent, ignore_errors=True)


def _is_used(runs: Path, name: str) -> bool:
    facts = (one.run_json for one in find_runs(runs))
    return any(name in one.read_text(encoding="utf-8") for one in facts if one.is_file())


def write_only_file(folder: Path, contactids: Sequence[str]) -> Path:
    """The list of contactids, one a line, as ``--only`` reads it."""
    path = folder / "only.csv"
    lines = ["contactid", *dict.fromkeys(contactids), ""]
    replace_file(path, "\n".join(lines).encode())
    return path
