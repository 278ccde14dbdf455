"""A backfill planned from a live Sales and written into it.

And ``p2c run --backfill``, after which nobody lacks a number.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.cli.app import main
from pipeline.sandbox.serve import Ready
from tests.benchmarks.backfill_live import contacts, emptied, sales_at
from tests.scenes.sampled import running_samples
from tests.scenes.small import write_small

ROWS = 40


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ready]:
    with running_samples(ROWS) as found:
        monkeypatch.setenv(found.secret_env, found.secret)
        yield found


def call(capsys: pytest.CaptureFixture[str], runs: Path, *words: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main([*words, "--runs", str(runs), "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, found


def test_planned_from_sales_written_into_sales(
    ready: Ready, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sales_at(json.loads(ready.line())) as sales:
        emptied(sales, ROWS)
        without = contacts(sales)["msdynce_contactnumber"].null_count()
        code, answer = call(capsys, tmp_path, "backfill", "--project", str(ready.project))
        assert answer["counts"]["number"] + answer["counts"]["both"] == without > 0, answer
        planned = pl.read_parquet(tmp_path / answer["run"] / "backfill-plan.parquet")
        assert planned.filter(pl.col("action") != "none")["etag"].null_count() == 0
        code, answer = call(capsys, tmp_path, "apply", answer["run"])
        assert (code, answer["verdict"]) == (0, "clean")
        assert (
            answer["outcomes"]["failed"]
            == answer["outcomes"]["unknown"]
            == answer["outcomes"]["pending"]
            == 0
        ), answer
        there = contacts(sales)
        assert there["msdynce_contactnumber"].null_count() == 0
        assert there["msdynce_contactnumber"].n_unique() == there.height
        assert call(capsys, tmp_path, "verify", answer["run"])[0] == 0


def test_run_with_backfill_in_parts_moves_on_whom_a_missing_number_held(
    ready: Ready, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sales_at(json.loads(ready.line())) as sales:
        emptied(sales, ROWS)
    words = ("--project", str(ready.project), "--set", "run.poll=0.02s")
    _, before = call(capsys, tmp_path, "plan", *words)
    assert before["reasons"]["held/contact_number_missing"] > 0
    in_parts = ("--set", "run.part_rows=15")
    _, after = call(capsys, tmp_path, "run", "--backfill", *words, *in_parts)
    assert "held/contact_number_missing" not in after["reasons"], after
    assert after["outcomes"]["created"] > 0


def test_on_files_run_with_backfill_says_what_to_do_instead(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export = tmp_path / "export"
    export.mkdir()
    write_small(export)
    code, answer = call(capsys, tmp_path / "runs", "run", "--backfill", "--source", str(export),
                      "--set", "destination.legal_entity=usmf")  # fmt: skip
    assert code == 2
    assert "import" in answer["error"]["message"]
    assert not (tmp_path / "runs").exists()
