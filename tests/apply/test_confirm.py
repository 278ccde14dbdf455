"""After a manual import: written rows get their outcome, and the memory knows what SCM has."""

from __future__ import annotations

from pathlib import Path

import filelock
import polars as pl
import pytest

from pipeline.commands.apply import plan_and_apply
from pipeline.commands.confirm import confirm_import
from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.commands.verify import verify_run
from pipeline.errors import SourceError, Stopped, UsageError
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.run.folder import RunFolder, find_runs
from tests.scenes.json_files import read_json
from tests.scenes.small import CUSTOMERS, PERSONS, number

PLANNED = CUSTOMERS + PERSONS


def memory(common: Flags, task: str) -> pl.DataFrame:
    return pl.read_parquet(common.runs / "loaded" / "folder" / f"{task}.parquet")


def outcomes(run: RunFolder) -> dict[str, int]:
    return dict(pl.read_parquet(run.outcomes)["outcome"].value_counts().iter_rows())


def error_file(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_without_errors_every_written_row_arrived_and_is_remembered(
    common: Flags, run: RunFolder
) -> None:
    result = confirm_import(common, str(run.run), errors=None, packages=())
    assert outcomes(run) == {"created": PLANNED}
    assert read_json(run.summary)["outcomes"]["created"] == PLANNED
    assert read_json(run.summary)["outcomes"]["written"] == 0
    assert result.exit_code == 1  # held and rejected contacts still need a person
    customers = memory(common, "ContactToCustomer")
    assert customers["destination_key"].to_list() == [
        f"usmf/{number(place)}" for place in range(1, CUSTOMERS + 1)
    ]
    assert customers["run"].unique().to_list() == [str(run.run)]
    assert verify_run(common, str(run.run)).exit_code == 0


def test_the_next_plan_sends_nothing_of_it_again(common: Flags, run: RunFolder) -> None:
    confirm_import(common, str(run.run), errors=None, packages=())
    outcomes = plan_contacts(common, PlanRequest(), report_nothing).summary.outcomes
    assert outcomes == dict.fromkeys(outcomes, 0) | {"unchanged": PLANNED}


def test_rows_of_the_error_file_failed_and_are_not_remembered(
    common: Flags, run: RunFolder, tmp_path: Path
) -> None:
    errors = error_file(
        tmp_path / "e.csv",
        f"CUSTOMERACCOUNT;DATAAREAID;Error message\n{number(2).lower()};USMF;Zip code is wrong\n",
    )
    result = confirm_import(common, str(run.run), errors=errors, packages=())
    failed = pl.read_parquet(run.outcomes).filter(pl.col("outcome") == "failed").to_dicts()
    assert [(one["destination_key"], one["code"], one["message"]) for one in failed] == [
        (f"usmf/{number(2)}", "import_failed", "SCM said: Zip code is wrong")
    ]
    assert (
        f"usmf/{number(2)}" not in memory(common, "ContactToCustomer")["destination_key"].to_list()
    )
    assert read_json(run.summary)["verdict"] == "attention"
    assert result.exit_code == 1
    batch = pl.read_parquet(run.batches).filter(
        (pl.col("task") == "ContactToCustomer") & (pl.col("batch") == 1)
    )
    assert batch.select("status", "created", "failed").row(0) == ("confirmed", 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "contactid\n{00000000-0000-0000-0000-000000000006}\n",
        f"destination_key\nusmf/{number(6)}/ACC-01000-ABCDEF\n",
        f"ContactPersonPartyNumber,AssociatedPartyNumber\n{number(6)},acc-01000-abcdef\n",
    ],
)
def test_a_row_is_named_by_contact_or_by_key(
    common: Flags, run: RunFolder, tmp_path: Path, text: str
) -> None:
    confirm_import(common, str(run.run), errors=error_file(tmp_path / "e.csv", text), packages=())
    failed = pl.read_parquet(run.outcomes).filter(pl.col("outcome") == "failed")
    assert failed["contactid"].to_list() == ["00000000-0000-0000-0000-000000000006"]


def test_an_error_row_that_names_nothing_of_the_run_is_told_with_its_line(
    common: Flags, run: RunFolder, tmp_path: Path
) -> None:
    errors = error_file(
        tmp_path / "e.csv", "CustomerAccount,dataAreaId\nNOBODY,usmf\n" + f"{number(1)},demf\n"
    )
    result = confirm_import(common, str(run.run), errors=errors, packages=())
    assert [one["line"] for one in result.items] == [2, 3]
    assert result.exit_code == 1
    assert outcomes(run) == {"created": PLANNED}


def test_only_the_packages_that_were_imported_are_confirmed(common: Flags, run: RunFolder) -> None:
    confirm_import(
        common,
        str(run.run),
        errors=None,
        packages=["packages/ContactToCustomer/usmf-1.zip", "Contacts/usmf-2"],
    )
    assert outcomes(run) == {"created": 3, "written": PLANNED - 3}
    confirm_import(common, str(run.run), errors=None, packages=())
    assert outcomes(run) == {"created": PLANNED}
    with pytest.raises(UsageError, match="no such package"):
        confirm_import(
            common,
            str(run.run),
            errors=error_file(run.path.parent / "e.csv", "contactid\n"),
            packages=["x"],
        )


def test_a_second_confirmation_changes_nothing(common: Flags, run: RunFolder) -> None:
    confirm_import(common, str(run.run), errors=None, packages=())
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    result = confirm_import(common, str(run.run), errors=None, packages=())
    assert str(result.text).startswith("0 written rows")
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before


def test_a_key_that_an_earlier_run_loaded_is_updated_not_created(
    common: Flags, run: RunFolder
) -> None:
    confirm_import(common, str(run.run), errors=None, packages=())
    plan_and_apply(common, PlanRequest(full=True, command="run"), report_nothing)
    second = find_runs(common.runs)[-1]
    confirm_import(common, str(second.run), errors=None, packages=())
    assert outcomes(second) == {"updated": PLANNED}
    assert memory(common, "Contacts")["run"].unique().to_list() == [str(second.run)]
    assert memory(common, "Contacts").height == PERSONS


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("name\nAda\n", SourceError, "has no header line with columns that p2c knows"),
        ("contactid,CustomerAccount\n,\n", SourceError, "names no row"),
    ],
)
def test_an_error_file_that_says_nothing_is_refused_and_nothing_is_changed(
    common: Flags, run: RunFolder, tmp_path: Path, text: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        confirm_import(
            common, str(run.run), errors=error_file(tmp_path / "e.csv", text), packages=()
        )
    assert outcomes(run) == {"written": PLANNED}


def test_a_plan_that_was_not_applied_cannot_be_confirmed(common: Flags) -> None:
    plan_contacts(common, PlanRequest(), report_nothing)
    with pytest.raises(UsageError, match="was not applied yet"):
        confirm_import(common, "latest", errors=None, packages=())


def test_a_run_that_is_being_applied_is_left_alone(common: Flags, run: RunFolder) -> None:
    with filelock.FileLock(run.path / ".lock"), pytest.raises(Stopped, match="another process"):
        confirm_import(common, str(run.run), errors=None, packages=())
