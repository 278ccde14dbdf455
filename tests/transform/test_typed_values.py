"""Numbers and booleans of a Parquet source mean what the same values mean as text, blanks included."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipeline.commands import Common, ran
from pipeline.events import silent
from pipeline.plan import Request
from tests.small import ACCOUNT, PROJECT, contactid, number, write_small

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
        schema_overrides={"gendercode": pl.Int32, "familystatuscode": pl.Int64, "statecode": pl.Int8},
    )
    asked = contacts if form == "typed" else contacts.with_columns(pl.all().cast(pl.String))
    asked.write_parquet(tmp_path / "contacts.parquet")
    folder = Path(str(ran(Common(project=project, runs=tmp_path / "runs"), Request(command="run"), silent).folder))
    rows = {row["contactid"]: row for row in pl.read_parquet(folder / "rows" / "Contacts").iter_rows(named=True)}
    for place, (*_, expected) in enumerate(VALUES, 1):
        row = rows.get(contactid(place))
        assert expected == (None if row is None else tuple(row[name] for name in COLUMNS))
    findings = pl.read_parquet(folder / "findings.parquet").filter(pl.col("code") == "value_not_mapped")
    assert findings.select("contactid", "value").rows() == [(contactid(4), "9")]
