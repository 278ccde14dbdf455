"""Keys that were loaded earlier and that no contact has any more are counted and listed."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest

from pipeline.commands.confirm import confirm_import
from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.commands.purge import list_purgeable, purge_runs
from pipeline.commands.verify import verify_run
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.run.folder import RunFolder
from tests.scenes.small import ACCOUNT, contactid, number, rows, write_small


@pytest.fixture
def loaded(common: Flags, run: RunFolder) -> str:
    """The small source is in SCM: five customers, three contact persons; the run that did it."""
    confirm_import(common, str(run.run), errors=(), packages=())
    return str(run.run)


def plan(
    home: Path, common: Flags, contacts: list[dict[str, str]], *flags: str, **asked: object
) -> RunFolder:
    """A plan of other contacts at the same destination."""
    project = write_small(home / "source", contacts=contacts)
    flags_ = Flags(project=project, runs=common.runs, assignments=flags)
    request = PlanRequest(**asked)  # type: ignore[arg-type]
    made = plan_contacts(flags_, request, report_nothing, None)
    return RunFolder(Path(str(made.folder)))


def listed(run: RunFolder) -> dict[str, tuple[str, str, str]]:
    """Destination key → contactid, what became of the contact, and the run that loaded it."""
    with run.gone.open(encoding="utf-8-sig", newline="") as file:
        return {
            row["destination_key"]: (row["contactid"], row["contact"], row["loaded_by"])
            for row in csv.DictReader(file)
        }


def counted(run: RunFolder) -> list[str]:
    """What the findings say of the keys."""
    findings = pl.read_parquet(run.findings)
    return findings.filter(pl.col("code") == "no_longer_in_source")["message"].to_list()


def test_contacts_that_left_or_have_another_number_are_listed_with_what_became_of_them(
    home: Path, common: Flags, loaded: str
) -> None:
    contacts = rows()
    contacts[1]["msdynce_contactnumber"] = number(99)
    del contacts[6]
    run = plan(home, common, contacts)
    assert listed(run) == {
        f"usmf/{number(2)}": (contactid(2), "number changed", loaded),
        f"usmf/{number(7)}/ACC-01000-ABCDEF": (contactid(7), "not in the source", loaded),
    }
    assert counted(run) == [
        "2 keys loaded earlier have no contact in the source any more; their records stay in SCM."
    ]


def test_a_contact_that_is_marked_as_deleted_is_listed_as_such(
    home: Path, common: Flags, loaded: str
) -> None:
    project = write_small(home / "source")
    path = project.parent / "contacts.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    marked = [
        f"{line},{'isdelete' if place == 0 else 'true' if place == 1 else ''}"
        for place, line in enumerate(lines)
    ]
    path.write_text("\n".join(marked) + "\n", encoding="utf-8")
    made = plan_contacts(common, PlanRequest(), report_nothing, None)
    assert listed(RunFolder(Path(str(made.folder)))) == {
        f"usmf/{number(1)}": (contactid(1), "deleted", loaded)
    }


def test_where_rows_could_not_be_read_the_list_says_that_a_contact_may_be_there(
    home: Path, common: Flags, loaded: str
) -> None:
    project = write_small(home / "source", contacts=rows()[1:])
    with (project.parent / "contacts.csv").open("a", encoding="utf-8") as file:
        file.write('x,"cut')
    made = plan_contacts(common, PlanRequest(), report_nothing, None)
    assert listed(RunFolder(Path(str(made.folder)))) == {
        f"usmf/{number(1)}": (
            contactid(1),
            "not found, but rows of contacts could not be read",
            loaded,
        )
    }


def test_a_contact_that_is_held_or_skipped_is_still_in_the_source(
    home: Path, common: Flags, loaded: str
) -> None:
    del loaded
    contacts = rows()
    contacts[0]["msdynce_isactivecustomer"] = "No"
    contacts[6]["parentcustomerid"] = ACCOUNT.replace("1", "2")
    run = plan(home, common, contacts)
    assert not run.gone.exists()
    assert counted(run) == []


@pytest.mark.parametrize(
    ("flags", "asked"),
    [
        ((), {"limit": 5}),
        (("source.filter=lastname <> 'x'",), {}),
    ],
)
def test_a_plan_of_some_contacts_says_nothing_of_the_others(
    home: Path, common: Flags, loaded: str, flags: tuple[str, ...], asked: dict[str, object]
) -> None:
    del loaded
    run = plan(home, common, rows()[1:], *flags, **asked)
    assert not run.gone.exists()
    assert counted(run) == []


def test_without_the_rows_of_the_old_run_keys_are_listed_without_ids(
    home: Path, common: Flags, loaded: str
) -> None:
    purge_runs(list_purgeable(common, [loaded], "0"), agreed=True)
    run = plan(home, common, rows()[1:])
    assert listed(run) == {f"usmf/{number(1)}": ("", "not in the source", loaded)}


def test_the_list_is_part_of_what_verify_looks_at(home: Path, common: Flags, loaded: str) -> None:
    del loaded
    run = plan(home, common, rows()[1:])
    assert verify_run(common, str(run.run)).exit_code == 0
    run.gone.write_text("changed", encoding="utf-8")
    assert verify_run(common, str(run.run)).exit_code == 4
