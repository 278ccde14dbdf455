"""Delta tables: the rows that count, each with its file and its place there."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, QueryBuilder
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.extract.landing import LandedTable, ReadOptions, land_folder
from tests.scenes.delta import Column
from tests.scenes.lakes import KINDS, Mapped, list_contacts, make_table
from tests.scenes.reading import landed, rows
from tests.scenes.small import contactid


def land(tmp_path: Path) -> LandedTable:
    return landed(tmp_path / "export", tmp_path / "in")["contacts"]


def place_rows(one: LandedTable) -> pl.DataFrame:
    """The rows with file and line, also of a table that stays in place."""
    if not one.in_place:
        return rows(one)
    parts = [
        pl.read_parquet(source.path, hive_partitioning=False).with_columns(
            source_file=pl.lit(source.name), source_line=pl.int_range(1, source.rows + 1)
        )
        for source in one.sources
    ]
    return pl.concat(parts)


def ask_the_library(path: Path, columns: list[str]) -> list[dict[str, Any]]:
    """The table's rows by a reader that is not ours."""
    named = ", ".join(f'"{name}"' for name in columns)
    builder = QueryBuilder().register("t", DeltaTable(path))
    found = pl.DataFrame(pa.table(builder.execute(f'SELECT {named} FROM t ORDER BY "contactid"')))
    return found.to_dicts()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_table_has_the_rows_that_another_reader_finds(
    tmp_path: Path, kind: str
) -> None:
    KINDS[kind](tmp_path / "export" / "contacts")
    found = rows(land(tmp_path))
    columns = [name for name in found.columns if not name.startswith("source_")]
    ours = found.select(columns).sort("contactid").to_dicts()
    theirs = ask_the_library(tmp_path / "export" / "contacts", columns)
    # Delta: "An empty string translates to null"; the other reader leaves blank text.
    blank = [{name: None if cell == "" else cell for name, cell in row.items()} for row in theirs]
    assert ours == blank
    assert {"contactid", "lastname", "creditlimit", "createdon"} <= set(columns)


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"everything", "mapped by name, renamed"}))
def test_every_row_is_where_its_file_and_line_say(tmp_path: Path, kind: str) -> None:
    KINDS[kind](tmp_path / "export" / "contacts")
    one = land(tmp_path)
    found = place_rows(one).select("contactid", "source_file", "source_line")
    for name in found["source_file"].unique():
        file = pq.read_table(tmp_path / "export" / name, partitioning=None)
        there = file.column(0).to_pylist()
        for row in found.filter(pl.col("source_file") == name).to_dicts():
            assert there[row["source_line"] - 1] == row["contactid"]
    assert one.rows == found.height == sum(source.rows for source in one.sources)
    assert found["source_file"].unique(maintain_order=True).to_list() == sorted(
        source.name for source in one.sources if source.rows
    )


@pytest.mark.parametrize(
    ("kind", "stays"),
    [
        ("plain", True),
        ("absolute paths", True),
        ("shallow clone", True),
        ("partitioned", False),
        ("vectors", False),
        ("mapped by name, renamed", False),
        ("evolved", False),
        ("empty", False),
    ],
)
def test_files_stay_where_nothing_stands_against_it(tmp_path: Path, kind: str, stays: bool) -> None:
    KINDS[kind](tmp_path / "export" / "contacts")
    assert land(tmp_path).in_place is stays
    assert (tmp_path / "in").exists() is not stays


def test_version_and_time_are_those_of_the_newest_commit(tmp_path: Path) -> None:
    KINDS["plain"](tmp_path / "export" / "contacts")
    version = land(tmp_path).version
    assert version is not None
    assert (version.number, version.folder.name) == (3, "contacts")
    assert version.committed_at is not None
    assert version.committed_at.isoformat() == "2024-03-05T09:00:03+00:00"


def test_values_of_partitions_have_their_types(tmp_path: Path) -> None:
    KINDS["partitioned"](tmp_path / "export" / "contacts")
    found = rows(land(tmp_path)).sort("contactid")
    assert found["address1_country"].to_list() == ["a b/c", "a b/c", None, None, None]
    assert found["gendercode"].to_list() == [2, 2, None, None, 1]
    assert found["gendercode"].dtype == pl.Int32
    assert found["modifiedon"].dtype == pl.Datetime("us", "UTC")


@pytest.mark.parametrize("text", ["", "__HIVE_DEFAULT_PARTITION__", None])
def test_what_stands_for_no_value_of_a_partition_is_null(tmp_path: Path, text: str | None) -> None:
    more = [Column(name="address1_country")]
    table = make_table(tmp_path / "export" / "contacts", more=more, partitions=["address1_country"])
    table.add("part-0.parquet", list_contacts(1, 2), values={"address1_country": text})
    assert rows(land(tmp_path))["address1_country"].to_list() == [None, None]


def test_columns_mapped_by_number_are_found_by_number(tmp_path: Path) -> None:
    # The other reader looks for names here, and gives nulls.
    table = make_table(tmp_path / "export" / "contacts", mapping="id", vectors=True)
    table.add("part-0.parquet", list_contacts(1, 4), vector=table.inline({2}))
    found = rows(land(tmp_path))
    assert found["contactid"].to_list() == [contactid(place) for place in (1, 2, 4)]
    assert found["source_line"].to_list() == [1, 2, 4]
    assert found["versionnumber"].to_list() == [1, 2, 4]


def test_names_of_files_may_differ_in_case(tmp_path: Path) -> None:
    table = make_table(tmp_path / "export" / "contacts")
    upper = list_contacts(1, 3)
    upper = upper.rename_columns([name.upper() for name in upper.column_names])
    table.add("part-0.parquet", upper)
    assert rows(land(tmp_path))["versionnumber"].to_list() == [1, 2, 3]


def test_changes_that_the_lake_keeps_beside_its_rows_are_not_read(tmp_path: Path) -> None:
    table = make_table(tmp_path / "export" / "contacts")
    table.add("part-0.parquet", list_contacts(1, 3))
    pq.write_table(list_contacts(90, 2), _under(table.path / "_change_data" / "cdc-0.parquet"))
    pq.write_table(list_contacts(80, 2), table.path / "part-9-not-committed.parquet")
    assert rows(land(tmp_path))["versionnumber"].to_list() == [1, 2, 3]


@pytest.mark.parametrize("kind", ["plain", "empty", "vectors"])
def test_nothing_of_a_table_that_is_read_is_called_ignored(tmp_path: Path, kind: str) -> None:
    KINDS[kind](tmp_path / "export" / "Tables" / "contact")
    found = land_folder(
        tmp_path / "export",
        tmp_path / "in",
        tables=("contacts",),
        extra={},
        wished={},
        options=ReadOptions(),
        progress=lambda _table, _rows: None,
    )
    assert [note.code for note in found.list_notes()] == []
    assert {one.name.rpartition("/")[0] for one in found.tables["contacts"].sources} == (
        set() if kind == "empty" else {"Tables/contact"}
    )


def _under(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_other_tables_may_be_text_or_lakes(tmp_path: Path) -> None:
    KINDS["vectors"](tmp_path / "export" / "contact")
    accounts = make_table(tmp_path / "export" / "account")
    accounts.columns = [Column(name="accountid"), Column(name="accountnumber")]
    table = pa.table({"accountid": [contactid(1)], "accountnumber": ["ACC-1"]})
    accounts.commit(accounts.metadata(), accounts.write("a.parquet", table))
    (tmp_path / "export" / "quotes.csv").write_text("quoteid,customerid\n")
    found = landed(tmp_path / "export", tmp_path / "in", ("contacts", "accounts", "quotes"))
    assert {name: one.version is not None for name, one in found.items()} == {
        "contacts": True,
        "accounts": True,
        "quotes": False,
    }
    assert rows(found["accounts"])["accountnumber"].to_list() == ["ACC-1"]


@settings(max_examples=30)
@given(
    heights=st.lists(st.integers(0, 40), max_size=4),
    data=st.data(),
    mapping=st.sampled_from(["", "name", "id"]),
)
def test_any_files_and_vectors_give_the_rows_that_are_left(
    heights: list[int], data: st.DataObject, mapping: Mapped
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        table = make_table(home / "export" / "contacts", mapping=mapping, vectors=True)
        expected, actions = [], []
        for place, height in enumerate(heights):
            gone = data.draw(st.sets(st.integers(0, height - 1))) if height else set()
            stored = data.draw(st.booleans())
            vector = (table.stored if stored else table.inline)(gone) if gone else None
            name = f"p{place}.parquet"
            content = list_contacts(place * 100, height)
            actions.append(table.write(name, content, vector=vector, row_group_size=7))
            expected += [
                (contactid(place * 100 + row), f"contacts/{name}", row + 1)
                for row in range(height)
                if row not in gone
            ]
        table.commit(*actions)
        if data.draw(st.booleans()):
            table.checkpoint(data.draw(st.sampled_from(["classic", "parts"])))
        found = place_rows(land(home))
        assert found.select("contactid", "source_file", "source_line").rows() == expected
