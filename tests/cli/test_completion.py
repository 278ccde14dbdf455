"""What Tab offers."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from pipeline.cli.app import command_line
from pipeline.cli.completion import (
    complete_codes,
    complete_packages,
    complete_runs,
    complete_settings,
    complete_tasks,
)

OLD, NEW = "20260101T000000Z-aaaa", "20260202T000000Z-bbbb"


@pytest.fixture
def context(tmp_path: Path) -> typer.Context:
    for run in (OLD, NEW):
        folder = tmp_path / run / "packages" / "Contacts"
        folder.mkdir(parents=True)
        (folder / f"{run[4:8]}-1.zip").touch()
    made = typer.Context(typer.main.get_command(command_line()))
    made.params["runs"] = tmp_path
    return made


def test_runs_come_newest_first_and_folders_where_a_path_is_begun(
    context: typer.Context, tmp_path: Path
) -> None:
    assert complete_runs(context, "") == ["latest", NEW, OLD]
    assert complete_runs(context, "202602") == [NEW]
    assert complete_runs(context, f"{tmp_path}/202602") == [f"{tmp_path}/{NEW}"]


def test_packages_are_those_of_the_run(context: typer.Context) -> None:
    assert complete_packages(context, "") == ["Contacts/0202-1"]
    context.params["run"] = OLD
    assert complete_packages(context, "Con") == ["Contacts/0101-1"]
    context.params["run"] = "1999"
    assert complete_packages(context, "") == []


def test_codes_settings_and_tasks_are_known() -> None:
    assert [name for name, _ in complete_codes("too_l")] == ["too_long"]
    assert complete_settings("destination.cur") == ["destination.currency="]
    assert "source.auth.secret_env=" in complete_settings("source.auth.s")
    assert complete_tasks("contactto") == ["ContactToCustomer"]
