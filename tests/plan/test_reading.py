"""How text of a source is read as ids, flags, choices and numbers, against a model in Python."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.plan.reading import TableReading, build_mapping_text, build_typed_column
from schemas import text as meaning
from schemas.catalogue import Field, Type
from schemas.labels import Labels, name_members
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
    return inner.lower() if GUID.fullmatch(inner) and inner.strip("0-") else None


@st.composite
def ids(draw: st.DrawFn) -> str:
    """Ids well written and badly."""
    text = str(draw(st.uuids() | st.just(uuid.UUID(int=0))))
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


def choice_of(value: str | None) -> int | None:
    text = bare(value)
    labels = {label.lower(): number for number, label in STATUS.options.items()}
    if text.lower() in labels:
        return labels[text.lower()]
    whole = re.fullmatch(r"([+-]?[0-9]+)(\.0+)?", text, re.ASCII)
    number = int(whole[1]) if whole else None
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
        "2.5",
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


def test_words_of_a_project_are_read_beside_the_labels(duck: Session) -> None:
    words: Labels = {"familystatuscode": {"Verheiratet": "2"}, "Ja": "yes", "Nein": "no"}
    labelled = next(one for one in name_members(CONTACTS, words).fields if one.name == STATUS.name)
    values = ["verheiratet", " Married", "2", "ledig"]
    assert read(duck, build_typed_column(labelled, "x", "VARCHAR"), values) == [2, 2, 2, None]
    flag = next(one for one in name_members(CONTACTS, words).fields if one.name == "donotemail")
    given = ["Ja", "NEIN", "Do Not Allow", "allow", "yes", "wahr"]
    expected = [True, False, True, False, True, None]
    assert read(duck, build_typed_column(flag, "x", "VARCHAR"), given) == expected


def test_words_of_a_project_outrank_what_is_usual(duck: Session) -> None:
    words: Labels = {"familystatuscode": {"1": "2"}, "donotemail": {"true": "no"}}
    fields = {one.name: one for one in name_members(CONTACTS, words).fields}
    status = build_mapping_text(fields["familystatuscode"], "x", "VARCHAR")
    assert read(duck, status, ["1", "3", None]) == ["2", "3", None]
    flag = build_mapping_text(fields["donotemail"], "x", "VARCHAR")
    assert read(duck, flag, ["true", "false", "1", None]) == ["false", "false", "true", None]


def test_a_whole_number_is_never_rounded(duck: Session) -> None:
    field = Field(name="x", type=Type.INTEGER)
    texts = ["1001.0", "1.5", "7", "1,234", "0x1E", "9223372036854775808", None]
    whole = [1001, None, 7, None, None, None, None]
    assert read(duck, build_typed_column(field, "x", "VARCHAR"), texts) == whole
    typed = build_typed_column(field, "x", "DOUBLE")
    assert read(duck, typed, [1001.0, 1.5, None], pl.Float64()) == [1001, None, None]


def test_dates_with_slashes_wait_for_their_column(duck: Session) -> None:
    field = Field(name="x", type=Type.TIMESTAMP)

    def moments(reading: TableReading) -> list[object]:
        typed = build_typed_column(field, "x", "VARCHAR", reading)
        return read(duck, f"CAST(CAST({typed} AS DATE) AS VARCHAR)", ["03/04/2024", "05.06.2024"])

    assert moments(TableReading()) == [None, "2024-06-05"]
    assert moments(TableReading(orders={"x": True})) == ["2024-04-03", "2024-06-05"]
    assert moments(TableReading(orders={"x": False})) == ["2024-03-04", "2024-06-05"]


def test_amounts_wait_for_their_column(duck: Session) -> None:
    field = Field(name="x", type=Type.DECIMAL)
    values = ["$7,000.00", "7.000", "(7)", "7,50"]

    def texts(reading: TableReading) -> list[object]:
        return read(duck, build_mapping_text(field, "x", "VARCHAR", reading), values)

    assert texts(TableReading(amounts={"x": True})) == ["7000.00", "7.000", "-7", None]
    assert texts(TableReading(amounts={"x": False})) == ["7000.00", None, "-7", None]


def test_ids_that_parquet_types_are_the_same_ids(duck: Session) -> None:
    one = uuid.UUID("1b67c282-793b-fdce-58be-d7f70c5fb4b9")
    field = Field(name="x", type=Type.GUID)
    assert read(
        duck, f"CAST({build_typed_column(field, 'CAST(x AS UUID)', 'UUID')} AS VARCHAR)", [str(one)]
    ) == [str(one)]
