"""JSON from outside has limits: depth, characters, and what an answer must hold."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.json_body import (
    DEEPEST,
    MalformedError,
    mend_text,
    parse_exactly,
    parse_json,
    read_next_link,
    read_rows,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text('a[]{}"\\', max_size=3), inner),
    max_leaves=20,
)


@given(value=VALUES, ascii_only=st.booleans())
def test_good_json_is_read_as_python_reads_it(value: Any, *, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert parse_json(text.encode()) == value
    assert parse_json(b"\xef\xbb\xbf" + text.encode()) == value
    assert parse_json(text) == value


@pytest.mark.parametrize("depth", [DEEPEST + 1, 990, 100_000])
@pytest.mark.parametrize("opens", ["[", '{"a":', '["]",', '{"\\"]}":['])
def test_depth_has_a_limit_whatever_texts_hide(depth: int, opens: str) -> None:
    with pytest.raises(MalformedError, match="nested more than 100 levels deep"):
        parse_json((opens * depth).encode())


def test_brackets_in_texts_are_no_depth() -> None:
    assert parse_json(json.dumps(["[" * 5000, "{" * 5000])) == ["[" * 5000, "{" * 5000]
    assert parse_json("[" * DEEPEST + "]" * DEEPEST) is not None


def test_a_text_without_its_end_is_found_out_at_once() -> None:
    with pytest.raises(ValueError, match="Unterminated string"):
        parse_json(b"[" * 50 + b"[{},{},{}," * 40 + b'"' + b'\\"' * 500_000)


def test_halves_of_characters_become_one_sign_each_unless_they_are_wanted() -> None:
    text = '{"a\\ud83d": ["x\\ud83d", "\\ud83d\\ude00", "\\ude00\\ud83d"]}'
    assert parse_json(text) == {"a�": ["x�", "😀", "��"]}
    assert parse_exactly('"x\\ud83d"') == "x\ud83d"
    assert mend_text("whole 😀") == "whole 😀"


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "[1, Infinity]"])
def test_what_is_no_json_is_refused_though_python_takes_it(text: str) -> None:
    with pytest.raises(MalformedError, match="which is no JSON"):
        parse_json(text)


@pytest.mark.parametrize("content", [b'"\xed\xa0\xbd"', b'"\xff"', '"é"'.encode("latin-1")])
def test_bytes_that_are_no_text_are_refused(content: bytes) -> None:
    with pytest.raises(UnicodeDecodeError, match="utf-8"):
        parse_json(content)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"value": [{"a": 1}]}, "a row that lacks b"),
        ({"value": [{"a": 1, "b": []}]}, "a row whose b is an object or a list"),
        ({"value": [1]}, "no list of rows"),
        ({"value": {}}, "no list of rows"),
        ({}, "no list of rows"),
        ([], "that is not an object"),
    ],
)
def test_rows_have_the_columns_that_were_asked_for(value: object, words: str) -> None:
    with pytest.raises(MalformedError, match=words):
        read_rows(httpx.Response(200, json=value), ["a", "b"])


@pytest.mark.parametrize("name", ["@odata.nextLink", "@odata.nextlink", "@nextLink"])
def test_a_next_link_is_found_however_it_is_spelt(name: str) -> None:
    assert read_next_link({"value": [], name: "https://x/y"}) == "https://x/y"
    assert read_next_link({"value": [], name: None}) is None
    wrongs: tuple[object, ...] = (7, True, [], {"a": 1}, "")
    for wrong in wrongs:
        with pytest.raises(MalformedError, match="a next page that is no address"):
            read_next_link({name: wrong})


def test_rows_that_are_announced_without_a_next_page_are_missed() -> None:
    more = "@Microsoft.Dynamics.CRM.morerecords"
    assert read_next_link({"value": [], more: False}) is None
    assert read_next_link({"value": [], more: True, "@odata.nextLink": "x"}) == "x"
    with pytest.raises(MalformedError, match="more rows to come, and no address of a next page"):
        read_next_link({"value": [], more: True})
