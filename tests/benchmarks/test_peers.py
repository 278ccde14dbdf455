"""The scripts that plans are measured beside do the same job: what p2c plans, they take as well."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from pipeline.events import report_nothing
from pipeline.plan.make import make_plan
from pipeline.plan.request import PlanRequest
from pipeline.project.resolve import load_project
from pipeline.samples.generate import write_samples
from tests.benchmarks.peers import by_duckdb, by_polars
from tests.benchmarks.peers.rules import write_rules

COLUMNS = {
    "customers": ["CustomerAccount", "PersonLastName", "SiteId", "SalesCurrencyCode", "LanguageId"],
    "persons": ["FirstName", "Gender", "MaritalStatus", "AssociatedPartyNumber", "IsInactive"],
}
TASKS = {"customers": "ContactToCustomer", "persons": "Contacts"}


@pytest.mark.parametrize("script", [by_duckdb.main, by_polars.main])
def test_a_script_maps_each_contact_that_is_planned_to_the_same_values(
    script: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    write_samples(source, form="parquet")
    write_rules(source / "p2c.toml", tmp_path / "rules.json")
    monkeypatch.setattr(
        sys, "argv", ["", str(tmp_path / "rules.json"), str(source), str(tmp_path / "out")]
    )
    script()
    project = load_project(source / "p2c.toml", source=None, assignments=())
    run = make_plan(
        project, PlanRequest(), tmp_path / "runs", lambda: datetime.now(UTC), report_nothing
    )
    for name, columns in COLUMNS.items():
        own = pl.concat(
            pl.read_parquet(one, columns=["contactid", *columns])
            for one in run.rows_files(TASKS[name])
        )
        theirs = pl.read_parquet(tmp_path / "out" / f"{name}.parquet")
        both = own.join(theirs.select("contactid", *columns), on="contactid", suffix=" theirs")
        assert both["contactid"].n_unique() > 0.95 * own.height > 100
        for column in columns:
            equal = both[column].cast(pl.String).eq_missing(both[f"{column} theirs"])
            assert equal.sum() > 0.95 * equal.len(), column
