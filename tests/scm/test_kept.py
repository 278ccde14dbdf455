"""What SCM shows of rows that it wrote: what is equal, and what is another value."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.scm.kept import find_changed_columns
from schemas.catalogue import Column, ColumnKind

KINDS = {
    "CustomerAccount": Column(name="CustomerAccount", key=True),
    "PersonFirstName": Column(name="PersonFirstName"),
    "CustomerGroupId": Column(name="CustomerGroupId"),
    "LanguageId": Column(name="LanguageId"),
    "AddressZipCode": Column(name="AddressZipCode"),
    "PrimaryContactPhone": Column(name="PrimaryContactPhone"),
    "PrimaryContactPhoneDescription": Column(name="PrimaryContactPhoneDescription"),
    "PrimaryContactEmail": Column(name="PrimaryContactEmail"),
    "PrimaryContactURL": Column(name="PrimaryContactURL"),
    "SalesMemo": Column(name="SalesMemo", keeps=True),
    "CreditLimit": Column(name="CreditLimit", kind=ColumnKind.DECIMAL),
    "PartyType": Column(name="PartyType", kind=ColumnKind.ENUM, members=("None", "Person")),
    "BirthDate": Column(name="BirthDate", kind=ColumnKind.TIMESTAMP),
}


def compare(column: str, sent: object, shown: object) -> bool:
    """Whether a column counts as changed."""
    row: dict[str, Any] = {column: sent}
    found = find_changed_columns({"k": (row, {column: shown})}, {column: KINDS[column]})
    assert found in ({}, {"k": (column,)})
    return bool(found)


@pytest.mark.parametrize(
    ("column", "sent", "shown"),
    [
        ("PersonFirstName", "Anna ", "Anna"),
        ("PersonFirstName", None, ""),
        ("PersonFirstName", "", None),
        ("CustomerAccount", "con-1", "CON-1"),
        ("LanguageId", "en-us", "en-US"),
        ("AddressZipCode", "SW1A1AA", "sw1a 1aa"),
        ("PrimaryContactPhone", "+49 (30) 123-45", "+493012345"),
        ("PrimaryContactEmail", "Anna@Example.com", "anna@example.com"),
        ("PrimaryContactURL", "https://example.com", "https://example.com/"),
        ("SalesMemo", "one\r\ntwo", "one\ntwo"),
        ("SalesMemo", None, "what SCM has"),
        ("LanguageId", None, "en-us"),
        ("CreditLimit", None, 5000),
        ("CreditLimit", None, 0),
        ("CreditLimit", 7000.50, "7000.5"),
        ("PartyType", "Person", 1),
        ("PartyType", "Person", "person"),
        ("BirthDate", None, "1900-01-01T12:00:00Z"[:10] + "T00:00:00Z"),
    ],
)
def test_what_scm_spells_in_its_own_way_is_equal(column: str, sent: object, shown: object) -> None:
    assert not compare(column, sent, shown)


@pytest.mark.parametrize(
    ("column", "sent", "shown"),
    [
        ("PersonFirstName", "Maximiliane", "Maximilia"),
        ("PersonFirstName", "Anna", "ANNA"),
        ("PersonFirstName", "Anna", None),
        ("CustomerGroupId", "10", "20"),
        ("PrimaryContactPhone", "+49 30 123", "+49 30 124"),
        ("PrimaryContactPhoneDescription", "Desk 1", "Desk1"),
        ("CreditLimit", 7000.50, 7000),
        ("PartyType", "Person", "None"),
        ("PersonFirstName", "Anna", ["Anna"]),
    ],
)
def test_another_value_is_a_change(column: str, sent: object, shown: object) -> None:
    assert compare(column, sent, shown)


def test_each_row_has_its_own_columns_and_what_is_not_shown_says_nothing() -> None:
    columns = {name: KINDS[name] for name in ("PersonFirstName", "CustomerGroupId")}
    sent = {"PersonFirstName": "Anna", "CustomerGroupId": "10"}
    rows: dict[str, Any] = {
        "same": (sent, sent),
        "silent": (sent, {"@odata.etag": "1"}),
        "one": (sent, {"CustomerGroupId": "20"}),
        "both": (sent, {"CustomerGroupId": "20", "PersonFirstName": "A"}),
    }
    assert find_changed_columns(rows, columns) == {
        "one": ("CustomerGroupId",),
        "both": ("PersonFirstName", "CustomerGroupId"),
    }
