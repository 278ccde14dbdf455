"""What a Parquet file's statistics prove: a spelling that cannot matter is not read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.extract.files.discover import FilePart
from pipeline.extract.files.parquet import can_stay, describe_part
from pipeline.extract.headers import ColumnSelection
from schemas.sales import QUOTES

IDS = ["a0000000-0000-4000-8000-000000000001", "{B0000000-0000-4000-8000-000000000002}"]


def describe(
    folder: Path, *, statistics: bool = True, **columns: Sequence[object]
) -> tuple[str, ...]:
    """The spellings of the id that are needed."""
    table = pa.table({"customerid": IDS, **columns})
    pq.write_table(table, folder / "q.parquet", write_statistics=statistics, row_group_size=1)
    part = FilePart(path=folder / "q.parquet", name="q.parquet")
    return describe_part(part, ColumnSelection(table=QUOTES)).columns["quoteid"]


def test_a_filled_id_needs_no_other_one(tmp_path: Path) -> None:
    assert describe(tmp_path, quoteid=IDS, Id=IDS) == ("quoteid",)


def test_an_id_that_is_null_everywhere_is_not_needed(tmp_path: Path) -> None:
    assert describe(tmp_path, quoteid=pa.nulls(2, pa.string()), Id=IDS) == ("Id",)


@pytest.mark.parametrize("blank", [None, "", " ", "\t", "\u00a0"])
def test_a_blank_id_needs_the_other_one(tmp_path: Path, blank: str | None) -> None:
    assert describe(tmp_path, quoteid=[IDS[0], blank], Id=IDS) == ("quoteid", "Id")


def test_without_statistics_nothing_is_proved(tmp_path: Path) -> None:
    found = describe(tmp_path, statistics=False, quoteid=IDS, Id=IDS)
    assert found == ("quoteid", "Id")


def test_marks_of_deletion_are_all_needed(tmp_path: Path) -> None:
    table = pa.table({"customerid": IDS, "IsDelete": [False] * 2, "_fivetran_deleted": [True] * 2})
    pq.write_table(table, tmp_path / "q.parquet")
    part = FilePart(path=tmp_path / "q.parquet", name="q.parquet")
    found = describe_part(part, ColumnSelection(table=QUOTES))
    assert found.columns["isdelete"] == ("IsDelete", "_fivetran_deleted")
    merged = [row for chunk in found.read_chunks(found.typed) for row in chunk["isdelete"]]
    assert [cell.as_py() for cell in merged] == [True, True]


def test_parts_that_need_different_columns_are_copied(tmp_path: Path) -> None:
    parts = []
    for name, ids in (("1", (IDS, [None, None])), ("2", ([None, None], IDS))):
        given = [pa.array(one, pa.string()) for one in ids]
        columns = {"customerid": IDS, "quoteid": given[0], "Id": given[1]}
        path = tmp_path / f"{name}.parquet"
        pq.write_table(pa.table(columns), path)
        part = FilePart(path=path, name=path.name)
        parts.append(describe_part(part, ColumnSelection(table=QUOTES)))
    assert [part.columns["quoteid"] for part in parts] == [("quoteid",), ("Id",)]
    assert all(can_stay([part]) for part in parts)
    assert not can_stay(parts)
