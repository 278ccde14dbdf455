"""What p2c builds from the samples, imported by the twin.

Every row arrives as planned, or fails alone and is named.

Which rows SCM must refuse is computed here from the plan and from the standard itself: states that
are none of their country's, and companies that are known by account number only.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pycountry
import pytest

from pipeline.cli.app import main
from pipeline.load.packages.package import PackageSpec, build_package
from pipeline.sandbox.scm import seed
from pipeline.sandbox.scm.switches import Switches
from tests.sandbox.scm.dmf.test_importing import details, errors, file_behind, order, status
from tests.scenes.places import SAMPLES
from tests.scenes.scm_caller import Caller

TASKS = {
    "ContactToCustomer": ("Customers V2", "CustomersV2", ["CustomerAccount"]),
    "Contacts": (
        "CDS Contacts",
        "CDSContactPersons",
        ["ContactPersonPartyNumber", "AssociatedPartyNumber"],
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on the samples."""
    runs = tmp_path_factory.mktemp("runs")
    code = main(["run", "--project", str(SAMPLES / "p2c.toml"), "--runs", str(runs), "--yes"])
    assert code == 1  # the samples hold what a person must look at
    return next(path for path in runs.iterdir() if (path / "summary.json").exists())


@pytest.fixture
def scm() -> Iterator[Caller]:
    """An SCM in which the Accounts task has run."""
    with Caller() as caller:
        with (SAMPLES / "known_customers.csv").open(encoding="utf-8", newline="") as file:
            seed.add_customers(caller.twin.desk, csv.DictReader(file))
        yield caller


def planned(folder: Path, task: str) -> pl.DataFrame:
    return pl.read_parquet(folder / "rows" / task / "*.parquet")


def imported(scm: Caller, folder: Path, task: str) -> dict[str, str]:
    """Import every package of a task; execution ids by legal entity."""
    found = {}
    for package in sorted((folder / "packages" / task).glob("*.zip")):
        legal_entity = package.stem.partition("-")[0]
        more = {"definitionGroupId": f"{task}-{package.stem}", "legalEntityId": legal_entity}
        found[legal_entity] = scm.act(
            "ImportFromPackageAsync", **order(scm, package.read_bytes(), **more)
        )
    return found


def refusable(rows: pl.DataFrame, task: str) -> pl.DataFrame:
    """The planned rows that SCM must refuse.

    A state of another country, or a company that is no party there.
    """
    prefix, state = (
        ("Address", "AddressState")
        if task == "ContactToCustomer"
        else ("PrimaryAddress", "PrimaryAddressStateId")
    )
    place = pl.concat_str(pl.col(f"{prefix}CountryRegionISOCode"), pl.lit("-"), pl.col(state))
    wrong = pl.col(state).is_not_null() & ~place.fill_null("").is_in(
        [one.code for one in pycountry.subdivisions]
    )
    if task == "Contacts":
        parties = pl.read_csv(SAMPLES / "known_customers.csv", infer_schema=False)[
            "PARTYNUMBER"
        ].str.to_uppercase()
        wrong |= ~pl.col("AssociatedPartyNumber").str.to_uppercase().is_in(parties.implode())
    return rows.filter(wrong)


def named(scm: Caller, executions: dict[str, str], task: str) -> list[str]:
    """The destination keys of all rows that the executions name in their errors."""
    found = (
        (legal_entity, error["RecordId"])
        for legal_entity, one in executions.items()
        for error in errors(scm, one)
    )
    return sorted(
        "/".join([legal_entity, *record.split(",", len(TASKS[task][2]) - 1)])
        for legal_entity, record in found
    )


def rows_of(scm: Caller, name: str) -> dict[str, dict[str, Any]]:
    """All rows of a set in all legal entities, by their keys as p2c writes them."""
    keys = next(keys for _, entity_set, keys in TASKS.values() if entity_set == name)
    rows = scm.get(f"/data/{name}?cross-company=true")["value"]
    return {"/".join([row["dataAreaId"], *(row[key] for key in keys)]): row for row in rows}


def test_every_planned_row_arrives_whole_or_is_named(scm: Caller, folder: Path) -> None:
    accounts = set(rows_of(scm, "CustomersV2"))
    for task, (_, entity_set, _) in TASKS.items():
        rows = planned(folder, task)
        refused = refusable(rows, task)["destination_key"]
        executions = imported(scm, folder, task)
        assert named(scm, executions, task) == sorted(refused)
        arriving = rows.filter(~pl.col("destination_key").is_in(refused.implode()))
        assert 0 < refused.len() < 20 < arriving.height
        counts = [details(scm, one)[0] for one in executions.values()]
        assert sum(row["TargetRecordsCreatedCount"] for row in counts) == arriving.height
        there = {key: row for key, row in rows_of(scm, entity_set).items() if key not in accounts}
        assert set(there) == set(arriving["destination_key"])
        for row in arriving.to_dicts():
            assert_same(row, there[row["destination_key"]])


def assert_same(row: dict[str, Any], arrived: dict[str, Any]) -> None:
    """Each planned value is there; a null has become what F&O keeps for nothing."""
    for name in arrived.keys() & row.keys():
        value = row[name]
        if isinstance(value, str) or value is None:
            assert arrived[name] in (value, value or "", "No", "None", "Unknown", 0.0), name
            assert value is None or arrived[name] == value.rstrip(" "), name
        else:
            assert float(arrived[name]) == float(value), name


def test_importing_again_updates_every_row(scm: Caller, folder: Path) -> None:
    imported(scm, folder, "ContactToCustomer")
    again = imported(scm, folder, "ContactToCustomer")
    counts = [details(scm, execution)[0] for execution in again.values()]
    rows = planned(folder, "ContactToCustomer")
    assert sum(row["TargetRecordsCreatedCount"] for row in counts) == 0
    arrived = rows.height - refusable(rows, "ContactToCustomer").height
    assert sum(row["TargetRecordsUpdatedCount"] for row in counts) == arrived


def test_rows_that_scm_refuses_are_named_and_the_others_arrive(scm: Caller, folder: Path) -> None:
    scm.ask("DELETE", "/data/Warehouses(dataAreaId='demf',WarehouseId='31')?cross-company=true")
    rows = planned(folder, "ContactToCustomer").filter(pl.col("legal_entity") == "demf")
    bad = rows.filter(pl.col("WarehouseId") == "31")
    assert 0 < bad.height < rows.height
    execution = imported(scm, folder, "ContactToCustomer")["demf"]
    assert status(scm, execution) == "PartiallySucceeded"
    told = {error["RecordId"]: error["ErrorMessage"] for error in errors(scm, execution)}
    for_warehouse = [
        record
        for record, text in told.items()
        if "The value '31' in field 'Warehouse' is not found" in text
    ]
    assert sorted(for_warehouse) == sorted(bad["CustomerAccount"])
    asked = {"executionId": execution, "entityName": "Customers V2"}
    assert scm.act("GenerateImportTargetErrorKeysFile", **asked) is True
    assert scm.act("GetImportTargetErrorKeysFileUrl", **asked) == ""
    keys = file_behind(scm, scm.act("GetImportTargetErrorKeysFileUrl", **asked))
    assert sorted(row[0] for row in keys[1:]) == sorted(told)
    arrived = {
        row["CustomerAccount"]
        for key, row in rows_of(scm, "CustomersV2").items()
        if key.startswith("demf/")
    }
    assert set(rows["CustomerAccount"]) & arrived == set(rows["CustomerAccount"]) - set(told)


def test_contacts_without_their_accounts_fail_for_their_company(folder: Path) -> None:
    with Caller() as scm:
        executions = imported(scm, folder, "Contacts")
        assert {status(scm, execution) for execution in executions.values()} == {"Failed"}
        messages = [
            error["ErrorMessage"]
            for execution in executions.values()
            for error in errors(scm, execution)
        ]
        assert len(messages) == planned(folder, "Contacts").height
        assert all(
            "is not found in the related table 'Global address book'" in message
            for message in messages
        )


def test_imports_are_fast() -> None:
    columns = (
        "CustomerAccount",
        "CustomerGroupId",
        "SalesCurrencyCode",
        "PartyType",
        "PersonLastName",
        "PartyNumber",
        "SiteId",
    )
    spec = PackageSpec(
        task="ContactToCustomer",
        entity_label="Customers V2",
        aot_name="CustCustomerV2Entity",
        legal_entity="usmf",
        batch=1,
        columns=columns,
    )
    numbers = pl.Series("number", range(5_000)).cast(pl.String)
    account = pl.concat_str(pl.lit("CON-"), numbers)
    rows = pl.select(
        account.alias("CustomerAccount"),
        pl.lit("10").alias("CustomerGroupId"),
        pl.lit("USD").alias("SalesCurrencyCode"),
        pl.lit("Person").alias("PartyType"),
        pl.concat_str(pl.lit("Name "), numbers).alias("PersonLastName"),
        account.alias("PartyNumber"),
        pl.lit("1").alias("SiteId"),
    )
    package = build_package(spec, rows)
    with Caller(Switches(), background=False) as scm:
        parameters = order(scm, package.content, definitionGroupId=package.definition_group)
        started = time.process_time()
        execution = scm.act("ImportFromPackage", **parameters)
        seconds = time.process_time() - started
        assert status(scm, execution) == "Succeeded"
        assert details(scm, execution)[0]["TargetRecordsCreatedCount"] == 5_000
        assert seconds < 5  # about one second of one core; the margin is for loaded machines
