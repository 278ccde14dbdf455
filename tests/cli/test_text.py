"""What people read on the terminal."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress

from pipeline.cli.bars import Bars
from pipeline.cli.pace import describe_pace
from pipeline.cli.progress import Lines
from pipeline.commands.apply import apply_run
from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.commands.result import Result
from pipeline.events import Step, report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.run.summary import Summary
from pipeline.show import run_text
from pipeline.show.templates import render_codes
from schemas.codes import load_codes
from tests.scenes.command_line import P2c
from tests.scenes.places import ROOT

SAMPLES = ROOT / "data" / "samples" / "p2c.toml"
RUN = "20260102T030405Z-abcd"


def anonymous(result: Result, width: int) -> str:
    """The text with a run's id that is always the same."""
    return result.lines(width).replace(result.summary.run, RUN) + "\n"


def test_the_samples_planned_and_applied(
    tmp_path: Path, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plan = plan_contacts(Flags(project=SAMPLES), PlanRequest(), report_nothing)
    golden("plan.txt", anonymous(plan, 120))
    golden("plan-narrow.txt", anonymous(plan, 80))
    golden("apply.txt", anonymous(apply_run(Flags(), "latest", report_nothing), 120))


def facts(**changes: Any) -> dict[str, Any]:
    """The facts of a run of nothing, changed."""
    outcomes = dict.fromkeys(
        ("created", "updated", "unchanged", "written", "failed", "unknown", "pending"), 0
    )
    return {
        "run": RUN,
        "kind": "main",
        "applied": False,
        "verdict": "clean",
        "balanced": True,
        "equations": [
            {
                "equation": "planned = written",
                "left": 0,
                "right": 0,
                "terms": {"written": 0},
                "balanced": True,
            }
        ],
        "counts": dict.fromkeys(("customer", "contact", "skipped", "held", "rejected"), 0),
        "reasons": {},
        "findings": {},
        "outcomes": outcomes,
        "forecast": {
            "requests": 0,
            "bytes": 0,
            "minutes": 0.0,
            "rate": 55.6,
            "rate_from": "assumed",
        },
        **changes,
    }


def told(
    told_facts: Mapping[str, Any],
    columns: run_text.Columns | None = None,
    width: int = 100,
    *,
    values: bool = False,
) -> list[str]:
    summary = Summary.model_validate(told_facts)
    text = run_text.render_run(summary, Path("runs") / RUN, columns or {}, width, values=values)
    return text.splitlines()


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ({}, "CLEAN: every contact is where it belongs, and nothing needs a person."),
        (
            {
                "verdict": "attention",
                "counts": {"held": 2_000, "rejected": 1},
                "findings": {"row_unreadable": 3},
            },
            (
                "ATTENTION: 2,000 held, 1 rejected, 3 unreadable need a person; all others are "
                "where they belong."
            ),
        ),
        ({"verdict": "broken"}, "BROKEN: an equation does not balance."),
        ({"verdict": "stopped"}, "STOPPED: not everything was done; run the same command again"),
    ],
)
def test_the_verdict_comes_first(changes: dict[str, Any], first: str) -> None:
    assert told(facts(**changes))[0].startswith(first)


def test_a_failure_in_scm_is_in_the_verdict() -> None:
    outcomes = facts()["outcomes"] | {"failed": 2, "unknown": 1, "created": 7}
    lines = told(facts(verdict="attention", applied=True, outcomes=outcomes))
    assert lines[0].startswith("ATTENTION: 2 failed in SCM, 1 with unknown outcome need a person;")
    assert "Outcomes  7 created, 2 failed, 1 unknown" in lines


def test_an_equation_that_does_not_balance_is_seen() -> None:
    equation = {
        "equation": "contacts = customer + contact",
        "left": 3,
        "right": 2,
        "terms": {"customer": 1, "contact": 1},
        "balanced": False,
    }
    assert "          3 contacts ≠ 1 customer + 1 contact" in told(
        facts(verdict="broken", equations=[equation])
    )


def test_what_says_something_about_the_whole_run_comes_before_the_numbers() -> None:
    lines = told(facts(findings={"too_long": 3, "promoted": 12, "flag_never_set": 1}))
    assert (
        lines.index("Look first")
        < lines.index("         12 warning  promoted")
        < lines.index("          0 planned  = 0 written")
    )
    assert lines.index("Findings, most urgent first") < lines.index("          3 error    too_long")


def test_findings_come_by_urgency_then_number_with_columns_and_what_to_do() -> None:
    found = {"truncated": 99, "contact_number_missing": 5, "too_long": 2, "value_invalid": 3}
    columns = {
        "too_long": [("LastName", 1), ("FirstName", 1)],
        "truncated": [(f"Column{place}", 9) for place in range(11)],
    }
    lines = told(facts(findings=found), columns)
    heads = [line.split() for line in lines if line[12:20].strip() in {"error", "hold", "warning"}]
    assert [words[2].rstrip(":") for words in heads] == [
        "value_invalid",
        "too_long",
        "contact_number_missing",
        "truncated",
    ]
    assert "          2 error    too_long: LastName 1, FirstName 1" in lines
    assert any("and 3 more" in line for line in lines)
    assert any("Shorten the value in Sales" in line for line in lines)


def test_findings_of_the_run_that_say_the_same_are_told_once_and_only_the_first_few() -> None:
    counted = [
        {"code": "account_number_repeated", "detail": detail, "column": "accountnumber"}
        for detail in ("2", "2", "3", *map(str, range(10, 20)))
    ]
    lines = told(facts(findings={"account_number_repeated": len(counted)}, counted=counted))
    heads = [line for line in lines if "account_number_repeated" in line]
    assert heads[:2] == [
        "          4 warning  account_number_repeated (2 times)",
        "          3 warning  account_number_repeated",
    ]
    assert len(heads) == 8
    assert "                     and 4 more like it; findings.parquet has them all" in lines


def test_source_values_do_no_harm_on_a_terminal() -> None:
    nasty = {"\x1b[31mred": 2, "a\u202eb": 1, "x" * 99: 1}
    lists = [
        {
            "task": "Contacts",
            "destination": "Gender",
            "unmapped": nasty,
            "unmapped_values": 30,
            "never_used": ["", "1"],
        }
    ]
    text = "\n".join(told(facts(value_maps=lists), values=True))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert r"\u001b[31mred (2)" in text
    assert "x" * 41 not in text
    assert "and 27 more" in text
    assert 'Contacts.Gender never used: "", 1' in text


@pytest.mark.parametrize(
    ("unmapped", "number", "words"),
    [
        ({"Canary": 2, "Other": 1}, 2, "2 values in 3 rows"),
        ({"Canary": 1}, 1, "1 value in 1 row"),
        ({"Canary": 1200}, 30, "30 values in at least 1,200 rows"),
        ({}, 7, "7 values"),
    ],
)
def test_values_that_a_list_does_not_know_are_counted_unless_asked_for(
    unmapped: dict[str, int], number: int, words: str
) -> None:
    one = {
        "task": "Contacts",
        "destination": "Gender",
        "unmapped": unmapped,
        "unmapped_values": number,
    }
    lines = told(facts(value_maps=[one]))
    assert f"    Contacts.Gender does not know: {words}" in lines
    assert "Canary" not in "\n".join(lines)


def test_no_blanks_of_the_catalogue_are_left_open() -> None:
    every = {name: 1 for name, code in load_codes().items() if code.severity}
    text = "\n".join(told(facts(findings=every), width=10_000)) + render_codes(10_000)
    assert "{" not in text
    assert "}" not in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_lines_fit_the_terminal(width: int) -> None:
    every = {name: 1_000_000 for name, code in load_codes().items() if code.severity}
    assert max(map(len, told(facts(findings=every), width=width)[3:])) <= max(width, 65)


def test_text_has_no_spaces_at_the_ends_of_lines(p2c: P2c) -> None:
    for words in (("codes",), ("templates", "Contacts"), ("templates",)):
        lines = p2c(*words).out.splitlines()
        assert lines == [line.rstrip() for line in lines]


def test_columns_of_the_environment_say_how_wide_a_pipe_is(
    p2c: P2c, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "90")
    assert max(map(len, p2c("codes").out.splitlines())) <= 90
    monkeypatch.delenv("COLUMNS")
    assert len(p2c("codes").out.splitlines()) == len(load_codes()) + 1


def test_progress_is_a_line_when_a_step_begins_goes_on_and_ends() -> None:
    now = 0.0
    said: list[str] = []
    lines = Lines(said.append, lambda: now)
    lines(Step(name="looking", done=0))
    for done in range(100, 1_000, 100):
        now += 4
        lines(Step(name="planning", done=done, total=900))
    lines.finish()
    assert said == [
        "looking",
        "planning: 400 of 900, 33/s, 15 s left",
        "planning: 700 of 900, 29/s, 7 s left",
        "planning: 900 of 900",
    ]


@pytest.mark.parametrize(
    ("done", "total", "seconds", "finished", "text"),
    [
        (0, None, 9.0, False, ""),
        (0, 900, 9.0, False, "0 of 900"),
        (5, None, 0.2, False, "5"),
        (5_000, None, 10.0, False, "5,000, 500/s"),
        (5_000, 10_000, 10.0, False, "5,000 of 10,000, 500/s, 10 s left"),
        (100, 10_000, 10.0, False, "100 of 10,000, 10/s, 16 min left"),
        (10, 100_000, 10.0, False, "10 of 100,000, 1/s, 27 h 46 min left"),
        (5_000, 5_000, 10.0, True, "5,000"),
    ],
)
def test_a_step_says_its_rate_and_the_time_left(
    done: int, total: int | None, seconds: float, finished: bool, text: str
) -> None:
    assert describe_pace(done, total, seconds, finished=finished) == text


def test_a_step_looks_finished_when_another_one_begins() -> None:
    now = 0.0
    progress = Progress(console=Console(file=io.StringIO()))
    bars = Bars(progress, lambda: now)
    bars(Step(name="reading contacts", done=5))
    bars(Step(name="reading accounts", done=1))
    assert [one.finished for one in progress.tasks] == [False, False]
    now = 3.0
    bars(Step(name="reading accounts", done=2))
    assert [one.finished for one in progress.tasks] == [True, False]
    bars(Step(name="reading contacts", done=6))
    assert [one.finished for one in progress.tasks] == [False, False]
    bars(Step(name="looking for repeats", done=0))
    bars(Step(name="planning", done=4, total=9))
    assert [one.finished for one in progress.tasks] == [True, True, True, False]


def test_what_a_step_waits_for_is_a_line_of_its_own() -> None:
    said: list[str] = []
    lines = Lines(said.append, lambda: 0.0)
    lines(Step(name="loading", done=0, total=9))
    for minutes in (1, 2):
        lines(
            Step(name="loading", done=3, total=9, note=f"import x: Executing since {minutes} min")
        )
    lines.finish()
    assert said == [
        "loading",
        "import x: Executing since 1 min",
        "import x: Executing since 2 min",
        "loading: 3 of 9",
    ]


def test_a_result_without_a_run_is_its_text() -> None:
    assert replace(Result(command="x"), text="said").lines(80) == "said"


def test_a_backfill_tells_findings_whatever_their_detail_is(p2c: P2c, source: Path) -> None:
    """The small source has no counter, and that finding names a number, not a count."""
    answer = p2c("backfill", "--project", source / "p2c.toml")
    assert answer.code == 0, answer.err
    assert "          1 warning  counter_missing" in answer.out
    assert "planned from CON-01000" in answer.out
