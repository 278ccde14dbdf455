"""What SCM says of an import, joined back to the rows that it means."""

from __future__ import annotations

import codecs

import polars as pl
import pytest

from pipeline.load.packages.error_list import RowMessage
from pipeline.load.packages.error_rows import ImportMessages, place_messages
from schemas.scm import CDS_CONTACTS, CUSTOMERS_V2

CUSTOMERS = pl.DataFrame(
    {
        "legal_entity": ["usmf"] * 4,
        "destination_key": ["usmf/CON-1", "usmf/CON-2", "usmf/C-11", "usmf/C1-1"],
        "CustomerAccount": ["CON-1", "CON-2", "C-11", "C1-1"],
    }
)
PERSONS = pl.DataFrame(
    {
        "legal_entity": ["usmf"] * 2,
        "destination_key": ["usmf/CON-1/ACC-9", "usmf/CON-2/ACC-9"],
        "ContactPersonPartyNumber": ["CON-1", "CON-2"],
        "AssociatedPartyNumber": ["ACC-9", "ACC-9"],
    }
)


def said(record: str, text: str = "boom") -> ImportMessages:
    return ImportMessages(messages=[RowMessage(record=record, field="", text=text)])


@pytest.mark.parametrize(
    "record", ["CON-2", "con-2", " CON-2 ", "usmf,CON-2", "CON-2/usmf", "CON2"]
)
def test_a_record_is_found_by_its_key_however_it_is_spelt(record: str) -> None:
    found = place_messages(CUSTOMERS, CUSTOMERS_V2, said(record))
    assert found.refused.select("destination_key", "outcome", "code", "message").rows() == [
        ("usmf/CON-2", "failed", "import_failed", "SCM said: boom")
    ]
    assert not found.unplaced


@pytest.mark.parametrize(
    "record", ["CON-2,ACC-9", "ACC-9, CON-2", "usmf|CON-2|ACC-9", "CON-2", "CON-2+ACC-9"]
)
def test_a_record_of_two_keys_is_found_in_any_order(record: str) -> None:
    assert place_messages(PERSONS, CDS_CONTACTS, said(record)).refused[
        "destination_key"
    ].to_list() == ["usmf/CON-2/ACC-9"]


def test_numbers_that_differ_only_in_their_marks_are_different() -> None:
    assert place_messages(CUSTOMERS, CUSTOMERS_V2, said("C1-1")).refused[
        "destination_key"
    ].to_list() == ["usmf/C1-1"]
    assert place_messages(CUSTOMERS, CUSTOMERS_V2, said("C11")).unplaced == ("boom",)


def test_a_message_without_record_is_found_by_the_key_that_it_quotes() -> None:
    found = place_messages(
        CUSTOMERS,
        CUSTOMERS_V2,
        said("", "Party number 'CON-1' already belongs to customer account 'A-1'."),
    )
    assert found.refused.select("destination_key", "code").rows() == [
        ("usmf/CON-1", "refused_party")
    ]
    assert place_messages(CUSTOMERS, CUSTOMERS_V2, said("", "The execution failed.")).unplaced == (
        "The execution failed.",
    )


def test_several_messages_of_one_row_are_one_outcome() -> None:
    messages = [
        RowMessage(record="CON-1", field="A", text="Field 'A' must be filled in."),
        RowMessage(record="CON-1", field="B", text="x"),
    ]
    found = place_messages(CUSTOMERS, CUSTOMERS_V2, ImportMessages(messages=messages)).refused
    assert found["code"].to_list() == ["refused_mandatory"]
    assert found["message"][0].endswith("SCM said: Field 'A' must be filled in. | x")


def utf16(text: str) -> bytes:
    return codecs.BOM_UTF16_LE + text.encode("utf-16-le")


@pytest.mark.parametrize(
    "content",
    [
        utf16("CUSTOMERACCOUNT\r\nCON-2\r\n"),
        "CUSTOMERACCOUNT\r\nCON-2\r\n".encode("utf-16-le"),
        b"\xef\xbb\xbfNAME;customeraccount\nx;CON-2\n",
        b"CON-2\r\n\r\n",
        utf16('"NAME","CUSTOMERACCOUNT","NOTES"\r\n"x","CON-2","' + "n" * 200_000 + '"\r\n'),
    ],
    ids=["UTF-16", "no mark", "semicolons", "no header", "a long cell"],
)
def test_a_file_of_refused_keys_is_read_in_any_form(content: bytes) -> None:
    found = place_messages(CUSTOMERS, CUSTOMERS_V2, ImportMessages(keys_file=content))
    assert found.refused.select("destination_key", "code", "message").rows() == [
        ("usmf/CON-2", "import_failed", "SCM gave no message.")
    ]
    assert not found.unplaced


def test_rows_not_staged_have_a_code_of_their_own_unless_a_message_says_more() -> None:
    file = utf16(
        "CONTACTPERSONPARTYNUMBER,ASSOCIATEDPARTYNUMBER\r\n"
        "CON-1,ACC-9\r\nCON-2,ACC-9\r\nCON-7,ACC-9\r\n"
    )
    message = RowMessage(
        record="CON-2,ACC-9", field="GENDER", text="DMF2018: Column 'GENDER' has invalid data."
    )
    found = place_messages(
        PERSONS, CDS_CONTACTS, ImportMessages(messages=[message], staging_file=file)
    )
    assert found.refused.select("destination_key", "code").rows() == [
        ("usmf/CON-1/ACC-9", "staging_failed"),
        ("usmf/CON-2/ACC-9", "refused_value"),
    ]
    assert found.unplaced == ("a line of an error file names no row of the package",)


def test_silence_refuses_nothing() -> None:
    assert place_messages(CUSTOMERS, CUSTOMERS_V2, ImportMessages()).refused.is_empty()
