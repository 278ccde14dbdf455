"""Run folders that p2c 0.1.0 wrote are still read by every command.

``data/earlier`` are five runs of the small source: contacts, applied; a retry; an undo; a backfill,
applied; its undo. That version called a retry main in ``run.json``.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.run.evidence import gather_evidence
from pipeline.run.facts import Kind
from pipeline.run.folder import RunFolder, find_run, find_runs
from tests.scenes.command_line import P2c
from tests.scenes.small import contactid, write_small

EARLIER = Path(__file__).parent / "data" / "earlier"
MAIN, RETRY, UNDO, BACKFILL, BACKFILL_UNDO = sorted(path.name for path in EARLIER.glob("2*"))
EVERY = (MAIN, RETRY, UNDO, BACKFILL, BACKFILL_UNDO)


@pytest.fixture
def there(p2c: P2c, tmp_path: Path) -> P2c:
    """A copy of the runs, and their project, where commands look for them."""
    _ = p2c
    shutil.copytree(EARLIER, tmp_path / "runs")
    write_small(tmp_path)
    return p2c


def test_the_files_are_read_with_blanks_for_what_they_did_not_say() -> None:
    facts, summary = find_run(EARLIER, UNDO).facts(), find_run(EARLIER, UNDO).read_summary()
    assert (facts.kind, facts.undo_of) == (Kind.UNDO, MAIN)
    assert (facts.columns, facts.backfill, facts.sales.system) == ({}, None, "")
    assert (summary.value_maps, summary.forecast.bytes, summary.retry_of) == ((), 0, None)
    assert (
        find_run(EARLIER, BACKFILL).facts().backfill
        == find_run(EARLIER, BACKFILL).read_summary().numbers
    )


def test_a_retry_of_that_version_is_one_whatever_its_run_json_says() -> None:
    run = find_run(EARLIER, RETRY)
    assert run.facts().kind is Kind.MAIN
    assert gather_evidence(run).kind is Kind.RETRY
    assert run.read_summary().retry_of == MAIN


@pytest.mark.parametrize("run", EVERY)
def test_nothing_is_wrong_with_them(there: P2c, run: str) -> None:
    answer = there("verify", run)
    assert "The run folder is as it was written." in answer.out
    assert answer.code == 0
    assert gather_evidence(find_run(EARLIER, run)).troubles == []


def test_they_are_listed(there: P2c) -> None:
    kinds = [line.split()[1] for line in there("runs").out.splitlines()]
    assert kinds == ["main", "retry", "undo", "backfill", "undo"]


@pytest.mark.parametrize("run", EVERY)
def test_they_have_a_page(there: P2c, run: str) -> None:
    answer = there("report", run)
    page = (RunFolder(Path("runs") / run).path / "report.html").read_text(encoding="utf-8")
    assert answer.code == 0
    assert "What cannot be shown in full" not in page
    assert "user on host" in page or run in (UNDO, BACKFILL_UNDO)


def test_contacts_are_explained(there: P2c) -> None:
    story = there("explain", contactid(11), "--run", MAIN).out
    assert "rejected/too_long" in story
    assert (
        f"earlier       {MAIN}, main: rejected/too_long"
        in there("explain", contactid(11), "--run", RETRY).out
    )
    assert "gets a Contact Number" in there("explain", contactid(10), "--run", BACKFILL).out
    assert there("explain", contactid(1), "--run", UNDO).err.endswith(f"contact in {MAIN}.\n")


def test_findings_are_grouped_and_written(there: P2c, tmp_path: Path) -> None:
    assert "too_long" in there("findings", MAIN).out
    assert there("findings", MAIN, "--repair", tmp_path / "repair.csv").code == 0
    assert "contactid" in (tmp_path / "repair.csv").read_text(encoding="utf-8-sig")


def test_they_are_retried(there: P2c) -> None:
    answer = there("retry", MAIN, "--project", "p2c.toml")
    assert answer.code == 1
    assert f"This plan retries 2 contacts of {MAIN}." in answer.out


def test_they_are_undone(there: P2c) -> None:
    assert f"Undo of {MAIN}" in there("undo", MAIN).out
    assert there("undo", BACKFILL, "--project", "p2c.toml", "--source", ".").code == 0


def test_what_follows_an_apply_writes_them_in_the_form_of_today(there: P2c) -> None:
    assert "8 written rows were confirmed" in there("confirm", MAIN).out
    assert there("verify", MAIN).code == 0
    assert there("purge", MAIN, BACKFILL, "--yes").code == 0
    for run in (MAIN, BACKFILL):
        assert there("verify", run).code == 0
        assert find_run(Path("runs"), run).read_summary().purged


def test_an_applied_plan_is_only_looked_at_and_one_of_other_code_is_refused(there: P2c) -> None:
    assert "nothing was done now" in there("apply", MAIN).out
    assert "made by another version of p2c" in there("apply", RETRY, "--project", "p2c.toml").err
    assert len(find_runs(Path("runs"))) == len(EVERY)
