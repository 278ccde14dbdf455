"""The list of contacts that ``--only`` names, as text or as a workbook."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipeline.commands.options import read_clock
from pipeline.errors import SourceError, UsageError
from pipeline.events import report_nothing
from pipeline.plan.make import make_plan
from pipeline.plan.only import read_only_ids
from pipeline.plan.request import PlanRequest
from pipeline.project.resolve import load_project
from tests.scenes.reading import ID
from tests.scenes.small import contactid, write_small
from tests.scenes.workbooks import GERMAN, contact, text_row, write_parts, write_view

OTHER = "2b67c282-793b-fdce-58be-d7f70c5fb4b9"


def test_a_list_may_be_lines_or_the_first_column_of_a_csv(tmp_path: Path) -> None:
    path = tmp_path / "only.csv"
    path.write_text(f"\ufeffContactId;name\n{{{ID.upper()}}};x\n\n{OTHER}\n", encoding="utf-8")
    assert read_only_ids(path)["contactid"].to_list() == [ID, OTHER]


def test_a_list_may_be_a_view(tmp_path: Path) -> None:
    rows = [contact(contactid=f"{{{ID.upper()}}}"), contact(contactid=None)]
    path = write_view(tmp_path / "only.xlsx", [*rows, contact(contactid=OTHER)], GERMAN)
    assert read_only_ids(path)["contactid"].to_list() == [ID, OTHER]


def test_a_cell_that_is_no_id_is_refused_by_its_row(tmp_path: Path) -> None:
    path = write_view(tmp_path / "only.xlsx", [contact(), contact(contactid="Ann")])
    with pytest.raises(UsageError, match=r"only\.xlsx, line 3: is neither a contactid"):
        read_only_ids(path)


def test_a_workbook_of_something_else_is_refused(tmp_path: Path) -> None:
    path = write_parts(tmp_path / "only.xlsx", text_row(1, ["name"]) + text_row(2, [ID]))
    with pytest.raises(SourceError, match=r"none of the first 20 rows of a sheet has columns"):
        read_only_ids(path)
    error = '<row r="2"><c r="A2" t="e"><v>#N/A</v></c></row>'
    path = write_parts(tmp_path / "only.xlsx", text_row(1, ["contactid"]) + error)
    with pytest.raises(SourceError, match=r"the row of line 2 cannot be read: contactid in cell"):
        read_only_ids(path)


def test_a_list_may_hold_contact_numbers(tmp_path: Path) -> None:
    path = tmp_path / "only.csv"
    path.write_text(f"Contact Number\nCON-01000-ABCDEF\n{ID}\n")
    assert read_only_ids(path).rows() == [(None, "CON-01000-ABCDEF", 2), (ID, None, 3)]


def test_numbers_are_found_as_keys_are_compared(tmp_path: Path) -> None:
    write_small(tmp_path)
    (tmp_path / "only.txt").write_text(f" con-00001-abcdef\n{contactid(2)}\n")
    request, runs = PlanRequest(only=tmp_path / "only.txt"), tmp_path / "runs"
    run = make_plan(load_project(tmp_path / "p2c.toml"), request, runs, read_clock, report_nothing)
    assert run.read_summary().counts["customer"] == 2
    (tmp_path / "only.txt").write_text("CON-00001-ABCDEF\nCON-99999-ABCDEF\n")
    run = make_plan(load_project(tmp_path / "p2c.toml"), request, runs, read_clock, report_nothing)
    found = pl.read_parquet(run.findings).filter(pl.col("code") == "only_not_found")
    assert "CON-99999-ABCDEF (line 2)" in found["message"].item()
