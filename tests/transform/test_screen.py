"""The destination contract: rules find what is wrong with a row; the schema of the same rules guards what is planned."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipeline.commands import Common, ran
from pipeline.errors import InvariantBroken
from pipeline.events import silent
from pipeline.mapping.compile import compiled
from pipeline.mapping.paths import column_of
from pipeline.plan import Request
from pipeline.project import bare_project
from pipeline.transform import decide, problems
from pipeline.transform.screen import Contract, contract, screened
from tests.small import CUSTOMERS, rows, write_small

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


def test_a_plan_that_loses_a_problem_on_its_way_breaks_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(problems, "of_mapping", lambda *_: problems.SCHEMA.to_frame())
    common = Common(project=write_small(tmp_path), runs=tmp_path / "runs")
    with pytest.raises(InvariantBroken, match=r"Customers V2: .*PersonLastName.*too_long"):
        ran(common, Request(command="plan"), silent)
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize("at_once", [0, 1, 50_000])
def test_planned_rows_are_held_against_the_contract_however_many_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(decide, "_DOUBTFUL", at_once)
    doubtful = [{**row, "lastname": "ß" * 20} for row in rows()[:CUSTOMERS]]  # More bytes than characters are allowed.
    project = write_small(tmp_path, contacts=doubtful)
    common = Common(project=project, runs=tmp_path / "runs", assignments=("run.morsel_rows=2",))
    folder = Path(str(ran(common, Request(command="plan"), silent).folder))
    assert pl.read_parquet(folder / "rows" / "ContactToCustomer").height == CUSTOMERS
