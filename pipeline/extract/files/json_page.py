"""A JSON page as the Web API returns it, read row by row: it may be larger than memory."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Final, NoReturn

from pipeline.errors import SourceError

ARRAYS: Final = frozenset({"value", "results", "items", "records", "rows", "data", "entities"})
"""Under which names a page keeps its rows: ``value`` as OData says, ``entities`` as Xrm.WebApi in a
form's script, others as flows and tools."""
ENVELOPES: Final = frozenset({"body", "d", "data", "result", "response", "outputs"})
"""What a page may be in: a flow saves the whole answer, OData 2 puts it below ``d``."""
_DEEPEST: Final = 3
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_NEXT: Final = frozenset(
    {
        "@odata.nextLink", "odata.nextLink", "@nextLink", "nextLink", "__next",
        "next", "next_page", "nextPage", "next_link", "next_url", "nextUrl", "next_page_url",
        "nextPageUrl", "nextRecordsUrl", "next_token", "nextToken", "NextToken", "next_cursor",
        "nextCursor", "nextPageToken", "next_page_token", "continuationToken",
        "continuation_token", "skipToken",
    }
)  # fmt: skip
"""What names the page that follows; in pages of other services it may be an object."""
_ABOUT: Final = frozenset(
    {"paging", "pagination", "pageInfo", "page_info", "links", "_links", "link", "meta", "metadata"}
)
"""What other services tell of a page in."""
_ADDRESS: Final = frozenset({"link", "href", "url", "after", "cursor"})
_MORE: Final = "@Microsoft.Dynamics.CRM.morerecords"
_MORE_OF_TOOLS: Final = frozenset(
    {
        "has_more", "hasMore", "hasNextPage", "has_next_page", "hasNext", "has_next",
        "moreResults", "more_results", "hasMoreResults", "isTruncated", "IsTruncated",
        "is_truncated", "MoreRecords", "moreRecords", "more_records", "has_more_records",
    }
)  # fmt: skip
"""What is true in a page of another service that is not the last one."""
_LAST_OF_TOOLS: Final = frozenset({"done", "last", "isLast", "isLastPage", "is_last_page"})
"""What is false there."""
_COUNTS: Final = frozenset(
    {
        "@odata.count", "odata.count", "@count", "__count",
        "@Microsoft.Dynamics.CRM.totalrecordcount", "TotalRecordCount", "totalRecordCount",
        "totalCount", "total_count", "totalSize", "total_size", "totalRecords", "total_records",
        "totalElements", "total_elements", "totalResults", "total_results",
    }
)  # fmt: skip
"""What says how many rows a query has, all its pages together; -1 where nobody counted."""
_UNCOUNTED: Final = "@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"
"""True where a query has more rows than the count says."""
_COOKIE: Final = "@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"
_LONGEST: Final = 4
"""Bytes of a character at the most."""
_NO_JSON: Final = re.compile(r"NaN|-?Infinity|None|True|False|undefined")
"""Words of Python and JavaScript in the place of a value."""
_GIVE_UP: Final = 16
"""A row may be so many times over the limit and still not be taken for a broken page."""

TOO_LONG: Final = object()
"""Stands for a row over the limit."""
TWICE: Final = object()
"""Stands for a row that has a key twice."""


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"JSON has no {name}")


DECODER: Final = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_refuse_constant)
"""Numbers stay exactly as written."""


class _TwiceError(ValueError):
    """An object has a key twice."""


def _make_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _TwiceError
    return made


_CAREFUL: Final = json.JSONDecoder(
    object_pairs_hook=_make_object, parse_float=str, parse_int=str, parse_constant=_refuse_constant
)


def has_key_twice(row: object, text: str) -> bool:
    """Whether a row has a key twice, whose first value is lost.

    Args:
        row: as ``DECODER`` read it.
        text: the row as it is written.
    """
    if type(row) is not dict or text.count('":') == len(row):
        return False
    try:
        _CAREFUL.decode(text)
    except _TwiceError:
        return True
    return False


def _find_link(value: object) -> str:
    """The link or the token of a next page, blank if there is none."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return next((link for key in _ADDRESS if (link := _find_link(value.get(key)))), "")
    return ""


class PageParser:
    """``{"value": [...], ...}`` or an array of rows, alone or one after another.

    ``next_link`` is, once the rows of a page were read, the link of the next one, blank if there is
    none; ``total`` is how many rows the query has at least, if the page says it. ``next_name`` and
    ``total_name`` are the names under which it says so.

    Raises (while rows are read):
        SourceError: it is not such a page, or not a whole one.
    """

    def __init__(
        self, blocks: Iterator[bytes], name: str, row_limit: int, tables: Collection[str] = ()
    ) -> None:
        """``tables``: names under which a page may have its rows as well."""
        self._blocks, self._name, self._limit = blocks, name, row_limit
        self._text, self._begin, self._place, self._lines = "", 0, 0, 1
        self._arrays = ARRAYS | set(tables)
        self._found, self._cookie, self._more, self._has_failed = "", "", "", False
        self._is_uncounted = False
        self.next_link, self.next_name, self.total, self.total_name = "", "", 0, ""

    def read_pages(self) -> Iterator[Iterator[object]]:
        """The pages, each as its rows, or ``TOO_LONG`` or ``TWICE``; read one before the next."""
        first = self._peek()
        if not first:
            raise SourceError("is empty. Export it again, or remove the file.", where=self._name)
        while first in {"[", "{"}:
            yield self._read_page(first)
            first = self._peek()
        if first:
            raise self._make_broken_error()

    def _read_page(self, first: str) -> Iterator[object]:
        self._found, self._cookie, self._more, self._is_uncounted = "", "", "", False
        self.next_link, self.next_name, self.total, self.total_name = "", "", 0, ""
        if first == "[":
            yield from self._read_array()
            return
        yield from self._read_object(1)
        if not self._found:
            kind = "the answer to a request that failed" if self._has_failed else "no page of rows"
            sentence = f'is {kind}: there is no array "value". '
            raise SourceError(
                f"{sentence}If each line is a row, let its name end in .jsonl.", where=self._name
            )
        if self._more and not self.next_link:
            self.next_link, self.next_name = self._cookie or _MORE, self._more
        self.total += self._is_uncounted

    def _read_object(self, depth: int) -> Iterator[object]:
        self._expect("{")
        while self._peek() != "}":
            key = self._read_value()
            if not isinstance(key, str):
                raise self._make_broken_error()
            self._expect(":")
            sign = self._peek()
            if sign == "[" and key in self._arrays:
                yield from self._read_only_array(key)
            elif sign == "{" and key in ENVELOPES and depth < _DEEPEST:
                yield from self._read_object(depth + 1)
            else:
                self._note(key, self._read_value())
            self._skip_comma("}")
        self._expect("}")

    def _read_only_array(self, key: str) -> Iterator[object]:
        if self._found and self._found != key:
            raise SourceError(
                f'has rows under "{self._found}" and under "{key}": leave one of them.',
                where=self._name,
            )
        self._found = key
        yield from self._read_array()

    def _note(self, key: str, value: object) -> None:
        """What a page says of itself."""
        if key in _NEXT and (link := _find_link(value)):
            self.next_link, self.next_name = link, key
        elif key == _COOKIE and isinstance(value, str):
            self._cookie = value
        elif key == _MORE or (key in _MORE_OF_TOOLS and value is True):
            self._more = key if value is True else ""
        elif key in _LAST_OF_TOOLS and value is False:
            self._more = key
        elif key == _UNCOUNTED:
            self._is_uncounted = value is True
        elif key in _COUNTS and isinstance(value, str) and value.isdecimal():
            if int(value) > self.total:
                self.total, self.total_name = int(value), key
        elif key == "error":
            self._has_failed = True
        elif key in _ABOUT:
            self._note_more(value)

    def _note_more(self, value: object) -> None:
        """What a page of another service says in an object, or in a list of links."""
        for one in value if isinstance(value, list) else [value]:
            if not isinstance(one, dict):
                continue
            named = one.get("rel", one.get("relation"))
            if isinstance(named, str) and named == "next":
                self._note(named, one)
            for key, inner in one.items():
                if key != "error":
                    self._note(key, inner)

    def _read_array(self) -> Iterator[object]:
        self._expect("[")
        while self._peek() != "]":
            row = self._read_value()
            text = self._text[self._begin : self._place]
            if len(text) * _LONGEST > self._limit and len(text.encode()) > self._limit:
                yield TOO_LONG
            else:
                yield TWICE if has_key_twice(row, text) else row
            self._skip_comma("]")
        self._expect("]")

    def _skip_comma(self, closing: str) -> None:
        """Pass a comma that something follows, unless the closing bracket comes."""
        if self._peek() == closing:
            return
        self._expect(",")
        if self._peek() == closing:
            raise self._make_broken_error()

    def _expect(self, sign: str) -> None:
        if self._peek() != sign:
            raise self._make_broken_error()
        self._place += 1

    def _peek(self) -> str:
        """The next character other than white space; empty at the end of the file."""
        while True:
            space = _SPACE.match(self._text, self._place)
            self._place = space.end() if space else self._place
            if self._place < len(self._text):
                return self._text[self._place]
            if not self._read_more():
                return ""

    def _read_value(self) -> object:
        """The value that begins here. If it does not end in what is at hand, more is read."""
        self._peek()
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._place)
            except json.JSONDecodeError as error:
                if len(self._text) - self._place > _GIVE_UP * self._limit or not self._read_more():
                    raise self._make_broken_error(_NO_JSON.match(error.doc, error.pos)) from error
            except RecursionError as error:
                raise SourceError(
                    f"line {self._find_line()}: objects or lists lie in one another too deep for "
                    "a page of rows.",
                    where=self._name,
                ) from error
            except ValueError as error:
                raise self._make_broken_error(_NO_JSON.search(str(error))) from error
            else:
                if end < len(self._text) or not self._read_more():
                    self._begin, self._place = self._place, end
                    return value

    def _read_more(self) -> bool:
        """Read on; what was used up is dropped."""
        block = next(self._blocks, None)
        if block is None:
            return False
        self._lines += self._text.count("\n", 0, self._place)
        self._text = self._text[self._place :] + block.decode()
        self._place = 0
        return True

    def _find_line(self) -> int:
        return self._lines + self._text.count("\n", 0, self._place)

    def _make_broken_error(self, word: re.Match[str] | None = None) -> SourceError:
        if word is not None:
            return SourceError(
                f"line {self._find_line()} holds {word[0]}, which is no JSON: write null where "
                "there is no value, true and false in small letters, and export again.",
                where=self._name,
            )
        return SourceError(
            f"is not a whole JSON page: it breaks off, or is broken in line {self._find_line()}.",
            where=self._name,
        )
