"""Columns of the twin: the standard ones, those of a site, and what does not exist."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import SourceError
from pipeline.sandbox.scm.load import read_columns
from pipeline.sandbox.wire import xmltree
from tests.sandbox.scm.dmf.test_importing import details, order, run
from tests.sandbox.scm.test_reading import EDM
from tests.sandbox.scm.test_writing import PERSON
from tests.scenes.handmade import CUSTOMER_COLUMNS, Made, customers
from tests.scenes.scm_caller import DMF, Caller, inner

OWN = {
    "CustomersV2": {
        "NordwindLoyaltyTier": "string 10",
        "NordwindIsPartner": "NoYes",
        "NordwindSince": "datetime",
        "PersonFirstName": "string 5",
    }
}


@pytest.fixture
def scm() -> Iterator[Caller]:
    with Caller() as caller:
        yield caller


@pytest.fixture
def extended() -> Iterator[Caller]:
    with Caller(columns=OWN) as caller:
        yield caller


def read_types(scm: Caller) -> dict[str, tuple[str | None, str | None]]:
    """Property of CustomersV2 → its type and its length, as ``$metadata`` has them."""
    document = xmltree.parse_xml(scm.ask("GET", "/data/$metadata").content)
    kind = next(one for one in document.iter(f"{EDM}EntityType") if one.get("Name") == "CustomerV2")
    return {
        str(one.get("Name")): (one.get("Type"), one.get("MaxLength"))
        for one in kind.iter(f"{EDM}Property")
    }


def test_metadata_have_types_and_lengths_of_more_columns_than_a_template_fills(
    scm: Caller,
) -> None:
    types = read_types(scm)
    assert types["DefaultDimensionDisplayValue"] == ("Edm.String", "500")
    assert types["TaxExemptNumber"] == ("Edm.String", "20")
    assert types["SalesMemo"] == ("Edm.String", None)
    assert types["AddressLatitude"] == ("Edm.Decimal", None)
    assert types["AccountStatement"] == (
        "Microsoft.Dynamics.DataEntities.CustAccountStatement",
        None,
    )


@pytest.mark.parametrize("column", ["DeliveryAddressLocationRoles", "InvoiceAddressLocationRoles"])
def test_two_columns_that_follow_the_pattern_do_not_exist(scm: Caller, column: str) -> None:
    assert column not in read_types(scm)
    said = inner(scm.post("/data/CustomersV2", {**PERSON, column: "Business"}))
    assert said.startswith(f"The property '{column}' does not exist on type")
    wrong = customers(
        "C-1,Person,Ann,10,USD,Home", columns=[*CUSTOMER_COLUMNS[:-1], column.upper()]
    )
    assert f"field {column.upper()}" in inner(
        scm.post(f"{DMF}ImportFromPackage", order(scm, Made(entities=[wrong])))
    )


def test_a_site_may_add_columns_and_change_lengths(extended: Caller) -> None:
    types = read_types(extended)
    assert types["NordwindLoyaltyTier"] == ("Edm.String", "10")
    assert types["NordwindIsPartner"] == ("Microsoft.Dynamics.DataEntities.NoYes", None)
    assert types["PersonFirstName"] == ("Edm.String", "5")
    row = {**PERSON, "NordwindLoyaltyTier": "Gold", "NordwindIsPartner": "Yes"}
    assert extended.post("/data/CustomersV2", row).status_code == 201
    stored = extended.get("/data/CustomersV2")["value"][-1]
    assert (stored["NordwindLoyaltyTier"], stored["NordwindIsPartner"]) == ("Gold", "Yes")
    assert stored["NordwindSince"] == "1900-01-01T00:00:00Z"
    other = {"CustomerAccount": "C", "PartyNumber": "C", "PersonFirstName": "Michael"}
    refused = inner(extended.post("/data/CustomersV2", row | other))
    assert "'First name' is longer than its 5 characters" in refused


def test_packages_reach_the_columns_of_a_site(extended: Caller) -> None:
    columns = [*CUSTOMER_COLUMNS[:-1], "NORDWINDLOYALTYTIER"]
    execution = run(extended, customers("C-1,Person,Ann,10,USD,Gold", columns=columns))
    assert details(extended, execution)[0]["TargetRecordsCreatedCount"] == 1
    assert extended.get("/data/CustomersV2")["value"][0]["NordwindLoyaltyTier"] == "Gold"


def test_another_scm_knows_nothing_of_them(extended: Caller, scm: Caller) -> None:
    assert set(read_types(extended)) - set(read_types(scm)) == {
        "NordwindLoyaltyTier",
        "NordwindIsPartner",
        "NordwindSince",
    }


def test_a_folder_says_which_columns_its_scm_has(tmp_path: Path) -> None:
    assert read_columns(tmp_path) == {}
    file = tmp_path / "scm_columns.toml"
    file.write_text('[CustomersV2]\nTier = "string 10"\n')
    assert read_columns(tmp_path) == {"CustomersV2": {"Tier": "string 10"}}
    for text in ('[CustomersV9]\nTier = "string 10"', '[CustomersV2]\nTier = "colour"', "Tier = 1"):
        file.write_text(text)
        with pytest.raises(SourceError, match="tables named after entity sets"):
            read_columns(tmp_path)
