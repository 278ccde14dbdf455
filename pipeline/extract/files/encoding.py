"""A text file → blocks of valid UTF-8, whatever common encoding it has."""

from __future__ import annotations

import codecs
import struct
from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

import pyarrow as pa

from pipeline.errors import SourceError
from pipeline.extract.files.packed import Content, open_content
from pipeline.extract.records import ReadOptions

_HEAD: Final = 64
_OTHERS: Final = {
    b"PK\x03\x04": "is an Excel workbook or a zip: let its name end in .xlsx or .zip.",
    b"\xd0\xcf\x11\xe0": (
        "is an Excel workbook of the old form, or one with a password: save it as .xlsx without a "
        "password."
    ),
    b"\x1f\x8b": "is packed with gzip: let its name end in .gz, as in contacts.csv.gz.",
    b"BZh91AY": "is packed with bzip2: unpack it, or pack it with gzip.",
    b"\xfd7zXZ": "is packed with xz: unpack it, or pack it with gzip.",
    b"\x28\xb5\x2f\xfd": "is packed with Zstandard: unpack it, or pack it with gzip.",
    b"7z\xbc\xaf": "is a 7z archive: unpack it.",
    b"Rar!": "is a RAR archive: unpack it.",
    b"PAR1": "is a Parquet file: let its name end in .parquet.",
    b"Obj\x01": "is an Avro file, which is not read: export CSV or Parquet.",
    codecs.BOM_UTF32_LE: "is UTF-32: save it as UTF-8.",
    codecs.BOM_UTF32_BE: "is UTF-32: save it as UTF-8.",
}
_WIDE: Final = ([False, True, True, True] * 2, [True, True, True, False] * 2)
"""Which bytes of two Latin letters are zeros in UTF-32."""
_MARKUP: Final = {
    b"<!doctype html": "is a web page, maybe of a login, and not an export: export it again.",
    b"<html": "is a web page, maybe of a login, and not an export: export it again.",
}
_LONGEST_CHARACTER: Final = 4
_CONTINUES: Final = range(0x80, 0xC0)


def read_text_blocks(content: Content, name: str, options: ReadOptions) -> Iterator[bytes]:
    """The file's text as UTF-8, without byte order mark, in blocks that end between characters.

    Args:
        content: UTF-8 or UTF-16, with or without byte order mark; packed or not.
        name: what messages call the file.
        options: ``block`` is the bytes that are read at once, and about the bytes of a block.

    Raises:
        SourceError: the file is binary, or in another encoding; the message names the line.
    """
    encoding, blocks = _decode_blocks(content, name, options)
    for number, block in enumerate(blocks):
        if not _is_text(block, name):
            before = islice(_decode_blocks(content, name, options)[1], number)
            _refuse(block, name, encoding, sum(one.count(b"\n") for one in before))
        yield block


def _decode_blocks(
    content: Content, name: str, options: ReadOptions
) -> tuple[str, Iterator[bytes]]:
    """The encoding, and blocks that nobody has checked."""
    raw = _read_raw(content, name, options)
    first = next(raw, b"")
    _refuse_others(first, name)
    encoding, whole = _find_encoding(first), chain((first,), raw)
    return encoding, _read_utf8(whole) if encoding == "utf-8" else _decode(whole, encoding)


def _read_raw(content: Content, name: str, options: ReadOptions) -> Iterator[bytes]:
    """Blocks of bytes; the first one has the whole head of the file."""
    with open_content(content, name, options) as file:
        while block := file.read(max(options.block, _HEAD)):
            yield block


def _refuse_others(first: bytes, name: str) -> None:
    """Refuse what is not text."""
    for magic, sentence in _OTHERS.items():
        if first.startswith(magic):
            raise SourceError(sentence, where=name)
    if [not byte for byte in first[:8]] in _WIDE:
        raise SourceError(_OTHERS[codecs.BOM_UTF32_LE], where=name)
    head = first[:_HEAD].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    for tag, sentence in _MARKUP.items():
        if head.startswith(tag):
            raise SourceError(sentence, where=name)


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


def _read_utf8(raw: Iterator[bytes]) -> Iterator[bytes]:
    """Blocks cut between characters.

    The last one may end inside a character: then it is not UTF-8.
    """
    rest = b""
    block = next(raw, b"").removeprefix(codecs.BOM_UTF8)
    while block:
        block = rest + block
        cut = _find_boundary(block)
        block, rest = block[:cut], block[cut:]
        if block:
            yield block
        block = next(raw, b"")
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


def _decode(raw: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """UTF-16 as UTF-8. Halves of characters stay in, so that the check finds them."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    text = decoder.decode(next(raw, b"")).removeprefix("\ufeff")
    while True:
        if text:
            yield text.encode("utf-8", "surrogatepass")
        block = next(raw, b"")
        if not block:
            break
        text = decoder.decode(block)
    if decoder.getstate()[0]:
        yield b"\xff"


def _is_text(block: bytes, name: str) -> bool:
    if b"\0" in block:
        raise SourceError("holds NUL bytes: this is not a text file.", where=name)
    return _is_utf8(block)


def _refuse(block: bytes, name: str, encoding: str, lines: int) -> None:
    """Refuse a block that is not UTF-8; ``lines`` come before it."""
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
