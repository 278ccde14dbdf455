"""Which rows of a package SCM has exactly as they were sent."""

from __future__ import annotations

from typing import Final

import polars as pl

from pipeline.load.packages.verdict import Arrivals, Parcel
from pipeline.scm import lookup
from pipeline.wire.once import Declined
from pipeline.wire.scm import Scm

_ROWS_AT_ONCE: Final = 20


def look_up(scm: Scm, parcel: Parcel, rows: pl.DataFrame) -> Arrivals | None:
    """What SCM has under the keys of rows of a package; null if it does not let us look.

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
        return None
    return Arrivals(
        there=frozenset(there[lookup.KEY]),
        equal=frozenset(lookup.find_equal_keys(sent, there, parcel.columns)),
    )


def find_arrived(scm: Scm, parcel: Parcel, rows: pl.DataFrame) -> frozenset[str]:
    """The keys, of some rows of a package, under which SCM has what was sent.

    None if it does not let us look. Raises ``Stopped`` if SCM cannot be reached.
    """
    found = look_up(scm, parcel, rows)
    return frozenset() if found is None else found.equal


def has_every_row(scm: Scm, parcel: Parcel) -> bool:
    """Whether SCM has every row as it was sent; the first that it has not ends the look.

    Raises ``Stopped`` if SCM cannot be reached.
    """
    parts = parcel.rows().iter_slices(_ROWS_AT_ONCE)
    return all(len(find_arrived(scm, parcel, part)) == part.height for part in parts)
