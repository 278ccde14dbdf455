"""How text of a source is read as ids, flags, choices and numbers, against a model in Python."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.plan.reading import build_mapping_text, build_typed_column
from schemas import text as meaning
from schemas.catalogue import Field, Type
from schemas.sales import CONTACTS
from schemas.text import WHITE_SPACE
from sql.session import Session, session
from tests.scenes.places import ROOT

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
spaces = st.text(alphabet=st.sampled_from(" \t\u00a0\u200b\r\n"), max_size=2)
STATUS = next(field for field in CONTACTS.fields if field.name == "familystatuscode")
"""A choice with four labels."""


@pytest.fixture(scope="module")
def duck() -> Iterator[Session]:
    with session() as opened:
        yield opened


def read(
    duck: Session, expression: str, values: Sequence[object], dtype: pl.DataType | None = None
) -> list[object]:
    duck.register(
        "given",
        pl.DataFrame(
            {"n": range(len(values)), "x": values},
            schema={"n": pl.Int64(), "x": dtype or pl.String()},
        ),
    )
    return duck.frame(f"SELECT {expression} AS y FROM given ORDER BY n")["y"].to_list()


def bare(value: str | None) -> str:
    return (value or "").strip(WHITE_SPACE)


def guid_of(value: str | None) -> str | None:
    text = bare(value)
    inner = text[1:-1] if text[:1] == "{" and text[-1:] == "}" else text
    return inner.lower() if GUID.fullmatch(inner) else None


@st.composite
def ids(draw: st.DrawFn) -> str:
    """Ids well written and badly."""
    text = str(draw(st.uuids()))
    text = draw(
        st.sampled_from(
            [
                text,
                text.upper(),
                text.title(),
                text.replace("-", ""),
                text[:-1],
                text + "0",
                f"0x{text}",
            ]
        )
    )
    text = draw(
        st.sampled_from(
            ["{}", "{{{}}}", "{{{}", "{}}}", "({})", "{{{{{}}}}}", "urn:uuid:{}", '"{}"']
        )
    ).format(text)
    if draw(st.booleans()):
        place = draw(st.integers(0, len(text)))
        text = (
            text[:place]
            + draw(st.sampled_from(["-", "g", " ", "é", "\u00a0", "٣"]))
            + text[place + 1 :]
        )
    return draw(spaces) + text + draw(spaces)


@settings(deadline=None, max_examples=40)
@given(values=st.lists(st.none() | ids() | st.text(max_size=4), min_size=5, max_size=40))
def test_ids_are_read_in_any_case_with_or_without_braces(
    duck: Session, values: list[str | None]
) -> None:
    expected = [guid_of(value) for value in values]
    assert read(duck, "CAST(guid_of(x) AS VARCHAR)", values) == expected
    frame = pl.DataFrame({"x": values}, schema={"x": pl.String})
    assert frame.select(meaning.guid_of(pl.col("x")))["x"].to_list() == expected
    assert [None if one is None else meaning.parse_guid(one) for one in values] == expected


def test_a_guid_is_described_in_one_place() -> None:
    """The sandbox knows it from the reference: it imports nothing."""
    files = [
        path
        for folder in ("pipeline", "schemas", "sql")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in {".py", ".sql", ".toml"} and "sandbox" not in path.parts
    ]
    pattern = re.compile(r"\{8\}.*\{12\}")
    own = [path.name for path in files if pattern.search(path.read_text(encoding="utf-8"))]
    assert own == ["text.py"]


def test_ids_in_forms_that_duckdb_would_take_are_not_ids(duck: Session) -> None:
    one = "1b67c282-793b-fdce-58be-d7f70c5fb4b9"
    forms = [
        one.replace("-", ""),
        one.replace("-", "", 1),
        "{" + one.replace("-", "") + "}",
        "1b67-" + one[4:],
        "{" + one,
        one + "}",
    ]
    assert read(duck, "CAST(guid_of(x) AS VARCHAR)", forms) == [None] * len(forms)
    good = [one, one.upper(), "{" + one + "}", "\u00a0{" + one.upper() + "}\t"]
    assert read(duck, "CAST(guid_of(x) AS VARCHAR)", good) == [one] * len(good)


flags = st.sampled_from(
    [
        "1",
        "0",
        "true",
        "False",
        "YES",
        "no",
        "Yes ",
        "tRuE",
        "y",
        "n",
        "on",
        "2",
        "-1",
        "1.0",
        "wahr",
        "t",
        "",
    ]
)


@settings(deadline=None, max_examples=40)
@given(
    values=st.lists(
        st.none() | st.builds("{}{}{}".format, spaces, flags, spaces) | st.text(max_size=3),
        min_size=5,
        max_size=40,
    )
)
def test_flags_are_read_in_six_words_of_any_case(duck: Session, values: list[str | None]) -> None:
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    assert read(duck, "two_options_of(x)", values) == [
        words.get(bare(value).lower()) for value in values
    ]


def choice_of(value: str | None) -> int | None:
    text = bare(value)
    labels = {label.lower(): number for number, label in STATUS.options.items()}
    if text.lower() in labels:
        return labels[text.lower()]
    number = int(text) if re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII) else None
    return number if number is not None and -(2**31) <= number < 2**31 else None


choices = st.sampled_from(
    [
        "1",
        "4",
        "Single",
        "WIDOWED",
        "divorced",
        "Sing le",
        "01",
        "+2",
        "-3",
        "5",
        "2.0",
        "1e0",
        "2147483648",
        "٣",
    ]
)


@settings(deadline=None, max_examples=40)
@given(
    values=st.lists(
        st.none() | st.builds("{}{}{}".format, spaces, choices, spaces) | st.text(max_size=3),
        min_size=5,
        max_size=40,
    )
)
def test_choices_are_read_as_integers_or_labels(duck: Session, values: list[str | None]) -> None:
    assert read(duck, build_typed_column(STATUS, "x", "VARCHAR"), values) == [
        choice_of(value) for value in values
    ]


def test_a_choice_is_the_same_in_every_form_that_parquet_gives_it(duck: Session) -> None:
    for dtype, physical, values in (
        (pl.Int8(), "TINYINT", [2, None]),
        (pl.Int64(), "BIGINT", [2, None]),
        (pl.Float64(), "DOUBLE", [2.0, None]),
        (pl.Decimal(10, 2), "DECIMAL(10,2)", [2, None]),
        (pl.String(), "VARCHAR", ["Married", None]),
    ):
        assert read(duck, build_typed_column(STATUS, "x", physical), values, dtype) == [2, None]
        assert read(duck, build_mapping_text(STATUS, "x", physical), values, dtype) == ["2", None]


def test_what_cannot_be_read_reaches_mapping_as_it_was_written(duck: Session) -> None:
    flag = Field(name="x", type=Type.TWO_OPTIONS)
    assert read(
        duck, build_mapping_text(STATUS, "x", "VARCHAR"), ["married", "7", "unsure", " "]
    ) == [
        "2",
        "7",
        "unsure",
        " ",
    ]
    assert read(duck, build_mapping_text(flag, "x", "VARCHAR"), ["YES", "0", "maybe", None]) == [
        "true",
        "false",
        "maybe",
        None,
    ]


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2018-01-02T08:00:00Z", "2018-01-02 08:00:00+00"),
        ("2018-01-02T08:00:00.0000000Z", "2018-01-02 08:00:00+00"),
        ("2018-01-02T08:00:00.1234567Z", "2018-01-02 08:00:00.123456+00"),
        ("2018-01-02 08:00:00", "2018-01-02 08:00:00+00"),
        ("2018-01-02T08:00:00+02:00", "2018-01-02 06:00:00+00"),
        ("2018-01-02", "2018-01-02 00:00:00+00"),
        ("6/25/2021 4:21:12 PM", "2021-06-25 16:21:12+00"),
        ("6/25/2021 4:21 PM", "2021-06-25 16:21:00+00"),
        ("6/25/2021 16:21", "2021-06-25 16:21:00+00"),
        (" 2018-01-02 ", "2018-01-02 00:00:00+00"),
        ("25.06.2021", None),
        ("soon", None),
        ("", None),
    ],
)
def test_times_of_the_web_api_and_of_synapse_link_are_read_as_utc(
    duck: Session, written: str, instant: str | None
) -> None:
    assert read(duck, "CAST(timestamp_of(x) AS VARCHAR)", [written]) == [instant]


def test_ids_that_parquet_types_are_the_same_ids(duck: Session) -> None:
    one = uuid.UUID("1b67c282-793b-fdce-58be-d7f70c5fb4b9")
    field = Field(name="x", type=Type.GUID)
    assert read(
        duck, f"CAST({build_typed_column(field, 'CAST(x AS UUID)', 'UUID')} AS VARCHAR)", [str(one)]
    ) == [str(one)]
