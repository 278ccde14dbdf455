"""A disk that fills up, shown by a limit on the size of files.

The real command stops, and leaves nothing that looks whole.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import uuid
from pathlib import Path

import polars as pl
import pytest

from tests.scenes.places import UNCOMPILED

P2C = Path(sys.executable).with_name("p2c")
LIMIT = 10_000
"""Bytes: more than run.json takes, less than the landed contacts and less than their decisions."""


@pytest.fixture(scope="module")
def contacts() -> pl.DataFrame:
    """Customers whose ids cannot be compressed."""
    ids = [str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))) for number in range(2_000)]
    return pl.DataFrame({"contactid": ids}).with_columns(
        lastname=pl.lit("Brown"),
        msdynce_contactnumber=pl.format("CON-{}-ABCDEF", pl.int_range(10_000, 12_000)),
        msdynce_isactivecustomer=pl.lit("true"),
        parentcustomerid=pl.lit(None, pl.String),
    )


def p2c(source: Path, runs: Path, limit: int | None) -> subprocess.CompletedProcess[str]:
    """``p2c plan`` with files of at most ``limit`` bytes."""

    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [str(P2C), "plan", "--source", str(source), "--runs", str(runs), "--json"]
    command += ["--set", "destination.legal_entity=usmf", "--set", "destination.currency=EUR"]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limited,
        env={**os.environ, **UNCOMPILED},
    )


def stopped(ended: subprocess.CompletedProcess[str], runs: Path, step: str) -> None:
    assert ended.returncode == 3
    error = json.loads(ended.stdout)["error"]
    assert error["code"] == "stopped"
    assert error["message"].startswith(step)
    assert "the file grew over the size limit" in error["message"]
    assert "Traceback" not in ended.stderr
    assert not list(runs.glob("**/*"))


def test_a_full_disk_stops_the_landing_and_the_same_command_continues(
    contacts: pl.DataFrame, tmp_path: Path
) -> None:
    (tmp_path / "export").mkdir()
    contacts.write_csv(tmp_path / "export" / "contacts.csv")
    stopped(
        p2c(tmp_path / "export", tmp_path / "runs", LIMIT), tmp_path / "runs", "landing contacts"
    )
    again = p2c(tmp_path / "export", tmp_path / "runs", None)
    assert again.returncode == 0
    assert json.loads(again.stdout)["counts"]["customer"] == contacts.height


def test_a_full_disk_stops_the_plan(contacts: pl.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    contacts.write_parquet(tmp_path / "export" / "contacts.parquet")
    stopped(p2c(tmp_path / "export", tmp_path / "runs", LIMIT), tmp_path / "runs", "writing")
