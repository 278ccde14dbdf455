"""Numbers of accounts and contacts that are other keys than they look are told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from pipeline.extract.landing import LandedTable
from pipeline.plan.null_words import view_tables
from pipeline.run.summary import ALARMS
from sql.session import session
from tests.plan.test_null_words import HEADER, USED
from tests.scenes.reading import landed


def land(folder: Path) -> Mapping[str, LandedTable]:
    into = folder / "landed"
    into.mkdir(exist_ok=True)
    return landed(folder, into, ("contacts", "accounts"))


def report(
    folder: Path, *numbers: str, words: tuple[str, ...] | None = None
) -> list[tuple[str, int | None]]:
    """What is told of accounts, and of which line of their file."""
    (folder / "contacts.csv").write_text(f"{HEADER}\n1,N1,1,,Ada,d,1,1\n", encoding="utf-8")
    rows = [f"{place},{number}" for place, number in enumerate(numbers)]
    path = folder / "accounts.csv"
    path.write_text("\n".join(["accountid,accountnumber", *rows, ""]), encoding="utf-8")
    with session(memory="100MB") as here:
        told = view_tables(here, land(folder), words, used=USED).findings
    return [(one.code, one.source_line) for one in told if one.column == "accountnumber"]


@pytest.mark.parametrize(
    "sign", ["\u200d", "\u00ad", "\u200e", "\u2068", "\u00a0", "\u2013", "\u0410", "&amp;", "\x7f"]
)
def test_a_sign_that_nobody_sees_is_told(tmp_path: Path, sign: str) -> None:
    assert report(tmp_path, "A-1", f"A-{sign}2") == [("key_hidden", 3)]
    assert "key_hidden" in ALARMS


@pytest.mark.parametrize("number", ["Ä-1", "АБ-1", "株-1", "A&B-1", " A-1 ", "\u00a0A-1"])
def test_letters_of_one_language_are_not(tmp_path: Path, number: str) -> None:
    assert report(tmp_path, number) == []


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        (["1067.0", "AB12"], [("key_rewritten", 2)]),
        (["1", "1068.0"], [("key_rewritten", 3)]),
        (["1067.0", "1067.1"], []),
        (["1067.0", "1068.0"], [("fraction_dropped", None)]),
        (["00123", "123"], [("key_shortened", 3)]),
        (["00123", "12345"], []),
        (["00123", "A1"], []),
        (["-", "A1"], [("sign_for_blank", 2)]),
    ],
)
def test_numbers_that_a_tool_wrote_are_told(
    tmp_path: Path, numbers: list[str], expected: list[tuple[str, int | None]]
) -> None:
    assert report(tmp_path, *numbers) == expected


def test_a_sign_that_the_project_knows_is_not_told(tmp_path: Path) -> None:
    assert report(tmp_path, "-", "A1", words=("-",)) == []
    assert report(tmp_path, "-", "A1", words=()) == []


def test_damaged_numbers_in_parquet_are_told_where_nobody_maps_them(tmp_path: Path) -> None:
    cells = dict.fromkeys(HEADER.split(","), "1") | {"msdynce_contactnumber": "M?ller"}
    pl.DataFrame([cells]).write_parquet(tmp_path / "contacts.parquet")
    found = land(tmp_path)
    assert found["contacts"].in_place
    with session(memory="100MB") as here:
        told = view_tables(here, found, None, used=USED, is_mapped=False).findings
    assert [one.code for one in told] == ["text_damaged"]
