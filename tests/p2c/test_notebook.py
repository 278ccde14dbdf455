"""``import p2c``: ten names, and a notebook's lines that run as they stand in the docs."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import polars as pl
import pytest

import p2c
from p2c import effects
from pipeline.apply.consent import Question
from tests.scenes.places import ROOT, SAMPLES
from tests.scenes.small import CUSTOMERS, PERSONS, write_small

PAGE = (ROOT / "docs" / "reference" / "python.md").read_text(encoding="utf-8")


@pytest.fixture
def run(tmp_path: Path) -> p2c.Run:
    project = p2c.load_project(write_small(tmp_path))
    return p2c.plan(project, runs=tmp_path / "runs")


def test_there_are_ten_names_and_each_is_documented() -> None:
    assert len(p2c.__all__) == 10
    for name in p2c.__all__:
        assert (getattr(p2c, name).__doc__ or "").strip(), name
        assert f"`{name}" in PAGE, name
    assert (Path(p2c.__file__).parent / "py.typed").is_file()


def test_the_lines_of_the_docs_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(SAMPLES, tmp_path / "samples")
    monkeypatch.chdir(tmp_path / "samples")
    blocks = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert blocks
    space: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "python.md", "exec"), space)  # noqa: S102 - the docs' own lines
    made = space["run"]
    assert isinstance(made, p2c.Run)
    assert made.summary.applied
    assert (made.path / "report.html").is_file()


def test_tables_are_frames(run: p2c.Run) -> None:
    assert run.decisions.height == run.summary.equations[1].left
    assert run.rows("ContactToCustomer").height == CUSTOMERS
    assert run.rows("Contacts").height == PERSONS
    assert isinstance(run.findings, pl.DataFrame)
    assert run.kind == "main"


def test_a_run_is_opened_by_its_id_or_as_the_latest(run: p2c.Run) -> None:
    assert p2c.Run.open(run.path.parent) == p2c.Run.open(run.path.parent, run.id[:18]) == run
    with pytest.raises(p2c.P2cError, match="no run has an id"):
        p2c.Run.open(run.path.parent, "9")


def test_a_task_that_is_not_there_is_a_sentence(run: p2c.Run) -> None:
    with pytest.raises(p2c.P2cError, match="Did you mean 'Contacts'"):
        run.rows("Contact")


def test_a_plan_is_applied_retried_and_undone(run: p2c.Run) -> None:
    assert p2c.apply(run).outcomes.height == CUSTOMERS + PERSONS
    assert run.verify()
    again = p2c.retry(run)
    assert again is not None
    assert again.kind == "retry"
    assert p2c.undo(run).kind == "undo"


def test_a_contact_is_explained(run: p2c.Run) -> None:
    contact = run.decisions.filter(pl.col("decision") == "customer")["contactid"][0]
    assert contact in run.explain(contact)


def test_nothing_leaves_this_machine_without_agreement() -> None:
    question = Question(run="x", text="Run x will send 3 rows by odata")
    with pytest.raises(p2c.P2cError, match=r"(?s)agreed=True.*will send 3 rows"):
        effects._asker(agreed=False)(question)
    effects._asker(agreed=True)(question)


def test_a_first_load_has_no_changes(run: p2c.Run) -> None:
    assert run.changes.is_empty()
    assert run.changes.columns[3:] == ["column", "old", "new"]
