"""DuckDB sessions: what is kept where."""

from __future__ import annotations

from pathlib import Path

import pytest

from sql.session import Session, session

_ACCOUNTS = (
    "SELECT i AS accountid, 'ACC-' || i AS number, ['usmf', NULL] AS customer_of, 'acc-' || i AS "
    "number_key FROM range(5) AS t(i)"
)
_READ = "SELECT accountid, number, customer_of FROM accounts ORDER BY accountid"


def tables(here: Session) -> list[str]:
    return here.frame("SELECT table_name FROM duckdb_tables() ORDER BY table_name")[
        "table_name"
    ].to_list()


@pytest.mark.parametrize("name", ["scratch", "number=7", "o'brien [1]*"])
def test_a_table_set_aside_is_read_as_before_but_from_disk(tmp_path: Path, name: str) -> None:
    with session(scratch=tmp_path / name) as here:
        here.store("accounts", _ACCOUNTS)
        before = here.frame(_READ)
        here.set_aside("accounts", but="number_key")
        assert here.frame(_READ).equals(before)
        assert list(here.columns("FROM accounts")) == ["accountid", "number", "customer_of"]
        assert tables(here) == []
        assert [path.name for path in (tmp_path / name).iterdir()] == ["accounts.parquet"]


def test_without_a_scratch_folder_a_table_stays_in_memory() -> None:
    with session() as here:
        here.store("accounts", _ACCOUNTS)
        here.set_aside("accounts", but="number_key")
        assert tables(here) == ["accounts"]
        assert here.frame(_READ).height == 5
