"""Parquet files that open and are damaged inside, and folders named like patterns."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from pipeline.cli import main
from tests.small import contactid, number, write_small

ROWS = 3_000


def damaged(path: Path, column: str) -> None:
    """Contacts with the data of one column altered overwritten at the start of its page."""
    frame = pl.DataFrame(
        {
            "contactid": [contactid(n) for n in range(ROWS)],
            "msdynce_contactnumber": [number(n) for n in range(ROWS)],
            "msdynce_isactivecustomer": ["Yes"] * ROWS,
            "parentcustomerid": ["x"] * ROWS,
            "lastname": [f"Name {n * 7919 % ROWS}" for n in range(ROWS)],
        }
    )
    frame.write_parquet(path, compression="zstd", use_pyarrow=True, pyarrow_options={"use_dictionary": False})
    group = pq.ParquetFile(path).metadata.row_group(0)
    [chunk] = [group.column(place) for place in range(group.num_columns) if group.column(place).path_in_schema == column]
    content = bytearray(path.read_bytes())
    start = chunk.data_page_offset
    content[start : start + 64] = bytes(value ^ 0x5A for value in content[start : start + 64])
    path.write_bytes(content)


@pytest.mark.parametrize("column", ["contactid", "lastname"])
def test_a_file_that_is_damaged_inside_is_named_and_nothing_is_left(
    tmp_path: Path, column: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged(tmp_path / "contacts.parquet", column)
    (tmp_path / "accounts.csv").write_text("accountid,accountnumber\n", encoding="utf-8")
    words = ["--set", "destination.legal_entity=usmf", "--set", "destination.currency=EUR"]
    code = main(["plan", "--source", str(tmp_path), "--runs", str(tmp_path / "runs"), "--json", *words])
    told = json.loads(capsys.readouterr().out)["error"]
    assert (code, told["code"], told["where"]) == (2, "source", "contacts.parquet"), told
    assert "damaged" in told["message"]
    assert not list((tmp_path / "runs").glob("*"))


def test_runs_and_sources_in_folders_named_like_patterns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "year=2024" / "cut-over [1] *"
    home.mkdir(parents=True)
    write_small(home)
    words = ["--runs", str(home / "runs"), "--json"]
    assert main(["run", "--project", str(home / "p2c.toml"), *words]) == 1
    run = json.loads(capsys.readouterr().out)["run"]
    for command in ("report", "findings", "verify", "undo", "retry"):
        assert main([command, run, *words]) in (0, 1), command
    assert main(["explain", contactid(1), *words]) == 0
