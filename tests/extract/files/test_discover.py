"""Which files belong to which table, and folders that are not what they should be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import SourceError, Stopped, reading
from tests.scenes.reading import HEADER, ROW, contacts, landed, write

TEXT = f"{HEADER}\n{ROW}\n"
ACCOUNTS = "accountid,accountnumber\n216b4b57-76e7-62fb-dda6-b7a859658ec0,ACC-1\n"
JSON = '{"value": []}'


def refused(tmp_path: Path, files: dict[str, str | bytes]) -> str:
    with pytest.raises(SourceError) as caught:
        landed(write(tmp_path / "export", files), tmp_path / "in", ("contacts", "accounts"))
    return str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "contacts.csv",
        "contact.csv",
        "Contacts.CSV",
        "contacts.tsv",
        "contacts.txt",
        "contacts/a.csv",
        "CONTACT/x/y.csv",
        "contacts.csv/part-0.csv",
    ],
)
def test_a_table_is_found_by_its_name_in_any_case_or_number(tmp_path: Path, name: str) -> None:
    frame, _ = contacts(
        write(tmp_path / "export", {name: TEXT, "other.csv": "x", "contacts2.csv": "x"}),
        tmp_path / "in",
    )
    assert frame["source_file"].to_list() == [name]


def test_parts_are_read_in_order_each_with_its_own_dialect_and_columns(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "contacts/b/2.csv": TEXT.replace(",", ";").encode("utf-16"),
        "contacts/a.csv": TEXT,
        "contacts/c.csv": f"{HEADER},firstname,extra\n{ROW},Ann,1\n",
        "contacts/_SUCCESS": "",
        "contacts/.c.csv.crc": b"\0",
        "contacts/b/_started": "",
    }
    frame, unreadable = contacts(write(tmp_path / "export", files), tmp_path / "in")
    assert not unreadable
    assert frame.select("source_file", "source_line", "firstname").rows() == [
        ("contacts/a.csv", 2, None), ("contacts/b/2.csv", 2, None), ("contacts/c.csv", 2, "Ann"),
    ]  # fmt: skip


def test_tables_that_are_not_there_are_left_out_but_contacts_are_needed(tmp_path: Path) -> None:
    found = landed(
        write(tmp_path / "export", {"contacts.csv": TEXT}),
        tmp_path / "in",
        ("contacts", "accounts", "quotes"),
    )
    assert list(found) == ["contacts"]
    told = refused(tmp_path / "b", {"contcts.csv": TEXT, "accounts.csv": ACCOUNTS})
    assert "there is no table contacts" in told
    assert "Did you mean 'contcts.csv'? The folder holds: accounts.csv, contcts.csv." in told


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {"contacts.csv": TEXT, "contacts.json": JSON},
            "contacts.csv and contacts.json could both be contacts; leave one",
        ),
        (
            {"contacts.csv": TEXT, "contact.csv": TEXT},
            "contact.csv and contacts.csv could both be contacts",
        ),
        ({"contacts.csv": TEXT, "contacts/a.csv": TEXT}, "could both be contacts"),
        ({"contacts.csv": TEXT, "contacts.xlsx": b"PK\x03\x04"}, "could both be contacts"),
        (
            {"contacts/a.csv": TEXT, "contacts/b.jsonl": "{}"},
            "contacts: the parts are of several forms: CSV, JSON lines.",
        ),
        (
            {"contacts/a.csv": TEXT, "contacts/README.md": "x"},
            "README.md: '.md' files are not read; use one of .csv,",
        ),
        (
            {"contacts/a.csv": TEXT, "contacts/b.xlsx": b"PK"},
            "contacts: the parts are of several forms: CSV, Excel.",
        ),
        ({"contacts/a.csv": TEXT, "contacts/b.csv": ""}, "contacts/b.csv: is empty."),
        ({"contacts/_SUCCESS": ""}, "contacts: the folder has no files."),
        ({"contacts.parquet": b""}, "contacts.parquet: is empty."),
        (
            {"contacts/x/_delta_log/0.json": "{}", "contacts/x/a.parquet": b"PAR1"},
            "x: is a Delta table among other files of one table",
        ),
        ({"contacts.csv": TEXT, "accounts.csv": ""}, "accounts.csv: is empty."),
        (
            {"contacts.csv": TEXT, "accounts.csv": "accountid,nr\n"},
            "accounts.csv: there is no column accountnumber",
        ),
    ],
    ids=lambda one: repr(one)[-40:],
)
def test_a_folder_that_is_ambiguous_or_wrong_is_refused(
    tmp_path: Path, files: dict[str, str | bytes], words: str
) -> None:
    assert words in refused(tmp_path, files)


def test_a_missing_folder_and_a_file_in_its_place_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere: there is no such folder"):
        landed(tmp_path / "nowhere", tmp_path / "in")
    write(tmp_path, {"contacts.csv": TEXT})
    with pytest.raises(SourceError, match=r"contacts\.csv: is a file; name the folder"):
        landed(tmp_path / "contacts.csv", tmp_path / "in")


@pytest.fixture
def nobody() -> Iterator[None]:
    """Without the rights of root, for whom every door is open."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


@pytest.mark.parametrize(
    "closed", ["contacts.csv", "contacts", "contacts.parquet", "contacts.json", "."]
)
def test_what_is_closed_to_us_is_refused_not_called_a_full_disk(
    tmp_path: Path, closed: str, request: pytest.FixtureRequest
) -> None:
    export = tmp_path / "export"
    write(export, {closed if "." in closed[1:] else "contacts/contacts.csv": TEXT})
    for above in (tmp_path, *list(tmp_path.parents)[:3]):
        above.chmod(0o755)
    (tmp_path / "in").mkdir()
    (tmp_path / "in").chmod(0o777)
    (export / closed).chmod(0)
    request.getfixturevalue("nobody")
    with pytest.raises(SourceError, match="cannot be read: access is denied"):
        landed(export, tmp_path / "in")


def test_a_link_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "contacts.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(SourceError, match=r"contacts\.csv: cannot be read: there is no such file"):
        landed(tmp_path, tmp_path / "in")


def test_a_disk_that_fails_stops_the_run_and_does_not_refuse_the_source() -> None:
    with (
        pytest.raises(Stopped, match=r"contacts\.csv: reading it stopped: Input/output error"),
        reading("contacts.csv"),
    ):
        raise OSError(5, "Input/output error")
