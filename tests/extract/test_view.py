"""A stretch of a table has the rows that it says, and each where it stands."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.extract.landing import LandedTable, SourceFile
from pipeline.extract.view import view_landed
from sql.session import Session, session


@pytest.fixture(scope="module")
def duck() -> Iterator[Session]:
    with session(threads=1) as opened:
        yield opened


def table(folder: Path, sizes: list[int]) -> LandedTable:
    """Contacts in files of these sizes, with ids that count up over all of them."""
    ids = iter(range(sum(sizes)))
    files = []
    for place, size in enumerate(sizes):
        path = folder / f"{place}.parquet"
        own = [str(next(ids)) for _ in range(size)]
        rows = pl.DataFrame({"contactid": own}, schema={"contactid": pl.String})
        rows.write_parquet(path, row_group_size=3)
        files.append(path)
    sources = [
        SourceFile(path=path, name=path.name, rows=size, bytes=path.stat().st_size)
        for path, size in zip(files, sizes, strict=True)
    ]
    return LandedTable(
        table="contacts", in_place=True, files=tuple(files), columns={"contactid": "contactid"},
        rows=sum(sizes), sources=tuple(sources),
    )  # fmt: skip


@given(
    sizes=st.lists(st.integers(0, 9), min_size=1, max_size=6),
    first=st.integers(0, 20),
    rows=st.integers(1, 20),
)
def test_a_stretch_is_a_part_of_the_whole(
    duck: Session, sizes: list[int], first: int, rows: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        contacts = table(Path(folder), sizes)
        view_landed(duck, contacts)
        whole = duck.frame("FROM contacts_landed")
        assert whole["source_row"].to_list() == list(range(sum(sizes)))
        view_landed(duck, contacts, (), range(first, first + rows))
        part = duck.frame("FROM contacts_landed")
        assert part.rows() == whole.slice(first, rows).rows()
