"""The demo: both systems are local, every sample ends where it belongs, no system is left over."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.cli.app import main
from pipeline.commands import demo
from pipeline.commands.result import Result
from pipeline.events import report_nothing
from pipeline.samples.expected import expect_rows


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main([*words, "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, found


def test_samples_go_from_sales_into_scm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = shown(capsys, "demo", "--runs", str(tmp_path))
    assert (code, told["verdict"], told["balanced"]) == (0, "attention", True), told
    run = tmp_path / told["run"]
    decisions = pl.read_parquet(run / "decisions.parquet")
    found = {
        row["contactid"]: f"{row['decision']}/{row['reason']}"
        for row in decisions.iter_rows(named=True)
    }
    assert found == {one.contactid: one.live for one in expect_rows() if one.live is not None}
    failed = pl.read_parquet(run / "outcomes.parquet").filter(pl.col("outcome") != "created")
    assert set(failed["contactid"]) == {one.contactid for one in expect_rows() if one.refused}
    assert set(failed["code"]) == {"refused_reference"}
    assert (run / "report.html").is_file()
    assert not [one.name for one in threading.enumerate() if "uvicorn" in one.name.casefold()]
    assert shown(capsys, "verify", told["run"], "--runs", str(tmp_path))[0] == 0
    number = decisions.filter(pl.col("decision") == "customer")["contact_number"][0]
    assert shown(capsys, "explain", number, "--runs", str(tmp_path))[0] == 0


def test_offline_it_leaves_packages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = shown(capsys, "demo", "--offline", "--runs", str(tmp_path))
    assert (code, told["outcomes"]["written"]) == (0, 773), told
    assert list((tmp_path / told["run"] / "packages").glob("*/*.zip"))


@pytest.mark.parametrize("work", [demo.demonstrate, demo.demonstrate_offline])
def test_samples_that_end_otherwise_are_a_defect(
    work: Callable[..., Result], tmp_path: Path
) -> None:
    first, *others = expect_rows()
    changed = (replace(first, reason="too_long", live="rejected/too_long"), *others)
    result = work(tmp_path, report_nothing, expect=lambda: changed)
    assert result.exit_code == 4
    assert "a defect of p2c" in result.lines(0)
