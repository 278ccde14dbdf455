"""A JSON page as the Web API returns it, read row by row, so that a page may be larger than memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from pipeline.errors import SourceError

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_NEXT: Final = "@odata.nextLink"
_GIVE_UP: Final = 16
"""A row may be so many times over the limit and still be told from a page that is broken."""

TOO_LONG: Final = object()
"""Stands for a row over the limit."""


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


DECODER: Final = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_no_constant)
"""Numbers stay exactly as written."""


class Page:
    """``{"value": [...], ...}`` or an array of rows.

    ``has_next`` tells, once all rows were read, whether the page names a next one.

    Raises (while rows are read):
        SourceError: it is no such page, or not a whole one.
    """

    def __init__(self, blocks: Iterator[bytes], name: str, row_limit: int) -> None:
        self._blocks, self._name, self._limit = blocks, name, row_limit
        self._text, self._begin, self._place, self._lines = "", 0, 0, 1
        self.has_next = False

    def rows(self) -> Iterator[Any]:
        """The rows, or ``TOO_LONG``."""
        first = self._peek()
        if not first:
            raise SourceError("is empty.", where=self._name)
        if first == "[":
            yield from self._array()
        elif first == "{":
            yield from self._object()
        else:
            raise self._broken()
        if self._peek():
            told = (
                "the file goes on behind the page. If each line is a row, let its name end in "
                ".jsonl."
            )
            raise SourceError(f"line {self._line()}: {told}", where=self._name)

    def _object(self) -> Iterator[Any]:
        found = False
        self._expect("{")
        while self._peek() != "}":
            key = self._value()
            if not isinstance(key, str):
                raise self._broken()
            self._expect(":")
            if key == "value" and self._peek() == "[":
                found = True
                yield from self._array()
            else:
                value = self._value()
                self.has_next |= key == _NEXT and bool(value)
            self._comma("}")
        self._expect("}")
        if not found:
            told = (
                'is no page of rows: there is no array "value". If each line is a row, let its '
                "name end in .jsonl."
            )
            raise SourceError(told, where=self._name)

    def _array(self) -> Iterator[Any]:
        self._expect("[")
        while self._peek() != "]":
            row = self._value()
            yield (
                TOO_LONG
                if len(self._text[self._begin : self._place].encode()) > self._limit
                else row
            )
            self._comma("]")
        self._expect("]")

    def _comma(self, closing: str) -> None:
        """A comma with something behind it, unless the closing bracket comes."""
        if self._peek() == closing:
            return
        self._expect(",")
        if self._peek() == closing:
            raise self._broken()

    def _expect(self, sign: str) -> None:
        if self._peek() != sign:
            raise self._broken()
        self._place += 1

    def _peek(self) -> str:
        """The next character that is no white space; empty at the end of the file."""
        while True:
            space = _SPACE.match(self._text, self._place)
            self._place = space.end() if space else self._place
            if self._place < len(self._text):
                return self._text[self._place]
            if not self._more():
                return ""

    def _value(self) -> Any:
        """The value that begins here. If it does not end in what is at hand, more is read."""
        self._peek()
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._place)
            except json.JSONDecodeError as error:
                if len(self._text) - self._place > _GIVE_UP * self._limit or not self._more():
                    raise self._broken() from error
            except (ValueError, RecursionError) as error:
                raise self._broken() from error
            else:
                if end < len(self._text) or not self._more():
                    self._begin, self._place = self._place, end
                    return value

    def _more(self) -> bool:
        """Read on; what was used up is dropped."""
        block = next(self._blocks, None)
        if block is None:
            return False
        self._lines += self._text.count("\n", 0, self._place)
        self._text = self._text[self._place :] + block.decode()
        self._place = 0
        return True

    def _line(self) -> int:
        return self._lines + self._text.count("\n", 0, self._place)

    def _broken(self) -> SourceError:
        return SourceError(
            f"is no JSON page that is whole: it breaks off, or is broken in line {self._line()}.",
            where=self._name,
        )
