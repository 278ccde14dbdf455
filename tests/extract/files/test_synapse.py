"""A Synapse Link folder: CSV without header lines, described by ``model.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.errors import SourceError
from pipeline.extract.files.synapse import SERVICE
from tests.scenes.reading import ID, contacts, landed, rows, write

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


LATER = '{"name": "IsDelete"}, {"name": "new_column"}'
SETTINGS = {"$type": "CsvFormatSettings", "columnHeaders": True, "encoding": "UTF-8"}
TABLE = (
    "contactid;lastname;msdynce_contactnumber;msdynce_isactivecustomer;parentcustomerid\n"
    f"{ID};Brown;CON-01000-ZQE454;true;\n"
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
    cut, added = ROW.removesuffix(",7,False"), model(contact=["contact/1.csv"])
    files: dict[str, str | bytes] = {
        "model.json": added.replace('{"name": "IsDelete", "dataType": "string"}', LATER),
        "contact/1.csv": f"{ROW}\n{cut}\n{ROW},x\n{ROW},x,more\n{ROW}\n{ROW},x\n{ROW}",
    }
    frame, unreadable = contacts(write(tmp_path / "lake", files), tmp_path / "in")
    assert frame["source_line"].to_list() == [1, 3, 6]
    few = "it has {} fields where the header has 10"
    assert unreadable == [
        ("contact/1.csv", 2, f"{few.format(7)}, and stops before IsDelete"),
        ("contact/1.csv", 4, few.format(11)),
        ("contact/1.csv", 5, f"{few.format(9)}, fewer than a row before it"),
        ("contact/1.csv", 7, few.format(9)),
    ], "a row at which the file breaks off could be half a row"


def test_without_partitions_contacts_are_refused_and_side_tables_have_no_rows(
    tmp_path: Path,
) -> None:
    assert "model.json: lists no files of contact" in refused(
        tmp_path / "none", {"model.json": model(contact=[])}
    )
    files: dict[str, str | bytes] = {
        "model.json": model(contact=["contact/1.csv"], account=[]),
        "contact/1.csv": ROW,
    }
    found = landed(write(tmp_path / "lake", files), tmp_path / "in", ("contacts", "accounts"))
    assert found["accounts"].rows == 0
    assert "accountnumber" in found["accounts"].columns
    files["accounts.csv"] = f"accountid,accountnumber\n{ID},ACC-1\n"
    found = landed(write(tmp_path / "lake", files), tmp_path / "in", ("contacts", "accounts"))
    assert [one.name for one in found["accounts"].sources] == ["accounts.csv"]


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


@pytest.mark.parametrize("locations", [None, []])
def test_the_entitys_folder_serves_whatever_the_case_of_its_name(
    tmp_path: Path, locations: list[str] | None
) -> None:
    files: dict[str, str | bytes] = {
        "model.json": model(contact=locations).replace('"contact"', '"CONTACT"'),
        "Contact/2021.csv": ROW,
        "Contact/2021_001.csv": ROW,
        "Contact/2020.CSV": ROW,
    }
    frame, _ = contacts(write(tmp_path / "lake", files), tmp_path / "in")
    names = ["Contact/2020.CSV", "Contact/2021.csv", "Contact/2021_001.csv"]
    assert frame["source_file"].to_list() == names


def test_files_that_the_model_does_not_list_are_told_those_of_deeper_folders_together(
    tmp_path: Path,
) -> None:
    files: dict[str, str | bytes] = {
        "model.json": model(contact=["contact/Snapshot/2021_1.csv"]),
        "contact/Snapshot/2021_1.csv": ROW,
        "contact/Snapshot/2021_0.csv": ROW,
        "contact/Snapshot/2020/a.csv": ROW,
        "contact/2021.csv": ROW,
        "lead/2021.csv": "x",
    }
    one = landed(write(tmp_path / "lake", files), tmp_path / "in")["contacts"]
    assert [(note.source_file, note.detail) for note in one.notes] == [
        ("contact/2021.csv", "contact/2021.csv; model.json does not list it"),
        ("contact/Snapshot", "contact/Snapshot; 2 files that model.json does not list"),
    ]
    assert {note.code for note in one.notes} == {"file_ignored"}


@pytest.mark.parametrize("name", ["contacts.csv", "contacts", "deltalake/contact_partitioned"])
def test_a_second_source_of_a_linked_table_is_refused(tmp_path: Path, name: str) -> None:
    files: dict[str, str | bytes] = {
        "model.json": model(contact=["contact/1.csv"]),
        "contact/1.csv": ROW,
        name if name.endswith(".csv") else f"{name}/a.csv": f"contactid,lastname\n{ID},Green\n",
    }
    assert f"contact and {name} could both be contacts; leave one." in refused(tmp_path, files)


def test_a_model_of_the_table_alone_serves_where_the_whole_one_lacks_it(tmp_path: Path) -> None:
    own = f"{SERVICE}/contact-model.json"
    files: dict[str, str | bytes] = {
        "model.json": model(account=[]),
        own: model(contact=[]),
        f"{SERVICE}/contact-EntityMetadata.json": "{}",
        "contact/2021.csv": ROW,
    }
    frame, _ = contacts(write(tmp_path / "lake", files), tmp_path / "in")
    assert frame["source_file"].to_list() == ["contact/2021.csv"]
    files[own] = "{}"
    assert f"{own}: is not a Synapse Link model" in refused(tmp_path / "wrong", files)


def dataflow(settings: dict[str, Any], location: str) -> dict[str, str | bytes]:
    """A folder that a dataflow wrote."""
    parsed = json.loads(model(Contacts=[location]).removeprefix("\ufeff"))
    parsed["entities"][0]["attributes"] = [
        {"name": one} for one in TABLE.splitlines()[0].split(";")
    ]
    parsed["entities"][0]["partitions"][0]["fileFormatSettings"] = {**SETTINGS, **settings}
    return {"model.json": json.dumps(parsed)}


@pytest.mark.parametrize("has_header", [True, False])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_dataflow_says_how_its_files_are_written(
    tmp_path: Path, delimiter: str, has_header: bool
) -> None:
    location = "Contacts/Contacts.csv.snapshots/Contacts.csv%40snapshot%3D2024-03-05T09-00"
    settings = {"columnHeaders": has_header, "delimiter": delimiter}
    lines = TABLE.replace(";", delimiter).splitlines(keepends=True)
    files = dataflow(settings, location)
    files["Contacts/Contacts.csv.snapshots/Contacts.csv@snapshot=2024-03-05T09-00"] = "".join(
        lines if has_header else lines[1:]
    )
    frame, unreadable = contacts(write(tmp_path / "lake", files), tmp_path / "in")
    assert not unreadable
    assert frame.select("contactid", "lastname").rows() == [(ID, "Brown")]


def test_a_dataflow_may_write_parquet(tmp_path: Path) -> None:
    files = dataflow({"$type": "ParquetFormatSettings"}, "Contacts/part-0.parquet")
    folder = write(tmp_path / "lake", {**files, "Contacts/part-0.parquet": b""})
    frame = pl.read_csv(TABLE.encode(), separator=";", infer_schema=False)
    frame.write_parquet(folder / "Contacts/part-0.parquet")
    one = landed(folder, tmp_path / "in")["contacts"]
    assert (one.in_place, rows(one)["lastname"].to_list()) == (True, ["Brown"])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"culture": "de-DE"}, "fileFormatSettings: culture = de-DE is not read."),
        ({"encoding": "windows-1252"}, "encoding = windows-1252"),
        (
            {"quoteCharacter": "'", "escapeCharacter": "^"},
            "quoteCharacter = ', escapeCharacter = ^",
        ),
        ({"quoteStyle": "QuoteStyle.None"}, "quoteStyle = QuoteStyle.None"),
        ({"delimiter": "||"}, "delimiter = ||"),
        ({"$type": "JsonFormatSettings"}, "$type = JsonFormatSettings"),
    ],
)
def test_a_setting_of_a_dataflow_that_is_not_done_is_named(
    tmp_path: Path, settings: dict[str, Any], words: str
) -> None:
    files = dataflow(settings, "Contacts/1.csv")
    assert words in refused(tmp_path, {**files, "Contacts/1.csv": TABLE})


@pytest.mark.parametrize("name", ["manifest.cdm.json", "default.manifest.cdm.json"])
def test_a_manifest_of_the_common_data_model_is_refused_by_its_name(
    tmp_path: Path, name: str
) -> None:
    files: dict[str, str | bytes] = {name: "{}", "contact/2021.csv": ROW}
    words = f"{name}: is a manifest of the Common Data Model, which is not read"
    assert words in refused(tmp_path, files)
    assert words in refused(tmp_path / "none", {name: "{}"})
    rest: dict[str, str | bytes] = {name: "{}", "contacts.csv": TABLE}
    found = landed(write(tmp_path / "b", rest), tmp_path / "in", ("contacts", "accounts"))
    assert list(found) == ["contacts"]


def test_an_entity_of_another_model_is_named(tmp_path: Path) -> None:
    text = '{"entities": [{"$type": "ReferenceEntity", "name": "Contact", "modelId": "x"}]}'
    assert "model.json: only refers to contacts in another model" in refused(
        tmp_path, {"model.json": text, "contact/1.csv": ROW}
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "model.json: is not a Synapse Link model"),
        ("[]", "is not a Synapse Link model"),
        ('{"entities": ' + "[" * 100_000, "is not a Synapse Link model"),
        ('{"entities": [7]}', "is not a Synapse Link model"),
        ('{"entities": [{"name": "contact"}]}', "is not a Synapse Link model"),
        (b"\xff\xfe", "is not a Synapse Link model"),
        (
            model(contact=["contact/1.csv", "contact/2.csv"]),
            "lists contact/2.csv, which is not in the folder",
        ),
        (
            model(contact=["../secret.csv"]),
            "lists a file outside its folder ('..')",
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
        (model(contact=["contact/%2e%2e/%2E%2e/secret.csv"]), "lists a file outside its folder"),
        (model(contact=["contact/../secret.csv"]).replace(HOST, ""), "outside its folder"),
        (model(contact=[r"..\\\\secret.csv"]).replace(f"{HOST}/", ""), "outside its folder"),
        (model(contact=["account/1.csv"]), "lists account/1.csv, which is not in the folder"),
        (model(account=[]), "there is no table contacts"),
    ],
    ids=lambda one: repr(one)[-40:],
)
def test_a_folder_that_is_not_as_its_model_says_is_refused(
    tmp_path: Path, text: str | bytes, words: str
) -> None:
    files: dict[str, str | bytes] = {"model.json": text, "../secret.csv": ROW}
    if "no table" not in words:
        files |= {"contact/1.csv": ROW, "1.csv": ROW}
    assert words in refused(tmp_path, files)
