"""The memory of a destination: which keys were loaded there, with which content, by which run (DESIGN 3).

One row per destination key that was created or updated: legal_entity, destination_key, row_hash,
run, batch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from pipeline.run.files import replacing
from sql.session import Session, literal

LOADED: Final = pl.Schema(
    {
        "legal_entity": pl.String,
        "destination_key": pl.String,
        "row_hash": pl.String,
        "run": pl.String,
        "batch": pl.Int32,
    }
)


def folder_of(runs: Path, destination: str) -> Path:
    """Where the memory of a destination lies; whoever loads there holds this folder."""
    return runs / "loaded" / destination


def path_of(runs: Path, destination: str, task: str) -> Path:
    """Where the memory of a task at a destination lies."""
    return folder_of(runs, destination) / f"{task}.parquet"


def known(session: Session, path: Path) -> None:
    """Make the memory known to a session as ``loaded``, empty if there is none yet."""
    columns = ", ".join(
        f"CAST(NULL AS {'INTEGER' if kind == pl.Int32 else 'VARCHAR'}) AS {name}"
        for name, kind in LOADED.items()
    )
    there = f"SELECT {', '.join(LOADED)} FROM read_parquet({literal(str(path))})"
    session.view("loaded", there if path.is_file() else f"SELECT {columns} WHERE false")


def remember(session: Session, path: Path, rows: str) -> None:
    """Lay rows (a query of ``LOADED``'s columns) over the memory, atomically: the newer row of a key wins.

    The keys of rows without row_hash leave it.

    Raises:
        Stopped: the disk failed; the memory is as it was.
    """
    known(session, path)
    with replacing(path) as partial:
        session.run(
            f"COPY (SELECT l.* FROM loaded AS l ANTI JOIN ({rows}) AS n ON n.destination_key = "
            "l.destination_key "
            f"UNION ALL SELECT * FROM ({rows}) WHERE row_hash IS NOT NULL) "
            f"TO {literal(str(partial))} (FORMAT parquet, COMPRESSION zstd)"
        )
