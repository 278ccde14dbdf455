"""Landed tables whose files somebody wrote to while they were read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.errors import Stopped, count_of
from pipeline.extract.files.stamps import take_stamp
from pipeline.extract.lake.log import find_newest_version
from pipeline.extract.landing import LandedTable
from pipeline.extract.records import Note
from pipeline.wire.store.remote import CHANGED


def refuse_changed(tables: Iterable[LandedTable]) -> None:
    """Compare every file of the user's with what it was when it was found.

    A file of a store is read by its ETag, so it says so while it is read.

    Raises:
        Stopped: a file has changed since, or is gone; what was read of it is not kept.
    """
    changed = [
        one.name
        for table in tables
        for one in table.sources
        if one.stamp is not None and one.stamp != take_stamp(one.path)
    ]
    if changed:
        others = f" So did {count_of(len(changed) - 1, 'other')}." if len(changed) > 1 else ""
        raise Stopped(f"{CHANGED}{others}", where=changed[0])


def find_moved(tables: Iterable[LandedTable]) -> Iterator[Note]:
    """Delta tables that have a newer version by now."""
    for table in tables:
        if table.version is None:
            continue
        read, newest = table.version.number, find_newest_version(table.version.folder)
        if newest is not None and newest > read:
            detail = f"{table.table} was read at version {read} and is now at version {newest}"
            yield Note(code="source_moved", detail=detail)
