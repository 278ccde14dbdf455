"""Suspects are the same whether hashes are sorted at once or part by part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.plan.suspects import find_suspects
from sql.session import Session, session

FEW = st.one_of(st.none(), st.integers(0, 12))
ROWS = st.lists(st.tuples(FEW, FEW, FEW, st.booleans()), max_size=25)


@pytest.fixture(scope="module")
def duck() -> Iterator[Session]:
    with session(threads=1) as opened:
        yield opened


def find(
    duck: Session,
    rows: Sequence[tuple[int | None, int | None, int | None, bool]],
    accounts: Sequence[tuple[int, int | None]],
    at_once: int,
) -> tuple[list[int], list[int]]:
    number = pl.UInt64()
    schema = {"id": number, "number": number, "company": number, "of_contact": pl.Boolean()}
    hashes = pl.DataFrame(rows, schema=schema, orient="row").with_row_index("source_row")
    duck.register("hashes", hashes)
    duck.register(
        "account_hashes",
        pl.DataFrame(accounts, schema={"id": number, "number": number}, orient="row"),
    )
    found = find_suspects(duck, len(rows), at_once=at_once)
    return found.repeated.to_list(), found.all.to_list()


@given(
    rows=ROWS,
    accounts=st.lists(st.tuples(st.integers(0, 12), FEW), max_size=6),
    at_once=st.integers(1, 30),
)
def test_parts_change_nothing(
    duck: Session,
    rows: list[tuple[int | None, int | None, int | None, bool]],
    accounts: list[tuple[int, int | None]],
    at_once: int,
) -> None:
    ids, numbers = Counter(row[0] for row in rows), Counter(row[1] for row in rows)
    own = {one[0] for one in accounts}
    theirs = {one[1] for one in accounts}
    companies = {row[2] for row in rows if row[3] or row[2] not in own} - {None}
    repeated = [n for n, row in enumerate(rows) if row[0] is not None and ids[row[0]] > 1]
    met = [
        n
        for n, row in enumerate(rows)
        if (row[1] is not None and (numbers[row[1]] > 1 or row[1] in theirs))
        or (row[0] is not None and row[0] in companies)
    ]
    assert find(duck, rows, accounts, at_once) == (repeated, sorted({*repeated, *met}))
