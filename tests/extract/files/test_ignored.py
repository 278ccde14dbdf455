"""What lies beside the tables: told if it could be meant, and not if it is the project's own."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from pipeline.errors import SourceError
from pipeline.extract.files.tablenames import find_meant, names_table
from pipeline.extract.landing import LandedFolder, ReadOptions, land_folder
from schemas.sales import TABLES
from tests.scenes.reading import HEADER, ROW, write

CONTACTS = f"{HEADER}\n{ROW}\n"
ACCOUNTS = "accountid,accountnumber\n216b4b57-76e7-62fb-dda6-b7a859658ec0,ACC-1\n"


def land(tmp_path: Path, *names: str, own: tuple[Path, ...] = ()) -> LandedFolder:
    files = {"contacts.csv": CONTACTS, "accounts.csv": ACCOUNTS, **dict.fromkeys(names, "x\n")}
    return land_folder(
        write(tmp_path / "export", files),
        tmp_path / "in",
        tables=[name for name in TABLES if name != "msdynce_p2cautonumbers"],
        extra={},
        wished={},
        options=ReadOptions(),
        progress=lambda _table, _rows: None,
        own=own,
    )


def told(found: LandedFolder) -> list[str]:
    assert {one.code for one in found.notes} <= {"file_ignored"}
    return [one.detail for one in found.notes]


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("accounts_old.csv", "accounts_old.csv; the table accounts is read from accounts.csv"),
        (
            "contacts - Kopie.csv",
            "contacts - Kopie.csv; the table contacts is read from contacts.csv",
        ),
        (
            "contact (2).csv.bak",
            "contact (2).csv.bak; the table contacts is read from contacts.csv",
        ),
        ("orders.csv", "orders.csv; name it salesorders.csv if it holds that table"),
        ("Rechnungen.csv", "Rechnungen.csv; name it invoices.csv if it holds that table"),
        ("quotes (1).csv", "quotes (1).csv; name it quotes.csv if it holds that table"),
        ("qoutes.jsonl", "qoutes.jsonl; name it quotes.jsonl if it holds that table"),
        ("Angebote/1.csv", "Angebote; name it quotes if it holds that table"),
        (
            "quotes.accdb",
            "quotes.accdb; p2c does not read this form; the table quotes would be quotes.csv",
        ),
        (
            "quotes.dat",
            "quotes.dat; p2c does not read this form; the table quotes would be quotes.csv",
        ),
        ("leads.csv", "leads.csv; no table has that name"),
        ("backup/anything.csv", "backup; no table has that name"),
    ],
)
def test_what_could_be_meant_is_told_with_what_to_do(
    tmp_path: Path, name: str, detail: str
) -> None:
    assert told(land(tmp_path, name)) == [detail]


@pytest.mark.parametrize(
    "name",
    [
        "README.txt",
        "readme-contacts.csv",
        "contacts.sql",
        "export_contacts.ps1",
        "notes.md",
        ".contacts.csv.swp",
        "_SUCCESS",
        "msdynce_p2cautonumbers.csv",
        "photo.png",
        "pictures/a.png",
        "runs/20240101T000000Z-0000/run.json",
    ],
)
def test_what_nobody_means_is_not_told(tmp_path: Path, name: str) -> None:
    assert told(land(tmp_path, name)) == []


def test_files_of_the_project_are_not_told_wherever_they_lie(tmp_path: Path) -> None:
    own = ("countries.csv", "maps/units.csv", "Customers V2.xlsx", "my runs/1/rows.parquet")
    export = tmp_path / "export"
    given = (
        export / own[0],
        export / "maps/../maps/units.csv",
        export / own[2],
        export / "my runs",
    )
    assert told(land(tmp_path, *own, own=given)) == []


def test_a_circle_of_links_and_a_closed_pipe_beside_the_tables_are_told_and_not_opened(
    tmp_path: Path,
) -> None:
    export = write(tmp_path / "export", {})
    export.mkdir()
    (export / "loop.csv").symlink_to(export / "loop.csv")
    os.mkfifo(export / "pipe.csv")
    os.mkfifo(export / "pipe.xlsx")
    names = ["loop.csv", "pipe.csv", "pipe.xlsx"]
    assert [one.partition(";")[0] for one in told(land(tmp_path))] == names


def test_files_of_a_zip_are_told_like_those_of_a_folder(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("contacts.csv", "contacts (1).csv", "quotes - Copy.csv", "notes.md"):
            archive.writestr(f"data/{name}", CONTACTS)
    files = {"all.zip": packed.getvalue(), "Thumbs.db": b"x"}
    found = land_folder(
        write(tmp_path / "export", files),
        tmp_path / "in",
        tables=("contacts", "quotes"),
        extra={},
        wished={},
        options=ReadOptions(),
        progress=lambda _table, _rows: None,
    )
    assert told(found) == [
        "all.zip/data/contacts (1).csv; the table contacts is read from data/contacts.csv",
        "all.zip/data/quotes - Copy.csv; name it quotes.csv if it holds that table",
    ]


def test_many_are_counted_and_those_like_a_table_come_first(tmp_path: Path) -> None:
    names = [f"a{number:02}.csv" for number in range(25)]
    details = told(land(tmp_path, *names, "orders.csv"))
    assert len(details) == 21
    assert details[0].startswith("orders.csv; ")
    assert details[-1] == "6 more files and folders"


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("contact", "contacts"),
        ("CONTACTS", "contacts"),
        ("contact_partitioned", "contacts"),
        ("FilteredContact", "contacts"),
        ("dbo.account", "accounts"),
        ("dbo.FilteredSalesOrder", "salesorders"),
    ],
)
def test_a_table_has_several_names(name: str, table: str) -> None:
    assert [one.name for one in TABLES.values() if names_table(name, one)] == [table]


@pytest.mark.parametrize("name", ["contacts2", "contact_old", "dataverse_contact", "orders", ""])
def test_other_names_are_not_read(name: str) -> None:
    assert not any(names_table(name, one) for one in TABLES.values())


@pytest.mark.parametrize("name", ["zebra.csv", "leads.csv", "content.csv", "2024.csv"])
def test_a_name_far_from_all_tables_means_none(name: str) -> None:
    assert find_meant(name) is None


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["contcts.csv"], "Did you mean 'contcts.csv'? The folder holds: contcts.csv."),
        (["Kontakte.csv"], "Did you mean 'Kontakte.csv'?"),
        (["contacts.dat"], "The form of contacts.dat is not read. The folder holds: contacts.dat."),
        (["2024/contacts.csv"], "Is it 2024/contacts.csv? Name that folder as the source."),
        (["Firmen.csv"], "or a folder contacts. The folder holds: Firmen.csv."),
        (
            [f"{n}.csv" for n in range(9)],
            "The folder holds: 0.csv, 1.csv, 2.csv, 3.csv, 4.csv, 5.csv",
        ),
    ],
)
def test_where_contacts_are_missing_the_true_cause_is_named(
    tmp_path: Path, names: list[str], words: str
) -> None:
    folder = write(tmp_path, dict.fromkeys(names, "x\n"))
    with pytest.raises(SourceError) as caught:
        land_folder(
            folder,
            tmp_path / "in",
            tables=("contacts",),
            extra={},
            wished={},
            options=ReadOptions(),
            progress=lambda _table, _rows: None,
        )
    assert "there is no table contacts; p2c looks for contacts.csv" in str(caught.value)
    assert words in str(caught.value)
