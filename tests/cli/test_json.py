"""``--json``: one object on stdout, always with all keys, for errors too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenes.command_line import P2c
from tests.scenes.small import contactid

KEYS = [
    "command",
    "run",
    "folder",
    "verdict",
    "balanced",
    "counts",
    "reasons",
    "findings",
    "outcomes",
    "forecast",
    "items",
]
COUNTS = {"customer": 5, "contact": 3, "skipped": 1, "held": 1, "rejected": 1}
REASONS = {
    "customer/active_customer": 5,
    "contact/company_is_account": 3,
    "skipped/no_company": 1,
    "held/contact_number_missing": 1,
    "rejected/too_long": 1,
}


def test_a_plan_and_its_apply(p2c: P2c, source: Path, tmp_path: Path) -> None:
    answer = p2c("plan", "--project", source / "p2c.toml", "--runs", tmp_path / "runs", "--json")
    made = answer.object
    assert (answer.code, list(made)) == (1, KEYS)
    assert (made["command"], made["verdict"], made["balanced"]) == ("plan", "attention", True)
    assert made["counts"] == COUNTS
    assert made["reasons"] == REASONS
    assert made["findings"]["too_long"] == 1
    assert made["outcomes"] == {
        "created": 0,
        "updated": 0,
        "unchanged": 0,
        "written": 0,
        "failed": 0,
        "unknown": 0,
        "pending": 8,
    }
    assert list(made["forecast"]) == ["requests", "bytes", "minutes", "rate", "rate_from"]
    assert made["folder"] == str(tmp_path / "runs" / made["run"])
    answer = p2c("apply", made["run"], "--runs", tmp_path / "runs", "--json")
    applied = answer.object
    assert (answer.code, list(applied), applied["command"], applied["run"]) == (
        1,
        KEYS,
        "apply",
        made["run"],
    )
    assert applied["outcomes"]["written"] == 8
    assert applied["counts"] == COUNTS


@pytest.mark.parametrize(
    ("words", "items"),
    [
        (("runs",), 1),
        (("templates",), 2),
        (("templates", "contacts"), 23),
        (("codes",), 50),
        (("explain", contactid(1)), 1),
        (("apply", "latest"), 0),
    ],
    ids=str,
)
def test_every_command_answers_with_all_keys(
    p2c: P2c, runs: Path, words: tuple[str, ...], items: int
) -> None:
    answer = p2c(*words, "--runs", runs, "--json")
    shown = answer.object
    assert list(shown) == KEYS
    assert shown["command"] == words[0]
    assert len(shown["items"]) >= items
    assert (answer.code == 0) == (shown["verdict"] == "clean")


def test_explain_names_the_run_and_its_folder(p2c: P2c, runs: Path) -> None:
    shown = p2c("explain", contactid(1), "--runs", runs, "--json").object
    assert shown["folder"] == str(runs / shown["run"])


def test_check_and_init_answer_with_all_keys(p2c: P2c, source: Path) -> None:
    checked = p2c("check", "--project", source / "p2c.toml", "--json")
    assert (checked.code, list(checked.object)) == (0, KEYS)
    made = p2c("init", "--legal-entity", "usmf", "--json")
    assert (made.code, list(made.object)) == (0, KEYS)
    assert made.object["items"] == [{"file": "p2c.toml"}, {"file": "p2c.schema.json"}]


@pytest.mark.parametrize(
    ("words", "command", "code", "sentence"),
    [
        (("plan",), "plan", "usage", "there is no p2c.toml here"),
        (("nosuch",), "nosuch", "usage", "No such command 'nosuch'"),
        (("plan", "--projct", "x"), "plan", "usage", "--projct"),
        (("plan", "--limit", "many"), "plan", "usage", "--limit"),
        (("plan", "--limit", "-1"), "plan", "usage", "--limit"),
        (("apply",), "apply", "usage", "RUN"),
        (("apply", "latest"), "apply", "usage", "there are no runs"),
        (("apply", "2026"), "apply", "usage", "no run has an id that begins with '2026'"),
        (("templates", "contcts"), "templates", "usage", "Did you mean 'Contacts'?"),
        (
            ("plan", "--project", "nowhere.toml"),
            "plan",
            "usage",
            "there is no project file nowhere.toml",
        ),
        (("plan", "--source", "nowhere"), "plan", "source", "no such folder"),
        (
            ("check", "--source", ".", "--set", "destination.load=x"),
            "check",
            "configuration",
            "must be 'folder'",
        ),
        ((), "", "usage", "--json"),
    ],
    ids=str,
)
def test_errors_are_an_object_too(
    p2c: P2c, words: tuple[str, ...], command: str, code: str, sentence: str
) -> None:
    answer = p2c(*words, "--json")
    shown = answer.object
    assert list(shown) == ["command", "error"]
    assert shown["command"] == command
    assert list(shown["error"]) == ["code", "message", "where"]
    assert shown["error"]["code"] == code
    assert sentence in shown["error"]["message"]
    assert answer.code == 2
    assert answer.err.startswith("p2c: "), "people read the same sentence"


def test_the_object_is_ascii_whatever_is_in_it(p2c: P2c, source: Path) -> None:
    answer = p2c(
        "templates",
        "ContactToCustomer",
        "--json",
        "--source",
        source,
        "--set",
        "countries.日本国土=JP",
    )
    assert answer.out.isascii()
