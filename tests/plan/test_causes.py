"""What holds or rejects everybody is told by its cause, with the right cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.commands.result import Result
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.run.memory import find_memory_folder
from tests.scenes.memories import remember
from tests.scenes.small import CONTACTS, PROJECT, number, write_small


def plan(project: Path) -> Result:
    flags = Flags(project=project, runs=project.parent / "runs")
    return plan_contacts(flags, PlanRequest(), report_nothing)


def assert_told_first(made: Result, code: str, words: str) -> None:
    text = made.lines(400)
    assert words in text
    assert text.index(code) < text.index("Findings, most urgent first")


def remember_some(home: Path) -> None:
    """Let an earlier load have brought the first three contacts as customers."""
    folder = find_memory_folder(home / "runs", "folder")
    keys = [f"usmf/{number(place)}" for place in range(1, 4)]
    remember(folder / "ContactToCustomer.parquet", keys)


def write_taken(folder: Path) -> Path:
    """A project into an SCM that has all customers of the small source."""
    project = write_small(folder, f'{PROJECT}known_customers = "customers.csv"\n')
    lines = [f"{number(place)},{number(place)},usmf" for place in range(1, 6)]
    lines.append("ACC-01000-ABCDEF,ACC-01000-ABCDEF,usmf")
    text = "\n".join(["CustomerAccount,PartyNumber,dataAreaId", *lines])
    (folder / "customers.csv").write_text(text, encoding="utf-8")
    return project


def test_missing_memory_is_the_cause_where_all_that_scm_has_is_held(tmp_path: Path) -> None:
    made = plan(write_taken(tmp_path))
    assert made.summary.reasons["held/takeover"] == 5
    assert made.summary.findings["memory_missing"] == 5
    assert_told_first(
        made,
        "memory_missing",
        "SCM has the keys of 5 contacts, and p2c has no memory of loading any",
    )


def test_one_record_of_somebody_else_is_no_sign_of_missing_memory(tmp_path: Path) -> None:
    project = write_taken(tmp_path)
    remember_some(tmp_path)
    made = plan(project)
    assert made.summary.reasons["held/takeover"] == 2
    assert "memory_missing" not in made.summary.findings


def test_keys_that_were_loaded_and_that_scm_does_not_have_are_told(tmp_path: Path) -> None:
    project = write_taken(tmp_path)
    (tmp_path / "customers.csv").write_text(
        "CustomerAccount,PartyNumber,dataAreaId\nACC-01000-ABCDEF,ACC-01000-ABCDEF,usmf\n",
        encoding="utf-8",
    )
    assert "keys_lost" not in plan(project).summary.findings
    remember_some(tmp_path)
    made = plan(project)
    assert made.summary.findings["keys_lost"] == 3
    assert_told_first(
        made, "keys_lost", "SCM does not have the keys of 3 contacts that p2c loaded earlier"
    )


def test_what_was_loaded_and_is_there_is_not_lost(tmp_path: Path) -> None:
    project = write_taken(tmp_path)
    remember_some(tmp_path)
    assert "keys_lost" not in plan(project).summary.findings


@pytest.mark.parametrize(
    ("yes", "no", "code", "told"),
    [
        ("Ja", "Nein", "flag_not_read", "under [labels]"),
        ("No", "No", "flag_never_set", "Run the backfill"),
    ],
)
def test_a_flag_that_cannot_be_read_does_not_ask_for_a_backfill(
    tmp_path: Path, yes: str, no: str, code: str, told: str
) -> None:
    project = write_small(tmp_path)
    contacts = tmp_path / CONTACTS
    text = contacts.read_text(encoding="utf-8").replace(",Yes,", f",{yes},")
    contacts.write_text(text.replace(",No,", f",{no},"), encoding="utf-8")
    made = plan(project)
    assert made.summary.findings[code] == 11
    other = {"flag_not_read": "flag_never_set", "flag_never_set": "flag_not_read"}[code]
    assert other not in made.summary.findings
    first = made.lines(400).partition("Look first")[2].partition("\n\n")[0]
    assert told in first
    assert ("Run the backfill" in first) is (code == "flag_never_set")


@pytest.mark.parametrize("has_table", [False, True])
def test_a_missing_table_of_business_units_is_told_as_the_cause(
    tmp_path: Path, *, has_table: bool
) -> None:
    unit = "00000000-0000-0000-0005-000000000001"
    organizations = PROJECT.replace('legal_entity = "usmf"\n', "")
    project = write_small(tmp_path, organizations + '[organizations]\n"Unit 1" = "usmf"\n')
    contacts = tmp_path / CONTACTS
    header, *lines = contacts.read_text(encoding="utf-8").splitlines()
    written = [f"{header},owningbusinessunit", *(f"{line},{unit}" for line in lines)]
    contacts.write_text("\n".join(written) + "\n", encoding="utf-8")
    if has_table:
        (tmp_path / "businessunits.csv").write_text(
            f"businessunitid,name\n{unit},Unit 1\n", encoding="utf-8"
        )
    made = plan(project)
    assert made.summary.findings.get("units_not_named", 0) == (0 if has_table else 10)
    assert ("Export businessunits (businessunitid, name)" in made.lines(400)) is not has_table
