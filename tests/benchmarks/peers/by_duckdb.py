"""The job in DuckDB: one pass into a temporary table, then three COPYs in source order."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import pyarrow as pa

from tests.benchmarks.peers.job import CUSTOMERS, FILES, PERSONS, Job, read_job

TO = "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"


def case(of: str, told: Mapping[int, str], other: str | None) -> str:
    """A CASE expression of a value map."""
    whens = " ".join(f"WHEN {key} THEN '{value}'" for key, value in told.items())
    return f"CASE {of} {whens} ELSE {'NULL' if other is None else repr(other)} END"


def read(job: Job) -> str:
    """Contacts with trimmed texts and everything that is looked up."""
    texts = ", ".join(f"nullif(trim(c.{name}), '') AS {name}" for name in job.texts)
    folder = job.source
    return f"""
        SELECT c.file_row_number AS place, c.contactid, {texts}, c.creditlimit, c.gendercode,
            c.familystatuscode, c.donotemail, c.statecode, a.accountnumber AS account,
            coalesce(c.msdynce_isactivecustomer, false) AS active, o.value AS entity,
            c._parentcustomerid_value AS company, r.isocurrencycode AS currency, s.value AS country
        FROM read_parquet('{folder}/contacts.parquet', file_row_number = true) AS c
        LEFT JOIN '{folder}/accounts.parquet' AS a ON a.accountid = c._parentcustomerid_value
        LEFT JOIN '{folder}/businessunits.parquet' AS u
            ON u.businessunitid = c._owningbusinessunit_value
        LEFT JOIN organizations AS o ON o.key = u.name
        LEFT JOIN '{folder}/transactioncurrencies.parquet' AS r
            ON r.transactioncurrencyid = c._transactioncurrencyid_value
        LEFT JOIN spellings AS s ON s.key = lower(trim(c.address1_country))"""


def reject(job: Job) -> str:
    """The first reason why a contact is not taken; null for one that is."""
    rules = {
        "number_missing": "msdynce_contactnumber IS NULL",
        "number_repeated": "t.number IS NOT NULL",
        "legal_entity_unmapped": "entity IS NULL",
        "name_missing": "firstname IS NULL AND lastname IS NULL",
        "no_company": "NOT active AND company IS NULL",
        "company_without_number": "NOT active AND account IS NULL",
        "country": "address1_country IS NOT NULL AND country IS NULL",
    }
    for source, name in (("gendercode", "Gender"), ("familystatuscode", "MaritalStatus")):
        known = ", ".join(map(str, job.codes(name)))
        rules[source] = f"NOT active AND {source} NOT IN ({known})"
    for task, is_task in ((CUSTOMERS, "active"), (PERSONS, "NOT active")):
        for target, (source, most) in job.columns[task].items():
            if most:
                rules[target] = f"{is_task} AND len({source}) > {most}"
    return "CASE " + " ".join(f"WHEN {rule} THEN '{why}'" for why, rule in rules.items()) + " END"


def select(job: Job, task: str) -> str:
    """The destination columns of a task."""
    columns = {name: source for name, (source, _) in job.columns[task].items()}
    columns |= {name: f"'{value}'" for name, value in job.constants[task].items()}
    if task == CUSTOMERS:
        columns["CreditLimit"] = "creditlimit"
        columns["SalesCurrencyCode"] = f"coalesce(currency, '{job.currency}')"
        columns["AddressCountryRegionISOCode"] = "country"
        for name in ("SiteId", "WarehouseId"):
            told = job.maps[name]
            whens = " ".join(f"WHEN '{key}' THEN '{one}'" for key, one in told.items() if key)
            columns[name] = f"CASE country {whens} ELSE '{told['']}' END"
    else:
        for source, name in (("gendercode", "Gender"), ("familystatuscode", "MaritalStatus"),
                             ("statecode", "IsInactive")):  # fmt: skip
            columns[name] = case(source, job.codes(name), job.maps[name].get(""))
        columns["IsReceivingDirectMail"] = (
            f"CASE WHEN donotemail THEN '{job.mail[True]}' ELSE '{job.mail[False]}' END"
        )
        columns["AssociatedPartyNumber"] = "account"
        columns["PrimaryAddressCountryRegionISOCode"] = "country"
    columns |= {"legal_entity": "entity", "contactid": "contactid"}
    return ", ".join(f"{text} AS {name}" for name, text in columns.items())


def main() -> None:
    """Do the job."""
    job = read_job()
    connection = duckdb.connect(str(job.out / "work.duckdb"))
    for name in ("organizations", "spellings"):
        told: dict[str, str] = getattr(job, name)
        connection.register(name, pa.table({"key": list(told), "value": list(told.values())}))
    connection.execute(f"CREATE TEMP TABLE contacts AS {read(job)}")
    connection.execute(
        "CREATE TEMP TABLE twice AS SELECT msdynce_contactnumber AS number FROM contacts "
        "WHERE msdynce_contactnumber IS NOT NULL GROUP BY 1 HAVING count(*) > 1"
    )
    connection.execute(
        f"CREATE TEMP TABLE reasons AS SELECT place, {reject(job)} AS reason FROM contacts "
        "LEFT JOIN twice AS t ON t.number = msdynce_contactnumber"
    )
    for task, which in ((CUSTOMERS, "active"), (PERSONS, "NOT active")):
        connection.execute(
            f"COPY (SELECT {select(job, task)} FROM contacts JOIN reasons USING (place) WHERE "
            f"reason IS NULL AND {which} ORDER BY place) TO '{job.out}/{FILES[task]}.parquet' {TO}"
        )
    connection.execute(
        "COPY (SELECT contactid, reason FROM contacts JOIN reasons USING (place) WHERE reason IS "
        f"NOT NULL ORDER BY place) TO '{job.out}/rejected.parquet' {TO}"
    )


if __name__ == "__main__":
    main()
