"""The destination contract: rules find what is wrong with a row.

The schema of the same rules guards what is planned.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl
import pytest

from pipeline.commands.apply import plan_and_apply
from pipeline.commands.options import Flags
from pipeline.errors import InvariantBroken
from pipeline.events import report_nothing
from pipeline.mapping.paths import name_text_column
from pipeline.plan.request import PlanRequest
from pipeline.project.resolve import make_bare_project
from pipeline.transform import problems
from pipeline.transform.batch import Batcher
from pipeline.transform.decide import DecidedMorsel, Decider, PlanTask, make_task
from pipeline.transform.identify import RAW
from pipeline.transform.screen import Contract, Guard, build_contract, screen
from schemas.codes import load_codes
from tests.scenes.small import CUSTOMERS, rows, write_small

SURNAMES: list[str | None] = ["Lovelace", "x" * 26, "😀" * 13, "😀" * 12, None]
PROJECT: Final = make_bare_project({"destination": {"currency": "EUR"}}, "test")
CUSTOMERS_MAPPING: Final = PROJECT.mappings()["ContactToCustomer"]


@pytest.fixture
def mapped() -> tuple[pl.DataFrame, Contract]:
    mapping = make_bare_project({}, "test").mappings()["Contacts"]
    blank: list[str | None] = [None] * len(SURNAMES)
    texts = {name_text_column(name): blank for name in mapping.sources}
    texts[name_text_column("lastname")] = SURNAMES
    texts[name_text_column("msdynce_contactnumber")] = ["CON-01000-ABCDEF" for _ in SURNAMES]
    frame = mapping.apply(pl.DataFrame(texts, schema=dict.fromkeys(texts, pl.String))).frame
    return frame.with_columns(AssociatedPartyNumber=pl.lit("ACC-1")), build_contract(mapping)


def test_each_broken_rule_is_a_problem_of_its_row(mapped: tuple[pl.DataFrame, Contract]) -> None:
    found = screen(*mapped)
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


def test_other_types_than_the_contract_s_stop_the_plan(
    mapped: tuple[pl.DataFrame, Contract],
) -> None:
    frame, held_against = mapped
    with pytest.raises(InvariantBroken, match=r"LastName.*String"):
        screen(frame.with_columns(LastName=pl.lit(1)), held_against)


def routed(**columns: list[str]) -> pl.DataFrame:
    """A morsel of active customers as SQL routes them: no rule is broken, nothing else is known."""
    (height,) = {len(values) for values in columns.values()}
    names = {name for rule in problems.RULES for name in rule.flag.meta.root_names()}
    flags = dict.fromkeys(names & set(load_codes()), False)
    texts = dict.fromkeys([*names - set(flags), *RAW, *TEXTS, *BESIDE])
    known = {"is_active_customer": True, "has_activity": True, "key_in_scm": False}
    fixed = {"row_state": "current", "route": "ContactToCustomer", "legal_entity": "usmf"}
    other = {"owners": 1, "others": [], "source_line": 2}
    one = pl.DataFrame([{**texts, **flags, **known, **fixed, **other}], infer_schema_length=1)
    typed = one.with_columns(pl.col(pl.Null).cast(pl.String), others=pl.lit([], pl.List(pl.String)))
    return pl.concat([typed] * height).with_columns(pl.Series(*item) for item in columns.items())


TEXTS: Final = [name_text_column(name) for name in CUSTOMERS_MAPPING.sources]
BESIDE: Final = [
    "company_type",
    "company_type_from",
    "company_key",
    "company_named",
    "source_file",
    "loaded_hash",
]


def decide(one: PlanTask) -> DecidedMorsel:
    """Three customers; the surname of the second is too long."""
    decider = Decider(
        tasks={"ContactToCustomer": one}, hasher=lambda texts: texts, batcher=Batcher(rows=9)
    )
    numbers = [f"CON-0100{place}-ABCDEF" for place in range(3)]
    columns = {
        "raw:contactid": [f"00000000-0000-0000-0000-00000000000{place}" for place in range(3)],
        "raw:msdynce_contactnumber": numbers,
        name_text_column("msdynce_contactnumber"): numbers,
        name_text_column("lastname"): ["Brown", "x" * 26, "Green"],
    }
    found = decider.settle(decider.weigh(routed(**columns)))
    decider.finish()
    return found


def test_a_plan_that_loses_a_problem_on_its_way_breaks() -> None:
    sound = make_task(CUSTOMERS_MAPPING)
    assert decide(sound).decisions["reason"].to_list() == [
        "active_customer",
        "too_long",
        "active_customer",
    ]
    blind = [
        replace(rule, holds=pl.col(rule.column).is_null() | True) for rule in sound.contract.rules
    ]
    lost = replace(
        make_task(CUSTOMERS_MAPPING), contract=replace(sound.contract, rules=tuple(blind))
    )
    with pytest.raises(InvariantBroken, match=r"Customers V2: .*PersonLastName.*too_long"):
        decide(lost)


@pytest.mark.parametrize("at_once", [0, 1, 50_000])
def test_planned_rows_are_held_against_the_contract_however_many_at_once(
    mapped: tuple[pl.DataFrame, Contract], at_once: int
) -> None:
    frame, held_against = mapped

    def looked_at(*morsels: pl.DataFrame) -> None:
        guard = Guard(held_against.keep, at_once=at_once)
        for morsel in morsels:
            guard.look(morsel)
        guard.finish()

    looked_at(frame[[0]], frame.clear(), frame[[3]])
    with pytest.raises(InvariantBroken, match=r"LastName.*too_long"):
        looked_at(frame[[0]], frame[[0, 1]])


def test_rows_that_wait_do_not_keep_the_frames_they_come_from(
    mapped: tuple[pl.DataFrame, Contract],
) -> None:
    frame, _ = mapped
    kept: list[int] = []
    large = pl.concat(
        [frame[[3]].with_columns(LastName=pl.lit(f"{number:09d}" * 3)) for number in range(1_000)]
    ).rechunk()
    assert _buffers(large[[7]]) > 20_000  # Or this shows nothing.
    guard = Guard(lambda rows: kept.append(_buffers(rows)))
    guard.look(large[[7]])
    guard.finish()
    assert [size < 20_000 for size in kept] == [True]


def _buffers(rows: pl.DataFrame) -> int:
    """Bytes that the rows keep in memory."""
    size: int = rows.to_arrow(compat_level=pl.CompatLevel.newest()).get_total_buffer_size()
    return size


def test_doubtful_rows_that_are_sound_are_planned(tmp_path: Path) -> None:
    doubtful = [
        {**row, "lastname": "ß" * 20} for row in rows()[:CUSTOMERS]
    ]  # More bytes than characters are allowed.
    project = write_small(tmp_path, contacts=doubtful)
    common = Flags(project=project, runs=tmp_path / "runs", assignments=("run.morsel_rows=2",))
    folder = Path(str(plan_and_apply(common, PlanRequest(command="plan"), report_nothing).folder))
    assert pl.read_parquet(folder / "rows" / "ContactToCustomer").height == CUSTOMERS
