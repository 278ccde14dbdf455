"""JSON pages as the Web API returns them, and JSON lines."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import SourceError
from pipeline.extract.files.json_reader import read_lines, read_pages
from pipeline.extract.headers import ColumnSelection
from pipeline.extract.landing import ReadOptions
from pipeline.extract.records import Chunk
from schemas.catalogue import Field, Table
from tests.scenes.reading import ID, contacts, write

COMPANY = "216b4b57-76e7-62fb-dda6-b7a859658ec0"
NEXT = "https://org.crm.dynamics.com/api/data/v9.2/contacts?$skiptoken=%3Ccookie%20pagenumber="
CONTACT: dict[str, Any] = {
    "@odata.etag": 'W/"72201545"',
    "contactid": ID,
    "lastname": "Brown",
    "msdynce_contactnumber": "CON-01000-ZQE454",
    "msdynce_isactivecustomer": True,
    "msdynce_isactivecustomer@OData.Community.Display.V1.FormattedValue": "Yes",
    "_parentcustomerid_value": COMPANY,
    "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "account",
    "_parentcustomerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty": (
        "parentcustomerid_account"
    ),
    "_parentcustomerid_value@OData.Community.Display.V1.FormattedValue": "Litware",
    "parentcustomerid_account": {"accountid": COMPANY, "tags": ["a"]},
    "gendercode": 2,
    "creditlimit": 7000.0000,
    "versionnumber": 72201545,
    "middlename": None,
    "suffix": "",
}
SLIM = {
    key: value
    for key, value in CONTACT.items()
    if "parentcustomerid" not in key and value is not None
}
"""The same in an answer to FetchXML, which leaves nulls out."""


def page(*rows: object, next_page: int = 0) -> str:
    head = {
        "@odata.context": "https://org.crm.dynamics.com/api/data/v9.2/$metadata#contacts",
        "@odata.count": len(rows),
    }
    return json.dumps(
        {
            **head,
            "value": rows,
            **({"@odata.nextLink": f"{NEXT}%22{next_page}%22"} if next_page else {}),
        },
        ensure_ascii=False,
    )


def test_a_page_with_fewer_rows_than_it_counts_is_not_whole(tmp_path: Path) -> None:
    counted = page(CONTACT).replace('"@odata.count": 1', '"@odata.count": 3')
    assert "are 3 rows or more" in refused(tmp_path / "a", {"contacts.json": counted})
    body = json.dumps({"d": {"results": [CONTACT], "__count": "2"}})
    assert "are 2 rows or more" in refused(tmp_path / "b", {"contacts.json": body})
    dataverse = "@Microsoft.Dynamics.CRM.totalrecordcount"
    told = {dataverse: 1, f"{dataverse}limitexceeded": True, "value": [CONTACT]}
    assert "are 2 rows or more" in refused(tmp_path / "c", {"contacts.json": json.dumps(told)})


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ({"paging": {"next": {"after": "2", "link": "https://x.example/?after=2"}}}, "next"),
        ({"nextLink": "https://x.example/?page=2"}, "nextLink"),
        ({"next_page": 2}, "next_page"),
        ({"_links": {"self": {"href": "x"}, "next": {"href": "https://x.example/2"}}}, "next"),
        ({"link": [{"relation": "next", "url": "https://x.example/2"}]}, "next"),
        ({"done": False, "nextRecordsUrl": "/query/01g-2000"}, "nextRecordsUrl"),
        ({"last": False}, "last"),
        ({"pageInfo": {"hasNextPage": True}}, "hasNextPage"),
        ({"meta": {"next_cursor": "dXNlcjo"}}, "next_cursor"),
    ],
)
def test_pages_of_other_services_say_that_another_one_follows(
    tmp_path: Path, told: dict[str, object], name: str
) -> None:
    text = json.dumps({**told, "value": [CONTACT]})
    assert f"names a next page ('{name}')" in refused(tmp_path, {"contacts.json": text})


def test_the_last_page_of_another_service_is_whole(tmp_path: Path) -> None:
    told = {
        "paging": {"next": None, "cursors": {"after": "x"}},
        "links": {"next": "", "previous": "https://x.example/1"},
        "link": [{"rel": "self", "href": "x"}, {"rel": "previous", "href": "y"}],
        "done": True,
        "last": True,
        "has_more": False,
        "next_page": None,
        "totalCount": 1,
    }
    text = json.dumps({**told, "value": [CONTACT]})
    frame, _ = contacts(write(tmp_path / "export", {"contacts.json": text}), tmp_path / "in")
    assert frame.height == 1


def test_the_count_of_another_service_is_held_against_its_rows(tmp_path: Path) -> None:
    text = json.dumps({"meta": {"total_count": 3}, "value": [CONTACT]})
    assert "are 3 rows or more ('total_count')" in refused(tmp_path, {"contacts.json": text})


@pytest.mark.parametrize("blank", ["{}", '{"contactid": null, "lastname": ""}'])
@pytest.mark.parametrize("name", ["contacts.jsonl", "contacts.json"])
def test_an_object_without_a_value_is_no_row(tmp_path: Path, name: str, blank: str) -> None:
    rows = [json.dumps(CONTACT), blank, json.dumps(CONTACT)]
    text = f"[{','.join(rows)}]" if name == "contacts.json" else "\n".join(rows)
    frame, unreadable = contacts(write(tmp_path / "export", {name: text}), tmp_path / "in")
    assert frame["source_line"].to_list() == [1, 3]
    assert unreadable == []


def lines(*rows: object) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def refused(tmp_path: Path, files: dict[str, str | bytes], **limits: Any) -> str:
    with pytest.raises(SourceError) as caught:
        contacts(write(tmp_path / "export", files), tmp_path / "in", options=ReadOptions(**limits))
    assert not list((tmp_path / "in").glob("**/*"))
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("contacts.json", page(CONTACT)),
        ("contacts.json", json.dumps([CONTACT], indent=2)),
        ("Contacts.json", "\ufeff" + page(CONTACT)),
        ("contacts.jsonl", lines(CONTACT)),
        ("contact.ndjson", lines(CONTACT)),
    ],
    ids=["page", "array", "mark", "lines", "ndjson"],
)
def test_a_row_of_the_web_api_lands_under_canonical_names(
    tmp_path: Path, name: str, content: str
) -> None:
    frame, unreadable = contacts(write(tmp_path / "export", {name: content}), tmp_path / "in")
    assert not unreadable
    assert frame.to_dicts() == [
        {
            "contactid": ID,
            "msdynce_contactnumber": "CON-01000-ZQE454",
            "msdynce_isactivecustomer": "true",
            "parentcustomerid": COMPANY,
            "parentcustomeridtype": "account",
            "middlename": None,
            "lastname": "Brown",
            "suffix": None,
            "gendercode": "2",
            "creditlimit": "7000.0",
            "versionnumber": "72201545",
            "source_file": name,
            "source_line": 1,
        }
    ]


def test_numbers_stay_exactly_as_written(tmp_path: Path) -> None:
    text = (
        page(CONTACT)
        .replace("7000.0", "20000.000000000000000000001")
        .replace("72201545,", "123456789012345678901234567890,")
    )
    frame, _ = contacts(write(tmp_path / "export", {"contacts.json": text}), tmp_path / "in")
    assert frame["creditlimit"].to_list() == ["20000.000000000000000000001"]
    assert frame["versionnumber"].to_list() == ["123456789012345678901234567890"]


def test_several_pages_are_one_table_in_the_order_of_their_names(tmp_path: Path) -> None:
    files = {
        "contacts/page-1.json": page(CONTACT, CONTACT, next_page=2),
        "contacts/page-2.json": page(next_page=3),
        "contacts/page-3.json": page(CONTACT),
    }
    frame, _ = contacts(write(tmp_path / "export", files), tmp_path / "in")
    assert frame.select("source_file", "source_line").rows() == [
        ("contacts/page-1.json", 1), ("contacts/page-1.json", 2), ("contacts/page-3.json", 1),
    ]  # fmt: skip


def test_columns_may_be_missing_where_they_are_null_as_long_as_some_row_has_them(
    tmp_path: Path,
) -> None:
    files = {
        "contacts/1.json": page(SLIM, SLIM),
        "contacts/2.json": page(CONTACT),
        "contacts/3.json": page(SLIM),
    }
    frame, _ = contacts(write(tmp_path / "export", files), tmp_path / "in")
    assert frame["parentcustomerid"].to_list() == [None, None, COMPANY, None]
    assert "msdynce_contactnumber" in frame.columns


def test_a_column_that_comes_late_in_json_lines_is_not_lost(tmp_path: Path) -> None:
    text = lines(SLIM) * 5_000 + lines({**CONTACT, "description": "late"})
    frame, _ = contacts(write(tmp_path / "export", {"contacts.jsonl": text}), tmp_path / "in")
    assert frame["description"].drop_nulls().to_list() == ["late"]
    assert frame.height == 5_001


def test_a_needed_column_that_no_row_has_stops_the_run_with_a_near_miss(tmp_path: Path) -> None:
    row = {
        **{key: value for key, value in CONTACT.items() if key != "msdynce_contactnumber"},
        "contact_number": "x",
    }
    told = refused(tmp_path, {"contacts.jsonl": lines(row)})
    assert (
        "contacts.jsonl: there is no column msdynce_contactnumber (Contact Number). Did you mean "
        "'contact_number'?"
    ) in told


@pytest.mark.parametrize("content", [page(), "[]", ' {"value" : [ ] }\n'])
def test_a_page_without_rows_is_a_table_without_rows(tmp_path: Path, content: str) -> None:
    frame, unreadable = contacts(
        write(tmp_path / "export", {"contacts.json": content}), tmp_path / "in"
    )
    assert frame.is_empty()
    assert not unreadable


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (page(CONTACT)[:-30], "breaks off, or is broken in line 1"),
        (page(CONTACT, next_page=2)[:-2], "breaks off, or is broken"),
        ('{"value": [', "breaks off, or is broken"),
        ('{"value": [{"a": 1} {"a": 2}]}', "breaks off, or is broken in line 1"),
        ('{"value": [{"a": 1},]}', "breaks off, or is broken"),
        ('{"value":\n[\n{"a": NaN}]}', "line 3 holds NaN, which is no JSON: write null"),
        ('{"value":\n[\n{"a": -Infinity}]}', "line 3 holds -Infinity, which is no JSON"),
        ('{"value": [{"a": None}]}', "line 1 holds None, which is no JSON"),
        ('{"value": [{"a": undefined}]}', "line 1 holds undefined, which is no JSON"),
        ('{"error": {"code": "0x80040217", "message": "no"}}', 'there is no array "value"'),
        ('{"value": {"contactid": "1"}}', 'there is no array "value"'),
        ('"contacts"', "breaks off, or is broken in line 1"),
        ("<!DOCTYPE html><html></html>", "is a web page, maybe of a login"),
        (lines({"name": "x"}, {"name": "y"}), 'there is no array "value"'),
        (page(CONTACT) + "\n7", "breaks off, or is broken in line 2"),
        ('{"items": [{"a": 1}], "rows": [{"a": 2}]}', 'has rows under "items" and under "rows"'),
        (
            page(CONTACT).encode("cp1252", "replace").replace(b"Brown", b"Gr\xfcn"),
            "line 1 is not UTF-8",
        ),
        ("[" * 100_000, "objects or lists lie in one another too deep"),
        (" \n", "is empty"),
        (b"", "is empty"),
        (b"\x89PNG\0\0", "this is not a text file"),
        (page(CONTACT, next_page=2), "is not whole: the page names a next page"),
    ],
    ids=lambda one: repr(one)[-30:],
)  # fmt: skip
def test_what_is_no_whole_page_is_refused_in_a_sentence(
    tmp_path: Path, content: str | bytes, words: str
) -> None:
    assert words in refused(tmp_path, {"contacts.json": content})


def test_pages_that_all_name_a_next_one_are_not_the_whole_table(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        f"contacts/{number}.json": page(CONTACT, next_page=number + 1) for number in (1, 2)
    }
    assert "contacts: is not whole: all 2 pages name a next page" in refused(tmp_path, files)


def test_a_broken_line_is_named_and_the_lines_around_it_are_read(tmp_path: Path) -> None:
    good = json.dumps(CONTACT)
    bad = {
        2: "{",
        3: "[1]",
        4: "null",
        5: '{"contactid": NaN}',
        6: good[:-3],
        7: good.replace('"Brown"', '["Brown"]'),
        8: good.replace("Brown", "\\ud83d"),
        10: good.replace("Brown", "x" * 5000),
        11: "[" * 3000,
    }
    text = "\n".join(bad.get(number, "" if number == 9 else good) for number in range(1, 13))
    options = ReadOptions(row_limit=4000)
    frame, unreadable = contacts(
        write(tmp_path / "export", {"contacts.jsonl": text}), tmp_path / "in", options=options
    )
    assert frame["source_line"].to_list() == [1, 12]
    assert {line: detail for _, line, detail in unreadable} == {
        **dict.fromkeys((2, 3, 4, 6), "it is not a JSON object"),
        5: "it is not a JSON object: JSON has no NaN",
        11: "objects or lists lie in one another too deep",
        7: "lastname holds an object or a list",
        8: "lastname holds half a character",
        10: "it is longer than 4,000 bytes",
    }


def test_a_broken_row_of_a_page_is_named_by_its_number(tmp_path: Path) -> None:
    rows = [
        CONTACT,
        7,
        {**CONTACT, "lastname": {"a": 1}},
        {**CONTACT, "lastname": "x" * 5000},
        None,
        CONTACT,
    ]
    options = ReadOptions(row_limit=4000)
    frame, unreadable = contacts(
        write(tmp_path / "export", {"contacts.json": page(*rows)}), tmp_path / "in", options=options
    )
    assert frame["source_line"].to_list() == [1, 6]
    assert [line for _, line, _ in unreadable] == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("contacts.jsonl", json.dumps([CONTACT, CONTACT], indent=1)),
        ("contacts.jsonl", page(CONTACT, CONTACT)),
        ("contacts.json", lines(CONTACT, CONTACT)),
        ("contacts.json", page(CONTACT) + "\n" + page(CONTACT)),
        ("contacts.json", f'{{"statusCode": 200, "body": {page(CONTACT, CONTACT)}}}'),
        ("contacts.json", json.dumps({"d": {"results": [CONTACT, CONTACT]}})),
        ("contacts.json", json.dumps({"contacts": [CONTACT, CONTACT], "count": 2})),
    ],
    ids=["array", "page", "lines", "two pages", "flow", "odata 2", "named after the table"],
)  # fmt: skip
def test_json_of_another_form_is_told_by_its_content(
    tmp_path: Path, name: str, content: str
) -> None:
    frame, unreadable = contacts(write(tmp_path / "export", {name: content}), tmp_path / "in")
    assert frame["lastname"].to_list() == ["Brown", "Brown"]
    assert frame["source_line"].to_list() == [1, 2]
    assert not unreadable


def test_a_file_of_json_lines_without_a_line_is_empty(tmp_path: Path) -> None:
    assert "is empty" in refused(tmp_path, {"contacts.jsonl": "\n\n"})


@pytest.mark.parametrize("name", ["contacts.jsonl", "contacts.json"])
def test_a_row_with_a_key_twice_is_unreadable(tmp_path: Path, name: str) -> None:
    good = json.dumps(CONTACT)
    bad = good.replace('"lastname": "Brown"', '"lastname": "Grey", "lastname": "Brown"')
    assert bad != good
    rows = [good, bad, good]
    text = "\n".join(rows) if name.endswith("l") else f"[{', '.join(rows)}]"
    frame, unreadable = contacts(write(tmp_path / "export", {name: text}), tmp_path / "in")
    assert frame["source_line"].to_list() == [1, 3]
    assert unreadable == [(name, 2, "it has a key twice")]


TABLE = Table(name="things", singular="thing", key="a", fields=(Field(name="a"), Field(name="b")))
values = (
    st.none()
    | st.text(max_size=4)
    | st.integers()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
)


def texts(chunks: list[Chunk]) -> list[dict[str, str | None]]:
    found = []
    for chunk in chunks:
        found += [{name: row.get(name) for name in ("a", "b")} for row in chunk.table.to_pylist()]
    return found


@settings(deadline=None)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {}, optional={"a": values, "b": values, "other": values | st.lists(values)}
        ),
        max_size=6,
    ),
    block=st.integers(1, 80),
    indent=st.sampled_from([None, 1]),
)
def test_any_rows_land_alike_from_pages_and_lines_in_any_blocks(
    rows: list[dict[str, Any]], block: int, indent: int | None
) -> None:
    expected = [{name: text_of(row.get(name)) for name in ("a", "b")} for row in rows]
    options = ReadOptions(block=block, row_limit=10_000)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        path.write_text(
            json.dumps(
                {"@odata.context": "x" * 40, "value": rows, "n": [1], "count": 1234567890},
                indent=indent,
            ),
            encoding="utf-8",
        )
        assert texts(list(read_pages(path, "x", ColumnSelection(table=TABLE), options))) == expected
        if rows:
            path.write_text(lines(*rows), encoding="utf-8")
            assert (
                texts(list(read_lines(path, "x", ColumnSelection(table=TABLE), options)))
                == expected
            )


def text_of(value: object) -> str | None:
    if isinstance(value, str) or value is None:
        return value or None
    return json.dumps(value)
