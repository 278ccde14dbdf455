"""After a manual import: written rows get their outcome, and the memory knows what SCM has."""

from __future__ import annotations

import shutil
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
from pipeline.report.facts import collect_page_facts
from pipeline.run.files import hash_file
from pipeline.run.folder import RunFolder, find_runs
from pipeline.run.journal import read_journal
from tests.scenes.json_files import read_json
from tests.scenes.killing import kill_everywhere
from tests.scenes.small import CUSTOMERS, PERSONS, contactid, number

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
    result = confirm_import(common, str(run.run), errors=(), packages=())
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
    confirm_import(common, str(run.run), errors=(), packages=())
    outcomes = plan_contacts(common, PlanRequest(), report_nothing).summary.outcomes
    assert outcomes == dict.fromkeys(outcomes, 0) | {"unchanged": PLANNED}


def test_rows_of_the_error_file_failed_and_are_not_remembered(
    common: Flags, run: RunFolder, tmp_path: Path
) -> None:
    errors = error_file(
        tmp_path / "e.csv",
        f"CUSTOMERACCOUNT;DATAAREAID;Error message\n{number(2).lower()};USMF;Zip code is wrong\n",
    )
    result = confirm_import(common, str(run.run), errors=[errors], packages=())
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
    confirm_import(common, str(run.run), errors=[error_file(tmp_path / "e.csv", text)], packages=())
    failed = pl.read_parquet(run.outcomes).filter(pl.col("outcome") == "failed")
    assert failed["contactid"].to_list() == ["00000000-0000-0000-0000-000000000006"]


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


PERSON = f"{number(6)},ACC-01000-ABCDEF"


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("keys.csv", f"usmf,{number(2)}\r\n".encode(), 2),
        ("keys.txt", f"{number(2).lower()};USMF\n".encode(), 2),
        ("keys", f"{number(2)}\n".encode(), 2),
        ("keys.csv", f"{PERSON}\n".encode("utf-16"), 6),
        ("keys.csv", f"ACC-01000-ABCDEF|{number(6)}|usmf\n".encode("utf-16-le"), 6),
        ("log.csv", f'Record ID,Error message\n"usmf,{number(2)}",boom\n'.encode(), 2),
        ("log.csv", f"RecordId;Company;Log text\n{PERSON.replace(',', ':')};USMF;x\n".encode(), 6),
        ("log.csv", f"Contact person party number\n{number(6)}\n".encode(), 6),
        (
            "staging.csv",
            (
                "CUSTOMERACCOUNT,DATAAREAID,TRANSFERSTATUS\n"
                f"{number(1)},usmf,Completed\n{number(2)},usmf,Error\n{number(3)},usmf,\n"
            ).replace(f"{number(3)},usmf,\n", "").encode(),
            2,
        ),
        (
            "log.csv",
            (
                "Record ID,Log type,Log text\n"
                f"{number(1)},Information,started\n{number(2)},Error,boom\n"
            ).encode(),
            2,
        ),
    ],
    ids=[
        "keys with the company", "keys with semicolons", "keys alone", "UTF-16", "no mark",
        "a log", "a log with the company", "one of two keys", "a staging table", "log types",
    ],
)  # fmt: skip
def test_files_of_data_management_are_read_as_they_come(
    common: Flags, run: RunFolder, tmp_path: Path, name: str, content: bytes, place: int
) -> None:
    errors = [written(tmp_path / name, content)]
    confirm_import(common, str(run.run), errors=errors, packages=())
    failed = pl.read_parquet(run.outcomes).filter(pl.col("outcome") == "failed")
    assert failed["contactid"].to_list() == [contactid(place)]
    assert outcomes(run) == {"created": PLANNED - 1, "failed": 1}


def test_several_files_are_one_confirmation(common: Flags, run: RunFolder, tmp_path: Path) -> None:
    errors = [
        error_file(tmp_path / "customers.csv", f"usmf,{number(2)}\n"),
        error_file(tmp_path / "persons.csv", f"{PERSON}\n"),
        error_file(tmp_path / "log.csv", f"Record ID,Message\n{number(2)},boom\n"),
    ]
    confirm_import(common, str(run.run), errors=errors, packages=())
    failed = pl.read_parquet(run.outcomes).filter(pl.col("outcome") == "failed")
    assert sorted(failed["contactid"]) == [contactid(2), contactid(6)]
    assert read_journal(run.journal).entries[-1].payload["errors"] == [
        {"name": path.name, "sha256": hash_file(path)} for path in errors
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            f"CustomerAccount,dataAreaId\nNOBODY,usmf\n{number(1)},demf\n",
            r"each of 2 lines \(e\.csv line 2, e\.csv line 3\) names no single row",
        ),
        (f"usmf,{number(1)}\nusmf,NOBODY\n", r"e\.csv line 2 names no single row"),
        (f"demf,{number(1)}\n", r"e\.csv line 1 names no single row.* If line 1 is a header"),
        (f"Konto\n{number(1)}\n", r"If line 1 is a header"),
        (f"Record ID\n{number(10)}\n", r"e\.csv line 2 names no single row"),
        (f"{number(3)}\n", r"e\.csv line 1 names a row of a package that --package leaves out"),
        (
            f"CustomerAccount,Transfer status\n{number(1)},Fehler\n",
            "the status in line 2 is none that p2c knows",
        ),
        ("Record ID,Log text\n,The execution failed\n", "line 2 names no row: its key is blank"),
    ],
)
def test_a_line_that_is_not_understood_refuses_before_anything_is_written(
    common: Flags, run: RunFolder, tmp_path: Path, text: str, says: str
) -> None:
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    errors = [error_file(tmp_path / "e.csv", text)]
    packages = ["ContactToCustomer/usmf-1"]
    with pytest.raises((UsageError, SourceError), match=says):
        confirm_import(common, str(run.run), errors=errors, packages=packages)
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before


def test_a_message_never_shows_what_stands_in_the_file(
    common: Flags, run: RunFolder, tmp_path: Path
) -> None:
    errors = [error_file(tmp_path / "e.csv", "Lovelace,ada@example.com\n")]
    with pytest.raises(UsageError, match="names no single row") as caught:
        confirm_import(common, str(run.run), errors=errors, packages=())
    assert "lovelace" not in str(caught.value).lower()


def test_a_row_that_was_confirmed_and_is_refused_later_fails_and_is_forgotten(
    common: Flags, run: RunFolder, tmp_path: Path
) -> None:
    confirm_import(common, str(run.run), errors=(), packages=())
    errors = [error_file(tmp_path / "late.csv", f"usmf,{number(2)}\n")]
    result = confirm_import(common, str(run.run), errors=errors, packages=())
    assert "1 row that had been confirmed before is failed now" in str(result.text)
    assert result.items == [{"confirmed": 0, "refused_late": 1}]
    assert outcomes(run) == {"created": PLANNED - 1, "failed": 1}
    assert (
        f"usmf/{number(2)}" not in memory(common, "ContactToCustomer")["destination_key"].to_list()
    )
    late = [one for one in read_journal(run.journal).entries if one.event == "refused_late"]
    assert [one.payload for one in late] == [
        {"rows": 1, "errors": [{"name": "late.csv", "sha256": hash_file(errors[0])}]}
    ]
    assert verify_run(common, str(run.run)).exit_code == 0
    again = confirm_import(common, str(run.run), errors=errors, packages=())
    assert again.items == [{"confirmed": 0, "refused_late": 0}]
    assert dict(collect_page_facts(run).about)["Refused late"].startswith("1 row confirmed")


def test_a_row_refused_late_that_was_there_before_is_sent_again_as_an_update(
    common: Flags, run: RunFolder, tmp_path: Path
) -> None:
    confirm_import(common, str(run.run), errors=(), packages=())
    plan_and_apply(common, PlanRequest(full=True, command="run"), report_nothing)
    second = find_runs(common.runs)[-1]
    confirm_import(common, str(second.run), errors=(), packages=())
    errors = [error_file(tmp_path / "late.csv", f"usmf,{number(2)}\n")]
    confirm_import(common, str(second.run), errors=errors, packages=())
    planned = plan_contacts(common, PlanRequest(), report_nothing).summary
    sent = [one for one in planned.actions if one.action != "unchanged"]
    assert [(one.task, one.action, one.rows) for one in sent] == [
        ("ContactToCustomer", "upsert", 1)
    ]


def test_what_another_run_loaded_since_is_not_forgotten(
    common: Flags, run: RunFolder, tmp_path: Path
) -> None:
    confirm_import(common, str(run.run), errors=(), packages=["ContactToCustomer/usmf-1"])
    plan_and_apply(common, PlanRequest(full=True, command="run"), report_nothing)
    second = find_runs(common.runs)[-1]
    confirm_import(common, str(second.run), errors=(), packages=())
    errors = [error_file(tmp_path / "late.csv", f"usmf,{number(2)}\n")]
    packages = ["ContactToCustomer/usmf-1"]
    confirm_import(common, str(run.run), errors=errors, packages=packages)
    assert memory(common, "ContactToCustomer")["run"].unique().to_list() == [str(second.run)]
    assert memory(common, "ContactToCustomer").height == CUSTOMERS


def test_every_unknown_package_is_named_even_when_nothing_waits(
    common: Flags, run: RunFolder
) -> None:
    confirm_import(common, str(run.run), errors=(), packages=())
    with pytest.raises(UsageError, match=r"--package usmf-9.*--package contacts/USMF-11.*It has "):
        confirm_import(common, str(run.run), errors=(), packages=["usmf-9", "contacts/USMF-11"])


def test_only_the_packages_that_were_imported_are_confirmed(common: Flags, run: RunFolder) -> None:
    confirm_import(
        common,
        str(run.run),
        errors=(),
        packages=["packages/ContactToCustomer/usmf-1.zip", "Contacts/usmf-2"],
    )
    assert outcomes(run) == {"created": 3, "written": PLANNED - 3}
    confirm_import(common, str(run.run), errors=(), packages=())
    assert outcomes(run) == {"created": PLANNED}
    with pytest.raises(UsageError, match="no such package"):
        confirm_import(common, str(run.run), errors=(), packages=["x"])


def test_a_second_confirmation_changes_nothing(common: Flags, run: RunFolder) -> None:
    confirm_import(common, str(run.run), errors=(), packages=())
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    result = confirm_import(common, str(run.run), errors=(), packages=())
    assert str(result.text).startswith("0 written rows")
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before


def test_a_key_that_an_earlier_run_loaded_is_updated_not_created(
    common: Flags, run: RunFolder
) -> None:
    confirm_import(common, str(run.run), errors=(), packages=())
    plan_and_apply(common, PlanRequest(full=True, command="run"), report_nothing)
    second = find_runs(common.runs)[-1]
    confirm_import(common, str(second.run), errors=(), packages=())
    assert outcomes(second) == {"updated": PLANNED}
    assert memory(common, "Contacts")["run"].unique().to_list() == [str(second.run)]
    assert memory(common, "Contacts").height == PERSONS


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("name\nAda\n", UsageError, "names no single row that this run sent"),
        ("contactid,CustomerAccount\n,\n", SourceError, "names no row"),
    ],
)
def test_an_error_file_that_says_nothing_is_refused_and_nothing_is_changed(
    common: Flags, run: RunFolder, tmp_path: Path, text: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        confirm_import(
            common, str(run.run), errors=[error_file(tmp_path / "e.csv", text)], packages=()
        )
    assert outcomes(run) == {"written": PLANNED}


def test_a_plan_that_was_not_applied_cannot_be_confirmed(common: Flags) -> None:
    plan_contacts(common, PlanRequest(), report_nothing)
    with pytest.raises(UsageError, match="was not applied yet"):
        confirm_import(common, "latest", errors=(), packages=())


def test_a_run_that_is_being_applied_is_left_alone(common: Flags, run: RunFolder) -> None:
    with filelock.FileLock(run.path / ".lock"), pytest.raises(Stopped, match="another process"):
        confirm_import(common, str(run.run), errors=(), packages=())


def test_killed_anywhere_it_goes_on_and_nobody_says_that_the_run_was_altered(
    common: Flags, home: Path, applied: Path, tmp_path: Path
) -> None:
    """``verify`` says that it was interrupted."""
    errors = error_file(tmp_path / "errors.csv", f"contactid,message\n{contactid(1)},no\n")
    codes = set()

    def confirm_first() -> None:
        confirm_import(common, str(find_runs(common.runs)[0].run), errors=[errors], packages=())

    for _ in kill_everywhere(confirm_first, every=3):
        run = find_runs(common.runs)[0]
        found = verify_run(common, str(run.run))
        codes.add(found.exit_code)
        interrupted = f"`p2c confirm {run.run}` with the same files" in str(found.text)
        assert interrupted is (found.exit_code == 3)
        confirm_first()
        assert verify_run(common, str(run.run)).exit_code == 0
        assert outcomes(run) == {"created": PLANNED - 1, "failed": 1}
        assert memory(common, "ContactToCustomer").height == CUSTOMERS - 1
        assert not list(run.path.glob("*-next.parquet"))
        assert not list(common.runs.rglob(".scratch-*"))
        shutil.rmtree(home / "runs")
        shutil.copytree(applied / "runs", home / "runs")
    assert codes == {0, 3}
