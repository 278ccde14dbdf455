"""Old runs lose their personal data when a new one is made, if the project says so."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline.commands.apply import plan_and_apply
from pipeline.commands.options import Flags
from pipeline.commands.plan import backfill_contacts, plan_contacts
from pipeline.commands.result import Result
from pipeline.commands.verify import verify_run
from pipeline.errors import ConfigurationError
from pipeline.events import Listener, Step
from pipeline.plan.request import PlanRequest
from pipeline.run.folder import EXTRACTING, RunFolder, find_runs
from tests.audit.test_purge import personal

OLD = "20200101T000000Z-abcd"
Command = Callable[[Flags, PlanRequest, Listener], Result]


@pytest.fixture
def old(run: RunFolder) -> RunFolder:
    """The applied run, as if it were years old."""
    return RunFolder(run.path.rename(run.path.with_name(OLD)))


def make_run(common: Flags, keep: str, command: Command = plan_and_apply) -> list[str]:
    """Make a run with this retention; what was told."""
    notes: list[str] = []

    def listen(step: Step) -> None:
        notes.extend([step.note] if "keep_values" in step.note else [])

    flags = replace(common, assignments=(f"run.keep_values={keep}",) if keep else ())
    command(flags, PlanRequest(command="run"), listen)
    return notes


@pytest.mark.parametrize("command", [plan_and_apply, plan_contacts, backfill_contacts])
def test_a_new_run_removes_personal_data_of_old_ones(
    common: Flags, old: RunFolder, command: Command
) -> None:
    assert personal(old.path)
    assert make_run(common, "30d", command) == [
        f"Removed personal data of run {OLD}, which is older than run.keep_values."
    ]
    assert personal(old.path) == []
    assert old.read_summary().purged
    assert make_run(common, "30d", command) == []
    newest = find_runs(common.runs)[-1]
    assert personal(newest.path)


@pytest.mark.parametrize("keep", ["", "9999d"])
def test_what_is_younger_or_has_no_limit_stays(common: Flags, old: RunFolder, keep: str) -> None:
    before = personal(old.path)
    assert make_run(common, keep) == []
    assert personal(old.path) == before


def test_an_unfinished_load_is_left_and_named(common: Flags, old: RunFolder) -> None:
    lines = old.journal.read_text().splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if '"apply_started"' in line)
    old.journal.write_text("".join(lines[: place + 1]))
    before = personal(old.path)
    (note,) = make_run(common, "30d")
    assert note == (
        f"Run {OLD} is older than run.keep_values and keeps its personal data, because its load is "
        f"unfinished: `p2c apply {OLD}` finishes it, `p2c purge {OLD}` gives it up."
    )
    assert personal(old.path) == before


def test_a_run_whose_journal_does_not_hold_is_left_and_named(common: Flags, old: RunFolder) -> None:
    old.journal.write_text(old.journal.read_text().replace("apply_started", "apply_begun", 1))
    (note,) = make_run(common, "30d")
    assert note.endswith(f"`p2c verify {OLD}` says more.")
    assert personal(old.path)


def test_what_a_stopped_extraction_left_goes_too(common: Flags) -> None:
    page = common.runs / EXTRACTING / "contoso" / "page.arrow"
    page.parent.mkdir(parents=True)
    page.write_text("Number1")
    os.utime(page, (1, 1))
    assert make_run(common, "12h") == [
        f"Removed {EXTRACTING}/contoso, which is older than run.keep_values."
    ]
    assert not page.exists()


@pytest.mark.parametrize("keep", ["forever", "-1d", "99999999d", "99999w", "30 fortnights"])
def test_a_retention_is_a_length_of_time(common: Flags, keep: str) -> None:
    with pytest.raises(ConfigurationError, match=r"run\.keep_values: must be hours, days or weeks"):
        make_run(common, keep)


def test_the_new_run_still_verifies(common: Flags, old: RunFolder) -> None:
    make_run(common, "1d")
    for one in find_runs(common.runs):
        if one.run != old.run:
            assert verify_run(common, str(one.run)).exit_code == 0
