r"""Text as ``COPY`` of Postgres writes it: tabs between fields, ``\N`` for null, no quotes.

``\n`` is a line break there, and ``\\`` a backslash. Whether a file is written so is proved by all
of it: it has ``\N``, ends with ``\.`` or has such escapes, no backslash stands for itself, and no
field begins with a quote. Such a file is turned into the usual dialect on the way, line for line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pipeline.extract.files.csv_bounds import Dialect

_TAB: Final = "\t"
_LF: Final = b"\n"
_NULL: Final = b"\\N"
_END: Final = b"\\."
_MARK: Final = r"[,;\t|~^\x01\x1f]"
_NULL_FIELD: Final = re.compile(rf"(?:^|{_MARK})\\N(?=\r?$|{_MARK})".encode(), re.MULTILINE)
_END_LINE: Final = re.compile(rb"^\\\.\r?$", re.MULTILINE)
_QUOTED_FIELD: Final = re.compile(rb'(?:^|\t)"', re.MULTILINE)
_ESCAPE: Final = re.compile(rb"\\([\\bfnrtv])")
_SEQUENCE: Final = re.compile(rb"\\[\\bfnrtvN]|^\\\.\r?$", re.MULTILINE)
_BREAK: Final = re.compile(rb"\\r\\n|\\n|\\r")
_MEANT: Final = {b"b": b"\b", b"f": b"\f", b"t": b"\t", b"v": b"\v", b"\\": b"\\"}

BREAK: Final = "\r"
"""Stands for a line break inside a value until it is read, so that physical lines stay as they
are."""


def has_null_field(block: bytes) -> bool:
    r"""Whether a field is nothing but ``\N``, whatever common sign divides fields."""
    return _NULL in block and _NULL_FIELD.search(block) is not None


def has_escape(block: bytes) -> bool:
    """Whether something stands there that could be an escape, and not itself."""
    return _ESCAPE.search(block) is not None


def is_copy(dialect: Dialect, blocks: Iterator[bytes]) -> bool:
    """Whether a file proves that it is written so; ``blocks`` are the whole file."""
    if dialect.delimiter != _TAB or dialect.line_end != _LF:
        return False
    has_null = escapes = False
    for lines in _read_whole_lines(blocks):
        if b'"' in lines and _QUOTED_FIELD.search(lines):
            return False
        if b"\\" not in lines:
            continue
        if b"\\" in _SEQUENCE.sub(b"", lines):
            return False
        has_null = has_null or has_null_field(lines)
        escapes = escapes or has_escape(lines) or _END_LINE.search(lines) is not None
    return has_null and escapes


def convert_copy(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same lines in the usual dialect; ``BREAK`` stands for line breaks inside values."""
    for lines in _read_whole_lines(blocks):
        yield _LF.join(map(_convert_line, lines.split(_LF))) if b"\\" in lines else lines


def _read_whole_lines(blocks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        whole, mark, rest = (rest + block).rpartition(_LF)
        if mark:
            yield whole + mark
    if rest:
        yield rest


def _convert_line(line: bytes) -> bytes:
    if b"\\" not in line:
        return line
    whole = line.removesuffix(b"\r")
    if whole == _END:
        return b""
    fields = [
        _convert_field(one) if b"\\" in one and one != _NULL else one for one in whole.split(b"\t")
    ]
    return b"\t".join(fields) + line[len(whole) :]


def _convert_field(field: bytes) -> bytes:
    parts = field.split(b"\\\\")
    texts = [
        _ESCAPE.sub(lambda one: _MEANT[one.group(1)], _BREAK.sub(BREAK.encode(), part))
        for part in parts
    ]
    return b'"' + b"\\".join(texts).replace(b'"', b'""') + b'"'
