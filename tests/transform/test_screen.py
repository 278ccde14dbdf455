"""The destination contract: rules find what is wrong with a row; the schema of the same rules guards what is planned."""

from __future__ import annotations

import polars as pl
import pytest

from pipeline.errors import InvariantBroken
from pipeline.mapping.compile import compiled
from pipeline.mapping.paths import column_of
from pipeline.project import bare_project
from pipeline.transform.screen import Contract, contract, screened

SURNAMES: list[str | None] = ["Lovelace", "x" * 26, "😀" * 13, "😀" * 12, None]


@pytest.fixture
def mapped() -> tuple[pl.DataFrame, Contract]:
    settings: dict[str, str | None] = {"destination.currency": None, "destination.country": None}
    mapping = compiled(bare_project({}, "test").templates["Contacts"], settings)
    blank: list[str | None] = [None] * len(SURNAMES)
    texts = {column_of(name): blank for name in mapping.sources}
    texts[column_of("lastname")] = SURNAMES
    texts[column_of("msdynce_contactnumber")] = ["CON-01000-ABCDEF" for _ in SURNAMES]
    frame = mapping.apply(pl.DataFrame(texts, schema=dict.fromkeys(texts, pl.String))).frame
    return frame.with_columns(AssociatedPartyNumber=pl.lit("ACC-1")), contract(mapping)


def test_each_broken_rule_is_a_problem_of_its_row(mapped: tuple[pl.DataFrame, Contract]) -> None:
    found = screened(*mapped)
    assert found.problems.select("row", "code", "destination", "limit").sort("row").rows() == [
        (1, "too_long", "LastName", "25"),
        (2, "too_long", "LastName", "25"),
        (4, "mandatory_missing", "LastName", ""),
    ]
    assert found.doubtful.to_list() == [1, 2, 3, 4]


def test_the_schema_lets_sound_rows_pass_and_stops_a_plan_that_let_a_bad_one_through(
    mapped: tuple[pl.DataFrame, Contract],
) -> None:
    frame, held_against = mapped
    held_against.keep(frame[[0, 3]])
    for row, code in ((1, "too_long"), (2, "too_long"), (4, "mandatory_missing")):
        with pytest.raises(InvariantBroken, match=f"LastName.*{code}"):
            held_against.keep(frame[[0, row]])


def test_other_types_than_the_contract_s_stop_the_plan(mapped: tuple[pl.DataFrame, Contract]) -> None:
    frame, held_against = mapped
    with pytest.raises(InvariantBroken):
        screened(frame.with_columns(LastName=pl.lit(1)), held_against)
