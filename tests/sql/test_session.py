"""DuckDB sessions: what is kept where, and how files and values get into queries."""

from __future__ import annotations

import errno
from pathlib import Path

import duckdb
import polars as pl
import pytest

from sql.session import Session, find_lack, session

_ACCOUNTS = (
    "SELECT i AS accountid, 'ACC-' || i AS number, ['usmf', NULL] AS customer_of, 'acc-' || i AS "
    "number_key FROM range(5) AS t(i)"
)
_READ = "SELECT accountid, number, customer_of FROM accounts ORDER BY accountid"


def tables(here: Session) -> list[str]:
    return here.frame("SELECT table_name FROM duckdb_tables() ORDER BY table_name")[
        "table_name"
    ].to_list()


@pytest.mark.parametrize("name", ["scratch", "number=7", "o'brien [1]*"])
def test_a_table_set_aside_is_read_as_before_but_from_disk(tmp_path: Path, name: str) -> None:
    with session(scratch=tmp_path / name) as here:
        here.store("accounts", _ACCOUNTS)
        before = here.frame(_READ)
        here.set_aside("accounts", called="accounts")
        assert here.frame(_READ).equals(before)
        assert list(here.columns("accounts")) == [
            "accountid",
            "number",
            "customer_of",
            "number_key",
        ]
        assert tables(here) == []
        assert [path.name for path in (tmp_path / name).iterdir()] == ["accounts.parquet"]


def test_without_a_scratch_folder_a_table_stays_in_memory() -> None:
    with session() as here:
        here.store("accounts", _ACCOUNTS)
        here.set_aside("accounts", called="accounts")
        assert tables(here) == ["accounts"]
        assert here.frame(_READ).height == 5
        here.set_aside("accounts", called="others")
        assert tables(here) == ["others"]


def write(path: Path, **columns: list[int] | list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(columns).write_parquet(path)
    return path


@pytest.mark.parametrize("name", ["plain", "number=7", "a[1]", "b*", "c?", "o'brien"])
def test_a_path_means_itself_whatever_signs_it_has(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name / "x.parquet", x=[1])
    for other in ("a1", "bb", "cc"):
        write(tmp_path / other / "x.parquet", x=[2])
    with session() as here:
        here.parquet("rows", path)
        assert here.frame("FROM rows").to_dict(as_series=False) == {"x": [1]}


def test_files_are_read_one_after_the_other_with_the_place_of_each_row(tmp_path: Path) -> None:
    files = [write(tmp_path / f"{name}.parquet", x=[f"{name}1", f"{name}2"]) for name in "ba"]
    with session() as here:
        here.parquet("rows", files, places=True)
        found = here.frame("SELECT x, filename, file_row_number AS row FROM rows")
    assert found["x"].to_list() == ["b1", "b2", "a1", "a2"]
    assert found["filename"].to_list() == [str(files[0])] * 2 + [str(files[1])] * 2
    assert found["row"].to_list() == [0, 1, 0, 1]


def test_a_schema_chooses_columns_and_stands_for_files_that_are_missing(tmp_path: Path) -> None:
    schema = pl.Schema({"y": pl.String(), "x": pl.Int32()})
    path = tmp_path / "x.parquet"
    with session() as here:
        here.parquet("rows", path, schema=schema)
        assert here.frame("FROM rows").schema == schema
        write(path, x=[1], y=["a"], z=["more"])
        here.parquet("rows", path, schema=schema)
        assert here.frame("FROM rows").to_dict(as_series=False) == {"y": ["a"], "x": [1]}
        path.unlink()
        here.parquet("rows", path, schema=schema)
        assert here.empty("rows").schema == schema
        assert here.frame("FROM rows").is_empty()


def test_files_of_different_columns_are_matched_by_name(tmp_path: Path) -> None:
    files = [write(tmp_path / "1.parquet", x=[1]), write(tmp_path / "2.parquet", y=[3], x=[2])]
    with session() as here:
        here.parquet("rows", files, by_name=True)
        assert here.frame("FROM rows").rows() == [(1, None), (2, 3)]


def test_a_view_and_a_prepared_query_hold_their_values() -> None:
    with session() as here:
        here.view("chosen", "SELECT unnest($names) AS name, $place AS place", names=["a'"], place=7)
        here.prepare("again", "SELECT name || $more AS name FROM chosen", more="'b")
        assert here.frame("FROM chosen").rows() == [("a'", 7)]
        assert here.arrow("EXECUTE again").to_pydict() == {"name": ["a''b"]}


def test_a_session_beside_another_registers_its_own_tables() -> None:
    with session() as here:
        cursor = here.open_cursor()
        here.register("given", pl.DataFrame({"x": [1]}))
        cursor.register("given", pl.DataFrame({"x": [2]}))
        assert here.frame("FROM given").item() == 1
        assert cursor.frame("FROM given").item() == 2


def test_a_full_disk_and_a_small_memory_are_not_taken_for_a_damaged_file() -> None:
    with session(memory="20MB") as here:
        with pytest.raises(OSError, match="No space left") as full:
            here.copy("SELECT i FROM range(100_000) AS t(i)", Path("/dev/full"))
        assert full.value.errno == errno.ENOSPC
        with pytest.raises(MemoryError):
            here.frame("SELECT len(list(i)) FROM range(10_000_000) AS t(i)")
        with pytest.raises(duckdb.Error):
            here.frame("SELECT * FROM read_parquet('nothing.parquet')")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ('IO Error: {"exception_message":"no","errno":"27"}', errno.EFBIG),
        ("Could not write: No space left on device", errno.ENOSPC),
        ('{"errno":"2"}', None),
        ("No magic bytes found", None),
    ],
)
def test_what_an_engine_says_of_the_disk_is_understood(text: str, number: int | None) -> None:
    assert find_lack(RuntimeError(text)) == number
