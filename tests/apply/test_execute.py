"""Applying a plan: refused when it no longer holds; stopped anywhere, it ends the same."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import filelock
import polars as pl
import pytest

from pipeline.apply.execute import apply_plan
from pipeline.commands.options import Flags
from pipeline.errors import InvariantBroken, PlanRefused, Stopped
from pipeline.events import Step, report_nothing
from pipeline.plan.make import make_plan
from pipeline.plan.request import PlanRequest
from pipeline.project.resolve import Project, load_project
from pipeline.run.facts import make_blank_facts
from pipeline.run.files import try_lock, write_json
from pipeline.run.folder import RunFolder, build_run
from pipeline.run.journal import Journal, read_journal
from tests.scenes.json_files import read_json
from tests.scenes.places import ROOT, UNCOMPILED
from tests.scenes.small import CUSTOMERS, PERSONS, PROJECT, write_small

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PLAIN = Flags()
PACKAGES = -(-CUSTOMERS // 2) + -(-PERSONS // 2)


class Halt(BaseException):
    """What a test stops an apply with; no code catches it."""


def clock() -> datetime:
    return START


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a source, a project file and one plan."""
    home = tmp_path_factory.mktemp("apply")
    project = write_small(home / "source")
    make_plan(load_project(project), PlanRequest(), home / "runs", clock, report_nothing)
    return home


@pytest.fixture
def run(made: Path, tmp_path: Path) -> RunFolder:
    """A copy of that plan, to be spoiled."""
    shutil.copytree(made / "runs", tmp_path / "runs")
    return RunFolder(next(path for path in (tmp_path / "runs").iterdir() if path.is_dir()))


def applied(
    run: RunFolder, common: Flags = PLAIN, at: Callable[[], datetime] = clock
) -> dict[str, Any]:
    return apply_plan(run, lambda: common.today(run.facts()), at, report_nothing).as_json()


def signed(run: RunFolder, **changes: Any) -> None:
    """Change what ``run.json`` says, and make the journal agree."""
    write_json(run.run_json, {**run.facts().as_json(), **changes})
    files = read_journal(run.journal).entries[0].payload["files"] | {
        "run.json": hashlib.sha256(run.run_json.read_bytes()).hexdigest()
    }
    run.journal.unlink()
    with Journal.open(run.journal, clock) as journal:
        written = journal.append("planned", run=str(run.run), files=files, balanced=True)
    write_json(run.summary, {**read_json(run.summary), "journal": written})


def end_state(run: RunFolder) -> dict[str, object]:
    """What an apply leaves, but for times and the journal's hash."""
    packages = {path.name: path.read_bytes() for path in sorted(run.packages.glob("*/*.zip"))}
    facts = {key: value for key, value in read_json(run.summary).items() if key != "journal"}
    return {
        "packages": packages,
        "facts": facts,
        "batches": pl.read_parquet(run.batches).drop("finished_at").to_dicts(),
        "outcomes": pl.read_parquet(run.outcomes).to_dicts(),
        "partial": [path.name for path in run.path.rglob("*.partial")],
    }


def test_a_plan_is_applied_to_packages_with_an_outcome_for_every_row(run: RunFolder) -> None:
    facts = applied(run)
    assert facts["outcomes"]["written"] == CUSTOMERS + PERSONS
    assert facts["outcomes"]["pending"] == 0
    assert len(list(run.packages.glob("*/*.zip"))) == PACKAGES
    events = [entry.event for entry in read_journal(run.journal).entries]
    assert events == ["planned", "apply_started", *["package_written"] * PACKAGES, "applied"]
    assert facts["journal"] == read_journal(run.journal).last_hash
    batches = pl.read_parquet(run.batches)
    assert batches["status"].unique().to_list() == ["written"]
    assert batches["rows"].sum() == CUSTOMERS + PERSONS
    for row in batches.iter_rows(named=True):
        content = (run.path / row["file"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (row["bytes"], row["sha256"])


def test_a_plan_that_was_applied_to_the_end_is_only_looked_at_again(run: RunFolder) -> None:
    first = applied(run)
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    assert applied(run) == first
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before


@pytest.fixture(scope="module")
def whole(made: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """The end state of an apply that nothing stopped."""
    home = tmp_path_factory.mktemp("whole")
    shutil.copytree(made / "runs", home / "runs")
    run = RunFolder(next(path for path in (home / "runs").iterdir() if path.is_dir()))
    applied(run)
    return end_state(run)


@pytest.mark.parametrize("step", range(PACKAGES + 2))
def test_stopped_before_any_line_of_the_journal_the_same_command_goes_on(
    run: RunFolder, whole: dict[str, object], step: int
) -> None:
    left = step

    def stopping() -> datetime:
        nonlocal left
        if not left:
            raise Halt
        left -= 1
        return START

    with pytest.raises(Halt):
        applied(run, at=stopping)
    assert len(read_journal(run.journal).entries) == 1 + step
    applied(run)
    assert end_state(run) == whole


@pytest.mark.parametrize("step", range(1, PACKAGES + 1))
def test_stopped_after_any_package_the_same_command_goes_on(
    run: RunFolder, whole: dict[str, object], step: int
) -> None:
    def stopping(event: Step) -> None:
        if event.done == step:
            raise Halt

    with pytest.raises(Halt):
        apply_plan(run, lambda: PLAIN.today(run.facts()), clock, stopping)
    applied(run)
    assert end_state(run) == whole
    events = [entry.event for entry in read_journal(run.journal).entries]
    assert events.count("package_written") == PACKAGES, "no package is written twice"
    assert "apply_resumed" in events


def test_nobody_else_starts_a_run_between_the_last_look_and_the_start(run: RunFolder) -> None:
    """Else two plans for the same rows are both sent, and each says that it created them."""
    seen = []

    def today() -> Project:
        with try_lock(run.path.parent / ".starting.lock") as is_free:
            seen.append((is_free, len(read_journal(run.journal).entries)))
        return PLAIN.today(run.facts())

    def looking(_event: Step) -> None:
        with try_lock(run.path.parent / ".starting.lock") as is_free:
            seen.append((is_free, 0))

    apply_plan(run, today, clock, looking)
    assert seen[0] == (False, 1)
    assert {is_free for is_free, _ in seen[1:]} == {True}


@pytest.mark.parametrize("name", ["batches.parquet", "outcomes.parquet", "summary.json"])
def test_stopped_before_any_result_the_same_command_goes_on(
    run: RunFolder, whole: dict[str, object], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopping(path: Path, target: Path) -> Path:
        if Path(target).name == name:
            raise Halt
        return original(path, target)

    original = Path.replace
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stopping)
        with pytest.raises(Halt):
            applied(run)
    applied(run)
    assert end_state(run) == whole


KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline.apply.execute import apply_plan
from pipeline.commands.options import Flags, read_clock
from pipeline.run.folder import RunFolder
run = RunFolder(Path(sys.argv[1]))
def stop(step):
    if step.done == 2:
        os.kill(os.getpid(), signal.SIGKILL)
apply_plan(run, lambda: Flags().today(run.facts()), read_clock, stop)
"""


def test_a_killed_process_leaves_a_run_that_goes_on(
    run: RunFolder, whole: dict[str, object]
) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(run.path)], check=False, cwd=ROOT)
    assert ended.returncode == -signal.SIGKILL
    with run.journal.open("ab") as file:
        file.write(b'{"at":"2026-')  # and the line it was writing was torn
    applied(run)
    assert end_state(run) == whole


def test_a_package_that_the_journal_does_not_know_is_written_anew(
    run: RunFolder, whole: dict[str, object]
) -> None:
    stray = run.packages / "Contacts" / "usmf-1.zip"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"half a package")
    applied(run)
    assert end_state(run) == whole


def test_two_processes_do_not_apply_one_run(run: RunFolder) -> None:
    with (
        filelock.FileLock(run.path / ".lock"),
        pytest.raises(Stopped, match="another process is applying this run"),
    ):
        applied(run)


@pytest.mark.parametrize(
    "name",
    ["run.json", "decisions.parquet", "findings.parquet", "rows/Contacts/part-00001.parquet"],
)
def test_an_altered_or_missing_file_of_the_plan_is_refused(run: RunFolder, name: str) -> None:
    path = run.path / name
    content = path.read_bytes()
    path.write_bytes(content + b"\n")
    with pytest.raises(InvariantBroken, match=f"{name} was altered after the plan was made"):
        applied(run)
    if name != "run.json":
        path.unlink()
        with pytest.raises(InvariantBroken, match=f"{name} is missing"):
            applied(run)
    assert not run.packages.exists()


def test_all_altered_files_are_named_at_once(run: RunFolder) -> None:
    run.decisions.unlink()
    run.findings.unlink()
    with pytest.raises(InvariantBroken) as refused:
        applied(run)
    assert refused.value.message.endswith("Nothing was sent. Plan again.")
    assert "decisions.parquet is missing" in refused.value.message
    assert "findings.parquet is missing" in refused.value.message


def test_a_plan_altered_after_the_apply_began_breaks_an_invariant(run: RunFolder) -> None:
    with Journal.open(run.journal, clock) as journal:
        journal.append("apply_started", run=str(run.run))
    run.findings.unlink()
    with pytest.raises(InvariantBroken, match=r"findings\.parquet is missing.*applied before"):
        applied(run)


def test_a_journal_that_lost_its_end_is_refused(run: RunFolder) -> None:
    write_json(run.summary, {**read_json(run.summary), "journal": "0" * 64})
    with pytest.raises(InvariantBroken, match="the journal lost the line"):
        applied(run)


def test_a_changed_journal_breaks_an_invariant(run: RunFolder) -> None:
    run.journal.write_bytes(
        run.journal.read_bytes().replace(b'"balanced":true', b'"balanced":null') + b"{}\n"
    )
    with pytest.raises(InvariantBroken, match="line 2: the chain does not hold"):
        applied(run)


def written(run: RunFolder, project: str) -> Flags:
    """A project file next to the run, and the flags that name it."""
    path = run.path.parent / "p2c.toml"
    path.write_text(project, encoding="utf-8")
    return Flags(project=path)


MAPPED = '[tasks.Contacts.fields.PrimaryAddressCity]\nsource = "address1_county"\n'


@pytest.mark.parametrize(
    ("project", "reason"),
    [
        (PROJECT.replace("usmf", "demf"), r"destination\.legal_entity \(was 'usmf', is 'demf'\)"),
        (
            PROJECT.replace('currency = "EUR"', ""),
            r"destination\.currency \(was 'EUR', is not set\)",
        ),
        (PROJECT + 'contacts_label = "Dataverse Contacts"', r"destination\.contacts_label"),
        (
            PROJECT + '[organizations]\nGermany = "demf"',
            r"organizations\.Germany \(was not set, is 'demf'\)",
        ),
        (PROJECT + '[countries]\nDeutschlnd = "DE"', r"countries\.Deutschlnd"),
        (PROJECT + MAPPED, r"template Contacts \(PrimaryAddressCity\)"),
        (
            PROJECT + "[tasks.ContactToCustomer.fields.SiteId]\ndefault = 1",
            r"template ContactToCustomer \(SiteId\)",
        ),
        (
            PROJECT + "[tasks.Contacts.fields.Notes]\nunmapped = true",
            r"template Contacts \(Notes\)",
        ),
    ],
)
def test_a_project_that_changed_since_is_refused_by_name(
    run: RunFolder, project: str, reason: str
) -> None:
    with pytest.raises(PlanRefused, match=f"changed since the plan was made: {reason}"):
        applied(run, written(run, project))
    assert not run.packages.exists()


def test_all_that_changed_is_named_at_once(run: RunFolder) -> None:
    with pytest.raises(
        PlanRefused,
        match=(
            r"destination\.legal_entity .*; template Contacts \(PrimaryAddressCity\)\. Plan "
            r"again"
        ),
    ):
        applied(run, written(run, PROJECT.replace("usmf", "demf") + MAPPED))


@pytest.mark.parametrize(
    "project",
    [
        PROJECT + "[run]\nmorsel_rows = 77\n",
        PROJECT.replace('path = "."', 'path = "elsewhere"'),
        "# a comment\n" + PROJECT,
        PROJECT + '[tasks.Contacts.fields.Notes]\nsource = "description"\n',
    ],
    ids=["run settings", "where exports lie", "comment", "a row that says what is shipped"],
)
def test_what_does_not_decide_the_output_may_change(run: RunFolder, project: str) -> None:
    assert applied(run, written(run, project))["applied"]


def test_the_environment_and_flags_of_today_count_too(run: RunFolder) -> None:
    with pytest.raises(PlanRefused, match=r"destination\.legal_entity \(was 'usmf', is 'demf'\)"):
        applied(run, Flags(environment=(("P2C_DESTINATION_LEGAL_ENTITY", "demf"),)))
    with pytest.raises(PlanRefused, match=r"destination\.currency \(was 'EUR', is 'DKK'\)"):
        applied(run, Flags(assignments=("destination.currency=DKK",)))


def test_flags_and_variables_of_the_plan_need_not_be_said_again(made: Path, tmp_path: Path) -> None:
    project = load_project(
        made / "source" / "p2c.toml",
        assignments=[
            "destination.legal_entity=demf",
            'tasks.Contacts.fields.SpouseName={source="spousesname"}',
        ],
        environment={"P2C_DESTINATION_CURRENCY": "DKK"},
    )
    run = make_plan(project, PlanRequest(), tmp_path / "runs", clock, report_nothing)
    assert applied(run)["applied"]


def test_a_project_file_that_is_gone_can_be_named(run: RunFolder, made: Path) -> None:
    signed(run, project=str(run.path / "gone.toml"))
    with pytest.raises(PlanRefused, match="project file of the plan is gone"):
        applied(run)
    assert applied(run, Flags(project=made / "source" / "p2c.toml"))["applied"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("sql", "the SQL of p2c"),
        ("schemas", "the schemas of p2c"),
        ("mapping", "the mapping code of p2c"),
        ("transform", "the transform code of p2c"),
        ("lists", "the shipped templates and country lists of p2c"),
        ("template Contacts", "template Contacts"),
    ],
)
def test_another_version_of_what_decides_is_refused_by_name(
    run: RunFolder, name: str, reason: str
) -> None:
    signed(run, fingerprints={**run.facts().fingerprints, name: "0" * 64})
    with pytest.raises(PlanRefused, match=f"changed since the plan was made: {reason}. Plan again"):
        applied(run)


def test_a_started_apply_may_always_be_finished(run: RunFolder, whole: dict[str, object]) -> None:
    def stopping(_: Step) -> None:
        raise Halt

    signed(run, live_source=True)
    with pytest.raises(Halt):
        apply_plan(run, lambda: PLAIN.today(run.facts()), clock, stopping)
    late = Flags(project=run.path / "gone.toml", assignments=("destination.legal_entity=demf",))
    apply_plan(
        run, lambda: late.today(run.facts()), lambda: START + timedelta(days=99), report_nothing
    )
    assert end_state(run) == whole


def test_age_counts_for_live_sources_only(run: RunFolder) -> None:
    late = START + timedelta(hours=24, seconds=1)
    signed(run, live_source=True)
    with pytest.raises(PlanRefused, match=r"older than run\.max_plan_age \(24h\)"):
        applied(run, at=lambda: late)
    signed(run, live_source=False)
    assert applied(run, at=lambda: late)["applied"]


def test_age_counts_from_when_the_rows_were_read(run: RunFolder) -> None:
    """They may be older than the plan: its extraction went on after a stop."""
    read_since = (START - timedelta(hours=3)).isoformat()
    signed(run, live_source=True, sales={"read_since": read_since})
    with pytest.raises(PlanRefused, match="its rows were read from 2026-01-02 00:04 UTC on"):
        applied(run, at=lambda: START + timedelta(hours=21, seconds=1))
    assert applied(run, at=lambda: START + timedelta(hours=20))["applied"]


def test_a_live_plan_of_a_time_still_to_come_is_refused(run: RunFolder) -> None:
    """The clock was set back, so nobody knows how old it is."""
    signed(run, live_source=True)
    with pytest.raises(PlanRefused, match="is still to come by the clock of this machine"):
        applied(run, at=lambda: START - timedelta(hours=1))
    assert applied(run, at=lambda: START - timedelta(minutes=1))["applied"]


def test_a_live_plan_of_less_age_is_applied(run: RunFolder) -> None:
    signed(run, live_source=True)
    assert applied(run, at=lambda: START + timedelta(hours=23, minutes=59))["applied"]


def test_a_changed_value_map_file_is_refused_and_an_equal_one_is_not(tmp_path: Path) -> None:
    project = write_small(
        tmp_path / "source",
        PROJECT
        + (
            "[tasks.ContactToCustomer.fields.SiteId]\nsource = "
            '"address1_country"\nvalue_map_file = '
            '"sites.csv"\n'
        ),
    )
    (project.parent / "sites.csv").write_text("country,site\nDE,2\n")
    run = make_plan(load_project(project), PlanRequest(), tmp_path / "runs", clock, report_nothing)
    value: Any = run.facts().settings["tasks.ContactToCustomer.fields.SiteId"].value
    assert value["value_map"] == {"DE": "2"}
    (project.parent / "sites.csv").write_text("country,site\nDE,3\n")
    with pytest.raises(PlanRefused, match=r"template ContactToCustomer \(SiteId\)"):
        applied(run)
    (project.parent / "sites.csv").write_text('"Country";"Site"\n"DE";"2"\n')
    assert applied(run)["applied"]


@pytest.mark.parametrize("name", ["reading accounts", "planning"])
def test_a_plan_that_is_stopped_leaves_nothing(made: Path, tmp_path: Path, name: str) -> None:
    def stopping(step: Step) -> None:
        if step.name == name:
            raise Halt

    with pytest.raises(Halt):
        make_plan(
            load_project(made / "source" / "p2c.toml"),
            PlanRequest(),
            tmp_path / "runs",
            clock,
            stopping,
        )
    assert list((tmp_path / "runs").iterdir()) == []


def test_what_a_killed_process_left_is_cleared_and_what_a_living_one_makes_is_not(
    tmp_path: Path,
) -> None:
    killed, living = (
        tmp_path / ".20260101T000000Z-dead.partial",
        tmp_path / ".20260101T000000Z-beef.partial",
    )
    for path in (killed, living):
        path.mkdir()
        path.with_suffix(".lock").touch()
        (path / "decisions.parquet").touch()
    with (
        filelock.FileLock(living.with_suffix(".lock")),
        build_run(tmp_path, make_blank_facts("20260101T000000Z-0000")) as made,
    ):
        assert not killed.exists()
        assert (living / "decisions.parquet").exists()
        assert made.path.name == ".20260101T000000Z-0000.partial"
        assert list(made.path.iterdir()) == [made.run_json]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".20260101T000000Z-beef.lock", ".20260101T000000Z-beef.partial", "20260101T000000Z-0000",
    ]  # fmt: skip


def test_a_full_disk_stops_the_apply_and_the_same_command_goes_on(
    run: RunFolder, whole: dict[str, object]
) -> None:
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (900, 900)); "
        "from pipeline.cli.app import main; sys.exit(main(sys.argv[1:]))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, "apply", "latest", "--runs", str(run.path.parent), "--json"],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "P2C_TRACEBACK": "", **UNCOMPILED},
    )
    assert ended.returncode == 3, ended.stderr
    assert json.loads(ended.stdout)["error"]["code"] == "stopped"
    assert "the file grew over the size limit" in ended.stderr
    assert not list(run.path.rglob("*.partial"))
    applied(run)
    assert end_state(run) == whole
