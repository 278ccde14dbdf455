"""A text file → blocks of valid UTF-8, whatever common encoding it has."""

from __future__ import annotations

import codecs
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa

from pipeline.errors import SourceError, reading

_HEAD: Final = 64
_OTHERS: Final = {
    b"PK\x03\x04": (
        "is an Excel workbook or a zip: save the sheet as 'CSV UTF-8 (comma delimited)', or unpack "
        "it."
    ),
    b"\xd0\xcf\x11\xe0": (
        "is an old Excel workbook: save the sheet as 'CSV UTF-8 (comma delimited)'."
    ),
    b"\x1f\x8b": "is compressed with gzip: unpack it.",
    b"PAR1": "is a Parquet file: let its name end in .parquet.",
}
_LONGEST_CHARACTER: Final = 4
_CONTINUES: Final = range(0x80, 0xC0)


def read_text_blocks(path: Path, name: str, size: int) -> Iterator[bytes]:
    """The file's text as UTF-8, without byte order mark, in blocks that end between characters.

    Args:
        path: UTF-8 or UTF-16, with or without byte order mark.
        name: what messages call the file.
        size: bytes that are read at once, and about the bytes of a block.

    Raises:
        SourceError: the file is binary, or in another encoding; the message names the line.
    """
    with reading(name), path.open("rb") as file:
        head = file.read(_HEAD)
        for magic, sentence in _OTHERS.items():
            if head.startswith(magic):
                raise SourceError(sentence, where=name)
        encoding = _find_encoding(head)
        file.seek(0)
        lines = 0
        for block in (
            _read_utf8(file, size) if encoding == "utf-8" else _decode(file, size, encoding)
        ):
            _check(block, name, encoding, lines)
            lines += block.count(b"\n")
            yield block


def _find_encoding(head: bytes) -> str:
    """UTF-16 by its byte order mark, or by the zero bytes of two Latin letters; else UTF-8."""
    if head.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if head.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    zeros = [not byte for byte in head[:4]]
    if zeros == [False, True, False, True]:
        return "utf-16-le"
    if zeros == [True, False, True, False]:
        return "utf-16-be"
    return "utf-8"


def _read_utf8(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Blocks cut between characters.

    The last one may end inside a character: then it is not UTF-8.
    """
    rest = b""
    block = file.read(max(size, _HEAD)).removeprefix(codecs.BOM_UTF8)
    while block:
        block = rest + block
        cut = _find_boundary(block)
        block, rest = block[:cut], block[cut:]
        if block:
            yield block
        block = file.read(size)
    if rest:
        yield rest


def _find_boundary(block: bytes) -> int:
    """Where the last character of a block begins, if it may continue after the block.

    Else the block's length.
    """
    for back in range(1, min(_LONGEST_CHARACTER, len(block)) + 1):
        byte = block[-back]
        if byte not in _CONTINUES:
            return len(block) - back if byte >= _CONTINUES.stop else len(block)
    return len(block)


def _decode(file: BinaryIO, size: int, encoding: str) -> Iterator[bytes]:
    """UTF-16 as UTF-8. Halves of characters stay in, so that the check finds them."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    text = decoder.decode(file.read(max(size, _HEAD))).removeprefix("\ufeff")
    while True:
        if text:
            yield text.encode("utf-8", "surrogatepass")
        block = file.read(size)
        if not block:
            break
        text = decoder.decode(block)
    if decoder.getstate()[0]:
        yield b"\xff"


def _check(block: bytes, name: str, encoding: str, lines: int) -> None:
    if b"\0" in block:
        raise SourceError("holds NUL bytes: this is not a text file.", where=name)
    if _is_utf8(block):
        return
    try:
        block.decode("utf-8")
    except UnicodeDecodeError as error:
        line = lines + block.count(b"\n", 0, error.start) + 1
        expected = "UTF-8" if encoding == "utf-8" else "whole UTF-16"
        raise SourceError(
            f"line {line} is not {expected}. Save the file as 'CSV UTF-8 (comma delimited)'.",
            where=name,
        ) from error


def _is_utf8(block: bytes) -> bool:
    """Whether the block is UTF-8; Arrow finds out ten times faster than decoding does."""
    array = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(struct.pack("=ii", 0, len(block))), pa.py_buffer(block)]
    )
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
