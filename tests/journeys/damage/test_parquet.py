"""Parquet files that open and are damaged inside, and folders named like patterns."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from pipeline.cli.app import main
from tests.scenes.small import contactid, number, write_small

ROWS = 3_000


def damaged(path: Path, column: str) -> None:
    """Contacts with one column's data overwritten at the start of its page."""
    frame = pl.DataFrame(
        {
            "contactid": [contactid(n) for n in range(ROWS)],
            "msdynce_contactnumber": [number(n) for n in range(ROWS)],
            "msdynce_isactivecustomer": ["Yes"] * ROWS,
            "parentcustomerid": ["x"] * ROWS,
            "lastname": [f"Name {n * 7919 % ROWS}" for n in range(ROWS)],
        }
    )
    frame.write_parquet(
        path, compression="zstd", use_pyarrow=True, pyarrow_options={"use_dictionary": False}
    )
    group = pq.ParquetFile(path).metadata.row_group(0)
    [chunk] = [
        group.column(place)
        for place in range(group.num_columns)
        if group.column(place).path_in_schema == column
    ]
    content = bytearray(path.read_bytes())
    start = chunk.data_page_offset
    content[start : start + 64] = bytes(value ^ 0x5A for value in content[start : start + 64])
    path.write_bytes(content)


def damaged_later(path: Path, column: str) -> None:
    """Contacts in three row groups; a few bytes of one column in the second one are altered."""
    frame = pl.DataFrame(
        {
            "contactid": [contactid(n) for n in range(ROWS)],
            "msdynce_contactnumber": [number(n) for n in range(ROWS)],
            "msdynce_isactivecustomer": [n % 3 == 0 for n in range(ROWS)],
            "parentcustomerid": [contactid(ROWS + n % 7) for n in range(ROWS)],
            "lastname": [f"Name {n * 7919 % ROWS}" for n in range(ROWS)],
        }
    )
    pq.write_table(
        frame.to_arrow(compat_level=pl.CompatLevel.oldest()),
        path,
        compression="snappy",
        row_group_size=1_000,
    )
    group = pq.ParquetFile(path).metadata.row_group(1)
    [chunk] = [
        group.column(place)
        for place in range(group.num_columns)
        if group.column(place).path_in_schema == column
    ]
    content = bytearray(path.read_bytes())
    start = chunk.data_page_offset + 5
    content[start : start + 10] = bytes(value ^ 0xFF for value in content[start : start + 10])
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "column"),
    [
        (damaged, "contactid"),
        (damaged, "lastname"),
        (damaged_later, "msdynce_isactivecustomer"),
        (damaged_later, "msdynce_contactnumber"),
    ],
)
def test_a_file_that_is_damaged_inside_is_named_and_nothing_is_left(
    tmp_path: Path,
    damage: Callable[[Path, str], None],
    column: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    damage(tmp_path / "contacts.parquet", column)
    (tmp_path / "accounts.csv").write_text("accountid,accountnumber\n", encoding="utf-8")
    words = ["--set", "destination.legal_entity=usmf", "--set", "destination.currency=EUR"]
    code = main(
        ["plan", "--source", str(tmp_path), "--runs", str(tmp_path / "runs"), "--json", *words]
    )
    error = json.loads(capsys.readouterr().out)["error"]
    assert (code, error["code"], error["where"]) == (2, "source", "contacts.parquet"), error
    assert "damaged" in error["message"]
    assert not list((tmp_path / "runs").glob("*"))


def test_text_that_is_not_utf_8_is_named_with_column_and_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_small(tmp_path)
    table = pa.csv.read_csv(tmp_path / "contacts.csv").slice(0, 5)
    cells = pa.array([b"M\xfcller" if row == 3 else b"Miller" for row in range(5)], pa.binary())
    no_text = pa.Array.from_buffers(pa.string(), 5, cells.buffers())
    pq.write_table(
        table.set_column(table.column_names.index("lastname"), "lastname", no_text),
        tmp_path / "contacts.parquet",
    )
    (tmp_path / "contacts.csv").unlink()
    words = ["--project", str(tmp_path / "p2c.toml"), "--runs", str(tmp_path / "runs"), "--json"]
    assert main(["plan", *words]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["where"], error["message"]) == (
        "contacts.parquet", "column lastname, row 4: its text is not UTF-8. Write the file again.",
    )  # fmt: skip
    assert not list((tmp_path / "runs").glob("*"))


def test_a_filter_that_fails_on_a_value_is_named_without_the_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_small(tmp_path)
    words = ["--project", str(tmp_path / "p2c.toml"), "--runs", str(tmp_path / "runs"), "--json"]
    assert main(["plan", *words, "--set", "source.filter=CAST(lastname AS INTEGER) > 0"]) == 2
    out, err = capsys.readouterr()
    error = json.loads(out)["error"]
    assert (error["code"], error["where"]) == ("configuration", "source.filter")
    assert "TRY_CAST" in error["message"]
    surnames = pl.read_csv(tmp_path / "contacts.csv")["lastname"].to_list()
    assert not [name for name in surnames if name in out + err]
    assert not list((tmp_path / "runs").glob("*"))


def test_runs_and_sources_in_folders_named_like_patterns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "year=2024" / "cut-over [1] *"
    home.mkdir(parents=True)
    write_small(home)
    words = ["--runs", str(home / "runs"), "--json"]
    assert main(["run", "--project", str(home / "p2c.toml"), *words]) == 1
    run = json.loads(capsys.readouterr().out)["run"]
    looks, repairs = ("report", "findings", "verify"), ("undo", "retry")
    assert [main([command, run, *words]) for command in looks] == [0, 0, 0]
    assert [main([command, run, *words]) for command in repairs] == [1, 1]
    assert main(["explain", contactid(1), *words]) == 0
