"""Which files belong to which table, and folders that are not what they should be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import SourceError, Stopped, reading
from pipeline.extract.files.discover import Form, find_files
from pipeline.extract.side_files import ReadOptions, land_file
from schemas.sales import CONTACTS
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
        "contacts/Thumbs.db": "",
        "contacts/a.csv:Zone.Identifier": "[ZoneTransfer]\n",
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
        ({"contacts/_SUCCESS": ""}, "contacts: the folder has no files. Put the files "),
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


@pytest.mark.parametrize(
    "place",
    [
        "contact_partitioned",
        "Tables/contact",
        "tables/dbo/Contact",
        "Tables/sales/contacts",
        "deltalake/contact_partitioned",
        "dbo.contact.csv",
        "FilteredContact.csv",
    ],
)
def test_a_table_is_found_where_lakes_and_sql_clients_keep_it(tmp_path: Path, place: str) -> None:
    is_file = place.endswith(".csv")
    name = place if is_file else f"{place}/PartitionId=2023/part-0.csv"
    files = {name: TEXT, "Tables/lead/a.csv": "x", "Tables/dbo/lead/a.csv": "x"}
    frame, _ = contacts(write(tmp_path / "export", files), tmp_path / "in")
    assert frame["source_file"].to_list() == [name]


@pytest.mark.parametrize(
    "files",
    [
        {"contacts.csv": TEXT, "Tables/contact/a.csv": TEXT},
        {"Tables/dbo/contact/a.csv": TEXT, "Tables/contact/a.csv": TEXT},
        {"contact/a.csv": TEXT, "contact_partitioned/a.csv": TEXT},
    ],
    ids=" ".join,
)
def test_a_table_at_two_places_is_refused_with_both(
    tmp_path: Path, files: dict[str, str | bytes]
) -> None:
    told = refused(tmp_path, files)
    assert "could both be contacts; leave one" in told
    assert all(name.removesuffix("/a.csv") in told for name in files)


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (TEXT, Form.DELIMITED),
        (TEXT.encode("utf-16"), Form.DELIMITED),
        ('\ufeff [{"contactid": 1}]', Form.PAGES),
        ('{"@odata.context": "x", "value": [{}]}', Form.PAGES),
        ('{\n  "value": []\n}', Form.PAGES),
        ('{"contactid": 1}\n{"contactid": 2}\n', Form.LINES),
        (b"PAR1\x15\x04", Form.PARQUET),
    ],
)
def test_a_file_without_an_ending_is_what_it_begins_like(
    tmp_path: Path, content: str | bytes, form: Form
) -> None:
    write(tmp_path, {"contacts": content})
    found = find_files(tmp_path, CONTACTS)
    assert found is not None
    assert (found.form, [part.name for part in found.parts]) == (form, ["contacts"])


def test_an_archive_without_an_ending_is_refused_with_its_cause(tmp_path: Path) -> None:
    told = refused(tmp_path, {"contacts": b"PK\x03\x04"})
    assert "contacts: is a ZIP archive or a workbook, but its name has no ending" in told


def test_a_linked_folder_without_its_model_has_no_header_lines(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"contact/2024.csv": ROW, "contact/Snapshot/1/2024.csv": ROW}
    assert (
        "contact: is a folder of Synapse Link without its model: its files have no header line"
        in refused(tmp_path, files)
    )
    files = {"contact/2024.csv": TEXT, "contact/2023/2023.csv": TEXT}
    assert landed(write(tmp_path / "b", files), tmp_path / "in")["contacts"].rows == 2


def test_links_to_exports_elsewhere_are_followed(tmp_path: Path) -> None:
    write(tmp_path / "disk", {"big.csv": TEXT, "parts/a.csv": TEXT})
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "contacts.csv").symlink_to(tmp_path / "disk" / "big.csv")
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "contacts").symlink_to(tmp_path / "disk" / "parts")
    assert landed(tmp_path / "one", tmp_path / "in")["contacts"].rows == 1
    assert landed(tmp_path / "two", tmp_path / "in")["contacts"].rows == 1


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("contacts/again", "contacts"),
        ("contacts/a/up", "."),
        ("contacts/a/other", "contacts/b"),
        ("contacts/self", "contacts/self"),
    ],
)
def test_links_in_a_circle_are_refused(tmp_path: Path, link: str, target: str) -> None:
    write(tmp_path, {"contacts/a/1.csv": TEXT, "contacts/b/2.csv": TEXT})
    (tmp_path / "contacts/b/back").symlink_to(tmp_path / "contacts/a")
    (tmp_path / link).symlink_to(tmp_path / target)
    with pytest.raises(SourceError, match="its links form a circle"):
        landed(tmp_path, tmp_path / "in")


@pytest.mark.parametrize("name", ["contacts.csv", "contacts", "contacts/a.csv", "contacts.parquet"])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_is_no_file_is_refused_and_not_waited_for(
    tmp_path: Path, name: str, kind: str
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    if kind == "pipe":
        os.mkfifo(tmp_path / name)
    else:
        (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(SourceError, match="is a pipe, a device or a socket, not a file"):
        landed(tmp_path, tmp_path / "in")


def test_a_file_beside_the_source_that_is_no_file_is_refused_too(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "known.csv")
    with pytest.raises(SourceError, match=r"known\.csv: is a pipe"):
        land_file(tmp_path / "known.csv", CONTACTS, ReadOptions())
