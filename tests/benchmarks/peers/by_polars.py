"""The job in Polars: lazily, with the streaming engine."""

from __future__ import annotations

import polars as pl

from tests.benchmarks.peers.job import CUSTOMERS, FILES, PERSONS, Job, read_job

ACTIVE = pl.col("active")


def join(job: Job) -> pl.LazyFrame:
    """Contacts with trimmed texts and everything that is looked up."""
    contacts = pl.scan_parquet(job.source / "contacts.parquet")
    accounts = pl.scan_parquet(job.source / "accounts.parquet")
    units = pl.scan_parquet(job.source / "businessunits.parquet")
    currencies = pl.scan_parquet(job.source / "transactioncurrencies.parquet")
    trimmed = [pl.col(name).str.strip_chars() for name in job.texts]
    contacts = contacts.with_columns(
        pl.when(one != "").then(one).alias(name)
        for name, one in zip(job.texts, trimmed, strict=True)
    )
    number = pl.col("msdynce_contactnumber")
    twice = contacts.select(number).drop_nulls().group_by(number).len().filter(pl.col("len") > 1)
    return (
        contacts.join(
            accounts.select(_parentcustomerid_value="accountid", account="accountnumber"),
            on="_parentcustomerid_value", how="left", maintain_order="left",
        )
        .join(
            units.select(_owningbusinessunit_value="businessunitid", unit="name"),
            on="_owningbusinessunit_value", how="left", maintain_order="left",
        )
        .join(
            currencies.select(
                _transactioncurrencyid_value="transactioncurrencyid", currency="isocurrencycode"
            ),
            on="_transactioncurrencyid_value", how="left", maintain_order="left",
        )
        .join(twice, on="msdynce_contactnumber", how="left", maintain_order="left")
        .with_columns(
            active=pl.col("msdynce_isactivecustomer").fill_null(value=False),
            entity=pl.col("unit").replace_strict(job.organizations, default=None),
            country=pl.col("address1_country").str.to_lowercase()
            .replace_strict(job.spellings, default=None),
        )
    )  # fmt: skip


def reject(job: Job) -> pl.Expr:
    """The first reason why a contact is not taken; null for one that is."""
    blank = {name: pl.col(name).is_null() for name in ("firstname", "lastname", "account")}
    rules = [
        (pl.col("msdynce_contactnumber").is_null(), "number_missing"),
        (pl.col("len").is_not_null(), "number_repeated"),
        (pl.col("entity").is_null(), "legal_entity_unmapped"),
        (blank["firstname"] & blank["lastname"], "name_missing"),
        (~ACTIVE & pl.col("_parentcustomerid_value").is_null(), "no_company"),
        (~ACTIVE & blank["account"], "company_without_number"),
        (pl.col("address1_country").is_not_null() & pl.col("country").is_null(), "country"),
    ]
    for source, name in (("gendercode", "Gender"), ("familystatuscode", "MaritalStatus")):
        known = pl.col(source).is_in(list(job.codes(name)))
        rules.append((~ACTIVE & pl.col(source).is_not_null() & ~known, source))
    for task, is_task in ((CUSTOMERS, ACTIVE), (PERSONS, ~ACTIVE)):
        for target, (source, most) in job.columns[task].items():
            if most:
                rules.append((is_task & (pl.col(source).str.len_chars() > most), target))
    return pl.coalesce([pl.when(rule).then(pl.lit(reason)) for rule, reason in rules])


def map_task(job: Job, rows: pl.LazyFrame, task: str) -> pl.LazyFrame:
    """The destination columns of a task."""
    columns = [pl.col(source).alias(name) for name, (source, _) in job.columns[task].items()]
    columns += [pl.lit(value).alias(name) for name, value in job.constants[task].items()]
    country = pl.col("country")
    if task == CUSTOMERS:
        columns += [pl.col("creditlimit").alias("CreditLimit")]
        columns += [pl.col("currency").fill_null(job.currency).alias("SalesCurrencyCode")]
        columns += [country.alias("AddressCountryRegionISOCode")]
        for name in ("SiteId", "WarehouseId"):
            told = job.maps[name]
            columns.append(country.replace_strict(told, default=told[""]).alias(name))
    else:
        columns += [
            pl.col(source).replace_strict(job.codes(name), default=job.maps[name].get(""),
                                          return_dtype=pl.String).alias(name)
            for source, name in (("gendercode", "Gender"), ("familystatuscode", "MaritalStatus"),
                                 ("statecode", "IsInactive"))
        ]  # fmt: skip
        mail = pl.when("donotemail").then(pl.lit(job.mail[True])).otherwise(pl.lit(job.mail[False]))
        columns += [mail.alias("IsReceivingDirectMail")]
        columns += [pl.col("account").alias("AssociatedPartyNumber")]
        columns += [country.alias("PrimaryAddressCountryRegionISOCode")]
    return rows.select(*columns, legal_entity="entity", contactid="contactid")


def main() -> None:
    """Do the job."""
    job = read_job()
    contacts = join(job).with_columns(reason=reject(job))
    taken = contacts.filter(pl.col("reason").is_null())
    frames = {
        FILES[CUSTOMERS]: map_task(job, taken.filter(ACTIVE), CUSTOMERS),
        FILES[PERSONS]: map_task(job, taken.filter(~ACTIVE), PERSONS),
        "rejected": contacts.drop_nulls("reason").select("contactid", "reason"),
    }
    sinks = [
        one.sink_parquet(job.out / f"{name}.parquet", compression="zstd", compression_level=1,
                         lazy=True)
        for name, one in frames.items()
    ]  # fmt: skip
    pl.collect_all(sinks, engine="streaming")


if __name__ == "__main__":
    main()
