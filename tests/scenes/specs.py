"""Package specs that the tests of this folder share."""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
from typing import TYPE_CHECKING

from pipeline.load.packages.package import PackageSpec

if TYPE_CHECKING:
    from pipeline.load.packages.package import Package

CONTACTS = PackageSpec(
    task="Contacts",
    entity_label="CDS Contacts",
    aot_name=None,
    legal_entity="usmf",
    batch=1,
    columns=(
        "ContactPersonPartyNumber",
        "AssociatedPartyNumber",
        "FirstName",
        "LastName",
        "Gender",
        "BirthDay",
    ),
)
CUSTOMERS = PackageSpec(
    task="ContactToCustomer",
    entity_label="Customers V2",
    aot_name="CustCustomerV2Entity",
    legal_entity="demf",
    batch=12,
    columns=(
        "CustomerAccount",
        "PersonFirstName",
        "PersonLastName",
        "CreditLimit",
        "AddressValidTo",
    ),
)


def with_columns(*columns: str, legal_entity: str = "usmf", batch: int = 1) -> PackageSpec:
    return PackageSpec(
        task="Contacts",
        entity_label="CDS Contacts",
        aot_name=None,
        legal_entity=legal_entity,
        batch=batch,
        columns=columns,
    )


def cells(data: bytes) -> list[list[str]]:
    """The rows of a data file as another program reads them, header included."""
    assert data.startswith(codecs.BOM_UTF16_LE)
    text = data[2:].decode("utf-16-le")
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def member(package: Package, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(package.content)) as file:
        return file.read(name)


def sent(package: Package) -> list[list[str]]:
    """The rows that a package carries, without the header."""
    return cells(member(package, "CDS Contacts.csv"))[1:]
