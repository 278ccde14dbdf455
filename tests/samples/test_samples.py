from __future__ import annotations

import csv
import subprocess
import sys
import uuid
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.mapping.countries import find_country
from pipeline.samples import block
from pipeline.samples.cases import read_cases
from pipeline.samples.expected import RUN_FINDINGS, expect_cases, expect_rows
from pipeline.samples.generate import write_samples, write_temporary_samples
from pipeline.samples.tables import COLUMNS
from schemas import sales
from schemas.codes import Decision, find_code, load_codes
from schemas.text import cut_text
from tests.scenes.places import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMITTED = SAMPLES
NOT_OF_THE_DATA = {
    "filtered_out",
    "not_selected",
    "flag_blank",
    "state_unknown",
    "value_not_allowed",
    "reference_not_in_scm",
    "value_invalid",
    "archived",
    "company_name_unknown",
    "company_name_ambiguous",
    "number_of_organization",
    "number_of_prospect",
}
"""Reasons that settings, projects' own rows, other forms of exports or a live destination cause."""
LIMITS = {
    "firstname": 25, "middlename": 25, "lastname": 25, "fullname": 120, "jobtitle": 30,
    "department": 50, "governmentid": 50, "address1_line1": 250, "address1_city": 60,
    "address1_stateorprovince": 10, "address1_postalcode": 10,
}  # fmt: skip


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@pytest.fixture(scope="module")
def three_blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("three")
    write_samples(folder, rows=3000)
    return folder


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parquet")
    write_samples(folder, rows=1000, form="parquet")
    return folder


def test_the_committed_samples_are_what_the_generator_writes(tmp_path: Path) -> None:
    write_samples(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"{table}.csv" for table in COLUMNS} | {"p2c.toml", "known_customers.csv"}
    for name in sorted(names):
        assert (COMMITTED / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_the_command_line_writes_the_same(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pipeline.samples", tmp_path], check=True, cwd=COMMITTED.parents[1]
    )
    assert (tmp_path / "contacts.csv").read_bytes() == (COMMITTED / "contacts.csv").read_bytes()


def test_files_are_utf_8_without_byte_order_mark_and_with_line_feeds() -> None:
    for table in COLUMNS:
        first = (COMMITTED / f"{table}.csv").read_bytes().split(b"\n", 1)[0]
        assert first.decode("utf-8") == ",".join(COLUMNS[table])


def test_every_case_has_a_name_of_its_own_and_a_row() -> None:
    names = [case.name for case in read_cases()]
    assert len(set(names)) == len(names)
    assert len(set(block.place_cases().values())) == len(names) == len(expect_cases())


def test_sizes() -> None:
    assert len(read(COMMITTED / "contacts.csv")) == len(expect_rows()) == block.CONTACTS
    assert len(read(COMMITTED / "accounts.csv")) == block.ACCOUNTS
    assert all(
        len(read(COMMITTED / f"{table}.csv")) > 50
        for table in ("quotes", "salesorders", "invoices")
    )
    assert [
        row["msdynce_numbersequence"] for row in read(COMMITTED / "msdynce_p2cautonumbers.csv")
    ] == ["1150", "2000"]


def test_a_block_that_is_not_full_has_its_first_rows_only(tmp_path: Path) -> None:
    write_samples(tmp_path, rows=1234)
    rows = read(tmp_path / "contacts.csv")
    assert len(rows) == 1234
    assert rows[:1000] == read(COMMITTED / "contacts.csv")


def test_every_column_is_known_to_the_catalogue() -> None:
    for name in ("contacts", "accounts", "quotes", "salesorders", "invoices"):
        table = sales.TABLES[name]
        spellings = {one for field in table.fields for one in (field.name, *field.names)}
        assert table.key in COLUMNS[name]
        if name == "contacts":
            assert set(COLUMNS[name]) <= spellings


def test_every_decision_and_every_reason_that_data_can_cause_occurs() -> None:
    expected = [one for one in expect_cases() if one.is_contact]
    assert {one.decision for one in expected} == set(Decision)
    reasons = {name for name, entry in load_codes().items() if entry.decision is not None}
    assert {one.reason for one in expected} == reasons - NOT_OF_THE_DATA


def test_every_expected_code_is_in_the_catalogue_and_gives_its_decision() -> None:
    for one in expect_cases():
        assert (one.findings | one.may | RUN_FINDINGS) <= set(load_codes())
        if one.is_contact:
            assert find_code(one.reason).decision == one.decision


def test_expected_rows_are_those_of_the_file() -> None:
    for one, row in zip(expect_rows(), read(COMMITTED / "contacts.csv"), strict=True):
        assert row["contactid"].strip("{}").lower() == (one.contactid or "")
        assert row["msdynce_contactnumber"].strip() == (one.contact_number or "")


def _ordinary() -> Iterator[dict[str, str]]:
    for one, row in zip(expect_rows(), read(COMMITTED / "contacts.csv"), strict=True):
        if one.is_ordinary:
            yield row


def test_ordinary_rows_have_no_trouble() -> None:
    accounts = {row["accountid"]: row for row in read(COMMITTED / "accounts.csv")}
    parties = {row["PARTYNUMBER"] for row in read(COMMITTED / "known_customers.csv")}
    numbers = Counter(row["msdynce_contactnumber"] for row in read(COMMITTED / "contacts.csv"))
    active = {
        row["_customerid_value"]
        for name in ("quotes", "salesorders", "invoices")
        for row in read(COMMITTED / f"{name}.csv")
    }
    ordinary = list(_ordinary())
    assert len(ordinary) > 500
    for row in ordinary:
        assert str(uuid.UUID(row["contactid"])) == row["contactid"]
        assert all(cut_text(row[column], limit) == row[column] for column, limit in LIMITS.items())
        assert all(value == value.strip() for value in row.values())
        assert find_country(row["address1_country"]) is not None
        assert numbers[row["msdynce_contactnumber"]] == 1
        assert (row["msdynce_isactivecustomer"] == "true") == (row["contactid"] in active)
        if row["_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "account":
            assert accounts[row["_parentcustomerid_value"]]["accountnumber"] in parties


def test_values_have_the_lengths_that_their_cases_are_named_for() -> None:
    for one, row in zip(expect_rows(), read(COMMITTED / "contacts.csv"), strict=True):
        if not one.is_contact or one.decision == "skipped":
            continue
        over = {
            column
            for column, limit in LIMITS.items()
            if len(cut_text(row[column].strip(), limit)) < len(row[column].strip())
        }
        must = {
            "firstname",
            "middlename",
            "lastname",
            "address1_stateorprovince",
            "address1_postalcode",
        } & over
        assert bool(must) == ("too_long" in {one.reason, *one.findings}), one.case


def test_blocks_have_one_shape_and_share_no_id(three_blocks: Path) -> None:
    first = read(three_blocks / "contacts.csv")[:1000]
    assert first == read(COMMITTED / "contacts.csv")
    for table, size in (("contacts", block.CONTACTS), ("accounts", block.ACCOUNTS)):
        rows = read(three_blocks / f"{table}.csv")
        key = f"{table.removesuffix('s')}id"
        ids = [
            {row[key].strip("{}").lower() for row in rows[start : start + size]}
            for start in range(0, len(rows), size)
        ]
        assert len(ids) == 3
        assert len({len(one) for one in ids}) == 1
        shared = (ids[0] & ids[1]) | (ids[1] & ids[2]) | (ids[0] & ids[2])
        assert all(len(one) != 36 or "g" in one for one in shared)
        versions = [row["versionnumber"] for row in rows]
        assert len(set(versions) - {""}) > size * 2.8


def test_contact_numbers_repeat_within_their_block_only(three_blocks: Path) -> None:
    numbers = [
        row["msdynce_contactnumber"].strip().upper() for row in read(three_blocks / "contacts.csv")
    ]
    blocks = [
        {number for number in numbers[start : start + 1000] if number} for start in (0, 1000, 2000)
    ]
    assert len(set.union(*blocks)) == sum(len(one) for one in blocks)
    assert len({len(one) for one in blocks}) == 1


def test_another_seed_gives_other_ids_and_the_same_cases(tmp_path: Path) -> None:
    write_samples(tmp_path, seed=2)
    ours, others = read(COMMITTED / "contacts.csv"), read(tmp_path / "contacts.csv")
    assert not {
        row["msdynce_contactnumber"]
        for row in ours
        if row["msdynce_contactnumber"].startswith("CON-")
    } & {row["msdynce_contactnumber"] for row in others if len(row["msdynce_contactnumber"]) == 16}
    shape = [(one.case, one.decision, one.reason) for one in expect_rows()]
    assert [(one.case, one.decision, one.reason) for one in expect_rows(seed=2)] == shape


def test_parquet_has_types(parquet: Path) -> None:
    schema = pq.read_schema(parquet / "contacts.parquet")
    assert schema.names == list(COLUMNS["contacts"])
    assert schema.field("msdynce_isactivecustomer").type == pa.bool_()
    assert schema.field("gendercode").type == pa.int32()
    assert schema.field("versionnumber").type == pa.int64()
    assert schema.field("creditlimit").type == pa.decimal128(19, 4)
    assert schema.field("modifiedon").type == pa.timestamp("us", "UTC")
    assert (
        pq.ParquetFile(parquet / "contacts.parquet").metadata.row_group(0).column(0).compression
        == "ZSTD"
    )


def test_parquet_holds_what_text_holds(parquet: Path) -> None:
    text, typed = (
        read(COMMITTED / "contacts.csv"),
        pl.read_parquet(parquet / "contacts.parquet").to_dicts(),
    )
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    text_only = {block.place_cases()[case.name] for case in read_cases() if case.text_only}
    for position, (row, other) in enumerate(zip(text, typed, strict=True)):
        if position in text_only:
            continue
        assert (row["lastname"] or None) == other["lastname"]
        assert (
            words.get(row["msdynce_isactivecustomer"].strip().lower())
            is other["msdynce_isactivecustomer"]
        )
        assert row["versionnumber"] == str(other["versionnumber"] or "")
        assert (row["creditlimit"] or None) == (
            None if other["creditlimit"] is None else f"{other['creditlimit']:.4f}"
        )
        assert row["gendercode"] == str(other["gendercode"] or "")
    assert len(expect_cases(form="parquet")) == len(read_cases()) - len(text_only)


@pytest.mark.slow
def test_row_groups_do_not_depend_on_pieces(tmp_path: Path) -> None:
    write_samples(tmp_path, rows=250_000, form="parquet")
    file = pq.ParquetFile(tmp_path / "contacts.parquet")
    assert [file.metadata.row_group(one).num_rows for one in range(file.num_row_groups)] == [
        122_880,
        122_880,
        4_240,
    ]


def test_temporary_samples_are_the_same_and_leave_nothing_behind(tmp_path: Path) -> None:
    write_samples(tmp_path, rows=300, seed=3)
    with write_temporary_samples(rows=300, seed=3) as folder:
        made = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert made == {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert not folder.exists()
