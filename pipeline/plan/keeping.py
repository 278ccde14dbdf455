"""What a plan knows from elsewhere, kept in its folder, so that ``p2c replay`` makes it again.

Tables that are landed, and the keys that SCM had, are kept by who reads them.
"""

from __future__ import annotations

from typing import Final, Literal

import polars as pl

from pipeline.run.files import replace_file, replacing
from pipeline.run.folder import RunFolder
from sql.query import query
from sql.session import Session

_MOST: Final = 250_000
"""Keys of a memory of loads that is kept: some megabytes. A larger one would fill the disk, night
after night."""


def keep_request(only: pl.DataFrame | None, folder: RunFolder) -> None:
    """Keep the list of ``--only``: ``read_only_ids`` reads the same from it."""
    if only is None:
        return
    named = only.select(pl.coalesce("contactid", "number")).to_series()
    replace_file(folder.only, "\n".join(["contactid", *named, ""]).encode())


def keep_memory(session: Session, folder: RunFolder) -> Literal["none", "kept", "large"]:
    """Keep what earlier loads left at the destination, if that is not too large.

    The session has ``loaded`` (``store_loaded``).
    """
    rows = session.frame(query("plan/count_rows", rows="loaded")).item()
    if not rows:
        return "none"
    if rows > _MOST:
        return "large"
    with replacing(folder.loaded) as partial:
        session.copy(query("plan/loaded_kept"), partial, compression="zstd")
    return "kept"
