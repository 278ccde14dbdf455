"""data.xml of the Configuration Migration tool."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import SourceError
from pipeline.extract.landing import ReadOptions
from tests.extract.files.test_packed import pack
from tests.scenes.reading import ID, contacts, landed, rows, write

COMPANY = "216b4b57-76e7-62fb-dda6-b7a859658ec0"
HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<entities timestamp="2024-03-05T09:00:00Z">'
ACCOUNTS = (
    f'<entity name="account" displayname="Account"><records><record id="{COMPANY}">'
    f'<field name="accountid" value="{COMPANY}" /><field name="accountnumber" value="ACC-1" />'
    '<field name="name" value="A &amp; B" /></record></records></entity>'
)
FIELDS = (
    f'<field name="contactid" value="{ID}" /><field name="lastname" value="Brown" />'
    '<field name="msdynce_contactnumber" value="CON-01000-ZQE454" />'
    '<field name="msdynce_isactivecustomer" value="False" />'
    f'<field name="parentcustomerid" value="{COMPANY}" lookupentity="account" '
    'lookupentityname="A &amp; B" />'
)
RECORD = f'<record id="{ID}">{FIELDS}</record>'


def make(records: str = RECORD, before: str = HEAD) -> str:
    """A file with accounts, and contacts that are the given records."""
    return (
        f'{before}{ACCOUNTS}<entity name="contact"><records>{records}</records>'
        "<m2mrelationships /></entity></entities>"
    )


def refused(tmp_path: Path, name: str, content: str, **limits: Any) -> str:
    with pytest.raises(SourceError) as caught:
        contacts(
            write(tmp_path / "export", {name: content}),
            tmp_path / "in",
            options=ReadOptions(**limits),
        )
    return str(caught.value)


@pytest.mark.parametrize("block", [64, 1 << 20])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_all_tables_of_the_file_are_read(tmp_path: Path, encoding: str, block: int) -> None:
    text = make().replace("utf-8", encoding.removesuffix("-sig"), 1)
    folder = write(tmp_path / "export", {"data.xml": text.encode(encoding)})
    options = ReadOptions(block=block)
    found = landed(folder, tmp_path / "in", ("contacts", "accounts", "quotes"), options=options)
    assert sorted(found) == ["accounts", "contacts"]
    (contact,) = rows(found["contacts"]).to_dicts()
    assert contact["parentcustomerid"] == COMPANY
    assert contact["parentcustomeridtype"] == "account"
    assert (contact["source_file"], contact["source_line"]) == ("data.xml", 1)
    assert rows(found["accounts"])["name"].to_list() == ["A & B"]


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("data.zip", pack({"data.xml": make().encode(), "data_schema.xml": b"<entities/>"})),
        ("data.xml.gz", gzip.compress(make().encode())),
        ("contacts.xml", make().encode()),
    ],
)
def test_it_may_be_packed_or_have_the_name_of_its_table(
    tmp_path: Path, name: str, packed: bytes
) -> None:
    name = "contacts.xml.gz" if name == "data.xml.gz" else name
    frame, _ = contacts(write(tmp_path / "export", {name: packed}), tmp_path / "in")
    assert frame["lastname"].to_list() == ["Brown"]


def test_a_record_that_cannot_be_read_is_named_by_its_number(tmp_path: Path) -> None:
    twice = RECORD.replace("</record>", '<field name="lastname" value="Grey" /></record>')
    nameless = RECORD.replace("</record>", '<field value="Grey" /></record>')
    long = RECORD.replace("Brown", "x" * 2000)
    text = make(RECORD + twice + nameless + long + RECORD)
    frame, unreadable = contacts(
        write(tmp_path / "export", {"data.xml": text}),
        tmp_path / "in",
        options=ReadOptions(row_limit=1500),
    )
    assert frame["source_line"].to_list() == [1, 5]
    assert unreadable == [
        ("data.xml", 2, "it has the field lastname twice"),
        ("data.xml", 3, "one of its fields has no name"),
        ("data.xml", 4, "it is longer than 1,500 bytes"),
    ]


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE entities [<!ENTITY a "xxxxxxxxxx">'
    '<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><entities>'
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (make()[:-40], "is not whole, or broken in line 2: export it again"),
        (make().replace("&amp;", "&"), "is not whole, or broken in line 2"),
        (make(before=BOMB), "declares a document type"),
        (make("<a>" * 60 + "</a>" * 60), "its elements lie in one another too deep"),
        (make(f'<record id="{"x" * 3_000_000}">'), "a value has no end"),
        (f"{HEAD}{ACCOUNTS}</entities>", "has no records of contact; it has account"),
        (
            '<?mso-application progid="Excel.Sheet"?>\n<Workbook xmlns="urn:schemas"/>',
            "is a workbook in Excel's XML form of 2003: save it as .xlsx",
        ),
        ("<fetch><entity name='contact'/></fetch>", "is a FetchXML query, not its answer"),
        ("<s:Envelope xmlns:s='x'/>", "is a SOAP message"),
        ("<x/>", "is XML of another kind (<x>)"),
        ("contactid,lastname\n", "is not XML"),
    ],
    ids=[
        "cut", "broken", "bomb", "deep", "endless", "another table", "excel 2003", "query", "soap",
        "another root", "csv",
    ],
)  # fmt: skip
def test_xml_that_is_no_such_file_is_refused(tmp_path: Path, content: str, words: str) -> None:
    assert words in refused(tmp_path, "contacts.xml", content, row_limit=65_536)
