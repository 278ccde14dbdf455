"""JSON from outside: the one reader of it on the wire, with limits on depth and characters.

What comes out is bounded: at most ``DEEPEST`` levels, no NaN, no half characters. So whoever goes
on with it needs no care of that kind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any, Final, NoReturn

import httpx
import numpy as np

DEEPEST: Final = 100
"""Levels of objects and lists in one another; answers of both systems have less than ten."""

_BOM: Final = b"\xef\xbb\xbf"
_TEXTS: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
"""Texts of JSON, the last one with or without its end; brackets in them open nothing."""
_HALF: Final = re.compile("[\ud800-\udfff]")
_MORE: Final = "@Microsoft.Dynamics.CRM.morerecords"
_NEXT: Final = frozenset({"@odata.nextlink", "@nextlink"})


class MalformedError(ValueError):
    """What a system sent is not what it should be; the text ends ``answered … with``."""


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedError(f"{name}, which is no JSON")


_PLAIN: Final = json.JSONDecoder(parse_constant=_refuse_constant)


def parse_json(content: bytes | str, decoder: json.JSONDecoder = _PLAIN) -> object:
    """A value of JSON; half characters in its texts become U+FFFD.

    Args:
        content: UTF-8, or text that an answer held.
        decoder: for other numbers, or line ends in texts.

    Raises:
        ValueError: it is not whole JSON, or is nested too deeply.
    """
    return _mend_value(parse_exactly(content, decoder))


def parse_exactly(content: bytes | str, decoder: json.JSONDecoder = _PLAIN) -> object:
    """As ``parse_json``, but half characters stay: for a reader that refuses rows with them."""
    raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    refuse_depth(raw)
    text = raw.removeprefix(_BOM).decode() if isinstance(content, bytes) else content
    return decoder.decode(text)


def refuse_depth(content: bytes) -> None:
    """Raise ``MalformedError`` for JSON that is nested more than ``DEEPEST`` levels deep."""
    if content.count(b"[") + content.count(b"{") <= DEEPEST:
        return
    marks = np.frombuffer(_TEXTS.sub(b"", content), np.uint8)
    opens, closes = (np.isin(marks, np.frombuffer(two, np.uint8)) for two in (b"[{", b"]}"))
    steps = opens.astype(np.int32) - closes
    if len(steps) and int(steps.cumsum().max()) > DEEPEST:
        raise MalformedError(f"JSON that is nested more than {DEEPEST} levels deep")


def mend_text(text: str) -> str:
    """The text with U+FFFD for each half of a character: SCM cuts texts at UTF-16 units."""
    if _HALF.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _mend_value(value: object) -> object:
    match value:
        case str():
            return mend_text(value)
        case dict():
            return {mend_text(name): _mend_value(one) for name, one in value.items()}
        case list():
            return [_mend_value(one) for one in value]
        case _:
            return value


def read_json_object(response: httpx.Response) -> dict[str, object]:
    """The JSON object of an answer. Raises ``ValueError``."""
    found = parse_json(response.content)
    if not isinstance(found, dict):
        raise MalformedError("JSON that is not an object")
    return found


def read_done(response: httpx.Response) -> None:
    """That a write was done: both systems say so with 204, or with JSON, a proxy with neither.

    Raises ``ValueError``.
    """
    if response.status_code != HTTPStatus.NO_CONTENT:
        read_json_object(response)


def read_rows(response: httpx.Response, columns: Collection[str] = ()) -> list[dict[str, Any]]:
    """The rows of an answer; each has ``columns``, as texts, numbers or nulls.

    Raises ``ValueError``.
    """
    return check_rows(read_json_object(response), columns)


def check_rows(answer: Mapping[str, object], columns: Collection[str] = ()) -> list[dict[str, Any]]:
    """The rows of an answer that has been read, once they are what they should be.

    Raises ``ValueError``.
    """
    found = answer.get("value")
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise MalformedError("JSON that holds no list of rows")
    for row in found:
        for name in columns:
            if name not in row:
                raise MalformedError(f"a row that lacks {name}")
            if isinstance(row[name], dict | list):
                raise MalformedError(f"a row whose {name} is an object or a list")
    return found


def read_next_link(answer: Mapping[str, object]) -> str | None:
    """Where the next page is; null on the last one.

    Raises ``ValueError`` if it is no address, or missing though there are more rows.
    """
    for name, value in answer.items():
        if name.lower() in _NEXT and value is not None:
            if type(value) is not str or not value:
                raise MalformedError("a next page that is no address")
            return value
    if answer.get(_MORE) is True:
        raise MalformedError("more rows to come, and no address of a next page")
    return None
