"""The job in pandas, with Arrow's strings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from tests.benchmarks.peers.job import CUSTOMERS, FILES, PERSONS, Job, read_job

Frame = Any
Series = Any


def load(path: Path, columns: list[str] | None = None) -> Frame:
    """A Parquet file as a frame of Arrow's types."""
    return pd.read_parquet(path, columns=columns, dtype_backend="pyarrow")


def join(job: Job) -> Frame:
    """Contacts with trimmed texts and everything that is looked up."""
    contacts = load(job.source / "contacts.parquet")
    for name in job.texts:
        text = contacts[name].str.strip()
        contacts[name] = text.mask(text == "")
    for table, columns, key in (
        ("accounts", {"accountid": "id", "accountnumber": "account"}, "_parentcustomerid_value"),
        ("businessunits", {"businessunitid": "id", "name": "unit"}, "_owningbusinessunit_value"),
        ("transactioncurrencies", {"transactioncurrencyid": "id", "isocurrencycode": "currency"},
         "_transactioncurrencyid_value"),
    ):  # fmt: skip
        side = load(job.source / f"{table}.parquet", list(columns)).rename(columns=columns)
        contacts = contacts.merge(side, how="left", left_on=key, right_on="id").drop(columns="id")
    contacts["entity"] = contacts["unit"].map(job.organizations)
    contacts["country"] = contacts["address1_country"].str.lower().map(job.spellings)
    return contacts


def reject(job: Job, rows: Frame, active: Series) -> Series:
    """The first reason why a contact is not taken; missing for one that is."""
    number = rows["msdynce_contactnumber"]
    rules: list[tuple[Series, str]] = [
        (number.isna(), "number_missing"),
        (number.notna() & number.duplicated(keep=False), "number_repeated"),
        (rows["entity"].isna(), "legal_entity_unmapped"),
        (rows["firstname"].isna() & rows["lastname"].isna(), "name_missing"),
        (~active & rows["_parentcustomerid_value"].isna(), "no_company"),
        (~active & rows["account"].isna(), "company_without_number"),
        (rows["address1_country"].notna() & rows["country"].isna(), "country"),
    ]
    for source, name in (("gendercode", "Gender"), ("familystatuscode", "MaritalStatus")):
        known = rows[source].isin(list(job.codes(name)))
        rules.append((~active & rows[source].notna() & ~known, source))
    for task, is_task in ((CUSTOMERS, active), (PERSONS, ~active)):
        for target, (source, most) in job.columns[task].items():
            if most:
                rules.append((is_task & (rows[source].str.len() > most), target))
    reason = pd.Series(pd.NA, index=rows.index, dtype="string[pyarrow]")
    for rule, why in rules:
        reason = reason.mask(rule.fillna(False).astype(bool) & reason.isna(), why)
    return reason


def map_task(job: Job, rows: Frame, task: str) -> Frame:
    """The destination columns of a task."""
    columns = {name: rows[source] for name, (source, _) in job.columns[task].items()}
    columns |= dict(job.constants[task])
    if task == CUSTOMERS:
        columns["CreditLimit"] = rows["creditlimit"]
        columns["SalesCurrencyCode"] = rows["currency"].fillna(job.currency)
        columns["AddressCountryRegionISOCode"] = rows["country"]
        for name in ("SiteId", "WarehouseId"):
            columns[name] = rows["country"].map(job.maps[name]).fillna(job.maps[name][""])
    else:
        for source, name in (("gendercode", "Gender"), ("familystatuscode", "MaritalStatus"),
                             ("statecode", "IsInactive")):  # fmt: skip
            told = rows[source].map(job.codes(name))
            columns[name] = told.fillna(job.maps[name][""]) if "" in job.maps[name] else told
        columns["IsReceivingDirectMail"] = rows["donotemail"].map(job.mail).fillna(job.mail[False])
        columns["AssociatedPartyNumber"] = rows["account"]
        columns["PrimaryAddressCountryRegionISOCode"] = rows["country"]
    columns |= {"legal_entity": rows["entity"], "contactid": rows["contactid"]}
    return pd.DataFrame(columns, index=rows.index)


def main() -> None:
    """Do the job."""
    job = read_job()
    contacts = join(job)
    active = contacts["msdynce_isactivecustomer"].fillna(False).astype(bool)
    reason = reject(job, contacts, active)
    taken = reason.isna()
    frames = {
        FILES[CUSTOMERS]: map_task(job, contacts[taken & active], CUSTOMERS),
        FILES[PERSONS]: map_task(job, contacts[taken & ~active], PERSONS),
        "rejected": pd.DataFrame({"contactid": contacts["contactid"], "reason": reason})[~taken],
    }
    for name, frame in frames.items():
        frame.to_parquet(job.out / f"{name}.parquet", index=False, compression="zstd",
                         compression_level=1)  # fmt: skip


if __name__ == "__main__":
    main()
