"""Verify names everything that is altered in a run folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from pipeline.audit.verify import Verification, render_checks, verify_folder
from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.commands.verify import verify_run as answer
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.run.files import write_json
from pipeline.run.folder import RunFolder, find_run
from pipeline.run.journal import Journal
from tests.scenes.json_files import read_json
from tests.scenes.small import write_small


def wrong(found: Verification) -> set[str]:
    return {one.what for one in found.checks if one.status in ("missing", "cut", "altered")}


def sentences(found: Verification) -> str:
    return " ".join(
        one.sentence for one in found.checks if one.status in ("missing", "cut", "altered")
    )


def test_a_run_that_nobody_touched_holds(run: RunFolder) -> None:
    found = verify_folder(run)
    assert wrong(found) == set()
    assert found.exit_code == 0
    assert {one.status for one in found.checks} == {"ok"}
    assert render_checks(found).endswith("The run folder is as it was written.")


def test_every_file_of_a_run_is_vouched_for(run: RunFolder) -> None:
    files = sorted(path for path in run.path.rglob("*") if path.is_file() and path.name != ".lock")
    assert len(files) > 10
    for path in files:
        before = path.read_bytes()
        spoiled = bytearray(before)
        spoiled[len(spoiled) // 2] ^= 0x01
        path.write_bytes(bytes(spoiled))
        found = verify_folder(run)
        name = path.relative_to(run.path).as_posix()
        assert name in wrong(found), name
        assert found.exit_code == 4
        path.write_bytes(before)
    assert verify_folder(run).exit_code == 0


@pytest.mark.parametrize(
    "name", ["run.json", "summary.json", "journal.jsonl", "decisions.parquet", "outcomes.parquet"]
)
def test_a_missing_file_is_named(run: RunFolder, name: str) -> None:
    (run.path / name).unlink()
    found = verify_folder(run)
    assert f"{name} is missing." in sentences(found)
    assert found.exit_code == 4


def lines(run: RunFolder) -> list[bytes]:
    return run.journal.read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize(
    ("alter", "says"),
    [
        (
            lambda all_: [*all_[:2], all_[2].replace(b'"rows":', b'"Rows":'), *all_[3:]],
            "Line 3 was altered",
        ),
        (
            lambda all_: [*all_[:-1], all_[-1].replace(b"true", b"false")],
            "The last line was altered",
        ),
        (
            lambda all_: [*all_[:2], *all_[3:]],
            "Line 2 was altered, or lines behind it were removed",
        ),
        (lambda all_: all_[:-1], "lines were removed after it"),
        (lambda all_: all_[1:], "lines before it were removed"),
        (lambda all_: [*all_[:2], b"nonsense\n", *all_[2:]], "Line 3 is not a line of a journal"),
    ],
    ids=["middle", "end", "removed", "cut", "beginning", "garbage"],
)
def test_an_altered_journal_names_the_line(
    run: RunFolder, alter: Callable[[list[bytes]], list[bytes]], says: str
) -> None:
    run.journal.write_bytes(b"".join(alter(lines(run))))
    found = verify_folder(run)
    assert says in sentences(found)
    assert found.exit_code == 4


def test_what_stands_behind_an_altered_line_still_tells_which_files_were_altered(
    run: RunFolder,
) -> None:
    all_ = lines(run)
    run.journal.write_bytes(
        b"".join([*all_[:2], all_[2].replace(b'"rows":', b'"Rows":'), *all_[3:]])
    )
    run.outcomes.write_bytes(run.outcomes.read_bytes()[:-1] + b"x")
    found = verify_folder(run)
    assert wrong(found) == {"journal.jsonl", "outcomes.parquet"}
    assert not [one for one in found.checks if one.status == "note"]


def test_a_line_put_in_with_a_right_chain_before_it_differs_from_an_altered_one(
    run: RunFolder,
) -> None:
    all_ = lines(run)
    previous = json.loads(all_[2])["previous"]
    extra = (
        json.dumps(
            {"at": "2026-01-01T00:00:00.000Z", "event": "applied", "previous": previous}
        ).encode()
        + b"\n"
    )
    run.journal.write_bytes(b"".join([*all_[:2], extra, *all_[2:]]))
    assert "Line 3 was put in" in sentences(verify_folder(run))


def test_a_torn_last_line_is_said_and_is_no_alteration(run: RunFolder) -> None:
    run.journal.write_bytes(run.journal.read_bytes() + b'{"at":"20')
    found = verify_folder(run)
    assert found.exit_code == 0
    assert "torn" in render_checks(found)


def test_a_summary_whose_figures_were_made_nicer_is_found_out_even_if_the_equation_balances(
    run: RunFolder,
) -> None:
    facts = read_json(run.summary)
    facts["counts"]["held"] -= 1
    facts["counts"]["skipped"] += 1
    write_json(run.summary, facts)
    found = verify_folder(run)
    assert "held 1 instead of 0" in sentences(found)


def test_an_equation_that_does_not_add_up_is_found(run: RunFolder) -> None:
    facts = read_json(run.summary)
    facts["equations"][1]["left"] += 1
    write_json(run.summary, facts)
    assert "12 is not 11" in sentences(verify_folder(run))


def test_outcomes_of_other_rows_are_found_though_their_counts_agree(run: RunFolder) -> None:
    frame = pl.read_parquet(run.outcomes)
    swapped = frame.with_columns(contactid=pl.col("contactid").reverse())
    swapped.write_parquet(run.outcomes)
    found = verify_folder(run)
    assert any("their outcomes differ" in one.sentence for one in found.checks)


def test_a_journal_that_names_a_file_outside_is_not_followed(run: RunFolder) -> None:
    entry = {"at": "2026-01-01T00:00:00.000Z", "event": "x", "files": {"../../../etc/passwd": "0"}}
    run.journal.write_bytes(json.dumps({**entry, "previous": "0" * 64}).encode() + b"\n")
    assert "outside the run folder" in sentences(verify_folder(run))


def test_a_parquet_source_that_changed_since_is_not_part_of_the_run_folder(
    tmp_path: Path,
) -> None:
    project = write_small(tmp_path / "source")
    contacts = tmp_path / "source" / "contacts.csv"
    pl.read_csv(contacts, infer_schema=False).write_parquet(contacts.with_suffix(".parquet"))
    contacts.unlink()
    result = plan_contacts(
        Flags(project=project, runs=tmp_path / "runs"), PlanRequest(), report_nothing
    )
    run = find_run(tmp_path / "runs", result.summary.run)
    assert verify_folder(run).exit_code == 0
    path = contacts.with_suffix(".parquet")
    pl.read_parquet(path).with_columns(lastname=pl.lit("Other")).write_parquet(path)
    found = verify_folder(run)
    assert [one.what for one in found.checks if one.status == "changed"] == [
        "source contacts.parquet"
    ]
    assert found.exit_code == 1


def test_a_run_that_was_stopped_is_said_to_be_unfinished_not_altered(run: RunFolder) -> None:
    kept = [line for line in lines(run) if b'"applied"' not in line]
    run.journal.write_bytes(b"".join(kept))
    facts = read_json(run.summary)
    first = kept[0].rstrip(b"\n")
    write_json(
        run.summary, {**facts, "applied": False, "journal": hashlib.sha256(first).hexdigest()}
    )
    found = verify_folder(run)
    assert any("p2c apply" in one.sentence for one in found.checks)
    assert "journal.jsonl" not in wrong(found)


def test_findings_that_a_stopped_load_was_about_to_replace_are_not_altered(run: RunFolder) -> None:
    kept = [line for line in lines(run) if b'"applied"' not in line]
    run.journal.write_bytes(b"".join(kept))
    end = hashlib.sha256(kept[0].rstrip(b"\n")).hexdigest()
    write_json(run.summary, {**read_json(run.summary), "applied": False, "journal": end})
    with Journal.open(run.journal, lambda: datetime(2026, 1, 2, tzinfo=UTC)) as journal:
        journal.append("findings_added", files={"findings.parquet": "0" * 64})
    assert "findings.parquet" not in wrong(verify_folder(run))
    with Journal.open(run.journal, lambda: datetime(2026, 1, 2, tzinfo=UTC)) as journal:
        journal.append("applied", outcomes={})
    assert "findings.parquet" in wrong(verify_folder(run)), (
        "once it ended, the file must be the new one"
    )


def test_the_command_answers_with_exit_4_and_the_verdict_broken(
    run: RunFolder, common: Flags
) -> None:
    run.decisions.write_bytes(run.decisions.read_bytes()[:-100])
    result = answer(common, str(run.run))
    assert result.exit_code == 4
    assert result.summary.verdict == "broken"
    assert "decisions.parquet was altered" in str(result.text)
