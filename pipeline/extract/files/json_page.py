"""A JSON page as the Web API returns it, read row by row: it may be larger than memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final, NoReturn

from pipeline.errors import SourceError

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_NEXT: Final = "@odata.nextLink"
_GIVE_UP: Final = 16
"""A row may be so many times over the limit and still not be taken for a broken page."""

TOO_LONG: Final = object()
"""Stands for a row over the limit."""


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


DECODER: Final = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_refuse_constant)
"""Numbers stay exactly as written."""


class PageParser:
    """``{"value": [...], ...}`` or an array of rows.

    ``has_next`` says, once all rows were read, whether the page names a next one.

    Raises (while rows are read):
        SourceError: it is not such a page, or not a whole one.
    """

    def __init__(self, blocks: Iterator[bytes], name: str, row_limit: int) -> None:
        self._blocks, self._name, self._limit = blocks, name, row_limit
        self._text, self._begin, self._place, self._lines = "", 0, 0, 1
        self.has_next = False

    def read_rows(self) -> Iterator[object]:
        """The rows, or ``TOO_LONG``."""
        first = self._peek()
        if not first:
            raise SourceError("is empty.", where=self._name)
        if first == "[":
            yield from self._read_array()
        elif first == "{":
            yield from self._read_object()
        else:
            raise self._make_broken_error()
        if self._peek():
            sentence = (
                "the file continues after the page. If each line is a row, let its name end in "
                ".jsonl."
            )
            raise SourceError(f"line {self._find_line()}: {sentence}", where=self._name)

    def _read_object(self) -> Iterator[object]:
        found = False
        self._expect("{")
        while self._peek() != "}":
            key = self._read_value()
            if not isinstance(key, str):
                raise self._make_broken_error()
            self._expect(":")
            if key == "value" and self._peek() == "[":
                found = True
                yield from self._read_array()
            else:
                value = self._read_value()
                self.has_next |= key == _NEXT and bool(value)
            self._skip_comma("}")
        self._expect("}")
        if not found:
            sentence = (
                'is not a page of rows: there is no array "value". If each line is a row, let its '
                "name end in .jsonl."
            )
            raise SourceError(sentence, where=self._name)

    def _read_array(self) -> Iterator[object]:
        self._expect("[")
        while self._peek() != "]":
            row = self._read_value()
            yield (
                TOO_LONG
                if len(self._text[self._begin : self._place].encode()) > self._limit
                else row
            )
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
                    raise self._make_broken_error() from error
            except (ValueError, RecursionError) as error:
                raise self._make_broken_error() from error
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

    def _make_broken_error(self) -> SourceError:
        return SourceError(
            f"is not a whole JSON page: it breaks off, or is broken in line {self._find_line()}.",
            where=self._name,
        )
