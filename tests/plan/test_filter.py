"""A source filter is one condition on contacts, and reads nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenes.command_line import P2c, p2c
from tests.scenes.small import write_small

__all__ = ["p2c"]


def plan(p2c: P2c, folder: Path, condition: str) -> tuple[int, str]:
    project = write_small(folder / "odd [name]?")
    settings = f"source.filter={condition}"
    answer = p2c("plan", "--project", project.parent / "p2c.toml", "--set", settings)
    return answer.code, answer.err


@pytest.mark.parametrize(
    "condition",
    [
        "EXISTS (FROM read_text('/etc/passwd'))",
        "lastname IN (SELECT content FROM read_text('p2c.toml'))",
        "EXISTS (FROM glob('/etc/*'))",
        "EXISTS (FROM read_csv('http://127.0.0.1:9/x'))",
        "EXISTS (FROM '/etc/passwd')",
        "EXISTS (FROM read_parquet('/tmp/x.parquet'))",
    ],
)
def test_a_filter_reads_no_files(p2c: P2c, tmp_path: Path, condition: str) -> None:
    code, said = plan(p2c, tmp_path, condition)
    assert code == 2
    assert "source.filter" in said
    assert "no extension" not in said


@pytest.mark.parametrize(
    "condition",
    [
        "true UNION ALL SELECT true",
        "true, false",
        "true FROM contacts_resolved",
        "true LIMIT 0",
        "true; SELECT 1",
        "true AS x",
    ],
)
def test_a_filter_is_one_expression(p2c: P2c, tmp_path: Path, condition: str) -> None:
    code, said = plan(p2c, tmp_path, condition)
    assert (code, "must be one SQL condition" in said) == (2, True)


def test_a_filter_cannot_close_what_it_stands_in(p2c: P2c, tmp_path: Path) -> None:
    twice = (
        "true) AS BOOLEAN), false) AS passes_filter FROM contacts_resolved "
        "UNION ALL SELECT *, coalesce(CAST((true"
    )
    code, said = plan(p2c, tmp_path, twice)
    assert (code, "is not a condition" in said) == (2, True)


@pytest.mark.parametrize(
    ("condition", "code"),
    [("lastname <> 'Brown' -- not she", 1), ("lastname LIKE 'Number1' OR lastname IS NULL", 0)],
)
def test_a_plain_filter_works_in_a_folder_with_odd_signs(
    p2c: P2c, tmp_path: Path, condition: str, code: int
) -> None:
    found, said = plan(p2c, tmp_path, condition)
    assert found == code, said
