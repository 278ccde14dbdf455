"""Columns that hold masks in the place of values are told, and the run is not clean."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.plan.null_words import view_tables
from pipeline.run.summary import ALARMS
from sql.session import session
from tests.plan.test_null_words import USED, landed


def report(
    folder: Path,
    *names: str,
    used: tuple[str, ...] = USED,
    words: tuple[str, ...] | None = (),
) -> list[tuple[str, object]]:
    rows = [f"{place},N{place},1,,{name},d,1,1" for place, name in enumerate(names)]
    with session(memory="100MB") as here:
        found = view_tables(here, landed(folder, *rows).tables, words, used=used).findings
    return [(one.code, one.column) for one in found]


@pytest.mark.parametrize(
    "names",
    [
        ["*****"] * 3,
        ["L*****", "M****", "", "***"],
        ["###-1", "###-2", "###-3"],
        ["*****", "***", "** **", "Lovelace"],
    ],
)
def test_a_column_of_masks_is_told(tmp_path: Path, names: list[str]) -> None:
    assert report(tmp_path, *names) == [("text_masked", "lastname")]
    assert "text_masked" in ALARMS


@pytest.mark.parametrize(
    "names",
    [
        ["*****", "*****"],
        ["*****", "*****", "Lovelace"],
        ["L*****", "M****", "N****", "Lovelace"],
        ["Ada *", "Lin **", "Eve"],
        ["", "", "", ""],
    ],
    ids=["too few", "too few of them", "not wholly", "stars", "blank"],
)
def test_other_columns_are_not(tmp_path: Path, names: list[str]) -> None:
    assert report(tmp_path, *names) == []


def test_a_column_that_nobody_maps_is_not(tmp_path: Path) -> None:
    assert report(tmp_path, *["*****"] * 3, used=("description",)) == []


@pytest.mark.parametrize("sign", ["-", "--", ".", "~", "?", "#", " - ", "n.v.", "k.A.", "<leer>"])
def test_a_sign_in_the_place_of_many_values_is_told(tmp_path: Path, sign: str) -> None:
    names = [sign, "Lovelace", sign, "Ada", sign]
    assert report(tmp_path, *names, words=None) == [("sign_for_blank", "lastname")]
    assert "sign_for_blank" in ALARMS
    other = tmp_path / "other"
    other.mkdir()
    assert report(other, *names, words=()) == [], "the project says that it is text"


@pytest.mark.parametrize(
    "names",
    [["-", "-", "Ada"], ["-"] * 3 + ["Ada"] * 13, ["X", "O", "I"], ["+", "-", "+", "+"]],
    ids=["two", "rare", "letters", "marks"],
)
def test_signs_that_people_write_now_and_then_are_not(tmp_path: Path, names: list[str]) -> None:
    assert report(tmp_path, *names, words=None) == []
