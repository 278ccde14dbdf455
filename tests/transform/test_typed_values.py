"""Typed values of a Parquet source mean what the same values mean as text, blanks included."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipeline.commands.apply import plan_and_apply
from pipeline.commands.options import Flags
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from tests.scenes.small import ACCOUNT, PROJECT, contactid, number, write_small

MAPS = """
[tasks.Contacts.fields.IsReceivingDirectMail]
value_map = { true = "No", false = "Yes", "" = "No" }

[tasks.Contacts.fields.EmploymentDepartment]
source = "statecode"
"""
VALUES = [
    (True, 1, 4, 0, ("No", "Male", "Widowhood", "No", "0")),
    (False, 2, 1, 1, ("Yes", "Female", "Single", "Yes", "1")),
    (None, None, None, None, ("No", "Unknown", "None", None, None)),
    (False, 9, 2, 0, None),
]
COLUMNS = ("IsReceivingDirectMail", "Gender", "MaritalStatus", "IsInactive", "EmploymentDepartment")


@pytest.mark.parametrize("form", ["typed", "text"])
def test_each_value_becomes_the_same_whether_it_is_typed_or_text(tmp_path: Path, form: str) -> None:
    project = write_small(tmp_path, PROJECT + MAPS)
    (tmp_path / "contacts.csv").unlink()
    contacts = pl.DataFrame(
        [
            {
                "contactid": contactid(place),
                "msdynce_contactnumber": number(place),
                "msdynce_isactivecustomer": False,
                "parentcustomerid": ACCOUNT,
                "parentcustomeridtype": "account",
                "lastname": "Lovelace",
                "donotemail": mail,
                "gendercode": gender,
                "familystatuscode": family,
                "statecode": state,
            }
            for place, (mail, gender, family, state, _) in enumerate(VALUES, 1)
        ],
        schema_overrides={
            "gendercode": pl.Int32,
            "familystatuscode": pl.Int64,
            "statecode": pl.Int8,
        },
    )
    asked = contacts if form == "typed" else contacts.with_columns(pl.all().cast(pl.String))
    asked.write_parquet(tmp_path / "contacts.parquet")
    folder = Path(
        str(
            plan_and_apply(
                Flags(project=project, runs=tmp_path / "runs"),
                PlanRequest(command="run"),
                report_nothing,
            ).folder
        )
    )
    rows = {
        row["contactid"]: row
        for row in pl.read_parquet(folder / "rows" / "Contacts").iter_rows(named=True)
    }
    for place, (*_, expected) in enumerate(VALUES, 1):
        row = rows.get(contactid(place))
        assert expected == (None if row is None else tuple(row[name] for name in COLUMNS))
    findings = pl.read_parquet(folder / "findings.parquet").filter(
        pl.col("code") == "value_not_mapped"
    )
    assert findings.select("contactid", "value").rows() == [(contactid(4), "9")]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (12345678901.23, "12345678901.230000"),
        (1e15, "1000000000000000.000000"),
        (1e16, "10000000000000000.000000"),
        (5000.0, "5000.000000"),
        (0.1, "0.100000"),
        (-2.5, "-2.500000"),
        (None, None),
        (float("nan"), None),
    ],
)
def test_floating_point_is_the_number_that_it_says(
    tmp_path: Path, given: float | None, expected: str | None
) -> None:
    rows, findings = limits(tmp_path, given)
    assert rows["CreditLimit"].cast(pl.String).to_list() == [expected]
    assert findings.is_empty()


@pytest.mark.parametrize("given", [float("inf"), float("-inf"), 1e30])
def test_floating_point_that_is_not_an_amount_is_found_not_blanked(
    tmp_path: Path, given: float
) -> None:
    rows, findings = limits(tmp_path, given)
    assert rows.is_empty()
    assert findings["column"].to_list() == ["creditlimit"]


def limits(folder: Path, given: float | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The planned row of a customer with this credit limit, and its ``value_invalid`` findings."""
    project = write_small(folder)
    (folder / "contacts.csv").unlink()
    contact = {
        "contactid": contactid(1),
        "msdynce_contactnumber": number(1),
        "msdynce_isactivecustomer": True,
        "parentcustomerid": None,
        "lastname": "Lovelace",
        "creditlimit": given,
    }
    types = {"creditlimit": pl.Float64, "parentcustomerid": pl.String}
    pl.DataFrame([contact], schema_overrides=types).write_parquet(folder / "contacts.parquet")
    made = Path(
        str(
            plan_and_apply(
                Flags(project=project, runs=folder / "runs"),
                PlanRequest(command="run"),
                report_nothing,
            ).folder
        )
    )
    findings = pl.read_parquet(made / "findings.parquet").filter(pl.col("code") == "value_invalid")
    return pl.read_parquet(made / "rows" / "ContactToCustomer"), findings
