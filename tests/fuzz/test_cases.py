"""Answers and files, found by mutation, that once ended as a defect instead of a sentence."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from pipeline.errors import P2cError
from pipeline.extract.dataverse.page import PageReader
from pipeline.extract.dataverse.page_fast import open_engine
from tests.fuzz.answers import (
    BATCH,
    JSON,
    MESSAGES,
    METADATA,
    SALES_FACTS,
    SALES_PAGE,
    SCM_PAGE,
    SEEDS,
    TOKEN,
    say,
)
from tests.fuzz.readers import READERS, REFUSED, STOPPED, WIRE, Answer, answering

DEEP: Final = b'{"value": ' + b"[" * 2000
DEEP_CLOSED: Final = b'{"a": ' + b"[" * 2000 + b"]" * 2000 + b"}"
HALF: Final = "CON-\ud83d"


def head(*pairs: tuple[str, str], status: int = 200, body: bytes = b"{}") -> Answer:
    return Answer(status=status, headers=(*JSON, *pairs), body=body)


def page(**changes: Any) -> Answer:
    """A page of SCM with something else in its first row, or beside its rows."""
    loaded = json.loads(SCM_PAGE.body)
    for name, value in changes.items():
        if name in loaded["value"][0]:
            loaded["value"][0][name] = value
        else:
            loaded[name] = value
    return say(loaded)


def sales(rows: Any) -> Answer:
    return say({**json.loads(SALES_PAGE.body), "value": rows})


SALES_ROW: Final = json.loads(SALES_PAGE.body)["value"][0]
PARQUET: Final = SEEDS["parquet"][0].body
LONG_MODEL: Final = SEEDS["model"][0].body.replace(b"contact/1.csv", b"'" * 300 + b"/1.csv")
HINT: Final = ("x-ms-dop-hint", "²")
NOWHERE: Final = ("Location", "http://[::1")
ELSEWHERE: Final = ("Location", "https://évil")

CASES: Final[dict[str, tuple[str, Answer, str]]] = {
    "refused deeply with 500": ("ask", head(status=500, body=DEEP), "failed (HTTP 500)"),
    "deep in a packed answer": (
        "ask",
        head(("Content-Encoding", "gzip"), body=gzip.compress(DEEP)),
        "nested more than 100 levels deep",
    ),
    "deep with its end": ("ask", head(body=DEEP_CLOSED), "nested more than 100 levels deep"),
    "no rows but null": ("counts", page(value=None), "holds no list of rows"),
    "a link that is a number": (
        "counts", page(**{"@odata.nextLink": 5}), "a next page that is no address",
    ),
    "a link that is a list": (
        "customers", page(**{"@odata.nextLink": ["x"]}), "a next page that is no address",
    ),
    "a link that is true, spelt in small letters": (
        "pages", page(**{"@odata.nextlink": True}), "a next page that is no address",
    ),
    "throttled deeply": ("counts", head(status=429, body=DEEP), "asks us to wait (HTTP 429)"),
    "rows that are a text": ("customers", page(value="NaN"), "holds no list of rows"),
    "rows that are a number": ("pages", page(value=2**63), "holds no list of rows"),
    "rows that are NUL": ("pages", page(value="\x00"), "holds no list of rows"),
    "a row without its key": ("pages", page(value=[{}]), "a row that lacks CustomerAccount"),
    "a key that is a list": (
        "lookup", page(CustomerAccount=["x"]), "a row whose CustomerAccount is an object or a list",
    ),
    "a hint that is no number": (
        "customers", head(HINT, body=b'"@odata.context'), "incomplete JSON",
    ),
    "a hint that is too long": ("ask", head(("x-ms-dop-hint", "9" * 5000)), ""),
    "a hint with an empty object": ("status", head(HINT), "incomplete JSON"),
    "a hint beside a batch": (
        "errors", replace(say({"value": 1e-320}), headers=(*JSON, HINT)), "",
    ),
    "a hint from Sales": ("sales", head(HINT, body=b"9223372036854775808"), ""),
    "a hint with rows of Sales": (
        "salesrows", replace(SALES_PAGE, headers=(*JSON, HINT)), "names the same next page",
    ),
    "a packed answer with a foreign header": (
        "customers",
        head(
            ("Content-Encoding", "gzip"), ("Via", "1.1 prôxy"), body=gzip.compress(SCM_PAGE.body)
        ),
        "",
    ),
    "half a character in a key": ("customers", page(CustomerAccount=HALF), ""),
    "half a character where rows are looked up": ("lookup", page(CustomerAccount=HALF), ""),
    "half a character in the list of errors": (
        "errorlist",
        Answer(body=MESSAGES.replace("usmf", "\ud83d").encode("utf-8", "surrogatepass")),
        "",
    ),
    "half a character in messages": (
        "errors", say({"value": json.dumps([{"RecordId": HALF, "ErrorMessage": HALF}])}), "",
    ),
    "a link with half a character": (
        "pages", page(**{"@odata.nextLink": "https://scm.test/\ud800"}), "names the same next page",
    ),
    "a link that is NUL": ("pages", page(**{"@odata.nextLink": "\x00"}), "that is not an address"),
    "a token in depth": ("login", head(body=DEEP), "something that is not a token"),
    "a token that is an object": (
        "login", say({**json.loads(TOKEN.body), "access_token": {}}), "that is not a token",
    ),
    "a token that never ends": (
        "login", say({**json.loads(TOKEN.body), "expires_in": 1e999}), "not a token",
    ),
    "a redirect to a foreign name": (
        "metadata", replace(METADATA, status=304, headers=(ELSEWHERE,)), "redirects us to",
    ),
    "a redirect to nowhere": ("refusal", head(NOWHERE, status=304), "redirects us to another page"),
    "a status to nowhere": ("status", head(NOWHERE, status=304, body=b'"NaN"'), "redirects us"),
    "a page elsewhere": ("page", head(ELSEWHERE, HINT, status=304), "redirects us to"),
    "metadata in no encoding": (
        "metadata", replace(METADATA, body=METADATA.body.replace(b"utf-8", b"u-8")), "not XML",
    ),
    "metadata whose members are no numbers": (
        "metadata", replace(METADATA, body=METADATA.body.replace(b'"1"', b'"one"')), "",
    ),
    "metadata with entities in UTF-16": (
        "metadata",
        replace(METADATA, body='<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16")),
        "not XML",
    ),
    "a deep failure of Sales": ("page", head(status=504, body=DEEP), "failed (HTTP 504)"),
    "a deep page": ("page", head(body=DEEP), "nested more than 100 levels deep"),
    "a deep answer of Sales": ("salesrows", head(body=DEEP), "nested more than 100 levels deep"),
    "definitions that are numbers": (
        "sales", say({**json.loads(SALES_FACTS.body), "value": [-1]}), "",
    ),
    "a list for a row": ("salesrows", sales([[None], SALES_ROW]), "holds no list of rows"),
    "a row without a column": (
        "salesrows", sales([{"contactid": "x", "@odata.etag": "y"}]), "a row that lacks lastname",
    ),
    "a wait in a batch that is no ASCII": (
        "batch", replace(BATCH, body=BATCH.body.replace(b"5\r", b"\xb2\r")), "",
    ),
    "a column of Parquet that is no text": (
        "parquet", Answer(body=PARQUET.replace(b"lastname", b"last\x9f\xab\xf2e")), "Parquet",
    ),
    "a model with a long name": ("model", Answer(body=LONG_MODEL), "not in the folder"),
    "a model with half an address": (
        "model",
        Answer(body=SEEDS["model"][0].body.replace(b"https://x.", b"https://[x.")),
        "whose location is no address",
    ),
}  # fmt: skip
"""What it is: the reader, the answer, and what the sentence says; blank where a value comes out."""


def read(reader: str, answer: Answer, folder: Path) -> tuple[int, str]:
    """The exit code and the sentence; 0 and nothing for a value."""
    try:
        READERS[reader](answer, folder)
    except P2cError as error:
        return error.exit_code, str(error)
    return 0, ""


@pytest.mark.parametrize("name", CASES)
def test_what_was_a_defect_is_a_sentence_or_a_value(name: str, tmp_path: Path) -> None:
    reader, answer, words = CASES[name]
    code, sentence = read(reader, answer, tmp_path)
    wanted = (STOPPED if reader in WIRE else REFUSED) if words else 0
    assert code == wanted, sentence
    assert words in sentence


def test_a_number_of_any_size_in_a_page_is_kept_as_it_is() -> None:
    body = b'{"value":[{"contactid":"x","creditlimit":1e99999999999999999999}]}'
    with open_engine() as engine:
        rows = PageReader(["contactid", "creditlimit"], ["creditlimit"], engine).read(body).rows
    assert rows["creditlimit"].to_pylist() == ["1e99999999999999999999"]


def test_a_page_of_sales_without_a_readable_link_is_not_the_last_one() -> None:
    broken = json.loads(SALES_PAGE.body) | {"@odata.nextLink": 7}
    answer = say(broken)
    with open_engine() as engine:
        reader = PageReader(["contactid"], [], engine)
        with pytest.raises(P2cError, match="a next page that is no address"):
            answering(answer).ask("GET", "x", lambda one: reader.read(one.content))


def test_a_message_of_a_system_steers_no_terminal() -> None:
    said = say({"error": {"message": "a\x1b]0;x\x07b\u202ec\ud800"}}, status=400)
    with pytest.raises(P2cError, match=r"a\\u001b\]0;x\\u0007b\\u202ec") as caught:
        answering(said).ask("GET", "x", httpx.Response.json)
    assert str(caught.value).isprintable()
