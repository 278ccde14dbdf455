"""A purge takes personal data out of old runs, and the proof still holds."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import filelock
import polars as pl
import pytest

from pipeline.audit import purge
from pipeline.commands.explain import explain_contact
from pipeline.commands.findings import write_repair_file
from pipeline.commands.options import Flags
from pipeline.commands.purge import describe_purge, list_purgeable, purge_runs
from pipeline.commands.reconcile import reconcile_run
from pipeline.commands.report import report_run
from pipeline.commands.retry import retry_run
from pipeline.commands.verify import verify_run
from pipeline.errors import InvariantBroken, Stopped, UsageError
from pipeline.events import report_nothing
from pipeline.report.facts import collect_page_facts
from pipeline.report.page import render_report
from pipeline.run.folder import RunFolder, find_runs
from tests.scenes.json_files import read_json
from tests.scenes.killing import Killed, kill_everywhere, killing
from tests.scenes.small import contactid


def personal(folder: Path) -> list[str]:
    """Files in which a name or mail of a contact can still be read."""
    found = []
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        text = (
            str(pl.read_parquet(path).to_dicts())
            if path.suffix == ".parquet"
            else path.read_bytes().decode("utf-8", "replace")
        )
        if path.suffix == ".zip" or any(
            name in text for name in ("Number1", "L" * 26, "@example.com")
        ):
            found.append(path.name)
    return found


def purged(common: Flags, run: RunFolder) -> None:
    purge_runs(list_purgeable(common, [str(run.run)], "0"), agreed=True)


def test_a_purged_run_is_not_reconciled(common: Flags, run: RunFolder) -> None:
    purged(common, run)
    with pytest.raises(UsageError, match="planned rows were purged, and nothing is left"):
        reconcile_run(common, str(run.run), scm=[], listener=report_nothing)


def test_no_personal_data_is_left_and_the_run_still_verifies(common: Flags, run: RunFolder) -> None:
    report_run(common, str(run.run), to=None, values=True, listener=lambda _: None)
    run.parts.mkdir()  # A process that was killed while Spark built packages left this.
    (run.parts / "package-000003-0a1b2c3d.zip").touch()
    assert len(personal(run.path)) > 5
    before = {
        name: read_json(run.summary)[name]
        for name in ("counts", "outcomes", "equations", "findings")
    }
    purged(common, run)
    assert personal(run.path) == []
    assert not run.parts.exists()
    assert verify_run(common, str(run.run)).exit_code == 0
    assert {name: read_json(run.summary)[name] for name in before} == before
    assert pl.read_parquet(run.decisions).height == 11


@pytest.mark.parametrize("age", ["3 fortnights", "-1", "d", "1e3", ""])
def test_an_age_that_is_none_is_refused_with_the_forms_that_are(common: Flags, age: str) -> None:
    with pytest.raises(UsageError, match=r"--older-than .*hours, days or weeks, as in 12h"):
        list_purgeable(common, [], age)
    assert list_purgeable(common, [], "1 week") == []


def test_nothing_is_removed_before_it_was_agreed_to(common: Flags, run: RunFolder) -> None:
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    result = purge_runs(list_purgeable(common, [], "0"), agreed=False)
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before
    assert "Nothing was removed" in str(result.text)
    assert result.items[0]["run"] == str(run.run)


def test_only_old_runs_are_chosen(common: Flags, run: RunFolder) -> None:
    began = datetime.strptime(run.run[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert purge.find_old(common.runs, lambda: began.replace(year=began.year + 1), 30)
    assert purge.find_old(common.runs, lambda: began, 30) == []


def test_what_a_stopped_extraction_left_goes_too_unless_it_goes_on(common: Flags) -> None:
    left = common.runs / "extracting" / "sales.example.com"
    left.mkdir(parents=True)
    (left / "contacts-1.csv").write_text("L" * 26, encoding="utf-8")
    assert purge.find_leftovers(common.runs, lambda: datetime.now(UTC), 1) == []
    found = list_purgeable(common, [], "0")
    assert (
        "extracting/sales.example.com  1 file, 26 bytes: an extraction that stopped"
        in describe_purge(found)
    )
    with filelock.FileLock(left / ".lock"), pytest.raises(Stopped, match="another process"):
        purge_runs(found, agreed=True)
    assert personal(common.runs / "extracting")
    purge_runs(found, agreed=True)
    assert not left.exists()


def test_a_second_purge_finds_nothing(common: Flags, run: RunFolder) -> None:
    purged(common, run)
    assert list_purgeable(common, [str(run.run)], "0") == []
    assert "No run that old" in str(purge_runs([], agreed=True).text)


def test_a_purge_that_was_stopped_goes_on(common: Flags, run: RunFolder) -> None:
    for path in run.path.glob("packages/*/*"):
        path.unlink()
    assert verify_run(common, str(run.run)).exit_code == 4
    purged(common, run)
    assert verify_run(common, str(run.run)).exit_code == 0


def test_corrected_rows_of_its_retries_go_too(
    common: Flags, run: RunFolder, tmp_path: Path
) -> None:
    write_repair_file(common, str(run.run), to=tmp_path / "r.csv")
    retry_run(
        common, str(run.run), correction=tmp_path / "r.csv", codes=(), listener=lambda _: None
    )
    assert personal(common.runs / "retries")
    purged(common, run)
    assert list((common.runs / "retries").iterdir()) == []
    assert (common.runs.parent / "source" / "contacts.csv").is_file()


def test_report_and_explain_say_that_values_are_gone(common: Flags, run: RunFolder) -> None:
    purged(common, run)
    page = render_report(collect_page_facts(run))
    assert "Personal data was purged on" in page
    assert "is missing" not in page
    text = str(explain_contact(common, contactid(1), str(run.run)).text)
    assert "PersonFirstName ← firstname → not known" in text
    assert "Personal data was purged on" in text


def test_a_run_with_a_broken_journal_is_left_as_it_is(common: Flags, run: RunFolder) -> None:
    run.journal.write_bytes(run.journal.read_bytes().replace(b"planned", b"Planned"))
    with pytest.raises(InvariantBroken, match="line 2: the chain does not hold"):
        purged(common, run)
    assert personal(run.path)


def test_killed_anywhere_it_goes_on_and_nobody_says_that_the_run_was_altered(
    common: Flags, home: Path, applied: Path
) -> None:
    """``verify`` says that it was interrupted."""
    codes = set()

    def purge_newest() -> None:
        purged(common, find_runs(common.runs)[0])

    for _ in kill_everywhere(purge_newest, every=2):
        run = find_runs(common.runs)[0]
        found = verify_run(common, str(run.run))
        codes.add(found.exit_code)
        interrupted = f"`p2c purge {run.run} --yes` finishes it" in str(found.text)
        assert interrupted is (found.exit_code == 3)
        purged(common, run)
        assert verify_run(common, str(run.run)).exit_code == 0
        assert personal(run.path) == []
        assert list_purgeable(common, [str(run.run)], "0") == []
        shutil.rmtree(home / "runs")
        shutil.copytree(applied / "runs", home / "runs")
    assert codes == {0, 3}


def test_what_is_altered_while_a_purge_is_interrupted_is_still_found(
    common: Flags, run: RunFolder
) -> None:
    with killing(12), pytest.raises(Killed):
        purged(common, run)
    assert verify_run(common, str(run.run)).exit_code == 3
    table = pl.read_parquet(run.findings)
    table.head(1).write_parquet(run.findings)
    assert verify_run(common, str(run.run)).exit_code == 4
