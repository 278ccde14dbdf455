"""A page becomes text columns exactly as it was written, however it was written.

Anything else is refused.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pipeline.extract.dataverse.guids import decode_guid, encode_guid, encode_guids
from pipeline.extract.dataverse.page import PageReader
from pipeline.extract.dataverse.page_fast import Scanner, UnusualPageError, open_engine
from sql.session import Session
from tests.scenes.fake_sales import as_sql_server

NAMES = [
    "contactid",
    "firstname",
    "a",
    "address1_line1",
    "address1_line2",
    "_x_value",
    "_x_value@Some.annotation",
    "note",
]

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    [
        '"',
        "\\",
        '\\"',
        "},{",
        '}],"',
        "[{",
        "a,b",
        ":",
        "null",
        "",
        "ééé",
        "\n\t",
        "😀" * 5,
        '"@odata.nextLink":"x"',
        "x" * 12,
        "x" * 13,
    ]
)
VALUE = (
    TEXT
    | st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False, places=4).map(float)
)
ROWS = st.lists(
    st.dictionaries(st.sampled_from([*NAMES, "@odata.etag", "other"]), VALUE, min_size=1),
    min_size=0,
    max_size=8,
)


@pytest.fixture(scope="module")
def engine() -> Iterator[Session]:
    with open_engine() as opened:
        yield opened


@pytest.fixture(scope="module")
def reader(engine: Session) -> PageReader:
    return PageReader(NAMES, [], engine)


@pytest.fixture(scope="module")
def scanner(engine: Session) -> Scanner:
    return Scanner(NAMES, [], engine)


def compact(
    rows: list[dict[str, Any]], link: str | None = None, *, ascii_only: bool = False, **options: Any
) -> bytes:
    body: dict[str, Any] = {"@odata.context": 'https://x/$metadata#contacts("a")', "value": rows}
    if link is not None:
        body["@odata.nextLink"] = link
    separators = options.pop("separators", (",", ":"))
    return json.dumps(body, ensure_ascii=ascii_only, separators=separators, **options).encode()


def expected(body: bytes) -> dict[str, list[str | None]]:
    rows = json.loads(body, parse_float=lambda text: repr(float(text)), parse_int=str)["value"]

    def text(value: Any) -> str | None:
        return ("true" if value else "false") if isinstance(value, bool) else (value or None)

    return {name: [text(row.get(name)) for row in rows] for name in NAMES}


@given(rows=ROWS, link=st.none() | TEXT.filter(bool), ascii_only=st.booleans())
@settings(max_examples=80, deadline=None)
def test_any_page_is_read_as_json_says(
    reader: PageReader, rows: list[dict[str, Any]], link: str | None, *, ascii_only: bool
) -> None:
    body = compact(rows, link, ascii_only=ascii_only)
    page = reader.read(body)
    assert {name: page.rows[name].to_pylist() for name in NAMES} == expected(body)
    assert page.next_link == link
    assert page.rows["line"].to_pylist() == list(range(1, len(rows) + 1))
    assert (page.slots, page.unreadable, page.delta_link) == (len(rows), {}, None)


@given(rows=ROWS.filter(len))
@settings(max_examples=40, deadline=None)
@example(rows=[{"contactid": "x", "a": None}])
def test_the_fast_reader_reads_every_usual_page_itself(
    scanner: Scanner, rows: list[dict[str, Any]]
) -> None:
    """Every row has a value at least: its id. Words for what JSON has no number for are unusual."""
    words = {str(value).lower() for row in rows for value in row.values()}
    assume(words.isdisjoint({"nan", "inf", "infinity", "-nan", "-inf", "-infinity"}))
    body = compact(
        [{**row, "contactid": row.get("contactid") or "id"} for row in rows], "https://x/y"
    )
    scanned = scanner.scan(body)
    assert scanned.rows.to_pydict() == expected(body)


@given(rows=ROWS, cut=st.floats(0, 1, exclude_max=True), junk=st.binary(min_size=1, max_size=3))
@settings(max_examples=80, deadline=None)
def test_a_damaged_page_is_never_read_as_something_else(
    reader: PageReader, rows: list[dict[str, Any]], cut: float, junk: bytes
) -> None:
    body = compact(rows, "https://x/y")
    place = int(cut * len(body))
    for damaged in (body[:place], body[place:], body + junk.strip() + b"x"):
        try:
            found = reader.read(damaged)
        except (ValueError, KeyError):
            continue
        assert {name: found.rows[name].to_pylist() for name in NAMES} == expected(damaged)


@pytest.mark.parametrize(
    "body",
    [
        compact([{"a": 1, "note": "x"}], separators=(", ", ": ")),
        compact([{"a": 1}], indent=2),
        b"\xef\xbb\xbf" + compact([{"a": 1}]),
        compact([{"a": 1}]) + b"\r\n",
        b'{"value":[{"a":1}],"@odata.nextLink":null}',
        b'{"@odata.nextLink":"early","value":[{"a":1}]}',
    ],
)
def test_pages_that_are_written_otherwise_are_read_too(reader: PageReader, body: bytes) -> None:
    page = reader.read(body)
    assert page.rows["a"].to_pylist() == ["1"]
    assert page.next_link == ("early" if b"early" in body else None)


@pytest.mark.parametrize(
    "number",
    [
        "20000.0000",
        "922337203685477.5807",
        "-0.50",
        "12345678901234567890",
        "0.0001",
        "100000000000.0001",
    ],
)
def test_amounts_are_never_rounded(engine: Session, number: str) -> None:
    page = PageReader(NAMES, ["a"], engine).read(b'{"value":[{"a":' + number.encode() + b"}]}")
    assert Decimal(page.rows["a"][0].as_py()) == Decimal(number)
    again = PageReader(NAMES, ["a"], engine).read(b'{ "value" : [{"a":' + number.encode() + b"}]}")
    assert page.rows["a"] == again.rows["a"], "both readers write one number alike"


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (b'{"a":"half \\ud83d of it"}', "a holds half a character"),
        (b'{"a":{"b":1}}', "a holds an object or a list"),
        (b'{"a":[1]}', "a holds an object or a list"),
        (b'"row"', "it is not a JSON object"),
    ],
)
def test_a_row_that_cannot_be_read_is_told_apart(reader: PageReader, row: bytes, why: str) -> None:
    page = reader.read(b'{"value":[{"a":"1"},' + row + b',{"a":"3"}]}')
    assert page.rows["a"].to_pylist() == ["1", "3"]
    assert page.rows["line"].to_pylist() == [1, 3]
    assert (page.slots, page.unreadable) == (3, {2: why})


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"", ValueError, "Expecting value"),
        (b"{}", KeyError, "value"),
        (b"[]", KeyError, "value"),
        (b'{"value":{}}', KeyError, "value"),
        (b"<html></html>", ValueError, "Expecting value"),
        (b'{"value":[{"a":"\xff"}]}', UnicodeDecodeError, "0xff"),
    ],
)
def test_what_is_no_page_is_refused(
    reader: PageReader, body: bytes, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        reader.read(body)


@pytest.mark.parametrize("space", [b"", b" "])
def test_of_a_member_twice_in_one_row_both_readers_take_the_first(
    reader: PageReader, space: bytes
) -> None:
    assert reader.read(b'{"value":' + space + b'[{"a":1,"note":"x","a":2}]}').rows[
        "a"
    ].to_pylist() == ["1"]


@pytest.mark.parametrize("cell", ['"half \\ud83d of it"', '{"b":1}', "[1]", "01", '"\x01"'])
def test_the_fast_reader_leaves_alone_what_needs_a_reason(scanner: Scanner, cell: str) -> None:
    with pytest.raises(UnusualPageError):
        scanner.scan(b'{"value":[{"a":' + cell.encode() + b"}]}")


@pytest.mark.parametrize("row", [b"null", b'"row"', b"7", b"[1]"])
def test_the_fast_reader_takes_nothing_for_a_row_that_is_no_object(
    scanner: Scanner, row: bytes
) -> None:
    with pytest.raises(UnusualPageError):
        scanner.scan(b'{"value":[{"a":"1"},' + row + b',{"a":"3"}]}')


def test_names_that_are_alike_are_told_apart(engine: Session) -> None:
    names = [
        f"address1_{uuid.uuid5(uuid.NAMESPACE_OID, str(number)).hex[:6]}_value"
        for number in range(120)
    ]
    row = {name: str(number) for number, name in enumerate(names)}
    page = PageReader(names, [], engine).read(compact([row, dict(reversed(row.items()))]))
    assert [page.rows[name].to_pylist() for name in names] == [
        [str(number)] * 2 for number in range(120)
    ]


def test_ids_are_compared_as_sql_server_does() -> None:
    ids = [str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))) for number in range(500)]
    keys = encode_guids(pa.array(ids))
    assert keys is not None
    by_key = [ids[place] for place in keys.argsort()]
    assert by_key == sorted(ids, key=as_sql_server) == sorted(ids, key=encode_guid)
    assert [decode_guid(encode_guid(one)) for one in ids] == ids


@pytest.mark.parametrize(
    "ids",
    [["x"], [None], ["A" * 36], ["0" * 36], [str(uuid.UUID(int=1)).upper().replace("0", "F")]],
)
def test_what_is_no_id_has_no_order(ids: list[str | None]) -> None:
    assert encode_guids(pa.array(ids, pa.string())) is None


@pytest.mark.parametrize("space", ["", " "])
def test_a_column_that_no_row_has_is_named_and_one_of_blanks_is_not(space: str) -> None:
    """Sales writes blanks down; what is missing was lost on the way, and would clear SCM."""
    rows = f'{{"contactid":{space}"{uuid.UUID(int=1)}","lastname":{space}null}}'
    names = ["contactid", "lastname", "firstname", "_x_value@Microsoft.Dynamics.CRM.y"]
    with open_engine() as engine:
        reader = PageReader(names, [], engine)
        assert reader.read(f'{{"value":{space}[{rows}]}}'.encode()).lacks == {"firstname"}
        assert not reader.read(b'{"value":[]}').lacks


@pytest.mark.parametrize("constant", ["NaN", "nan", "-Infinity", "inf"])
def test_a_constant_that_is_no_json_is_refused_and_a_name_like_it_is_read(constant: str) -> None:
    """DuckDB takes both for text."""
    with open_engine() as engine:
        reader = PageReader(["contactid", "lastname"], [], engine)
        page = f'{{"value":[{{"contactid":"a","lastname":"{constant}"}}]}}'
        assert reader.read(page.encode()).rows["lastname"].to_pylist() == [constant]
        with pytest.raises(ValueError, match=r"no JSON|not a JSON value|Expecting value"):
            reader.read(page.replace(f'"{constant}"', constant).encode())


def test_a_row_that_lacks_what_decides_makes_the_page_unreadable() -> None:
    """Blank would count as No."""
    with open_engine() as engine:
        reader = PageReader(["contactid", "flag"], [], engine, ["flag"])
        rows: list[dict[str, Any]]
        rows = [{"contactid": "a", "flag": None}, {"contactid": "b", "flag": '"flag":'}]
        assert reader.read(json.dumps({"value": rows}).encode()).slots == 2
        del rows[0]["flag"]
        with pytest.raises(ValueError, match="1 row without flag"):
            reader.read(json.dumps({"value": rows}).encode())
