"""One meaning of blank, length and equal.

Both engines and a plain model in Python say the same of any text.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import text
from sql.session import Session, session

LOOKALIKES = "".join(
    chr(point)
    for point in (
        0x180E,
        0x200C,
        0x200D,
        0x2060,
        0x00AD,
        0x034F,
        0x115F,
        0x3164,
        0xFFFD,
        0x0000,
        0x0001,
    )
)
"""Characters that one may take for white space and that are none here."""
OTHERS = "aZzß İ\u0131\u017fKÅﬁ😀𝒜é́ΐ🇩🇪ж漢א٣'\"\\%"
texts = st.lists(
    st.none()
    | st.text(alphabet=st.sampled_from(text.WHITE_SPACE + LOOKALIKES + OTHERS), max_size=8)
    | st.text(max_size=6),
    min_size=5,
    max_size=40,
)


@pytest.fixture(scope="module")
def duck() -> Iterator[Session]:
    with session() as opened:
        yield opened


def in_duckdb(duck: Session, expression: str, values: Sequence[str | None]) -> list[object]:
    duck.register(
        "given",
        pl.DataFrame(
            {"n": range(len(values)), "x": values}, schema={"n": pl.Int64, "x": pl.String}
        ),
    )
    return duck.frame(f"SELECT {expression} AS y FROM given ORDER BY n")["y"].to_list()


def in_polars(expression: pl.Expr, values: Sequence[str | None]) -> list[object]:
    return pl.DataFrame({"x": values}, schema={"x": pl.String}).select(y=expression)["y"].to_list()


def trimmed(value: str | None) -> str | None:
    return (value or "").strip(text.WHITE_SPACE) or None


def key_of(value: str | None) -> str | None:
    bare = trimmed(value)
    return (
        None
        if bare is None
        else "".join(sign.upper() if sign in string.ascii_lowercase else sign for sign in bare)
    )


def utf16_length(value: str | None) -> int | None:
    return None if value is None else len(value.encode("utf-16-le")) // 2


@settings(deadline=None, max_examples=40)
@given(values=texts)
def test_both_engines_trim_measure_and_compare_as_the_model_does(
    duck: Session, values: list[str | None]
) -> None:
    x = pl.col("x")
    for sql, expression, model in (
        ("trimmed(x)", text.trimmed(x), trimmed),
        ("key_of(x)", text.key_of(x), key_of),
        ("utf16_length(x)", text.utf16_length(x), utf16_length),
    ):
        expected = [model(value) for value in values]
        assert in_duckdb(duck, sql, values) == expected
        assert in_polars(expression, values) == expected


def test_every_sign_counts_as_white_space_or_not_in_both_engines(duck: Session) -> None:
    signs = [*text.WHITE_SPACE, *LOOKALIKES, *OTHERS]
    values = [
        form.format(sign)
        for sign in signs
        for form in ("{}", "{}a", "a{}", "{0}a{0}b{0}", "a{0}{0}", "{0}{0}")
    ]
    expected = [trimmed(value) for value in values]
    assert in_duckdb(duck, "trimmed(x)", values) == expected
    assert in_polars(text.trimmed(pl.col("x")), values) == expected
    assert (
        in_duckdb(duck, "key_of(x)", values)
        == in_polars(text.key_of(pl.col("x")), values)
        == [*map(key_of, values)]
    )


def test_white_space_is_that_of_unicode_and_what_exports_leave_behind() -> None:
    of_unicode = {chr(point) for point in range(0x110000) if chr(point).isspace()}
    assert set(text.WHITE_SPACE) == of_unicode | {"\u200b", "\ufeff"}


def test_a_family_emoji_counts_as_scm_counts_it(duck: Session) -> None:
    family = "👨‍👩‍👧"
    assert (
        in_duckdb(duck, "utf16_length(x)", [family])
        == in_polars(text.utf16_length(pl.col("x")), [family])
        == [8]
    )


@settings(deadline=None, max_examples=40)
@given(values=texts, length=st.integers(1, 6))
def test_what_is_cut_is_the_longest_prefix_that_fits_and_ends_between_characters(
    values: list[str | None], length: int
) -> None:
    lengths = pl.Series([length] * len(values), dtype=pl.UInt32)
    shortened = text.truncate(pl.Series(values, dtype=pl.String), lengths)
    for value, cut in zip(values, shortened, strict=True):
        if value is None:
            assert cut is None
            continue
        kept = [
            size for size in range(len(value) + 1) if (utf16_length(value[:size]) or 0) <= length
        ]
        assert cut == trimmed(value[: kept[-1]])


@given(one=st.text(max_size=5), other=st.text(max_size=5))
def test_names_that_fold_together_differ_in_case_and_white_space_only(one: str, other: str) -> None:
    assert text.fold_text(f"\u00a0{one}\t") == text.fold_text(one.strip(text.WHITE_SPACE))
    assert (text.fold_text(one) == text.fold_text(other)) == (
        one.strip(text.WHITE_SPACE).casefold() == other.strip(text.WHITE_SPACE).casefold()
    )
