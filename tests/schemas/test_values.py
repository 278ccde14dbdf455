"""Readers of values: both engines and a plain model in Python say the same of any text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import values
from schemas.text import WHITE_SPACE
from sql.session import Session, session

SEEDS = {
    "flag": ["1", "true", "Yes", "T", "-1", "1.0", "0.00", "No", "x", "wahr", "on", "2"],
    "type": ["account", "Contacts", "1", "2.0", "Firma", "3"],
    "whole": ["1001", "1001.0", "1.5", "+7", "-3", "1,234", "0x1E", "9223372036854775808", "1e3"],
    "amount": [
        "7000.50", "7.000", "12.25", "7,000.00", "7.000,50", "1,234,567", "1.234.567", "(7.00)",
        "$7,000.00", "€ 7", "7 000.50", "7'000", "CHF 5.00", "-$5.00", "5 EUR", "$(5)", "7,50",
    ],
    "time": [
        "2024-03-02T08:00:00Z", "2024-03-02 08:00:00.1234567 +02:00", "2024-03-02", "13/01/2024",
        "2024-03-02T08:00-0530", "1/2/2024 4:21:12 PM", "12/01/2024, 12:30 am", "05.12.2023 09:00",
        "2024/03/02 08:00", "13-01-2024", "/Date(1709366400000)/", "infinity", "epoch", "1/2/24",
        "2024-02-30", "45353.33", "2024-03-02T24:00:00Z", "now",
        "1709366400", "1709366400001", "1709366400000001", "/Date(1709366400000+0100)/",
        "1/2/2024 4:21\u202fPM", "2024/3/5 9:05:00", "2024-3-15 9:05", "2024. 03. 05. 9:05:00",
        "5. 3. 2024 9:05:00", "5.3.2024 9.05.00", "05-03-2024 09.05", "2024-03-05 9:05:00",
    ],
}  # fmt: skip
EDITS = [*"0123456789-/.:, TZAaPpMm+()$'", "\u00a0", "UTC", "é", "٣"]


@pytest.fixture(scope="module")
def duck() -> Iterator[Session]:
    with session() as opened:
        yield opened


@st.composite
def written(draw: st.DrawFn, kind: str) -> str:
    """A value of a kind, white space around it, with up to two slips of the pen."""
    text = draw(st.sampled_from(SEEDS[kind]))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(text)))
        rest = text[place + draw(st.integers(0, 1)) :]
        text = text[:place] + draw(st.sampled_from(["", *EDITS])) + rest
    around = st.text(alphabet=st.sampled_from(WHITE_SPACE), max_size=1)
    return draw(around) + text + draw(around)


def of_kind(kind: str) -> st.SearchStrategy[list[str | None]]:
    cells = st.none() | st.text(max_size=3) | written(kind)
    return st.lists(cells, min_size=5, max_size=40)


def in_duckdb(duck: Session, expression: str, cells: Sequence[str | None]) -> list[object]:
    frame = pl.DataFrame(
        {"n": range(len(cells)), "x": cells}, schema={"n": pl.Int64, "x": pl.String}
    )
    duck.register("given", frame)
    return duck.frame(f"SELECT {expression} AS y FROM given ORDER BY n")["y"].to_list()


def in_polars(expression: pl.Expr, cells: Sequence[str | None]) -> list[object]:
    frame = pl.DataFrame({"x": cells}, schema={"x": pl.String})
    return frame.select(y=expression)["y"].to_list()


X = pl.col("x")


@settings(deadline=None, max_examples=60)
@given(cells=of_kind("flag"))
def test_flags_are_read_alike(duck: Session, cells: list[str | None]) -> None:
    expected = [values.FLAGS.get((cell or "").strip(WHITE_SPACE).lower()) for cell in cells]
    assert in_duckdb(duck, "two_options_of(x)", cells) == expected
    assert in_polars(values.two_options_of(X), cells) == expected


@settings(deadline=None, max_examples=60)
@given(cells=of_kind("type"))
def test_types_of_lookups_are_read_alike(duck: Session, cells: list[str | None]) -> None:
    expected = [values.LOOKUP_TYPES.get((cell or "").strip(WHITE_SPACE).lower()) for cell in cells]
    assert in_duckdb(duck, "lookup_type_of(x)", cells) == expected
    assert in_polars(values.lookup_type_of(X), cells) == expected


@settings(deadline=None, max_examples=60)
@given(cells=of_kind("whole"))
def test_whole_numbers_are_read_alike(duck: Session, cells: list[str | None]) -> None:
    assert in_duckdb(duck, "whole_of(x)", cells) == in_polars(values.whole_of(X), cells)


@settings(deadline=None, max_examples=60)
@given(cells=of_kind("amount"), pointed=st.booleans())
def test_amounts_are_read_alike(duck: Session, cells: list[str | None], *, pointed: bool) -> None:
    read = in_polars(values.amount_of(X, pointed=pointed), cells)
    assert in_duckdb(duck, f"amount_of(x, {pointed})", cells) == read


@settings(deadline=None, max_examples=100)
@given(cells=of_kind("time"), day_first=st.sampled_from([True, False, None]))
def test_times_are_read_alike(
    duck: Session, cells: list[str | None], *, day_first: bool | None
) -> None:
    order = "NULL" if day_first is None else str(day_first)
    read = in_polars(values.timestamp_of(X, day_first=day_first), cells)
    assert in_duckdb(duck, f"timestamp_of(x, {order})", cells) == read


@pytest.mark.parametrize(
    ("text", "day_first", "expected"),
    [
        ("2018-01-02T08:00:00Z", None, datetime(2018, 1, 2, 8, tzinfo=UTC)),
        ("2018-01-02T08:00:00.1234567Z", None, datetime(2018, 1, 2, 8, 0, 0, 123456, tzinfo=UTC)),
        ("2018-01-02T08:00:00+02:00", None, datetime(2018, 1, 2, 6, tzinfo=UTC)),
        ("2018-01-02 08:00:00.0000000 -05:30", None, datetime(2018, 1, 2, 13, 30, tzinfo=UTC)),
        (" 2018-01-02 ", None, datetime(2018, 1, 2, tzinfo=UTC)),
        ("2018/01/02 08:00", None, datetime(2018, 1, 2, 8, tzinfo=UTC)),
        ("2018/1/2 8:05", None, datetime(2018, 1, 2, 8, 5, tzinfo=UTC)),
        ("2018-1-2 8:05:06", None, datetime(2018, 1, 2, 8, 5, 6, tzinfo=UTC)),
        ("2018-01-02 8:05:06", None, datetime(2018, 1, 2, 8, 5, 6, tzinfo=UTC)),
        ("2018. 01. 02. 8:05:06", None, datetime(2018, 1, 2, 8, 5, 6, tzinfo=UTC)),
        ("2018.01.02", None, datetime(2018, 1, 2, tzinfo=UTC)),
        ("25.06.2021 16:21", None, datetime(2021, 6, 25, 16, 21, tzinfo=UTC)),
        ("25. 6. 2021 16:21:00", None, datetime(2021, 6, 25, 16, 21, tzinfo=UTC)),
        ("25.6.2021 16.21.05", None, datetime(2021, 6, 25, 16, 21, 5, tzinfo=UTC)),
        ("25. 6. 2021. 6:21", None, datetime(2021, 6, 25, 6, 21, tzinfo=UTC)),
        ("25/6/2021 16.21", True, datetime(2021, 6, 25, 16, 21, tzinfo=UTC)),
        ("25.6.2021 16.21:05", None, None),
        ("2018/1-2", None, None),
        ("2018/01/02 08:00:00.5", None, datetime(2018, 1, 2, 8, 0, 0, 500000, tzinfo=UTC)),
        ("/Date(1709366400000)/", None, datetime(2024, 3, 2, 8, tzinfo=UTC)),
        ("/Date(1709366400000+0100)/", None, datetime(2024, 3, 2, 8, tzinfo=UTC)),
        ("1709366400", None, datetime(2024, 3, 2, 8, tzinfo=UTC)),
        ("1709366400001", None, datetime(2024, 3, 2, 8, 0, 0, 1000, tzinfo=UTC)),
        (" 1709366400000001 ", None, datetime(2024, 3, 2, 8, 0, 0, 1, tzinfo=UTC)),
        ("20240302", None, None),
        ("2024030208", None, None),
        ("20240302080000", None, None),
        ("6/25/2021 4:21:12\u202fPM", False, datetime(2021, 6, 25, 16, 21, 12, tzinfo=UTC)),
        ("6/25/2021 4:21:12 PM", False, datetime(2021, 6, 25, 16, 21, 12, tzinfo=UTC)),
        ("25/6/2021 12:21 am", True, datetime(2021, 6, 25, 0, 21, tzinfo=UTC)),
        ("03/04/2024", True, datetime(2024, 4, 3, tzinfo=UTC)),
        ("03/04/2024", False, datetime(2024, 3, 4, tzinfo=UTC)),
        ("03/04/2024", None, None),
        ("6/25/2021", True, None),
        ("03/04/24", True, None),
        ("Infinity", None, None),
        ("epoch", None, None),
        ("45353.33", None, None),
        ("2024-02-30", None, None),
        ("last Tuesday", None, None),
    ],
)
def test_a_time_means_one_instant_or_nothing(
    duck: Session, text: str, day_first: bool | None, expected: datetime | None
) -> None:
    order = "NULL" if day_first is None else str(day_first)
    assert in_duckdb(duck, f"timestamp_of(x, {order})", [text]) == [expected]


@pytest.mark.parametrize(
    ("text", "pointed", "evident"),
    [
        ("7000", "7000", "7000"),
        ("7000.50", "7000.50", "7000.50"),
        ("7.000", "7.000", None),
        ("0.125", "0.125", "0.125"),
        ("7,000", "7000", None),
        ("$7,000.00", "7000.00", "7000.00"),
        ("US$7,000.00", "7000.00", "7000.00"),
        ("7 000.50 CHF", "7000.50", "7000.50"),
        ("7\u00a0000", "7000", "7000"),
        ("(7.00)", "-7.00", "-7.00"),
        ("$ (7.00)", "-7.00", "-7.00"),
        ("1.234.567", None, None),
        ("7.000,50", None, None),
        ("€ 7.000,50", None, None),
        ("70,00.5", None, None),
        ("(-7)", None, None),
        ("7e3", None, None),
        ("seven", None, None),
    ],
)
def test_an_amount_is_read_with_proof(
    duck: Session, text: str, pointed: str | None, evident: str | None
) -> None:
    assert in_duckdb(duck, "amount_of(x, true)", [text]) == [pointed]
    assert in_duckdb(duck, "amount_of(x, false)", [text]) == [evident]


@pytest.mark.parametrize(
    ("pattern", "shown", "silent"),
    [
        (
            values.SHOWS_POINT,
            ["12.25", "7000.0000", "0.5", "7,000.00", "1,234,567"],
            ["7.000", "7"],
        ),
        (values.SHOWS_COMMA, ["12,25", "7000,0000", "7.000,50", "1.234.567"], ["7,000", "7"]),
        (values.PLAIN_AMOUNT, ["12.25", "7000.0000", "7", "0.125"], ["7.000", "7,5", "$7"]),
    ],
)
def test_an_amount_shows_the_sign_of_its_decimals(
    duck: Session, pattern: str, shown: list[str], silent: list[str]
) -> None:
    matches = f"regexp_full_match(x, '{pattern.replace(chr(39), chr(39) * 2)}')"
    assert in_duckdb(duck, matches, shown) == [True] * len(shown)
    assert in_duckdb(duck, matches, silent) == [False] * len(silent)


def test_words_for_null_that_a_person_may_be_called_are_never_asked_about() -> None:
    assert "NULL" in values.TYPED_BY_NOBODY
    assert {"Null", "None", "NA", "N/A"} <= set(values.NULL_WORDS) - set(values.TYPED_BY_NOBODY)


def test_the_clock_of_a_dotted_date_with_a_space_is_not_its_month() -> None:
    moment = pl.select(values.timestamp_of(pl.lit("05. 12.2023 09:00"))).item()
    assert moment.isoformat() == "2023-12-05T09:00:00+00:00"


def test_a_number_that_was_written_short_is_known_by_its_exponent() -> None:
    texts = pl.Series(
        ["4.93E+11", "4.93e+11", "4,93E+11", "-1E+16", "4.93E11", "4E11", "E+11", "SE11"]
    )
    found = texts.str.contains(f"^(?:{values.SHORTENED_NUMBER})$")
    assert found.to_list() == [True] * 5 + [False] * 3
    assert texts.filter(found).str.contains(values.EXPONENT).all()
