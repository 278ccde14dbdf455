"""A plan from Delta tables, and all that looks back at it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.cli.app import main
from pipeline.events import Step
from pipeline.plan.make import make_plan
from pipeline.plan.request import PlanRequest
from pipeline.project.resolve import load_project
from pipeline.run.folder import RunFolder, find_run
from tests.report.conftest import clock
from tests.scenes.delta import Column, DeltaFolder
from tests.scenes.lakes import without
from tests.scenes.places import ROOT
from tests.scenes.small import COLUMNS, contactid, rows, write_small

FORMS = ("in place", "landed")


def write_lake(home: Path, form: str) -> DeltaFolder:
    """The small source as a Delta table; landed ones have a deletion vector and a mapping."""
    write_small(home)
    (home / "contacts.csv").unlink()
    landed = form == "landed"
    columns = [
        Column(name=name, physical=f"col-{place}" if landed else "", id=place)
        for place, name in enumerate((*COLUMNS, "versionnumber"), start=1)
    ]
    table = DeltaFolder(
        path=home / "contact", columns=columns, mapping="name" if landed else "", vectors=landed
    ).create()
    whole = [{**row, "versionnumber": str(place)} for place, row in enumerate(rows(), start=1)]
    stale = [{**whole[0], "lastname": "Gone"}] if landed else []
    first = pa.Table.from_pylist([*stale, *whole[:6]])
    table.commit(
        table.write("part-0.parquet", first, vector=table.stored({0}) if landed else None),
        table.write("part-1.parquet", pa.Table.from_pylist(whole[6:])),
    )
    return table


def run_json(capsys: pytest.CaptureFixture[str], *words: str | Path) -> dict[str, Any]:
    capsys.readouterr()
    main([*(str(word) for word in words), "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert isinstance(answer, dict)
    return answer


def list_decisions(run: RunFolder) -> list[tuple[object, ...]]:
    columns = ("contactid", "decision", "reason", "destination_key")
    return pl.read_parquet(run.decisions).sort("contactid").select(columns).rows()


@pytest.mark.parametrize("form", FORMS)
def test_a_run_from_a_lake_is_decided_and_explained_like_one_from_a_file(
    tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lake(tmp_path / "lake", form)
    write_small(tmp_path / "file")
    where = ["--runs", str(tmp_path / "runs")]
    other, folder = (
        find_run(
            tmp_path / "runs",
            run_json(capsys, "run", "--project", tmp_path / name / "p2c.toml", *where)["run"],
        )
        for name in ("file", "lake")
    )
    assert list_decisions(folder) == list_decisions(other)
    facts = json.loads((folder.path / "run.json").read_text())
    assert facts["delta"] == [
        {"table": "contacts", "version": 1, "committed_at": "2024-03-05T09:00:01+00:00"}
    ]
    assert {one["in_place"] for one in facts["sources"] if one["table"] == "contacts"} == {
        form == "in place"
    }
    (item,) = run_json(capsys, "explain", contactid(1), *where)["items"]
    assert (item["decision"]["source_file"], item["decision"]["source_line"]) == (
        "contact/part-0.parquet",
        1 if form == "in place" else 2,
    )
    assert (item["source"]["lastname"], item["version"]) == ("Number1", 1)
    assert main(["verify", str(folder.run), *where]) == 0


@pytest.mark.parametrize("form", FORMS)
def test_findings_are_repaired_from_a_lake_and_the_corrected_file_is_refused_with_the_way_out(
    tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lake(tmp_path, form)
    where = ["--runs", str(tmp_path / "runs")]
    project = ["--project", str(tmp_path / "p2c.toml")]
    run = run_json(capsys, "plan", *project, *where)["run"]
    repair = tmp_path / "repair.csv"
    assert main(["findings", run, "--repair", str(repair), *where]) == 0
    assert "L" * 26 in repair.read_text(encoding="utf-8")
    answer = run_json(capsys, "retry", run, "--corrected", repair, *project, *where)
    assert "--corrected works on exports, not on a Delta table" in answer["error"]["message"]


def test_the_report_and_the_story_name_the_version(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lake(tmp_path, "landed")
    where = ["--runs", str(tmp_path / "runs")]
    run = run_json(capsys, "plan", "--project", tmp_path / "p2c.toml", *where)["run"]
    assert main(["explain", contactid(2), *where]) == 0
    line = "read from     contact/part-0.parquet line 3, version 1 of the Delta table"
    assert line in capsys.readouterr().out
    assert main(["report", run, *where]) == 0
    page = next((tmp_path / "runs" / run).glob("*.html")).read_text(encoding="utf-8")
    assert "5 Mar 2024, 09:00:01 UTC" in page


def plan_while(home: Path, happens: Callable[[], None]) -> RunFolder:
    """A plan; something happens once it looks for repeats."""

    def listen(step: object) -> None:
        if isinstance(step, Step) and step.name == "looking for repeats":
            happens()

    project = load_project(home / "p2c.toml")
    return make_plan(project, PlanRequest(), home / "runs", clock, listen)


@pytest.mark.parametrize("moves", [False, True])
def test_a_table_that_moves_on_under_a_plan_is_told(tmp_path: Path, moves: bool) -> None:
    table = write_lake(tmp_path, "landed")

    def move() -> None:
        table.commit({"remove": {"path": "part-1.parquet", "dataChange": True}})

    run = plan_while(tmp_path, move if moves else lambda: None)
    found = pl.read_parquet(run.findings).filter(pl.col("code") == "source_moved")
    told = ["contacts was read at version 1 and is now at version 2"] if moves else []
    assert [told[0] in message for message in found["message"]] == [True] * len(told)


@pytest.mark.parametrize("form", FORMS)
def test_a_table_that_is_gone_later_is_said_not_stumbled_over(
    tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table = write_lake(tmp_path, form)
    where = ["--runs", str(tmp_path / "runs")]
    run = run_json(capsys, "plan", "--project", tmp_path / "p2c.toml", *where)["run"]
    without(table.path)
    (item,) = run_json(capsys, "explain", contactid(1), *where)["items"]
    notes = ["The source is not where the run read it: the rows read cannot be shown."]
    assert item["notes"] == (notes if form == "in place" else [])
    assert bool(item["source"]) is (form == "landed")
    assert main(["verify", run, *where]) == (1 if form == "in place" else 0)


def test_check_reads_a_lake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_lake(tmp_path, "landed")
    answer = run_json(capsys, "check", "--project", tmp_path / "p2c.toml")
    [table] = [one for one in answer["items"] if one["what"] == "table contacts"]
    assert (table["status"], table["message"]) == ("ok", "11 rows, 10 known columns")


def test_text_that_is_not_utf_8_is_named_where_it_was_copied(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = write_lake(tmp_path, "landed")
    content = pq.read_table(table.path / "part-1.parquet")
    cells = pa.array([b"M\xfcller" if row == 2 else b"Miller" for row in range(5)], pa.binary())
    no_text = pa.Array.from_buffers(pa.string(), 5, cells.buffers())
    place = COLUMNS.index("lastname")
    spoiled = content.set_column(place, content.schema.field(place), no_text)
    pq.write_table(spoiled, table.path / "part-1.parquet")
    words = ["--project", str(tmp_path / "p2c.toml"), "--runs", str(tmp_path / "runs")]
    error = run_json(capsys, "plan", *words)["error"]
    assert error["where"] == "contact/part-1.parquet"
    assert "column lastname, row 3: its text is not UTF-8." in error["message"]


def test_without_the_extra_a_sentence_says_what_to_install(tmp_path: Path) -> None:
    write_lake(tmp_path, "in place")
    script = (
        "import sys; sys.modules['deltalake'] = None; from pipeline.cli.app import main; "
        f"sys.exit(main(['plan', '--project', {str(tmp_path / 'p2c.toml')!r}]))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 2
    assert answer.stderr.splitlines()[-1] == (
        "p2c: contact: is a Delta table, and reading it needs packages that are not installed: "
        'pip install "p2c[lake]".'
    )
