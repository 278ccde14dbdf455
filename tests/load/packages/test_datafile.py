from __future__ import annotations

import codecs
import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.load.packages.datafile import build_data_file, find_qualified
from schemas.catalogue import DECIMAL
from tests.scenes.specs import cells

TIME = pl.Datetime("us", "UTC")


def one_column(values: list[object], dtype: pl.DataType) -> list[str]:
    """The cells of one column, next to a key."""
    rows = pl.DataFrame({"Key": ["k"] * len(values), "Value": pl.Series(values, dtype=dtype)})
    return [row[1] for row in cells(build_data_file(rows, ["Key", "Value"]))[1:]]


def test_the_bytes_are_utf_16_with_crlf_an_unquoted_upper_case_header_and_quoted_text() -> None:
    rows = pl.DataFrame(
        {
            "Key": ["a,b", 'say "x"', ""],
            "Day": [7, None, -1],
            "Name": [None, "tab\there", "\u00fc\U0001f600"],
        },
        schema={"Key": pl.String, "Day": pl.Int64, "Name": pl.String},
    )
    expected = (
        'KEY,NAME,DAY\r\n"a,b",,7\r\n"say ""x""","tab\there",\r\n"","\u00fc\U0001f600",-1\r\n'
    )
    assert build_data_file(rows, ["Key", "Name", "Day"]) == codecs.BOM_UTF16_LE + expected.encode(
        "utf-16-le"
    )


def test_decimals_are_plain_and_without_trailing_zeros() -> None:
    values = ["20000.000000", "0.5", "-0.000001", "0", "-100", "12345678901234567890.123456", None]
    numbers = [value and Decimal(value) for value in values]
    expected = ["20000", "0.5", "-0.000001", "0", "-100", "12345678901234567890.123456", ""]
    assert one_column([*numbers], DECIMAL) == expected


def test_decimals_without_a_fraction_keep_their_zeros() -> None:
    assert one_column([Decimal(20000), Decimal(0)], pl.Decimal(32, 0)) == ["20000", "0"]


@settings(deadline=None)
@given(st.lists(st.decimals(-(10**20), 10**20, places=6), min_size=1))
def test_any_decimal_comes_back_as_the_same_number(values: list[Decimal]) -> None:
    texts = one_column([*values], DECIMAL)
    assert [Decimal(text) for text in texts] == values
    assert not any("E" in text or ("." in text and text.endswith(("0", "."))) for text in texts)


def test_timestamps_are_utc_whatever_zone_the_column_has() -> None:
    moment = dt.datetime(2154, 12, 31, 23, 59, 59, 999_999, tzinfo=dt.UTC)
    assert one_column([moment, None], TIME) == ["2154-12-31T23:59:59Z", ""]
    assert one_column([moment], pl.Datetime("ms", "Asia/Tokyo")) == ["2154-12-31T23:59:59Z"]
    assert one_column([moment.replace(tzinfo=None)], pl.Datetime("us")) == ["2154-12-31T23:59:59Z"]


def test_a_column_of_nothing_is_blank() -> None:
    assert one_column([None, None], pl.Null()) == ["", ""]


@pytest.mark.parametrize("line_break", ["\r", "\n", "\r\n"])
def test_a_line_break_is_refused_by_column_and_never_by_value(line_break: str) -> None:
    rows = pl.DataFrame({"Key": ["k"], "Notes": [f'secret "{line_break}value']})
    with pytest.raises(ValueError, match="column Notes") as caught:
        build_data_file(rows, ["Key", "Notes"])
    assert "secret" not in str(caught.value)


def test_missing_columns_are_named_together() -> None:
    with pytest.raises(ValueError, match="2 of the package's columns: LastName, Notes"):
        build_data_file(pl.DataFrame({"Key": ["k"]}), ["Key", "LastName", "Notes"])


@pytest.mark.parametrize("dtype", [pl.Float64(), pl.Boolean(), pl.Date()])
def test_a_type_without_an_agreed_text_is_refused(dtype: pl.DataType) -> None:
    with pytest.raises(ValueError, match="column Value is"):
        one_column([None], dtype)


def test_a_row_without_any_value_is_refused() -> None:
    with pytest.raises(ValueError, match="no value in any column"):
        build_data_file(pl.DataFrame({"Key": ["k", None]}), ["Key"])


def test_no_rows_make_a_header() -> None:
    assert cells(
        build_data_file(pl.DataFrame({"Key": []}, schema={"Key": pl.String}), ["Key"])
    ) == [["KEY"]]


def test_only_columns_that_need_quotes_have_them() -> None:
    rows = pl.DataFrame(
        {"Key": ["k", "l"], "Name": ["a,b", "c"], "Memo": ['say "x"', None], "City": ["x", None]}
    )
    columns = ["Key", "Name", "Memo", "City"]
    qualified = find_qualified(rows, columns)
    assert qualified == ["Name", "Memo"]
    content = build_data_file(rows, columns, qualified)
    assert content[2:].decode("utf-16-le").split("\r\n") == [
        "KEY,NAME,MEMO,CITY", 'k,"a,b","say ""x""",x', 'l,"c",,', ""
    ]  # fmt: skip
    assert cells(content)[1:] == [["k", "a,b", 'say "x"', "x"], ["l", "c", "", ""]]
