"""The text of a CSV file while it is read: what is at hand, and the physical line it begins on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

_FIRST_LINE: Final = re.compile(rb'[\r\n]*+(?:[^"\r\n]++|"(?:[^"]++|"")*+")++(\r(?!\n)|\r?\n)')


_LINE_END: Final = re.compile(rb"\r*\n|\r[^\r\n]")
_DOUBLED: Final = b"\r\r\n"
_END_OF_FILE: Final = b"\x1a"


def mend_blocks(blocks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """The blocks of a file as the tool that wrote it meant them.

    Line ends are CRCRLF where a script wrote CRLF and Windows put a CR before each LF; the copy
    command of Windows puts the sign for the end of a file behind the last line.

    Args:
        blocks: of the file's text.
        limit: bytes in which the first line end is looked for.
    """
    first = b""
    while len(first) <= limit and _LINE_END.search(first) is None:
        if not (block := next(blocks, b"")):
            break
        first += block
    found = _LINE_END.search(first)
    is_doubled = found is not None and found.group() == _DOUBLED
    held, may_wait = b"", b"\r\x1a" if is_doubled else _END_OF_FILE
    for block in chain((first,), blocks):
        whole = held + block if held else block
        passed = whole.rstrip(may_wait)
        held = whole[len(passed) :]
        if passed:
            yield passed.replace(_DOUBLED, b"\r\n") if is_doubled else passed
    if held := held.rstrip(_END_OF_FILE):
        yield held


def has_pair(block: bytes, first: bytes, seconds: bytes) -> bool:
    """Whether one of one or two signs comes directly behind another sign that is rare.

    Looking for one byte is ten times as fast as looking for two.
    """
    place = block.find(first)
    while place >= 0:
        if seconds.find(block[place + 1 : place + 2] or b"\0") >= 0:
            return True
        place = block.find(first, place + 1)
    return False


class CsvText:
    """What was read and not yet used up: it begins with a record, on physical line ``line``."""

    def __init__(self, blocks: Iterator[bytes], name: str, limit: int) -> None:
        self._blocks = blocks
        self.name, self.limit = name, limit
        self.rest, self.line, self.ended = b"", 1, False

    def read_more(self) -> bool:
        """Add a block; false at the end of the file."""
        block = next(self._blocks, None)
        self.ended = block is None
        self.rest += block or b""
        return not self.ended

    def take(self, end: int, breaks: int) -> None:
        """Bytes and physical lines that are done with."""
        self.rest = self.rest[end:]
        self.line += breaks

    def skip_line(self, line_end: bytes) -> None:
        """Drop everything until the next physical line."""
        while line_end not in self.rest:
            self.rest = b""
            if not self.read_more():
                return
        self.take(self.rest.index(line_end) + 1, 1)

    def find_line_end(self) -> bytes:
        """What ends the first line that is not blank.

        A CR at the end of what is at hand could be half a CRLF.
        """
        while (found := _FIRST_LINE.match(self.rest)) is None or found.end() == len(self.rest):
            if not self.read_more() or len(self.rest) > self.limit:
                break
        return b"\r" if found is not None and found.group(1) == b"\r" else b"\n"

    def read_first_record(self) -> bytes:
        """The first record that is not blank, with what stands before it.

        All that is at hand, if its quotes do not close.
        """
        found = _FIRST_LINE.match(self.rest)
        return self.rest if found is None else found.group()

    def replace(self, blocks: Iterator[bytes]) -> None:
        """Read on from other blocks, with nothing at hand."""
        self._blocks, self.rest, self.ended = blocks, b"", False

    def drain(self) -> Iterator[bytes]:
        """Everything that is at hand or comes."""
        return chain((self.rest,), self._blocks)
