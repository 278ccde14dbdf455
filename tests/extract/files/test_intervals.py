"""Folders by time: Synapse Link's incremental updates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.errors import SourceError
from pipeline.extract.files.intervals import read_moment
from pipeline.extract.files.synapse import SERVICE
from pipeline.extract.landing import LandedFolder, ReadOptions, land_folder
from tests.scenes.reading import rows, write

COLUMNS = "Id,lastname,msdynce_contactnumber,msdynce_isactivecustomer,parentcustomerid,IsDelete"
OLD, MIDDLE, NEW = "2024-03-02T08.05.00Z", "2024-03-05T09.00.00Z", "2024-03-10T00.30.00.123Z"

Files = dict[str, str | bytes]


def model(columns: str = COLUMNS, name: str = "contact") -> str:
    attributes = [{"name": one} for one in columns.split(",")]
    return json.dumps({"entities": [{"name": name, "attributes": attributes, "partitions": []}]})


def row(lastname: str, more: str = "") -> str:
    return f"00000000-0000-0000-0000-000000000001,{lastname},CON-00001-ABCDEF,True,,{more}\n"


def folder(name: str, lastname: str) -> Files:
    return {f"{name}/model.json": model(), f"{name}/contact/2024.csv": row(lastname)}


def land(tmp_path: Path, files: Mapping[str, str | bytes]) -> LandedFolder:
    return land_folder(
        write(tmp_path / "lake", files),
        tmp_path / "in",
        tables=("contacts", "accounts"),
        extra={},
        wished={},
        options=ReadOptions(),
        progress=lambda _table, _rows: None,
    )


def names(found: LandedFolder) -> list[str]:
    return rows(found.tables["contacts"])["lastname"].to_list()


def notes(found: LandedFolder) -> list[tuple[str, str]]:
    return [(one.code, one.detail) for one in found.list_notes()]


@pytest.mark.parametrize(
    "name", ["2024-03-02T08.05.00Z", "2024-03-02T08:05:00Z", "2024-03-02t08-05-00.000z"]
)
def test_a_folders_name_is_a_time_however_its_signs_are_written(name: str) -> None:
    assert read_moment(name) == (2024, 3, 2, 8, 5, 0, 0)


@pytest.mark.parametrize("name", ["2024-03-02", "contact", "x2024-03-02T08.05.00Z", ""])
def test_other_names_are_no_times(name: str) -> None:
    assert read_moment(name) is None


def test_all_folders_are_read_in_the_order_of_time(tmp_path: Path) -> None:
    found = land(tmp_path, folder(NEW, "C") | folder(OLD, "A") | folder(MIDDLE, "B"))
    assert names(found) == ["A", "B", "C"]
    assert notes(found) == []
    assert "accounts" not in found.tables


@pytest.mark.parametrize(
    ("current", "read", "left"),
    [
        ("2024-03-11T00.00.00Z", ["A", "B", "C"], []),
        (NEW, ["A", "B"], [NEW]),
        (f"\ufeff{MIDDLE}\n", ["A"], [MIDDLE, NEW]),
    ],
)
def test_folders_that_the_service_still_writes_are_left_out_and_told(
    tmp_path: Path, current: str, read: list[str], left: list[str]
) -> None:
    files = folder(OLD, "A") | folder(MIDDLE, "B") | folder(NEW, "C")
    found = land(tmp_path, files | {"Changelog/changelog.info": current})
    assert names(found) == read
    reason = "Synapse Link still writes to this folder"
    assert notes(found) == [("file_ignored", f"{one}; {reason}") for one in left]


@pytest.mark.parametrize("text", [None, "", b""])
def test_without_a_change_log_a_newest_folder_without_a_model_is_left_out(
    tmp_path: Path, text: str | bytes | None
) -> None:
    files = folder(OLD, "A") | folder(NEW, "C")
    del files[f"{NEW}/model.json"]
    if text is not None:
        files[f"{NEW}/model.json"] = text
    found = land(tmp_path, files)
    assert names(found) == ["A"]
    assert [code for code, _ in notes(found)] == ["file_ignored"]


def test_each_folder_is_read_by_its_own_model(tmp_path: Path) -> None:
    files = folder(OLD, "A") | folder(NEW, "B")
    files[f"{NEW}/model.json"] = model(f"{COLUMNS},firstname")
    files[f"{NEW}/contact/2024.csv"] = row("B", ",Ann")
    files[f"{NEW}/contact/2024_001.csv"] = row("C", ",Bo")
    contacts = land(tmp_path, files).tables["contacts"]
    frame = rows(contacts)
    assert frame.select("lastname", "firstname", "source_file").rows() == [
        ("A", None, f"{OLD}/contact/2024.csv"),
        ("B", "Ann", f"{NEW}/contact/2024.csv"),
        ("C", "Bo", f"{NEW}/contact/2024_001.csv"),
    ]
    assert [one.columns is not None and "firstname" in one.columns for one in contacts.sources] == [
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("name", ["model.json", f"{SERVICE}/contact-model.json"])
def test_a_model_of_the_root_serves_folders_that_have_none(tmp_path: Path, name: str) -> None:
    files: Files = {name: model()}
    for one, lastname in ((OLD, "A"), (NEW, "B")):
        files[f"{one}/Contact/2024.csv"] = row(lastname)
    assert names(land(tmp_path, files)) == ["A", "B"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {f"{OLD}/contact/2024.csv": row("A"), "contacts.csv": "x"},
            f"{OLD}: has no model.json, and the files of contacts have no header line",
        ),
        (
            folder(OLD, "A") | {"Changelog/changelog.info": "now"},
            "Changelog/changelog.info: does not name the folder",
        ),
        (
            folder(OLD, "A") | {"Changelog/changelog.info": OLD},
            f"holds only folders that Synapse Link still writes to ({OLD})",
        ),
        (
            folder(OLD, "A") | {"contacts.csv": f"{COLUMNS}\n{row('B')}"},
            f"{OLD}/contact and contacts.csv could both be contacts",
        ),
        (
            folder(OLD, "A") | {"contact/2024.csv": row("B")},
            f"{OLD}/contact and contact could both be contacts",
        ),
        (
            {f"{OLD}/model.json": model(), f"{OLD}/account/1.csv": "x"},
            f"{OLD}/model.json: lists no files of contact",
        ),
        (folder(OLD, "A") | {f"{OLD}/model.json": "{"}, f"{OLD}/model.json: is not a Synapse"),
    ],
    ids=lambda one: repr(one)[-40:],
)
def test_folders_that_cannot_be_understood_are_refused(
    tmp_path: Path, files: Files, words: str
) -> None:
    with pytest.raises(SourceError) as caught:
        land(tmp_path, files)
    assert words in str(caught.value)


def test_folders_that_the_service_wrote_and_that_are_gone_are_told(tmp_path: Path) -> None:
    before, lost = "2024-01-01T00.00.00Z", [f"2024-03-0{day}T00.00.00Z" for day in (3, 4, 6, 7)]
    log = "\n".join([before, OLD, *lost, MIDDLE, NEW, "2024-03-11T00.00.00Z"])
    files = folder(OLD, "A") | folder(MIDDLE, "B") | folder(NEW, "C")
    files |= {"Changelog/Synapse.log": log, "Changelog/changelog.info": "2024-03-11T00.00.00Z"}
    found = land(tmp_path, files)
    assert notes(found) == [("folder_missing", f"{', '.join(lost[:3])} and 1 more")]


def test_files_of_the_service_are_no_forgotten_tables(tmp_path: Path) -> None:
    files = folder(OLD, "A") | folder(NEW, "B")
    files |= {
        "model.json": model(),
        "OptionsetMetadata/contact.csv": "x",
        f"{SERVICE}/contact-EntityMetadata.json": "{}",
        "Changelog/changelog.info": "2024-03-11T00.00.00Z",
        "EntityMetadata/a.csv": "x",
    }
    assert notes(land(tmp_path, files)) == []
