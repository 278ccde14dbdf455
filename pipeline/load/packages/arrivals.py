"""Which rows of a package SCM has exactly as they were sent."""

from __future__ import annotations

from typing import Final

import polars as pl

from pipeline.load.packages.verdict import Parcel
from pipeline.scm import lookup
from pipeline.wire.once import Declined
from pipeline.wire.scm import Scm

_ROWS_AT_ONCE: Final = 20


def find_arrived(scm: Scm, parcel: Parcel, rows: pl.DataFrame) -> set[str]:
    """The keys under which SCM has what was sent.

    None if it does not let us look.

    Args:
        scm: where to look.
        parcel: the package.
        rows: some of its rows, with destination_key.

    Raises:
        Stopped: SCM cannot be reached.
    """
    sent = parcel.content().join(rows.select(lookup.KEY), on=lookup.KEY, how="semi")
    try:
        there = lookup.find_rows(scm, parcel.entity, list(parcel.columns), sent)
    except Declined:
        return set()
    return lookup.find_equal_keys(sent, there, parcel.columns)


def has_every_row(scm: Scm, parcel: Parcel) -> bool:
    """Whether SCM has every row as it was sent; the first that it has not ends the look.

    Raises ``Stopped`` if SCM cannot be reached.
    """
    parts = parcel.rows().iter_slices(_ROWS_AT_ONCE)
    return all(len(find_arrived(scm, parcel, part)) == part.height for part in parts)
