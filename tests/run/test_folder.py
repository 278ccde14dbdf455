"""A run folder says what it is going to be before anything else is in it."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import filelock
import pytest

from pipeline.backfill.planning import make_backfill
from pipeline.commands.options import Flags, read_clock
from pipeline.commands.plan import plan_contacts
from pipeline.commands.retry import retry_run
from pipeline.events import Step
from pipeline.plan.make import make_plan
from pipeline.plan.request import PlanRequest
from pipeline.run.facts import Kind, RunFacts
from pipeline.run.folder import LATEST, Clock, RunFolder, find_run, find_runs, make_run_id
from tests.scenes.places import ROOT

STEPS = ("reading contacts", "looking for repeats", "planning")


def in_the_making(runs: Path) -> RunFacts:
    """The one run that is being made, as a killed process would leave it."""
    [partial] = [path for path in runs.glob(".*.partial") if path.is_dir()]
    return RunFolder(partial).facts()


@pytest.mark.parametrize("kind", [Kind.MAIN, Kind.RETRY, Kind.BACKFILL])
def test_a_plan_says_at_every_step_what_it_is_going_to_be(
    common: Flags, run: RunFolder, kind: Kind
) -> None:
    heard: dict[str, RunFacts] = {}

    def listen(step: Step) -> None:
        heard.setdefault(step.name, in_the_making(common.runs))

    match kind:
        case Kind.MAIN:
            make_plan(common.load(), PlanRequest(), common.runs, read_clock, listen)
        case Kind.RETRY:
            retry_run(common, run.run, correction=None, codes=(), listener=listen)
        case _:
            make_backfill(
                common.load(), PlanRequest(command="backfill"), common.runs, read_clock, listen
            )
    made = find_runs(common.runs)[-1].facts()
    assert heard.keys() >= set(STEPS)
    assert {one.kind for one in heard.values()} == {made.kind} == {kind}
    assert {one.retry_of for one in heard.values()} == {made.retry_of}
    assert {one.run for one in heard.values()} == {made.run}


KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.commands.retry import retry_run
def stop(step):
    if step.name == sys.argv[4]:
        os.kill(os.getpid(), signal.SIGKILL)
flags = Flags(project=Path(sys.argv[1]), runs=Path(sys.argv[2]))
retry_run(flags, sys.argv[3], correction=None, codes=(), listener=stop)
"""


@pytest.mark.parametrize("step", STEPS)
def test_a_retry_that_was_killed_says_that_it_was_one(
    common: Flags, run: RunFolder, step: str
) -> None:
    words = [str(common.project), str(common.runs), run.run, step]
    ended = subprocess.run([sys.executable, "-c", KILLED, *words], check=False, cwd=ROOT)
    assert ended.returncode == -signal.SIGKILL
    left = in_the_making(common.runs)
    assert (left.kind, left.retry_of, left.command) == (Kind.RETRY, run.run, "retry")
    assert left.settings == common.load().effective()
    assert [one.run for one in find_runs(common.runs)] == [run.run]


def tell(moment: datetime) -> Clock:
    """A clock that stands still."""
    return lambda: moment


@pytest.mark.parametrize("later", [timedelta(hours=-1), timedelta(0), timedelta(seconds=1)])
def test_latest_is_the_run_that_was_made_last_whatever_the_clock_says(
    tmp_path: Path, later: timedelta
) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    for number in range(5):
        made = make_run_id(tell(moment + number * later), tmp_path)
        (tmp_path / made).mkdir()
        assert find_run(tmp_path, LATEST).run == made


def test_what_killed_commands_left_is_removed_unless_somebody_works_there(
    common: Flags, run: RunFolder
) -> None:
    left = [
        run.path / ".summary.json.partial",
        run.path / "answers" / "Contacts" / ".usmf-1.parquet.partial",
        common.runs / "loaded" / "test" / ".scratch-1" / "part",
        common.runs / "loaded" / "test" / ".Contacts-1.rows",
        common.runs / ".20260102T030405Z-abcd.lock",
        common.runs / ".undoing-1a2b" / "landed" / "contacts.parquet",
        common.runs / ".reconciling-20260102T030405Z-abcd" / "Contacts.parquet",
    ]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    with filelock.FileLock(run.path / ".lock"):
        plan_contacts(common, PlanRequest(), lambda _: None)
        assert [path for path in left if path.exists()] == left[:2]
    plan_contacts(common, PlanRequest(), lambda _: None)
    assert [path for path in left if path.exists()] == []
    assert not (common.runs / "loaded" / "test" / ".scratch-1").exists()
    assert list(common.runs.glob(".*ing-*")) == []


def test_copies_of_conflicts_are_no_planned_rows(tmp_path: Path) -> None:
    rows = RunFolder(tmp_path).rows("Contacts")
    rows.mkdir(parents=True)
    names = ["part-00001.parquet", "part-00002.parquet"]
    for name in [*names, "part-00001-DESKTOP-1.parquet", "part-00001 (1).parquet"]:
        (rows / name).touch()
    found = RunFolder(tmp_path)
    assert [path.name for path in found.rows_files("Contacts")] == names
    assert found.list_all_rows() == found.rows_files("Contacts")
