"""Nothing reaches a terminal raw: neither words of the command line nor what systems say."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pipeline.cli.exits import answer_errors
from pipeline.cli.progress import Lines
from pipeline.cli.terminal import write_err, write_out, write_result
from pipeline.errors import RequestRefused
from pipeline.events import Step
from tests.scenes.command_line import P2c
from tests.scenes.places import ROOT
from tests.scenes.small import rows, write_small

EVIL = "\x1b[2J\x1b]0;owned\x07\u202e\x9b31m\x7f\u2028\rok"
"""Clears the screen, names the window, rings, turns text around, colours, begins a line anew."""


def is_raw(text: str) -> bool:
    return any(sign in text for sign in EVIL if not sign.isascii() or not sign.isprintable())


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "--project", f"{EVIL}.toml"),
        ("explain", EVIL, "--runs", EVIL),
        ("verify", EVIL),
        (EVIL,),
        ("plan", f"--{EVIL}"),
        ("plan", "--set", f"{EVIL}=1"),
        ("plan", "--set", f"source.{EVIL}=1"),
        ("plan", "--source", EVIL),
        ("init", "--source", EVIL, "--project", f"{EVIL}/p2c.toml"),
        ("templates", EVIL),
        ("report", "latest", "--runs", EVIL),
        ("sandbox", "--faults", EVIL),
        ("sandbox", "--data", EVIL),
    ],
)
def test_words_of_the_command_line_are_shown_visibly(p2c: P2c, words: tuple[str, ...]) -> None:
    answer = p2c(*words)
    assert answer.code == 2
    assert answer.err
    assert not is_raw(answer.out + answer.err)


@pytest.mark.parametrize("as_object", [True, False])
def test_what_a_system_says_is_shown_visibly(
    capsys: pytest.CaptureFixture[str], as_object: bool
) -> None:
    def work() -> int:
        raise RequestRefused(f"refused: {EVIL}.", where=f"SCM ({EVIL})")

    assert answer_errors(work, EVIL, as_object=as_object) == 3
    out, err = capsys.readouterr()
    assert "\\u001b[2J" in err
    assert not is_raw(out.replace("\x7f", "") + err)


def test_a_traceback_is_shown_visibly(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("P2C_TRACEBACK", "1")

    def work() -> int:
        raise ValueError(EVIL)

    assert answer_errors(work, "plan", as_object=False) == 4
    _, err = capsys.readouterr()
    assert "ValueError: \\u001b[2J" in err
    assert not is_raw(err)


def test_progress_is_shown_visibly(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(write_err, lambda: 0.0)
    lines(Step(name=EVIL, done=0, total=1, note=EVIL))
    lines.finish()
    _, err = capsys.readouterr()
    assert err.count("owned") == 2
    assert not is_raw(err)


def test_lines_stay_lines_and_letters_stay_letters(capsys: pytest.CaptureFixture[str]) -> None:
    write_out("Zoë 日本 😀\n  second")
    assert capsys.readouterr().out == "Zoë 日本 😀\n  second\n"


@pytest.mark.parametrize("bold", [True, False])
def test_a_result_on_a_terminal_is_shown_visibly(
    capsys: pytest.CaptureFixture[str], bold: bool
) -> None:
    write_result(f"first {EVIL}\nsecond {EVIL}", bold=bold)
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 2
    assert not is_raw(out)


def test_values_without_a_map_are_shown_only_when_asked_for(p2c: P2c) -> None:
    contacts = [{**row, "address1_country": "Canary"} for row in rows()]
    project = write_small(Path("small"), contacts=contacts)
    for words, shown in ((("plan",), False), (("plan", "--with-values"), True), (("run",), False)):
        answer = p2c(*words, "--project", project)
        assert "AddressCountryRegionISOCode does not know: " in answer.out
        assert ("does not know: Canary (" in answer.out) is shown


def test_only_one_module_writes_to_a_terminal_for_people() -> None:
    """Others write what they made themselves: JSON in ASCII, and the version."""
    found = {
        path.relative_to(ROOT / "pipeline").as_posix(): ast.unparse(node)
        for path in _list_files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in {"sys.stdout.write", "sys.stderr.write", "typer.echo"}
    }
    assert set(found) - {"cli/terminal.py"} == {
        "cli/app.py", "cli/exits.py", "manual/__main__.py", "project/reference.py",
        "run/schema.py",
    }  # fmt: skip
    assert "sys.stderr.write" not in {found["cli/app.py"], found["cli/exits.py"]}


def _list_files() -> list[Path]:
    return [
        path
        for path in sorted((ROOT / "pipeline").rglob("*.py"))
        if path.relative_to(ROOT / "pipeline").parts[0] not in {"sandbox", "samples"}
    ]
