from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sandbox.odata.address import UNNAMED, parse_address
from pipeline.sandbox.odata.columns import (
    Members,
    Sql,
    SqlColumn,
    casefold,
    make_guid_key,
    turn_guid,
)
from pipeline.sandbox.odata.conditions import parse_filter, parse_orderby
from pipeline.sandbox.odata.evaluate import holds
from pipeline.sandbox.odata.options import parse_query
from pipeline.sandbox.odata.sql import compile_condition, compile_ordering
from pipeline.sandbox.odata.tree import ODataError, Scalar, ValueKind

KINDS = {
    "id": ValueKind.INTEGER,
    "name": ValueKind.TEXT,
    "flag": ValueKind.BOOLEAN,
    "amount": ValueKind.DECIMAL,
    "key": ValueKind.GUID,
    "day": ValueKind.DATE,
    "at": ValueKind.TIMESTAMP,
    "state": ValueKind.ENUM,
}
G1, G2 = "11111111-1111-1111-1111-0000000000ff", "ffffffff-1111-1111-1111-000000000001"
ROWS = [
    (1, "Anna", 1, 12_5000, G1, "2024-02-29", "2024-02-29T10:00:00Z", 0),
    (2, "ÅSE", 0, -5000, G2, "2023-01-01", "2023-12-31T23:59:59Z", 1),
    (3, None, None, None, None, None, None, None),
    (4, "100% o'k", 1, 0, G2, "2024-03-01", "2024-03-01T00:00:00Z", 1),
]


@dataclass(frozen=True)
class Things:
    """The scope of one table.

    ``parts`` is a collection with one member for every row but the third.
    """

    functions: frozenset[str] = frozenset(
        {"contains", "startswith", "endswith", "length", "tolower", "year"}
    )
    prefix: str = ""
    lists: bool = True

    def column(self, names: Sequence[str]) -> SqlColumn:
        name = names[-1]
        if name not in KINDS:
            raise ODataError(f"no {name}")
        members = {"Open": 0, "Closed": 1} if name == "state" else None
        scale = 4 if name == "amount" else 0
        return SqlColumn(
            sql=f"{self.prefix or 't'}.{name}",
            kind=KINDS[name],
            type_name="Some.Enum" if members else "",
            scale=scale,
            members=members,
            wildcards=name == "name",
        )

    def members(self, names: Sequence[str], variable: str) -> Members:
        assert (names[-1], variable) in {("parts", "p"), ("parts", "")}
        return Members(
            source="FROM things AS m WHERE m.id = t.id AND m.id <> 3", scope=Things(prefix="m")
        )

    def query_function(
        self, name: str, parameters: Mapping[str, Scalar | tuple[Scalar, ...]]
    ) -> Sql:
        assert name == "My.Function"
        return Sql(text="t.id = ?", values=(len(str(parameters["x"])),))


@pytest.fixture(scope="module")
def things() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.create_function("casefold", 1, casefold, deterministic=True)
    connection.execute(f"CREATE TABLE things ({', '.join(KINDS)})")
    connection.executemany(f"INSERT INTO things VALUES ({', '.join('?' * len(KINDS))})", ROWS)
    return connection


def found(connection: sqlite3.Connection, where: Sql) -> list[int]:
    return [
        row[0]
        for row in connection.execute(
            f"SELECT id FROM things AS t WHERE {where.text} ORDER BY id", where.values
        )
    ]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("id eq 1", [1]),
        ("1 lt id and id le 3", [2, 3]),
        ("id eq 1 or id eq 2 and flag eq true", [1]),
        ("(id eq 1 or id eq 2) and flag eq false", [2]),
        ("not (id eq 1)", [2, 3, 4]),
        ("not contains(name,'n')", [2, 4]),
        ("id in (1, 4)", [1, 4]),
        ("id in ()", []),
        ("name eq 'ANNA'", [1]),
        ("name eq 'åse'", [2]),
        ("name ne 'Anna'", [2, 3, 4]),
        ("name eq null", [3]),
        ("name ne null", [1, 2, 4]),
        ("name gt null", []),
        ("name eq '100% o''k'", [4]),
        ("name eq 'an*'", [1]),
        ("name ne '*n*'", [2, 4]),
        ("contains(name,'åS')", [2]),
        ("startswith(name,'a') or endswith(name,'K')", [1, 4]),
        ("length(name) eq 4", [1]),
        ("tolower(name) eq 'anna'", [1]),
        ("flag", [1, 4]),
        ("flag eq false", [2]),
        ("flag ne true", [2, 3]),
        ("true", [1, 2, 3, 4]),
        ("amount eq 12.5", [1]),
        ("amount lt 0", [2]),
        ("amount ge -0.5 and amount le 0.00001", [2, 4]),
        ("amount add 1 gt 13", [1]),
        (f"key eq {G1}", [1]),
        (f"key ne {G1}", [2, 3, 4]),
        (f"key gt {G2}", [1]),
        ("day ge 2024-01-01", [1, 4]),
        ("at ge 2024-03-01T01:00:00+01:00", [4]),
        ("at gt 2024-02-29T09:59:59.9999999Z and at lt 2024-02-29T10:00:00.5Z", [1]),
        ("at lt 2024-02-29", [2]),
        ("year(at) eq 2023", [2]),
        ("state eq Some.Enum'Closed'", [2, 4]),
        ("state ne Some.Enum'Open'", [2, 3, 4]),
        ("parts/any()", [1, 2, 4]),
        ("parts/any(p:p/id gt 1)", [2, 4]),
        ("parts/all(p:p/id eq 1)", [1, 3]),
        ("My.Function(x='ab')", [2]),
        ("My.Function(x=@long)", [4]),
        ("id eq @one", [1]),
        ("id eq @none", []),
    ],
)
def test_conditions_find_what_they_mean(
    things: sqlite3.Connection, text: str, ids: list[int]
) -> None:
    node = parse_filter(text, {"@one": "1", "@long": "'abcd'"})
    assert found(things, compile_condition(node, Things())) == ids


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id eq", "Syntax error at position 5"),
        ("id eq 1 1", "position 8"),
        ("(id eq 1", "position 8"),
        ("id eq 'a", "position 6"),
        ("id === 1", "position 3"),
        ("nothing eq 1", "no nothing"),
        ("id eq 'one'", "incompatible types"),
        ("key eq 'x'", "'Edm.Guid' and 'Edm.String'"),
        ("flag gt 1", "for operator kind 'GreaterThan'"),
        ("id", "single boolean value"),
        ("1 eq 1", "needs a property"),
        ("trim(name) eq 'a'", "unknown function with name 'trim'"),
        ("length(name,name) eq 1", "No function signature"),
        ("day eq 2023-02-29", "Cannot convert the literal"),
        ("state eq Some.Enum'Lost'", "not a valid enumeration"),
        ("state eq Other.Enum'Open'", "not a valid enumeration"),
        ("state eq 'Open'", "'Some.Enum' and 'Edm.String'"),
        ("state gt Some.Enum'Open'", "for operator kind 'GreaterThan'"),
        ("contains(name,5)", "takes a property and a text"),
    ],
)
def test_what_cannot_be_understood_is_said(text: str, words: str) -> None:
    with pytest.raises(ODataError, match=words.replace("(", r"\(")):
        compile_condition(parse_filter(text), Things())


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="*\x00")))
def test_any_text_can_be_looked_for(text: str) -> None:
    with sqlite3.connect(":memory:") as connection:
        connection.create_function("casefold", 1, casefold)
        where = compile_condition(
            parse_filter(f"name eq '{text.replace(chr(39), chr(39) * 2)}'"), Things()
        )
        sql = f"SELECT count(*) FROM (SELECT ? AS name) AS t WHERE {where.text}"
        assert connection.execute(sql, (text, *where.values)).fetchone()[0] == 1
    connection.close()


@given(st.lists(st.uuids(), max_size=20))
def test_guids_order_as_in_sql_server(ids: list[uuid.UUID]) -> None:
    def by_sql_server(one: uuid.UUID) -> bytes:
        stored = one.bytes_le
        return bytes(stored[at] for at in (10, 11, 12, 13, 14, 15, 8, 9, 6, 7, 4, 5, 0, 1, 2, 3))

    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE g (id)")
    connection.executemany("INSERT INTO g VALUES (?)", [(str(one),) for one in ids])
    got = [row[0] for row in connection.execute(f"SELECT id FROM g ORDER BY {make_guid_key('id')}")]
    connection.close()
    assert got == [str(one) for one in sorted(ids, key=by_sql_server)]
    assert sorted(ids, key=lambda one: turn_guid(str(one))) == sorted(ids, key=by_sql_server)


def test_orders_put_blanks_first_and_do_not_mind_case(things: sqlite3.Connection) -> None:
    terms = compile_ordering(parse_orderby("flag desc, name"), Things())
    sql = f"SELECT id FROM things AS t ORDER BY {', '.join(term.text for term in terms)}"
    assert [row[0] for row in things.execute(sql)] == [4, 1, 2, 3]


def test_options_are_read_nested_and_encoded() -> None:
    expand = "one($select=c;$expand=two($filter=x%20eq%20'a;b)')),three/$ref"
    query = parse_query(f"$select=a,%20b&$expand={expand}&%24top=5&$count=true&plain=1+2&@p='x'")
    assert (query.select, query.top, query.count, query.others) == (
        ("a", "b"),
        5,
        True,
        {"plain": "1 2", "@p": "'x'"},
    )
    one, three = query.expand
    assert (one.path, one.query.select, three.path) == (("one",), ("c",), ("three", "$ref"))
    assert one.query.expand[0].query.filter == parse_filter("x eq 'a;b)'")
    assert query.given == {"select", "expand", "top", "count"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("$top=1&$top=2", "more than once"),
        ("$top=-1", "non-negative"),
        ("$count=yes", "'true' or 'false'"),
        ("$foo=1", r"'\$foo' is not supported"),
        ("$select=a,,b", "Term ''"),
        ("$expand=a($select=b", "unbalanced"),
        ("$orderby=a up", "position 2"),
    ],
)
def test_options_that_cannot_be_understood_are_said(text: str, words: str) -> None:
    with pytest.raises(ODataError, match=words):
        parse_query(text)


def test_addresses_have_segments_with_keys() -> None:
    first, second, third = parse_address(f"/things({G1})/parts(a='x%2Fy''(z',b=2)/$ref")
    assert first.keys is not None
    assert second.keys is not None
    assert (first.name, first.keys[UNNAMED].value) == ("things", uuid.UUID(G1))
    assert {name: key.value for name, key in second.keys.items()} == {"a": "x/y'(z", "b": 2}
    assert (third.name, third.keys) == ("$ref", None)


def test_parameters_of_functions_may_be_lists_and_aliases() -> None:
    (segment,) = parse_address("Count(Names=%5B'a','b'%5D,Query=@q)", {"@q": '{"x": [1, 2]}'})
    assert segment.texts == {"Names": "['a','b']", "Query": '{"x": [1, 2]}'}


@pytest.mark.parametrize(
    ("text", "holding"),
    [
        ("Name eq 'a' and Number gt 2", True),
        ("Name eq 'A'", False),
        ("Missing eq null", True),
        ("not startswith(Name,'b') and Number in (1,3)", True),
        ("Inner/Value ne 'x'", False),
        ("Inner/Value eq 'x' or Number lt 0", True),
        ("Items/any(i:i/Value eq 'y')", True),
        ("Items/all(i:i/Value eq 'y')", False),
        ("Flag", True),
        ("Missing gt 1", False),
        ("tolower(Name) eq 'a'", True),
    ],
)
def test_rows_in_memory_are_judged(text: str, *, holding: bool) -> None:
    items = [{"Value": "y"}, {"Value": "z"}]
    row: dict[str, Any] = {
        "Name": "a",
        "Number": 3,
        "Inner": {"Value": "x"},
        "Items": items,
        "Flag": True,
        "Missing": None,
    }
    assert holds(parse_filter(text), row) is holding


def test_rows_in_memory_know_their_properties() -> None:
    with pytest.raises(ODataError, match="named 'Other'"):
        holds(parse_filter("Other eq 1"), {"Name": "a"})


def test_times_without_an_offset_are_utc() -> None:
    node = parse_filter("at eq 2024-01-02T03:04:05")
    assert getattr(getattr(node, "right", None), "value", None) == datetime(
        2024, 1, 2, 3, 4, 5, tzinfo=UTC
    )
