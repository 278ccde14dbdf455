"""GetExecutionErrors: whatever stands in it is read, valid JSON or not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.load.packages.error_list import RowMessage, read_errors

TROUBLE = 'The value "XX", in\r\nfield {"Customer group"} of C:\\temp\\, is not found.'


def broken(messages: list[tuple[str, str, str]]) -> str:
    """How SCM puts the list together: from strings, without escaping anything."""
    listed = (
        f'{{"RecordId":"{record}","Field":"{field}","ErrorMessage":"{text}"}}'
        for record, field, text in messages
    )
    return f"[{','.join(listed)}]"


def test_valid_json_is_read_as_such() -> None:
    text = json.dumps([{"RecordId": "C-1", "Field": "CUSTOMERGROUPID", "ErrorMessage": TROUBLE}])
    assert read_errors(text) == [RowMessage(record="C-1", field="CUSTOMERGROUPID", text=TROUBLE)]


def test_a_list_that_is_no_json_is_read_message_by_message() -> None:
    text = broken(
        [("C-1", "CUSTOMERGROUPID", TROUBLE), ("C-2", "", "plain"), ("", "", 'a "last" one}')]
    )
    assert [(one.record, one.field, one.text) for one in read_errors(text)] == [
        ("C-1", "CUSTOMERGROUPID", TROUBLE),
        ("C-2", "", "plain"),
        ("", "", 'a "last" one}'),
    ]


def test_members_may_come_in_any_order_with_spaces_and_nulls() -> None:
    text = '[ { "ErrorMessage" : "say "no"", "RecordId": "C-1" , "Field": null } ]'
    assert read_errors(text) == [RowMessage(record="C-1", field="", text='say "no"')]


@pytest.mark.parametrize("quote", ['"', '\\"'], ids=["no JSON", "JSON"])
def test_members_have_any_letters(quote: str) -> None:
    text = f'[{{"recordId":"C-1","field":"","errorMessage":"say {quote}no{quote}"}}]'
    assert read_errors(text) == [RowMessage(record="C-1", field="", text='say "no"')]


def test_an_object_without_a_member_that_is_known_is_not_lost() -> None:
    assert read_errors('[{"Severity": "Error", "Text": "Broken"}]') == [
        RowMessage(record="", field="", text='{"Severity": "Error", "Text": "Broken"}')
    ]


def test_a_list_that_was_cut_off_keeps_what_came() -> None:
    text = broken([("C-1", "", "one"), ("C-2", "", "two words")])[:-9]
    assert [one.record for one in read_errors(text)] == ["C-1", "C-2"]


def test_what_is_no_list_is_one_message() -> None:
    assert read_errors("The execution failed.") == [
        RowMessage(record="", field="", text="The execution failed.")
    ]
    assert read_errors(" ") == read_errors("[]") == []


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.from_regex(r"CON-\d{5}", fullmatch=True),
            st.text(st.characters(exclude_categories=["Cs"])),
        ),
        max_size=6,
    )
)
def test_every_message_is_found_again_under_its_record(messages: list[tuple[str, str]]) -> None:
    plain = [
        (
            record,
            text.replace('"RecordId"', "").replace('"Field"', "").replace('"ErrorMessage"', ""),
        )
        for record, text in messages
    ]
    found = read_errors(broken([(record, "", text) for record, text in plain]))
    assert [one.record for one in found] == [record for record, _ in plain]


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert bool(read_errors(f"x{text}"))
