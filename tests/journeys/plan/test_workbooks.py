"""A run from workbooks, from the plan to the correction and back."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipeline.commands.apply import apply_run
from pipeline.commands.explain import explain_contact
from pipeline.commands.findings import write_repair_file
from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.commands.retry import retry_run
from pipeline.commands.verify import verify_run
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from tests.scenes.small import ACCOUNT, COLUMNS, CONTACTS, contactid, rows, write_small
from tests.scenes.workbooks import Cell, write_workbook


def write_source(folder: Path) -> Path:
    """The small source with both of its tables in one workbook; its project file."""
    project = write_small(folder)
    for name in (CONTACTS.name, "accounts.csv"):
        (folder / name).unlink()
    sheets: dict[str, list[list[Cell]]] = {
        "Contacts": [list(COLUMNS)],
        "Accounts": [
            ["accountid", "accountnumber", "name"],
            [ACCOUNT, "ACC-01000-ABCDEF", "Fourth Coffee"],
        ],
    }
    sheets["Contacts"] += [[row[name] for name in COLUMNS] for row in rows()]
    write_workbook(folder / "crm.xlsx", sheets)
    return project


def test_a_workbook_is_planned_explained_corrected_and_planned_again(tmp_path: Path) -> None:
    common = Flags(project=write_source(tmp_path / "source"), runs=tmp_path / "runs")
    made = plan_contacts(common, PlanRequest(), report_nothing)
    decided = pl.read_parquet(f"{made.folder}/decisions.parquet")
    assert decided.group_by("decision").len().sort("decision").rows() == [
        ("contact", 3), ("customer", 5), ("held", 1), ("rejected", 1), ("skipped", 1),
    ]  # fmt: skip
    assert decided.filter(contactid=contactid(11))["source_line"].item() == 12
    apply_run(common, str(made.summary.run), report_nothing)
    assert verify_run(common, str(made.summary.run)).exit_code == 0
    told = explain_contact(common, contactid(11), str(made.summary.run)).lines(80)
    assert "crm.xlsx" in told
    file = tmp_path / "repair.csv"
    write_repair_file(common, str(made.summary.run), to=file)
    fixed = pl.read_csv(file, infer_schema=False).with_columns(lastname=pl.lit("Short"))
    cells = [list(fixed.columns), *map(list, fixed.iter_rows())]
    corrected = write_workbook(tmp_path / "repair.xlsx", {"Sheet1": cells})
    again = retry_run(
        common, str(made.summary.run), correction=corrected, codes=(), listener=report_nothing
    )
    places = pl.read_parquet(f"{again.folder}/decisions.parquet")
    assert places.filter(contactid=contactid(11)).select("decision", "source_file").rows() == [
        ("customer", "contacts/corrected-1.xlsx")
    ]
