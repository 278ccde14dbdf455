"""Contacts that the project accepts: which are, which not, and what is said about the list."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipeline.commands.options import read_clock
from pipeline.events import report_nothing
from pipeline.plan.accepting import judge_accepted
from pipeline.plan.make import make_plan
from pipeline.plan.request import PlanRequest
from pipeline.project.accepted import read_accepted
from pipeline.project.resolve import load_project
from pipeline.report.causes import list_causes
from pipeline.report.letter import make_tiles
from pipeline.run.evidence import gather_evidence
from pipeline.run.folder import RunFolder
from pipeline.run.journal import read_journal
from pipeline.run.summary import AcceptedContacts
from tests.scenes.command_line import P2c, p2c, plan_once, runs, source
from tests.scenes.small import contactid, number, rows, write_small

__all__ = ["p2c", "plan_once", "runs", "source"]

HELD, REJECTED = contactid(10), contactid(11)
LATER, OVER = "2999-12-31", "2001-01-31"


def entry(code: str, *contacts: str, until: str = LATER, more: str = "") -> str:
    listed = ", ".join(f'"{one}"' for one in contacts)
    return (
        f'[[accepted]]\ncode = "{code}"\nuntil = {until}\nwhy = "known"\ncontacts = [{listed}]\n'
        f"{more}\n"
    )


NUMBER = entry("contact_number_missing", HELD)
LONG = entry("too_long", REJECTED)


TODAY = date(2026, 11, 30)


def plan(folder: Path, accepted: str) -> RunFolder:
    path = write_small(folder / "project")
    path.with_name("p2c.accepted.toml").write_text(accepted, encoding="utf-8")
    return make_plan(load_project(path), PlanRequest(), folder / "runs", read_clock, report_nothing)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return plan(tmp_path_factory.mktemp("planned"), "")


def judge(run: RunFolder, folder: Path, accepted: str, *, whole: bool = True) -> AcceptedContacts:
    path = folder / "p2c.accepted.toml"
    path.write_text(accepted, encoding="utf-8")
    return judge_accepted(run, path.name, read_accepted(path), TODAY, whole=whole)


@pytest.mark.parametrize(
    ("accepted", "contacts"),
    [
        (NUMBER + LONG, 2),
        (NUMBER, 1),
        (entry("too_long", number(11).lower()), 1),
        (entry("too_long", f"{{{REJECTED.upper()}}}"), 1),
        (entry("mandatory_missing", REJECTED), 0),
        (entry("too_long", contactid(1)), 0),
        (entry("too_long", REJECTED, until=OVER), 0),
        (entry("too_long", REJECTED, until=TODAY.isoformat()), 1),
        (entry("too_long", REJECTED, until=f'"{LATER}"'), 1),
        (LONG + LONG, 1),
        (entry("too_long", REJECTED, number(11)), 1),
        (entry("too_long", REJECTED, more='column = "lastname"'), 1),
        (entry("too_long", REJECTED, more='column = "PersonLastName"'), 1),
        (entry("too_long", REJECTED, more='column = "firstname"'), 0),
        ("", 0),
    ],
)
def test_a_contact_is_accepted_with_its_code_only(
    planned: RunFolder, tmp_path: Path, accepted: str, contacts: int
) -> None:
    found = judge(planned, tmp_path, accepted)
    assert found.contacts == contacts == sum(found.reasons.values())
    assert bool(found.until) is bool(contacts)


def test_the_days_of_several_entries_are_told_apart(planned: RunFolder, tmp_path: Path) -> None:
    found = judge(planned, tmp_path, NUMBER + entry("too_long", REJECTED, until="2027-01-31"))
    assert (found.until, found.until_last) == ("2027-01-31", LATER)


@pytest.mark.parametrize(
    ("accepted", "words"),
    [
        (entry("too_lonk", REJECTED), "entry 1, code: 'too_lonk' is not a code by which"),
        (entry("too_lonk", REJECTED), "Did you mean 'too_long'? "),
        (entry("no_company", contactid(9)), "'no_company' is not a code by which contacts are"),
        (entry("too_long", REJECTED, until='"soon"'), "until: must be a day, as in 2026-12-31."),
        (entry("too_long", REJECTED, until="2026-02-30"), "is not valid TOML"),
        (entry("too_long", REJECTED, more='untill = "x"'), "unknown key 'untill'. Did you mean"),
        (entry("too_long"), "contacts: "),
        ('[[acepted]]\ncode = "x"', "unknown key 'acepted'. Did you mean 'accepted'?"),
        ('[accepted]\ncode = "x"', "with two brackets"),
        ("[[accepted]\n", "is not valid TOML"),
        (
            entry("too_long", REJECTED, until=OVER),
            f"entry 1 (too_long) ended on {OVER}; 1 of its contacts needs a",
        ),
        (entry("too_long", contactid(1), until=OVER), f"ended on {OVER}; remove it."),
        (entry("too_long", REJECTED, contactid(1)), "1 of its 2 contacts is not held or rejected"),
        (entry("too_long", REJECTED, "Ada Lovelace"), "the first is number 2 in its list"),
    ],
)
def test_what_is_wrong_with_the_list_is_said_and_not_used(
    planned: RunFolder, tmp_path: Path, accepted: str, words: str
) -> None:
    notes = judge(planned, tmp_path, accepted).notes
    assert any(words in note for note in notes), notes
    assert not any("Ada" in note for note in notes)


def test_contacts_that_were_left_out_are_not_called_needless(
    planned: RunFolder, tmp_path: Path
) -> None:
    assert judge(planned, tmp_path, entry("too_long", contactid(1)), whole=False).notes == ()


def test_a_finding_in_another_column_needs_a_person(tmp_path: Path) -> None:
    both = [
        {**row, "firstname": "F" * 26} if row["contactid"] == REJECTED else row for row in rows()
    ]
    path = write_small(tmp_path / "project", contacts=both)
    made = make_plan(
        load_project(path), PlanRequest(), tmp_path / "runs", read_clock, report_nothing
    )
    last, first = (
        entry("too_long", REJECTED, more=f'column = "{one}"') for one in ("lastname", "firstname")
    )
    assert judge(made, tmp_path, last).contacts == 0
    assert judge(made, tmp_path, last + first).contacts == 1


def test_the_list_is_part_of_what_the_journal_vouches_for(tmp_path: Path) -> None:
    made = plan(tmp_path, NUMBER + LONG)
    [planned] = [one for one in read_journal(made.journal).entries if one.event == "planned"]
    assert made.accepted.name in planned.payload["files"]
    assert sum(planned.payload["accepted"].values()) == 2
    assert made.accepted.read_text() == NUMBER + LONG
    assert made.read_summary().exit_code == 0
    causes = {one.code: one for one in list_causes(gather_evidence(made), values=False)}
    assert (causes["too_long"].place, causes["too_long"].word) == ("warning", "accepted")
    tiles = {one.label: one for one in make_tiles(gather_evidence(made))}
    assert tiles["needs you"].rows == 0
    assert tiles["needs you"].details == ("nothing", f"2 accepted until {LATER}")


def test_accept_makes_the_next_run_clean(p2c: P2c, tmp_path: Path) -> None:
    project = write_small(tmp_path / "project")
    assert p2c("run", "--project", project).code == 1
    for code, column in (("contact_number_missing", ()), ("too_long", ("--column", "lastname"))):
        words = ("--code", code, *column, "--until", LATER, "--why", "Sales repairs it")
        answer = p2c("accept", "latest", *words, "--json")
        assert (answer.code, answer.object["items"][0]["contacts"]) == (0, 1)
        again = p2c("accept", "latest", *words, "--json")
        assert (again.code, again.object["items"]) == (0, answer.object["items"])
    text = project.with_name("p2c.accepted.toml").read_text()
    assert all(one in text for one in (HELD, number(11), 'why = "Sales repairs it"'))
    assert not any(one in text for one in ("Number10", "@"))
    answer = p2c("run", "--project", project)
    assert answer.code == 0
    assert answer.out.startswith(f"CLEAN: 2 accepted until {LATER}; ")
    again = p2c("accept", "latest", "--code", "too_long", "--until", LATER, "--why", "x")
    assert (again.code, "not accepted already" in again.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--code", "too_lonk", "--until", LATER, "--why", "x"), "Did you mean 'too_long'?"),
        (("--code", "too_long", "--until", "soon", "--why", "x"), "must be a day"),
        (("--code", "too_long", "--until", OVER, "--why", "x"), "is over"),
        (("--code", "too_long", "--until", LATER, "--why", " "), "--why must say something"),
        (("--code", "takeover", "--until", LATER, "--why", "x"), "It has 1 contact_number_missing"),
        (("--until", LATER, "--why", "x"), "--code"),
        (
            ("--code", "too_long", "--column", "lastnam", "--until", LATER, "--why", "x"),
            "Did you mean 'lastname'?",
        ),
    ],
)
def test_accept_says_what_it_cannot_do(
    p2c: P2c, runs: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    project = tmp_path / "p2c.toml"
    answer = p2c("accept", "latest", "--runs", runs, "--project", project, *words)
    assert (answer.code, said in answer.err) == (2, True), answer.err
    assert not project.with_name("p2c.accepted.toml").exists()


@pytest.mark.parametrize("name", ["decisions.parquet", "findings.parquet"])
def test_nothing_is_accepted_by_a_table_that_was_altered(
    p2c: P2c, runs: Path, tmp_path: Path, name: str
) -> None:
    (path,) = runs.glob(f"2*/{name}")
    pl.read_parquet(path).with_columns(contactid=pl.lit(HELD)).write_parquet(path)
    project = tmp_path / "p2c.toml"
    words = ("--code", "contact_number_missing", "--until", LATER, "--why", "x")
    answer = p2c("accept", "latest", "--runs", runs, "--project", project, *words)
    assert (answer.code, f"{name} is not as the plan wrote it" in answer.err) == (4, True)
    assert not project.with_name("p2c.accepted.toml").exists()
