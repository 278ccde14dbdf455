"""Data files of a package to cells: CSV in a code page, or XML with elements or attributes.

Nothing is converted yet. A delimited file has CRLF row ends and a header row; a column whose
mapping says so may be in quotes, inner quotes doubled.
"""

from __future__ import annotations

import codecs
import csv
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

from pipeline.sandbox.scm.dmf.package import FieldMap, PackageError
from pipeline.sandbox.wire import xmltree
from pipeline.sandbox.wire.xmltree import XmlError

UTF_16: Final = 1200

_CODECS: Final = {1200: "utf-16-le", 65001: "utf-8-sig", 1252: "cp1252", 20127: "ascii"}
_ROW_END: Final = "\r\n"
_QUOTE: Final = '"'
_DELIMITER: Final = ","
_OTHERS: Final = (";", "\t", "|", ":")


class FileError(Exception):
    """No row of the file can be staged; the text says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One row of a data file: its number from 1, its text as it came, its cells by column.

    Or what is wrong with it.
    """

    number: int
    text: str
    cells: Mapping[str, str]
    problem: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class DataFile:
    """A data file that could be opened: its columns, and its rows, read when they are asked for."""

    columns: tuple[str, ...]
    rows: Iterator[Line]


def read_delimited_file(
    content: bytes, code_page: int, maps: Sequence[FieldMap], label: str
) -> DataFile:
    """A delimited file.

    Raises ``FileError`` for one that cannot be staged, ``PackageError`` for wrong row ends.
    """
    text = _decode(content, code_page)
    if _ROW_END not in text and "\n" in text:
        field = f"{{{str(uuid.uuid4()).upper()}}}"
        raise PackageError(f"The mapping is incorrect for entity {label} and field {field}.")
    lines = text.split(_ROW_END)
    header = tuple(lines[0].split(_DELIMITER))
    if len(header) == 1 and len(maps) > 1 and any(sign in header[0] for sign in _OTHERS):
        raise FileError("DMF1999: The column delimiter was not found in the file.")
    qualified = [one.text_qualifier for one in (_map_of(maps, column) for column in header)]
    return DataFile(columns=header, rows=_split(lines[1:], header, qualified))


def read_xml_file(content: bytes, *, attributes: bool) -> DataFile:
    """A file with one element for each row. Raises ``FileError``."""
    try:
        root = xmltree.parse_xml(content)
    except XmlError as error:
        raise FileError("DMF1830: XML is not in correct format.") from error
    rows = [
        dict(row.attrib) if attributes else {cell.tag: cell.text or "" for cell in row}
        for row in root
    ]
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    texts = (ET.tostring(row, encoding="unicode") for row in root)
    listed = (
        Line(number=number, text=text, cells=row)
        for number, (row, text) in enumerate(zip(rows, texts, strict=True), 1)
    )
    return DataFile(columns=columns, rows=listed)


def _decode(content: bytes, code_page: int) -> str:
    if code_page == UTF_16:
        if not content.startswith(codecs.BOM_UTF16_LE):
            raise FileError("Selected file is not Unicode")
        content = content.removeprefix(codecs.BOM_UTF16_LE)
    try:
        return content.decode(_CODECS[code_page])
    except UnicodeDecodeError as error:
        raise FileError(
            f"DMF2018: The file has bytes that are not valid in code page {code_page}."
        ) from error


def _map_of(maps: Sequence[FieldMap], column: str) -> FieldMap:
    plain = FieldMap(entity_field="", source_field="", text_qualifier=False, auto_generated=False)
    return next((one for one in maps if one.source_field == column), plain)


def _split(
    lines: Sequence[str], header: Sequence[str], qualified: Sequence[bool]
) -> Iterator[Line]:
    everywhere = all(qualified)
    for number, text in enumerate(lines, 1):
        if not text:
            continue  # the end of the file, and empty rows
        try:
            cells = _split_plain(text) or (
                _split_quoted(text) if everywhere else _split_mixed(text, qualified)
            )
        except (csv.Error, ValueError):
            yield Line(
                number=number,
                text=text,
                cells={},
                problem="DMF2018: A text qualifier is not closed or not doubled.",
            )
            continue
        if len(cells) != len(header):
            problem = f"DMF2018: The row has {len(cells)} values, the header {len(header)}."
            yield Line(number=number, text=text, cells={}, problem=problem)
            continue
        yield Line(number=number, text=text, cells=dict(zip(header, cells, strict=True)))


def _split_plain(text: str) -> list[str] | None:
    return None if _QUOTE in text else text.split(_DELIMITER)


def _split_quoted(text: str) -> list[str]:
    """Every column may be in quotes. Raises ``csv.Error``."""
    (cells,) = csv.reader([text], strict=True)
    return cells


def _split_mixed(text: str, qualified: Sequence[bool]) -> list[str]:
    """Some columns may be in quotes; in the others a quote is a sign like any other.

    Raises ``ValueError``.
    """
    cells: list[str] = []
    rest: str | None = text
    while rest is not None:
        allowed = len(cells) < len(qualified) and qualified[len(cells)]
        cell, rest = _cell(rest, quotes=allowed)
        cells.append(cell)
    return cells


def _cell(text: str, *, quotes: bool) -> tuple[str, str | None]:
    """The first cell, and what is left behind its delimiter."""
    if not quotes or not text.startswith(_QUOTE):
        cell, delimiter, rest = text.partition(_DELIMITER)
        return cell, rest if delimiter else None
    end = 1
    while (end := text.index(_QUOTE, end)) + 1 < len(text) and text[end + 1] == _QUOTE:
        end += 2
    cell, rest = text[1:end].replace(2 * _QUOTE, _QUOTE), text[end + 1 :]
    if rest and not rest.startswith(_DELIMITER):
        raise ValueError(rest)
    return cell, rest[1:] if rest else None
