"""Parquet: read where it lies, or copied with its types if DuckDB cannot read it as it is."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import SourceError
from pipeline.extract.landing import LandedTable, ReadOptions
from pipeline.extract.side_files import land_file
from schemas.catalogue import Field, Table
from tests.scenes.reading import ID, landed, rows

CONTACT: dict[str, pa.Array] = {
    "contactid": pa.array([ID, None]),
    "lastname": pa.array(["Brown", "Grün"]),
    "msdynce_contactnumber": pa.array(["CON-01000-ZQE454", None]),
    "msdynce_isactivecustomer": pa.array([True, None]),
    "_parentcustomerid_value": pa.array([None, None], pa.string()),
    "transactioncurrencyid.isocurrencycode": pa.array(["EUR", None]),
    "versionnumber": pa.array([7, None], pa.int64()),
    "creditlimit": pa.array([Decimal("7000.0000"), None], pa.decimal128(19, 4)),
    "createdon": pa.array([datetime(2018, 1, 2, 8, tzinfo=UTC), None], pa.timestamp("us", "UTC")),
    "extra": pa.array([["a"], None]),
}


def put(path: Path, **columns: pa.Array) -> Path:
    """The contacts, with other columns; ``None`` leaves one out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {name: column for name, column in {**CONTACT, **columns}.items() if column is not None}
    pq.write_table(pa.table(whole), path)
    return path


def one(tmp_path: Path) -> LandedTable:
    return landed(tmp_path / "export", tmp_path / "in")["contacts"]


def refused(tmp_path: Path) -> str:
    with pytest.raises(SourceError) as caught:
        one(tmp_path)
    assert not list((tmp_path / "in").glob("**/*"))
    return str(caught.value)


def test_a_file_is_read_where_it_lies_under_its_own_names(tmp_path: Path) -> None:
    path = put(tmp_path / "export" / "contacts.parquet")
    found = one(tmp_path)
    assert found.in_place
    assert found.files == (path,)
    assert found.columns["parentcustomerid"] == "_parentcustomerid_value"
    assert "extra" not in found.columns
    assert (found.rows, found.sources[0].rows, found.sources[0].bytes) == (
        2,
        2,
        path.stat().st_size,
    )
    assert not (tmp_path / "in").exists()


def test_parts_that_are_alike_are_read_where_they_lie(tmp_path: Path) -> None:
    paths = tuple(
        put(tmp_path / "export" / "contacts" / name)
        for name in ("a.parquet", "b.parquet", "c/d.parquet")
    )
    found = one(tmp_path)
    assert found.in_place
    assert found.files == paths
    assert [source.name for source in found.sources] == [
        "contacts/a.parquet",
        "contacts/b.parquet",
        "contacts/c/d.parquet",
    ]
    assert found.rows == 6


@pytest.mark.parametrize(
    ("columns", "column", "expected"),
    [
        (
            {"lastname": None, "firstname": pa.array(["Ann", "Bo"])},
            "lastname",
            ["Brown", "Grün", None, None],
        ),
        ({"description": pa.array(["a", "b"])}, "description", [None, None, "a", "b"]),
        (
            {"_parentcustomerid_value": None, "parentcustomerid": pa.array(["x", "y"])},
            "parentcustomerid",
            [None, None, "x", "y"],
        ),
        ({"versionnumber": pa.array([1, 2], pa.int32())}, "versionnumber", [7, None, 1, 2]),
        ({"versionnumber": pa.nulls(2)}, "versionnumber", [7, None, None, None]),
        (
            {"lastname": pa.array(["a", "b"], pa.large_string())},
            "lastname",
            ["Brown", "Grün", "a", "b"],
        ),
        (
            {"lastname": pa.array(["a", "b"]).dictionary_encode()},
            "lastname",
            ["Brown", "Grün", "a", "b"],
        ),
        ({"lastname": pa.array(["ä".encode(), b"b"])}, "lastname", ["Brown", "Grün", "ä", "b"]),
        ({"extra": None}, "lastname", ["Brown", "Grün", "Brown", "Grün"]),
    ],
    ids=[
        "other name",
        "more",
        "other spelling",
        "narrower",
        "null",
        "large",
        "dictionary",
        "bytes",
        "without an extra",
    ],
)
def test_parts_that_differ_are_copied_into_one_table_with_its_types(
    tmp_path: Path, columns: dict[str, Any], column: str, expected: list[object]
) -> None:
    put(tmp_path / "export" / "contacts" / "a.parquet")
    put(tmp_path / "export" / "contacts" / "b.parquet", **columns)
    found = one(tmp_path)
    frame = rows(found)
    assert not found.in_place
    assert frame[column].to_list() == expected
    assert frame["creditlimit"].dtype == pl.Decimal(19, 4)
    assert frame["createdon"].dtype == pl.Datetime("us", "UTC")
    assert frame.select("source_file", "source_line").rows() == [
        ("contacts/a.parquet", 1),
        ("contacts/a.parquet", 2),
        ("contacts/b.parquet", 1),
        ("contacts/b.parquet", 2),
    ]
    assert [source.rows for source in found.sources] == [2, 2]


@pytest.mark.parametrize("name", ["filename", "File_Row_Number"])
def test_a_file_with_a_column_that_duckdb_adds_itself_is_copied(tmp_path: Path, name: str) -> None:
    put(tmp_path / "export" / "contacts.parquet", **{name: pa.array(["a", "b"])})
    found = one(tmp_path)
    assert not found.in_place
    assert rows(found)["lastname"].to_list() == ["Brown", "Grün"]


def test_a_path_that_could_be_a_pattern_is_copied(tmp_path: Path) -> None:
    """DuckDB would read ``what/contacts.parquet`` as well."""
    put(tmp_path / "wh?t" / "contacts.parquet")
    put(tmp_path / "what" / "contacts.parquet")
    found = landed(tmp_path / "wh?t", tmp_path / "in")["contacts"]
    assert not found.in_place
    assert found.rows == 2


def test_a_column_in_the_name_of_a_folder_is_read(tmp_path: Path) -> None:
    put(tmp_path / "export" / "contacts" / "year=2020" / "statecode=0" / "a.parquet")
    found = one(tmp_path)
    assert (found.in_place, rows(found)["statecode"].unique().to_list()) == (False, ["0"])
    put(
        tmp_path / "export" / "contacts" / "year=2020" / "statecode=0" / "a.parquet",
        statecode=pa.array([1, 0]),
    )
    assert rows(one(tmp_path))["statecode"].to_list() == [1, 0], "what the file says counts"


def test_text_that_is_marked_as_bytes_is_read_as_text(tmp_path: Path) -> None:
    """Older writers do not mark text; DuckDB would show its bytes as escapes."""
    put(
        tmp_path / "export" / "contacts.parquet",
        lastname=pa.array(["Grün".encode(), None], pa.binary()),
    )
    assert rows(one(tmp_path))["lastname"].to_list() == ["Grün", None]


def test_ids_may_be_of_parquets_own_type(tmp_path: Path) -> None:
    ids = pa.ExtensionArray.from_storage(
        pa.uuid(), pa.array([uuid.UUID(ID).bytes, None], pa.binary(16))
    )
    put(tmp_path / "export" / "contacts.parquet", contactid=ids)
    assert one(tmp_path).in_place
    put(tmp_path / "export" / "contacts.parquet", contactid=ids, filename=pa.array(["a", "b"]))
    (file,) = one(tmp_path).files
    assert str(pq.ParquetFile(file).schema_arrow.field("contactid").type) == "extension<arrow.uuid>"


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"contactid": None}, "contacts.parquet: there is no column contactid"),
        (
            {"lastname": pa.array([["a"], ["b"]])},
            "the column 'lastname' (lastname) holds lists or records, not values",
        ),
        ({"lastname": pa.array([{"a": 1}, None])}, "holds lists or records"),
        (
            {"contactid": pa.array([b"x" * 16, None], pa.binary(16))},
            "the column 'contactid' (contactid) holds raw bytes",
        ),
        (
            {"lastname": pa.array([b"\xff", None], pa.binary())},
            "the column 'lastname' (lastname) holds raw bytes",
        ),
        (
            {"contactid": None, "_airbyte_data": pa.array(["{}", "{}"])},
            "its rows are JSON in the column _airbyte_data",
        ),
        ({"LastName": pa.array(["a", "b"])}, "the column 'lastname' is there 2 times"),
    ],
    ids=["missing", "list", "record", "raw", "no text", "wrapped", "twice"],
)
def test_a_file_that_holds_no_plain_values_is_refused(
    tmp_path: Path, columns: dict[str, Any], words: str
) -> None:
    put(tmp_path / "export" / "contacts.parquet", **columns)
    assert words in refused(tmp_path)


def test_parts_whose_types_have_nothing_in_common_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "export" / "contacts" / "a.parquet")
    put(tmp_path / "export" / "contacts" / "b.parquet", versionnumber=pa.array(["a", "b"]))
    assert (
        "contacts/b.parquet: the column versionnumber is string here and int64 in the parts before"
        in refused(tmp_path)
    )


@pytest.mark.parametrize("part", [0.0, 0.001, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_is_refused(tmp_path: Path, part: float) -> None:
    path = put(tmp_path / "export" / "contacts.parquet")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    assert ("is not a whole Parquet file" if part else "is empty.") in refused(tmp_path)


def test_a_footer_that_makes_no_sense_is_a_wrong_file_not_a_failing_disk(tmp_path: Path) -> None:
    path = put(tmp_path / "export" / "contacts.parquet")
    content = bytearray(path.read_bytes())
    content[-40:-8] = b"\xff" * 32
    path.write_bytes(content)
    assert "is not a whole Parquet file" in refused(tmp_path)


def test_a_page_that_makes_no_sense_is_refused_while_copying(tmp_path: Path) -> None:
    path = put(tmp_path / "export" / "contacts.parquet", filename=pa.array(["a", "b"]))
    content = bytearray(path.read_bytes())
    content[4:200] = b"\xff" * 196
    path.write_bytes(content)
    assert "holds data that cannot be read" in refused(tmp_path)


def test_a_file_without_rows_is_a_table_without_rows(tmp_path: Path) -> None:
    path = put(tmp_path / "export" / "contacts.parquet")
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    assert one(tmp_path).rows == 0


SIDE = Table(
    name="side",
    singular="side",
    key="a",
    fields=(Field(name="a"), Field(name="b")),
    required=(("a",),),
)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (pa.array([1.0, None, 1e17]), ["1", None, "100000000000000000"]),
        (pa.array([1.5, None]), ["1.5", None]),
        (pa.array([1, None]), ["1", None]),
        (pa.array(["0012", ""]), ["0012", ""]),
        (pa.array([], pa.string()), []),
        (pa.nulls(2), [None, None]),
    ],
    ids=["whole", "broken", "integer", "text", "none", "null"],
)  # fmt: skip
def test_a_side_file_is_read_as_text_and_whole_numbers_stay_whole(
    tmp_path: Path, cells: pa.Array, expected: list[str | None]
) -> None:
    pq.write_table(pa.table({"a": cells}), tmp_path / "side.parquet")
    frame, unreadable = land_file(tmp_path / "side.parquet", SIDE, ReadOptions())
    assert frame["a"].to_list() == expected
    assert not unreadable


def test_a_side_file_may_be_of_any_form(tmp_path: Path) -> None:
    for name, text in (
        ("s.csv", "b;a\r\n1;2\r\n3\r\n"),
        ("s.json", '[{"a": 2, "b": 1}, 3]'),
        ("s.jsonl", '{"b":1}\n{"a":2}\n7\n'),
    ):
        (tmp_path / name).write_text(text, newline="")
        frame, unreadable = land_file(tmp_path / name, SIDE, ReadOptions())
        assert frame["a"].drop_nulls().to_list() == ["2"]
        assert frame["b"].drop_nulls().to_list() == ["1"]
        assert len(unreadable) == 1
