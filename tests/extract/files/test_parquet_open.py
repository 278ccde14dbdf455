"""Parquet in a store: only the needed bytes are fetched, and what is read is the same."""

from __future__ import annotations

import uuid
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from obstore.store import LocalStore

from pipeline.errors import SourceError
from pipeline.extract.files.parquet_open import read_parquet_batches
from pipeline.wire.store.path import Store, StorePath
from pipeline.wire.store.remote import StoreEntry
from tests.scenes.reading import landed, rows
from tests.scenes.stores import BUCKET, as_path, locate, store_folder

ROWS = 30_000
WIDE = 20


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Contacts with many columns that nobody asks for, in three row groups."""
    ids = [str(uuid.UUID(int=number + 1)) for number in range(ROWS)]
    columns = {
        "contactid": pa.array(ids),
        "lastname": pa.array([f"Name {number}" for number in range(ROWS)]),
        "msdynce_contactnumber": pa.array([f"CON-{number:06d}" for number in range(ROWS)]),
        "msdynce_isactivecustomer": pa.array([number % 2 == 0 for number in range(ROWS)]),
        "_parentcustomerid_value": pa.nulls(ROWS, pa.string()),
        "transactioncurrencyid.isocurrencycode": pa.array(["EUR"] * ROWS),
        "modifiedon": pa.array([number % 7 for number in range(ROWS)], pa.timestamp("us", "UTC")),
        **{f"new_wide{place}": pa.array(ids[place:] + ids[:place]) for place in range(WIDE)},
    }
    folder = tmp_path / "export"
    folder.mkdir()
    pq.write_table(pa.table(columns), folder / "contacts.parquet", row_group_size=ROWS // 3)
    return folder


class CountedStore(Store):
    """A folder of this machine as a store that counts the bytes of each request."""

    def __init__(self, folder: Path) -> None:
        super().__init__(LocalStore(folder), locate(BUCKET))
        self.fetched: list[int] = []

    def read(self, key: str, entry: StoreEntry, start: int, end: int) -> bytes:
        self.fetched.append(end - start)
        return super().read(key, entry, start, end)


def test_only_the_columns_that_are_needed_come_over_the_wire(export: Path, tmp_path: Path) -> None:
    store = CountedStore(export)
    found = landed(as_path(StorePath(store, "")), tmp_path / "in")["contacts"]
    size = (export / "contacts.parquet").stat().st_size
    assert found.rows == ROWS
    assert found.sources[0].bytes == size
    assert sum(store.fetched) < size / 4
    assert len(store.fetched) <= 2 + 3 * 3


def test_what_is_landed_from_a_store_is_what_lies_in_the_folder(
    export: Path, tmp_path: Path
) -> None:
    there = landed(as_path(store_folder(export)), tmp_path / "in")["contacts"]
    here = landed(export, tmp_path / "not")["contacts"]
    assert (there.in_place, here.in_place) == (False, True)
    assert there.files == (tmp_path / "in" / "contacts.parquet",)
    frame = rows(there)
    assert frame.select(rows(here).columns).equals(rows(here))
    assert frame["source_line"].to_list() == list(range(1, ROWS + 1))


def test_a_row_group_that_is_too_large_to_hold_is_read_column_by_column(
    export: Path,
) -> None:
    columns = ["contactid", "lastname", "new_wide3"]
    counts = []
    for ahead in (1_000_000_000, 1000):
        store = CountedStore(export)
        path = as_path(StorePath(store, "contacts.parquet"))
        batches = list(read_parquet_batches(path, ROWS, columns, ahead))
        assert [batch.num_rows for batch in batches] == [ROWS // 3] * 3
        assert batches[0].schema.names == columns
        counts.append(len(store.fetched))
    assert counts == [1 + 3 * 2, 1 + 3 * 3]


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "contacts.parquet").write_bytes(b"PAR1 is not all")
    with pytest.raises(SourceError, match=r"^contacts\.parquet: is not a whole Parquet file"):
        landed(as_path(store_folder(tmp_path)), tmp_path / "in")


def test_a_table_without_rows_is_read(tmp_path: Path, export: Path) -> None:
    path = export / "contacts.parquet"
    pl.read_parquet(path).clear().write_parquet(path)
    assert landed(as_path(store_folder(export)), tmp_path / "in")["contacts"].rows == 0
