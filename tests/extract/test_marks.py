"""Columns that look like marks of deletion: named if they are filled, in every form."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import count_of
from pipeline.extract.landing import LandedTable, ReadOptions, land_folder
from tests.scenes.delta import Column
from tests.scenes.lakes import Mapped, list_contacts, make_table

ROW = {
    "contactid": "c0000000-0000-4000-8000-000000000001",
    "msdynce_contactnumber": "CON-00001-ABCDEF",
    "msdynce_isactivecustomer": "true",
    "parentcustomerid": "",
    "lastname": "Brown",
}


def land(tmp_path: Path) -> LandedTable:
    found = land_folder(
        tmp_path / "in",
        tmp_path,
        tables=["contacts"],
        extra={},
        wished={},
        options=ReadOptions(),
        progress=lambda _table, _rows: None,
    )
    return found.tables["contacts"]


def write_csv(folder: Path, **marks: list[str]) -> None:
    count = max(map(len, marks.values()))
    lines = [",".join([*ROW, *marks])]
    lines += [
        ",".join([*ROW.values(), *(cells[place] for cells in marks.values())])
        for place in range(count)
    ]
    (folder / "in").mkdir()
    (folder / "in" / "contacts.csv").write_text("\n".join(lines), encoding="utf-8")


def write_parquet(folder: Path, **marks: pa.Array) -> None:
    count = max(map(len, marks.values()))
    columns = {name: [value] * count for name, value in ROW.items()}
    (folder / "in").mkdir()
    pq.write_table(pa.table({**columns, **marks}), folder / "in" / "contacts.parquet")


def list_told(landed: LandedTable) -> list[tuple[str, str, str]]:
    return [(one.code, one.column, one.detail) for one in landed.notes]


def test_a_filled_column_is_named_with_its_number_of_rows(tmp_path: Path) -> None:
    write_csv(tmp_path, new_Deleted=["yes", "2024-03-05", "x"], gone=["1", "1", "1"])
    landed = land(tmp_path)
    assert list_told(landed) == [("mark_unknown", "new_Deleted", "3 rows of contacts")]
    assert "new_Deleted" not in landed.columns


def test_no_is_not_filled(tmp_path: Path) -> None:
    write_csv(tmp_path, new_deleted=["", "no", "False", "0", " "])
    assert list_told(land(tmp_path)) == []


def test_of_a_column_of_current_rows_only_other_words_than_yes_are_counted(tmp_path: Path) -> None:
    write_csv(tmp_path, is_current=["Y", "true", "1", ""], dw_Current_Flag=["Y", "N", "0", ""])
    told = [("mark_unknown", "dw_Current_Flag", "2 rows of contacts")]
    assert list_told(land(tmp_path)) == told


def test_marks_that_are_known_are_read_and_not_named(tmp_path: Path) -> None:
    write_csv(tmp_path, IsDelete=["True"], _fivetran_deleted=["False"])
    landed = land(tmp_path)
    assert list_told(landed) == []
    assert pq.read_table(landed.files[0])["isdelete"].to_pylist() == ["True"]


@pytest.mark.parametrize(
    ("cells", "count"),
    [
        (pa.array([True, False, None]), 1),
        (pa.array([date(2024, 3, 5), None]), 1),
        (pa.array([0, 1, 2]), 2),
        (pa.array([["a"], None]), 1),
    ],
)
def test_a_parquet_file_that_stays_in_place_is_looked_at(
    tmp_path: Path, cells: pa.Array, count: int
) -> None:
    write_parquet(tmp_path, new_deletedon=cells)
    landed = land(tmp_path)
    assert landed.in_place
    assert list_told(landed) == [
        ("mark_unknown", "new_deletedon", f"{count_of(count, 'row')} of contacts")
    ]
    assert "new_deletedon" not in landed.columns


@pytest.mark.parametrize("mapping", ["", "name"])
def test_a_delta_table_is_looked_at_by_its_own_names_and_without_rows_that_are_gone(
    tmp_path: Path, mapping: Mapped
) -> None:
    mark = Column(name="new_deleted", physical="" if not mapping else "col-99", id=99)
    table = make_table(tmp_path / "in" / "contacts", mapping=mapping, vectors=True)
    table.add("older.parquet", list_contacts(1, 2))
    table.columns.append(mark)
    rows = list_contacts(3, 3).append_column("new_deleted", pa.array(["yes", "yes", None]))
    table.commit(table.metadata(), table.write("a.parquet", rows, vector=table.inline({0})))
    landed = land(tmp_path)
    assert list_told(landed) == [("mark_unknown", "new_deleted", "1 row of contacts")]
    assert landed.rows == 4


def test_columns_of_no_type_at_all_are_blank(tmp_path: Path) -> None:
    write_parquet(tmp_path, isdelete=pa.nulls(2), _fivetran_deleted=pa.nulls(2))
    (file,) = land(tmp_path).files
    assert pq.read_table(file)["isdelete"].to_pylist() == [None, None]
