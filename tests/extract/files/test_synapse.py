"""A Synapse Link folder: CSV without header lines, described by ``model.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import SourceError
from tests.scenes.reading import ID, contacts, landed, write

HOST = "https://lake.dfs.core.windows.net/dataverse-org-unq"
COLUMNS = [
    "Id",
    "SinkCreatedOn",
    "lastname",
    "msdynce_contactnumber",
    "msdynce_isactivecustomer",
    "parentcustomerid",
    "parentcustomerid_entitytype",
    "versionnumber",
    "IsDelete",
]
ROW = (
    f'{ID},"6/25/2021 4:21:12 PM","Brown, '
    '""B""",CON-01000-ZQE454,True,216b4b57-76e7-62fb-dda6-b7a859658ec0,account,7,False'
)


def model(**partitions: list[str] | None) -> str:
    entities: list[dict[str, Any]] = []
    for name, locations in partitions.items():
        columns = COLUMNS if name == "contact" else ["accountid", "accountnumber"]
        entity = {
            "$type": "LocalEntity",
            "name": name,
            "attributes": [{"name": one, "dataType": "string"} for one in columns],
        }
        if locations is not None:
            entity["partitions"] = [{"name": one, "location": f"{HOST}/{one}"} for one in locations]
        entities.append(entity)
    return "\ufeff" + json.dumps({"name": "cdm", "version": "1.0", "entities": entities})


def refused(tmp_path: Path, files: dict[str, str | bytes]) -> str:
    with pytest.raises(SourceError) as caught:
        landed(write(tmp_path / "lake", files), tmp_path / "in")
    return str(caught.value)


def test_partitions_land_with_the_columns_of_the_model(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "model.json": model(
            contact=["contact/Snapshot/2021%20a_162.csv", "contact/Snapshot/2022_162.csv"]
        ),
        "contact/Snapshot/2021 a_162.csv": f"{ROW}\n{ROW.replace('False', 'True')}\n",
        "contact/Snapshot/2022_162.csv": b"",
        "contact/2021.csv": "not,read",
    }
    frame, unreadable = contacts(write(tmp_path / "lake", files), tmp_path / "in")
    assert not unreadable
    assert frame.select(
        "contactid", "lastname", "parentcustomeridtype", "isdelete", "source_file", "source_line"
    ).rows() == [
        (ID, 'Brown, "B"', "account", "False", "contact/Snapshot/2021 a_162.csv", 1),
        (ID, 'Brown, "B"', "account", "True", "contact/Snapshot/2021 a_162.csv", 2),
    ]


def test_rows_written_before_a_column_was_added_are_short_and_whole(tmp_path: Path) -> None:
    text = f"{ROW}\n{ROW.removesuffix(',7,False')}\n{ROW},more\n{ROW.removesuffix(',7,False')}"
    files: dict[str, str | bytes] = {
        "model.json": model(contact=["contact/1.csv"]),
        "contact/1.csv": text,
    }
    frame, unreadable = contacts(write(tmp_path / "lake", files), tmp_path / "in")
    assert frame.select("versionnumber", "source_line").rows() == [("7", 1), (None, 2)]
    assert unreadable == [
        ("contact/1.csv", 3, "it has 10 fields where the header has 9"),
        ("contact/1.csv", 4, "it has 7 fields where the header has 9"),
    ], "a row at which the file breaks off could be half a row"


def test_a_table_without_partitions_has_no_rows(tmp_path: Path) -> None:
    found = landed(write(tmp_path / "lake", {"model.json": model(contact=[])}), tmp_path / "in")
    assert found["contacts"].rows == 0
    assert "contactid" in found["contacts"].columns


def test_files_of_the_tables_folder_serve_where_the_model_lists_none(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "model.json": model(contact=None),
        "contact/2021.csv": ROW,
        "contact/Snapshot/1.csv": ROW,
    }
    frame, _ = contacts(write(tmp_path / "lake", files), tmp_path / "in")
    assert frame["source_file"].to_list() == ["contact/2021.csv"]


def test_a_table_that_the_model_does_not_know_may_lie_beside_it(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "model.json": model(contact=["contact/1.csv"]),
        "contact/1.csv": ROW,
        "transactioncurrencies.csv": (
            "transactioncurrencyid,isocurrencycode\n0ce85292-34bf-a9f3-d269-d8c7f770923d,EUR\n"
        ),
    }
    found = landed(
        write(tmp_path / "lake", files),
        tmp_path / "in",
        ("contacts", "transactioncurrencies", "accounts"),
    )
    assert {name: one.rows for name, one in found.items()} == {
        "contacts": 1,
        "transactioncurrencies": 1,
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "model.json: is not a Synapse Link model"),
        ("[]", "is not a Synapse Link model"),
        ('{"entities": [7]}', "is not a Synapse Link model"),
        ('{"entities": [{"name": "contact"}]}', "is not a Synapse Link model"),
        (b"\xff\xfe", "is not a Synapse Link model"),
        (
            model(contact=["contact/1.csv", "contact/2.csv"]),
            "lists contact/2.csv, which is not in the folder",
        ),
        (
            model(contact=["../secret.csv"]),
            "lists dataverse-org-unq/secret.csv, which is not in the folder",
        ),
        (
            model(contact=["contact/1.csv"], Contacts=["contact/1.csv"]),
            "describes contacts 2 times",
        ),
        (
            model(contact=["contact/1.csv"]).replace("lastname", "x"),
            "model.json: there is none of the columns firstname, middlename, lastname",
        ),
        (
            model(contact=[]).replace("lastname", "x"),
            "model.json: there is none of the columns firstname, middlename, lastname",
        ),
        (model(contact=None).replace('"contact"', '"CONTACT"'), "lists no partitions of CONTACT"),
        (model(account=[]), "there is no table contacts"),
    ],
    ids=lambda one: repr(one)[-40:],
)
def test_a_folder_that_is_not_as_its_model_says_is_refused(
    tmp_path: Path, text: str | bytes, words: str
) -> None:
    files: dict[str, str | bytes] = {"model.json": text, "../secret.csv": ROW}
    if "no table" not in words:
        files["contact/1.csv"] = ROW
    assert words in refused(tmp_path, files)
