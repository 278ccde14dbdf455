"""Rows in messages of replicators, and records that $expand puts into rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.scenes.reading import ID, contacts, write

COMPANY = "216b4b57-76e7-62fb-dda6-b7a859658ec0"
OTHER = "316b4b57-76e7-62fb-dda6-b7a859658ec0"
ROW: dict[str, Any] = {
    "contactid": ID,
    "lastname": "Brown",
    "msdynce_contactnumber": "CON-01000-ZQE454",
    "msdynce_isactivecustomer": True,
    "_parentcustomerid_value": None,
}
RAW = {"_airbyte_raw_id": "r1", "_airbyte_extracted_at": 1700000000001, "_airbyte_meta": {}}


def read(tmp_path: Path, *rows: object) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
    """The readable contacts, and line and reason of the others."""
    text = "".join(json.dumps(row) + "\n" for row in rows)
    frame, unreadable = contacts(
        write(tmp_path / "export", {"contacts.jsonl": text}), tmp_path / "in"
    )
    return frame.to_dicts(), [(line, detail) for _, line, detail in unreadable]


@pytest.mark.parametrize(
    "message",
    [
        {**RAW, "_airbyte_data": ROW},
        {**RAW, "_airbyte_data": json.dumps(ROW)},
        {"type": "RECORD", "stream": "contacts", "record": ROW, "time_extracted": "2024-01-02"},
        {"type": "RECORD", "stream": "dbo-contact", "record": ROW},
        {"type": "RECORD", "record": {"stream": "contact", "data": ROW, "emitted_at": 1}},
        {"before": None, "after": ROW, "op": "c", "ts_ms": 1},
        {"schema": {"type": "struct"}, "payload": {"before": ROW, "after": ROW, "op": "u"}},
        {"schema": {"type": "struct"}, "payload": ROW},
    ],
    ids=[
        "airbyte", "airbyte, as text", "singer", "singer, another stream name", "airbyte protocol",
        "debezium", "debezium with schema", "connect with schema",
    ],
)  # fmt: skip
def test_a_row_is_taken_out_of_its_message(tmp_path: Path, message: dict[str, Any]) -> None:
    found, unreadable = read(tmp_path, message, message)
    assert [row["lastname"] for row in found] == ["Brown", "Brown"]
    assert [row["source_line"] for row in found] == [1, 2]
    assert not unreadable


def test_marks_beside_a_row_come_along(tmp_path: Path) -> None:
    found, _ = read(
        tmp_path,
        {**ROW, "_meta": {"op": "d", "uuid": "x"}},
        {"source_metadata": {"is_deleted": True, "change_type": "DELETE"}, "payload": ROW},
        {"source_metadata": {"is_deleted": False, "change_type": None}, "payload": ROW},
    )
    assert [(row["changetype"], row["isdelete"]) for row in found] == [
        ("d", None),
        ("DELETE", "true"),
        (None, "false"),
    ]


def test_messages_of_other_kinds_and_other_tables_are_no_rows(tmp_path: Path) -> None:
    found, unreadable = read(
        tmp_path,
        {"type": "SCHEMA", "stream": "contact", "schema": {}, "key_properties": ["contactid"]},
        {"type": "RECORD", "stream": "contact", "record": ROW},
        {"type": "RECORD", "stream": "account", "record": {"accountid": COMPANY}},
        {"type": "STATE", "value": {"bookmarks": {}}},
    )
    assert [row["source_line"] for row in found] == [2]
    assert not unreadable


def test_a_deletion_is_a_row_of_its_id_alone(tmp_path: Path) -> None:
    before = {**ROW, "versionnumber": 7}
    found, unreadable = read(
        tmp_path, {"after": ROW, "op": "r"}, {"before": before, "after": None, "op": "d"}
    )
    assert [(row["contactid"], row["lastname"], row["isdelete"]) for row in found] == [
        (ID, "Brown", None),
        (ID, None, "true"),
    ]
    assert all(row.get("versionnumber") is None for row in found)
    assert not unreadable


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({**RAW, "_airbyte_data": "no row"}, "its _airbyte_data is not a JSON object"),
        ({**RAW, "_airbyte_data": [ROW]}, "its _airbyte_data is not a JSON object"),
        ({"before": None, "op": "d"}, "it is the message of a deletion that does not name the row"),
        ({"after": None, "op": "u"}, "it is a message of a change without the row"),
        ({"after": None, "op": "t"}, "it is a message of a change without the row"),
    ],
)
def test_a_message_without_its_row_is_unreadable(
    tmp_path: Path, message: dict[str, Any], reason: str
) -> None:
    found, unreadable = read(tmp_path, ROW, message)
    assert len(found) == 1
    assert unreadable == [(2, reason)]


@pytest.mark.parametrize(
    ("expanded", "company", "kind"),
    [
        ({"parentcustomerid_account": {"accountid": COMPANY}}, COMPANY, "account"),
        ({"parentcustomerid_contact": {"contactid": OTHER}}, OTHER, "contact"),
        ({"parentcustomerid_account": None}, None, None),
        (
            {"_parentcustomerid_value": COMPANY, "parentcustomerid_account": {"name": "Litware"}},
            COMPANY,
            None,
        ),
        (
            {"_parentcustomerid_value": OTHER, "parentcustomerid_account": {"accountid": COMPANY}},
            f"{COMPANY} / {OTHER}",
            "account",
        ),
    ],
    ids=["account", "contact", "none", "beside the id", "another one than the id"],
)
def test_the_company_is_found_in_the_record_that_expand_put_there(
    tmp_path: Path, expanded: dict[str, Any], company: str | None, kind: str | None
) -> None:
    row = {key: cell for key, cell in ROW.items() if key != "_parentcustomerid_value"}
    ((found, *_), unreadable) = read(tmp_path, {**row, **expanded}, ROW)
    assert (found["parentcustomerid"], found.get("parentcustomeridtype")) == (company, kind)
    assert not unreadable


def test_columns_of_the_record_are_read_under_their_flat_spelling(tmp_path: Path) -> None:
    currency = {"isocurrencycode": "EUR", "transactioncurrencyid": OTHER}
    company = {"accountid": COMPANY, "accountnumber": "ACC-1", "primarycontactid": {"a": 1}}
    row = {**ROW, "transactioncurrencyid": currency, "parentcustomerid_account": company}
    ((found,), unreadable) = read(tmp_path, row)
    assert found["transactioncurrencyid.isocurrencycode"] == "EUR"
    assert found["transactioncurrencyid"] == OTHER
    assert found["parentcustomerid.accountnumber"] == "ACC-1"
    assert not unreadable


@pytest.mark.parametrize(
    "expanded",
    [
        {"parentcustomerid": {"name": "Litware"}},
        {"parentcustomerid_account": {"name": "Litware"}},
        {"transactioncurrencyid": {"currencysign": "€"}},
    ],
)
def test_a_record_that_nothing_names_makes_its_row_unreadable(
    tmp_path: Path, expanded: dict[str, Any]
) -> None:
    row = {key: cell for key, cell in ROW.items() if key != "_parentcustomerid_value"}
    found, unreadable = read(tmp_path, ROW, {**row, **expanded})
    assert len(found) == 1
    ((line, reason),) = unreadable
    assert line == 2
    assert reason.endswith("holds an object or a list")


def test_objects_of_the_sdk_and_of_mongodb_are_values(tmp_path: Path) -> None:
    row = {**ROW, "parentcustomerid": {"Id": COMPANY, "LogicalName": "account", "Name": "x"}}
    row |= {"gendercode": {"Value": 2, "ExtensionData": None}, "statecode": None}
    row |= {"modifiedon": {"$date": {"$numberLong": "1709366400000"}}, "merged": {"a": 1, "b": 2}}
    [found], unreadable = read(
        tmp_path, {key: cell for key, cell in row.items() if key != "merged"}
    )
    wanted = ("parentcustomerid", "parentcustomeridtype", "gendercode", "modifiedon")
    assert [found[name] for name in wanted] == [COMPANY, "account", "2", "1709366400000"]
    assert not unreadable
    assert read(tmp_path, row)[1] == [(1, "merged holds an object or a list")]
