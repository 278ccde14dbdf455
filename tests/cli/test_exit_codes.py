"""Each exit code, shown: 0 clean, 1 a person, 2 wrong use or input, 3 the world, 4 an invariant."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import filelock
import pytest
import typer

from pipeline.cli.exits import answer_errors
from tests.scenes.command_line import P2c
from tests.scenes.small import PROJECT, rows, write_small


def test_0_when_every_contact_has_its_place(p2c: P2c, tmp_path: Path) -> None:
    project = write_small(tmp_path / "source", contacts=rows()[:9])
    answer = p2c("run", "--project", project)
    assert answer.code == 0
    assert answer.out.startswith("CLEAN: ")
    again = p2c("apply", "latest")
    assert again.code == 0
    assert "already applied to the end; nothing was done now" in again.out


def test_1_when_something_needs_a_person(p2c: P2c, runs: Path) -> None:
    answer = p2c("apply", "latest", "--runs", runs)
    assert answer.code == 1
    assert answer.out.startswith(
        "ATTENTION: 1 held, 1 rejected need a person; all others are where they belong."
    )


def test_2_when_the_plan_does_not_hold_any_more(p2c: P2c, runs: Path) -> None:
    answer = p2c("apply", "latest", "--runs", runs, "--set", "destination.legal_entity=demf")
    assert answer.code == 2
    assert (
        "changed since the plan was made: destination.legal_entity (was 'usmf', is 'demf')"
        in answer.err
    )


def test_2_when_nothing_is_said(p2c: P2c) -> None:
    answer = p2c()
    assert answer.code == 2
    assert answer.out.startswith("Usage: p2c")


def test_3_when_another_process_applies_the_run(p2c: P2c, runs: Path) -> None:
    (run,) = runs.iterdir()
    with filelock.FileLock(run / ".lock"):
        answer = p2c("apply", "latest", "--runs", runs)
    assert answer.code == 3
    assert answer.err == f"p2c: {run.name}: another process is applying this run.\n"


def raising(error: BaseException) -> Callable[[], int]:
    """The work of a command that ends with an error."""

    def work() -> int:
        raise error

    return work


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), MemoryError(), OSError(28, "No space left on device")]
)
def test_3_when_the_world_stops_it(
    capsys: pytest.CaptureFixture[str], error: BaseException
) -> None:
    assert answer_errors(raising(error), "codes", as_object=True) == 3
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "stopped"


@pytest.mark.parametrize(
    "error",
    [
        ImportError("libarrow.so: failed to map segment from shared object"),
        OSError(12, "Cannot allocate memory"),
        RuntimeError("can't start new thread"),
        MemoryError(),
    ],
)
def test_3_when_there_is_no_memory_and_what_to_do_is_said(
    capsys: pytest.CaptureFixture[str], error: BaseException
) -> None:
    assert answer_errors(raising(error), "plan", as_object=False) == 3
    assert "run.memory" in capsys.readouterr().err


def test_4_when_a_run_folder_was_altered(p2c: P2c, runs: Path) -> None:
    (run,) = runs.iterdir()
    journal = run / "journal.jsonl"
    journal.write_bytes(
        journal.read_bytes().replace(b'"event":"planned"', b'"event":"pLanned"') + b"{}\n"
    )
    answer = p2c("apply", "latest", "--runs", runs, "--json")
    assert answer.code == 4
    assert answer.object["error"]["code"] == "invariant_broken"


class PanicException(BaseException):
    """What a library written in Rust raises is not an ``Exception``."""


@pytest.mark.parametrize("error", [KeyError("Ada Lovelace"), PanicException("Ada Lovelace")])
def test_4_for_an_unexpected_error_without_its_text(
    capsys: pytest.CaptureFixture[str], error: BaseException
) -> None:
    assert answer_errors(raising(error), "codes", as_object=True) == 4
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["code"] == "defect"
    assert type(error).__name__ in err
    assert "P2C_TRACEBACK=1" in err
    assert "Traceback" not in err
    assert "Ada" not in out + err


def test_4_for_a_file_that_is_cut_off_though_the_command_line_says_that_it_was_aborted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = typer.Abort()
    error.__cause__ = EOFError("marshal data too short")
    assert answer_errors(raising(error), "codes", as_object=False) == 4
    said = capsys.readouterr().err
    assert "EOFError" in said
    assert "stopped from outside" not in said


def test_a_traceback_is_printed_for_whoever_asks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("P2C_TRACEBACK", "1")
    assert answer_errors(raising(KeyError("here")), "codes", as_object=False) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Traceback")


def test_2_when_runs_is_a_file(p2c: P2c, source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    answer = p2c("plan", "--project", source / "p2c.toml", "--runs", tmp_path / "file")
    assert answer.code == 2
    assert "is not a folder" in answer.err


def test_a_damaged_run_does_not_hide_the_others(p2c: P2c, runs: Path) -> None:
    damaged = runs / "20200101T000000Z-0000"
    damaged.mkdir()
    answer = p2c("runs", "--runs", runs, "--json")
    assert [(one["state"], one["verdict"]) for one in answer.object["items"]] == [
        ("damaged", "broken"),
        ("planned", "attention"),
    ]
    assert p2c("apply", damaged.name, "--runs", runs).code == 4


def test_a_project_without_a_legal_entity_is_a_warning_of_check(p2c: P2c, tmp_path: Path) -> None:
    project = write_small(tmp_path / "source", PROJECT.replace('legal_entity = "usmf"', ""))
    answer = p2c("check", "--project", project)
    assert answer.code == 1
    assert "warning  legal entities: none" in answer.out
