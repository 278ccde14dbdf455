"""run.json and summary.json: one form for every kind of run, read with care."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.backfill.planning import make_backfill
from pipeline.backfill.undo_on_files import plan_undo_on_files
from pipeline.commands.apply import apply_run
from pipeline.commands.options import Flags, read_clock
from pipeline.commands.retry import retry_run
from pipeline.commands.undo import undo_run
from pipeline.errors import UsageError
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.run.evidence import gather_evidence
from pipeline.run.facts import Kind
from pipeline.run.files import write_json
from pipeline.run.folder import RunFolder, find_run
from tests.scenes.command_line import P2c
from tests.scenes.json_files import read_json
from tests.scenes.small import contactid

Change = Callable[[dict[str, Any]], object]


def every_kind(common: Flags, run: RunFolder) -> list[RunFolder]:
    """One run of each kind, and the undo of each kind that has one."""
    project = common.load()
    retried = retry_run(common, str(run.run), correction=None, codes=(), listener=report_nothing)
    filled = make_backfill(
        project, PlanRequest(command="backfill"), common.runs, read_clock, report_nothing
    )
    apply_run(common, str(filled.run), report_nothing)
    undone = undo_run(common, str(run.run)).summary.run
    return [
        run,
        find_run(common.runs, retried.summary.run),
        filled,
        find_run(common.runs, undone),
        plan_undo_on_files(filled, project, read_clock, report_nothing),
    ]


def test_both_files_have_the_same_fields_for_every_kind_and_tell_the_same_kind(
    common: Flags, run: RunFolder
) -> None:
    made = every_kind(common, run)
    kinds = [Kind.MAIN, Kind.RETRY, Kind.BACKFILL, Kind.UNDO, Kind.UNDO]
    for name in ("run.json", "summary.json"):
        written = [read_json(one.path / name) for one in made]
        assert [one["kind"] for one in written] == kinds
        assert [list(one) for one in written] == [list(written[0])] * len(made)
        assert [one["retry_of"] for one in written] == [None, run.run, None, None, None]
        assert [one["undo_of"] for one in written] == [None, None, None, run.run, made[2].run]


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("run.json", lambda one: one.pop("kind"), r"run\.json, kind: is missing\."),
        ("run.json", lambda one: one.update(kind="side"), r"run\.json, kind: must be 'main', "),
        ("run.json", lambda one: one.update(started_at="soon"), r"run\.json, started_at: "),
        ("run.json", lambda one: one.update(settings=[]), r"run\.json, settings: "),
        (
            "run.json",
            lambda one: one["sources"][1].pop("rows"),
            r"run\.json, sources\.1\.rows: is missing\.",
        ),
        ("summary.json", lambda one: one.pop("counts"), r"summary\.json, counts: is missing\."),
        (
            "summary.json",
            lambda one: one["equations"][0].update(left="many"),
            r"summary\.json, equations\.0\.left: must be a whole number\.",
        ),
        ("summary.json", lambda one: one.update(verdict="fine"), r"summary\.json, verdict: must"),
    ],
)
def test_a_file_that_is_not_whole_is_a_sentence_that_names_file_and_field(
    run: RunFolder, name: str, change: Change, sentence: str
) -> None:
    content = read_json(run.path / name)
    change(content)
    write_json(run.path / name, content)
    with pytest.raises(UsageError, match=sentence):
        (run.facts if name == "run.json" else run.read_summary)()


def test_all_fields_that_are_wrong_are_named_at_once(run: RunFolder) -> None:
    content = read_json(run.run_json)
    del content["kind"], content["settings"]
    write_json(run.run_json, content)
    with pytest.raises(UsageError, match=r"(?s)kind: is missing.*settings: is missing"):
        run.facts()


def test_fields_of_other_versions_are_ignored(run: RunFolder) -> None:
    facts, summary = run.facts(), run.read_summary()
    for path in (run.run_json, run.summary):
        write_json(path, {**read_json(path), "of_tomorrow": [1]})
    assert (run.facts(), run.read_summary()) == (facts, summary)


def test_what_is_written_is_what_was_read(run: RunFolder) -> None:
    before = run.run_json.read_bytes(), run.summary.read_bytes()
    run.write_facts(run.facts())
    run.write_summary(run.read_summary())
    assert (run.run_json.read_bytes(), run.summary.read_bytes()) == before


def test_a_field_is_replaced_by_a_value_that_may_be_and_by_no_other(run: RunFolder) -> None:
    summary = run.read_summary()
    assert summary.replace(verdict="broken").verdict == "broken"
    assert summary.verdict == "attention"
    with pytest.raises(ValidationError):
        summary.replace(verdict="fine")
    with pytest.raises(TypeError, match="Summary has no verdikt"):
        summary.replace(verdikt="broken")


def test_evidence_keeps_what_can_be_read_and_says_what_cannot(run: RunFolder) -> None:
    content = read_json(run.summary)
    del content["outcomes"]
    content["equations"][0]["left"] = "many"
    write_json(run.summary, content)
    evidence = gather_evidence(run)
    assert evidence.summary.counts == content["counts"]
    assert evidence.summary.equations == ()
    assert evidence.summary_says == content.keys() - {"equations"}
    [trouble] = [one.sentence for one in evidence.troubles if one.file == "summary.json"]
    assert trouble.startswith("summary.json does not say equations, outcomes: another version")


@pytest.mark.parametrize(
    "words",
    [
        ("apply", "latest", "--yes"),
        ("confirm", "latest"),
        ("retry", "latest"),
        ("undo", "latest"),
        ("report", "latest"),
        ("findings", "latest"),
        ("verify", "latest"),
        ("reconcile", "latest", "--scm", "none.csv"),
        ("purge", "latest", "--yes"),
        ("explain", contactid(1)),
        ("runs",),
    ],
)
@pytest.mark.parametrize("field", ["kind", "settings", "applied", "outcomes", "equations"])
def test_no_command_fails_on_a_run_that_lacks_a_field(
    p2c: P2c, home: Path, run: RunFolder, words: tuple[str, ...], field: str
) -> None:
    for path in (run.run_json, run.summary):
        write_json(path, {key: value for key, value in read_json(path).items() if key != field})
    answer = p2c(*words, "--runs", str(home / "runs"))
    assert "defect" not in answer.err
    assert answer.code != 3
